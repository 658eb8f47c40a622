// Imported price files in the home: `home/prices/<time>-<format>-<sha256>.json`, byte for byte as
// they came, never rewritten. What they say is read again when a book is opened, so a better reader
// needs no new import.
//
// Several imports make one book: contracts first (of one name only its newest file), then lists,
// the one that was checked last before the others, then those that state no day (the genai-prices
// document), the one that was imported last first, then the built-in list. A LiteLLM map says what
// holds when it was checked and nothing of the days before: there the older lists answer, and the
// oldest of the maps last of all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "os/files.h"
#include "rates/price_file.h"

namespace flyball::rates {

inline constexpr size_t kPriceImportsMax = 64;

struct StoredPrices {
  std::string name;  // of the file
  std::string id;    // the beginning of its hash, for people
  std::string sha256;
  PriceFormat format = PriceFormat::kFlyball;
  Instant imported;
};

class PriceStore {
 public:
  // Touches nothing before the first Add.
  PriceStore(os::Files& files, const std::string& home);

  struct Added {
    StoredPrices prices;
    PriceFile file;
    bool unchanged = false;  // the newest import of this format is the same, byte for byte
  };
  // Whole or not at all, and durable. INVALID_ARGUMENT as ReadPriceFile; RESOURCE_EXHAUSTED: there
  // are kPriceImportsMax already.
  Result<Added> Add(std::string_view bytes, Instant now);
  // From the oldest to the newest; none when nothing was imported. Other files in the folder are
  // passed over.
  Result<std::vector<StoredPrices>> List() const;
  // DATA_LOSS when the content is no longer what its name says.
  Result<PriceFile> Load(const StoredPrices& prices) const;
  // By its id, the beginning of one, or its file name. NOT_FOUND, or INVALID_ARGUMENT when several
  // begin so.
  Result<StoredPrices> Find(std::string_view id) const;
  // All layers of the book, in their order; the built-in list alone when nothing was imported.
  Result<std::vector<Layer>> Layers() const;
  const std::string& folder() const { return folder_; }

 private:
  os::Files& files_;
  std::string folder_;
};

}  // namespace flyball::rates
