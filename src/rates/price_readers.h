// The readers behind ReadPriceFile, one a format, and what they share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rates/json_tree.h"
#include "rates/price_file.h"

namespace flyball::rates {

// A price that a file states for `batch` units, as the price of one: exact, or rounded half to even
// to 1e-12 and counted in the report. Absent when it is not usable (no number, negative, absurd):
// that is noted under the example's name.
std::optional<Money> ReadPrice(std::string_view number, int64_t batch, std::string_view example,
                               PriceReport& report);
// price x factor, rounded half to even to 1e-12; absent when the factor is not within [0, 1000]
// with six decimals.
std::optional<Money> Scaled(Money price, std::string_view factor);
// Adds to `card` the token prices of `tier` times a factor, as those of another tier. False: the
// factor is not usable.
bool AddScaledTier(RateCard& card, ServiceTier from, ServiceTier to, std::string_view factor);
// A copy with all token prices of all tiers times a factor.
std::optional<RateCard> ScaledCard(const RateCard& card, std::string_view factor);

// Counts the layer's models and prices into its report.
void CountPrices(PriceFile& file);

Result<PriceFile> ReadLiteLlm(const JsonNode& document, const PriceFileOptions& options);
Result<PriceFile> ReadGenaiPrices(const JsonNode& document);
Result<PriceFile> ReadFlyballPrices(const JsonNode& document);

}  // namespace flyball::rates
