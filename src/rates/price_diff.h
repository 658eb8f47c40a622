// Where two lists of prices disagree: between formats, or between two versions of one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "rates/price_book.h"

namespace flyball::rates {

struct PriceDifference {
  enum class Kind : uint8_t { kPrice, kOnlyFirst, kOnlySecond };
  Kind kind = Kind::kPrice;
  std::string provider;  // as the first list spells it
  std::string model;
  ServiceTier tier = ServiceTier::kStandard;
  int64_t above = 0;
  Bucket bucket{};
  Money first;   // of kPrice and kOnlyFirst
  Money second;  // of kPrice and kOnlySecond
};

struct PriceComparison {
  int64_t models_compared = 0;  // in both
  int64_t models_only_first = 0;
  int64_t models_only_second = 0;
  int64_t prices_compared = 0;               // stated by both
  int64_t prices_differing = 0;              // of these
  int64_t prices_only_one = 0;               // stated by one, of models in both
  std::vector<PriceDifference> differences;  // in the order of the first list
  std::vector<std::string> only_first;       // "provider/model"
  std::vector<std::string> only_second;
};

// As of one time, everywhere (no region). A model of the first list is looked up in the second as a
// call would be. Errors only where a layer is not well formed.
Result<PriceComparison> ComparePrices(const Layer& first, const Layer& second, Instant at);

}  // namespace flyball::rates
