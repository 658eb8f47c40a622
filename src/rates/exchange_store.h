// Imported files of exchange rates in the home: `home/exchange/<time>-<format>-<sha256>.csv`, byte
// for byte as they came, never rewritten, read again whenever rates are needed. All of them make
// one table; where two state the same day, the one that was imported later counts.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "os/files.h"
#include "rates/exchange.h"

namespace flyball::rates {

// The file of a day, each working day for eight years.
inline constexpr size_t kExchangeImportsMax = 2048;

struct StoredExchange {
  std::string name;  // of the file
  std::string id;    // the beginning of its hash, for people
  std::string sha256;
  bool own = false;  // of the company itself: above the bank's, whenever those came
  Instant imported;
};

// Thread-safe.
class ExchangeStore {
 public:
  // Touches nothing before the first Add.
  ExchangeStore(os::Files& files, const std::string& home);

  struct Added {
    StoredExchange stored;
    ExchangeFile file;
    bool unchanged = false;  // the last import is the same, byte for byte
    int64_t restated = 0;    // rates that were others before
  };
  // Whole or not at all, and durable. Files of which no rate counts any more are moved to the
  // folder `covered`, and read no more. INVALID_ARGUMENT as ReadExchangeFile; RESOURCE_EXHAUSTED:
  // there are kExchangeImportsMax already.
  Result<Added> Add(std::string_view bytes, Instant now, bool own = false);
  // In the order in which they count, the last above all, and of the bank's and of the company's
  // own each from the oldest to the newest; other files in the folder are passed over.
  Result<std::vector<StoredExchange>> List() const;
  // DATA_LOSS when the content is no longer what its name says.
  Result<ExchangeFile> Load(const StoredExchange& stored) const;
  // All of them, read once and again when the folder has others. Its sources are named
  // "exchange/<name>". Never null; empty when nothing was imported.
  Result<std::shared_ptr<const ExchangeTable>> Table();
  // Another one when Table() may be another one; "" when nothing was imported.
  Result<std::string> Version() const;

 private:
  Status PutCoveredAway();

  os::Files& files_;
  std::string folder_;
  std::mutex mutex_;
  std::string version_;
  std::shared_ptr<const ExchangeTable> table_;
};

}  // namespace flyball::rates
