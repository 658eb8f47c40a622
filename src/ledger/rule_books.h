// Rule books: the rulebook snapshots that commits name, stored by their hash, compiled on demand.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "estate/estate.h"
#include "ledger/home.h"
#include "os/files.h"

namespace flyball::ledger {

// Thread-safe.
class RuleBooks {
 public:
  RuleBooks(os::Files& files, Layout layout) : files_(files), layout_(std::move(layout)) {}

  // Stores the snapshot durably (when it is not there yet) and gives its hash.
  Result<std::string> Put(const std::string& snapshot);
  // DATA_LOSS when the snapshot is missing or is not what its name says.
  Result<std::shared_ptr<const estate::RuleSet>> Get(const std::string& hash);

 private:
  static constexpr size_t kCompiledKept = 4;
  os::Files& files_;
  const Layout layout_;
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::shared_ptr<const estate::RuleSet>>>
      compiled_;  // newest last
};

}  // namespace flyball::ledger
