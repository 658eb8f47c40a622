// NewHome: a home that comes into being with its first commit. It holds the folder from the start,
// so that no other process can begin a ledger there while a first import stages; what was made is
// taken away again unless Open makes a ledger of it. A bad bill or a dry run so leaves nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ledger/ledger.h"
#include "os/files.h"

namespace flyball::ledger {

class NewHome {
 public:
  // ALREADY_EXISTS when a process has the folder, or when a ledger was begun there after all;
  // INVALID_ARGUMENT when its estate.yaml is broken: better now than after the staging of a large
  // bill.
  static Result<NewHome> Hold(os::Files& files, const std::string& home);
  NewHome(NewHome&&) noexcept;
  NewHome& operator=(NewHome&&) = delete;
  ~NewHome();

  // The ledger, in options.home, which is this one.
  Result<std::unique_ptr<Ledger>> Open(const LedgerOptions& options, Clock& clock) &&;

 private:
  NewHome(os::Files& files, std::string home) : files_(&files), home_(std::move(home)) {}

  os::Files* files_;
  std::string home_;
  std::vector<std::string> made_;  // the folders that were not there, innermost first
  std::optional<os::HomeLock> lock_;
};

}  // namespace flyball::ledger
