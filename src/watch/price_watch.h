// PriceWatch: unit prices of models as calls are settled, and those that are higher than any
// before.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/money.h"
#include "base/time.h"
#include "model/metered_call.h"

namespace flyball::watch {

inline constexpr size_t kPricesWatched = 4096;  // meters of models; the least recently used go
inline constexpr size_t kPricesKnown = 8;  // of one meter: models have several, by size of the call
inline constexpr int64_t kPriceCallsLeast = 10;  // at known prices, before a new one says anything
inline constexpr int64_t kPriceCallsTold = 3;    // at the new price, before it is told
inline constexpr int64_t kPriceRisePercent = 5;

struct PriceRise {
  std::string model, currency, meter;
  Money before, now;  // the highest before
  Instant began;
  Money beyond;  // what calls have cost more for it, so far
};

class PriceWatch {
 public:
  // A rise when this call is the one that tells it. Where `learns`, new prices are taken as known.
  std::optional<PriceRise> Take(const metered::Dispatch& dispatch, const metered::End& end,
                                bool learns);

 private:
  struct Watched {
    std::vector<Money> known;
    int64_t calls = 0;
    Money rising;  // a price that was not known, and its calls
    int64_t rising_calls = 0;
    Instant rising_since;
    int128 beyond = 0;
    std::list<std::string>::iterator used;
  };
  Watched& At(const std::string& name);

  std::unordered_map<std::string, Watched> watched_;
  std::list<std::string> used_;  // the most recent first
};

}  // namespace flyball::watch
