// Rate: the exact cost of one call, line by line; WorstCost: the most that a call can cost before
// it is made.
//
// Which price a bucket gets (docs/PRICES.md has it in words):
// 1. The contract's own price, then the list's, of the call's service tier and input size.
// 2. Another tier than standard without a price for that size: the dearer of its own price of a
//    smaller size and the standard tier's price of that size. Without any price of its own: the
//    standard tier's; but not for `priority` and `fast`, which are dearer: there it is missing.
//    What is no token (searches, pages) costs the same in all tiers.
// 3. A bucket without a price gets that of the buckets it is a kind of, the dearest of them:
//    cache_read is a kind of input, reasoning of output, cache_read_audio of input_audio and of
//    cache_read. The line says so.
// 4. `requests` without a price cost nothing where the model has other prices: no vendor that
//    charges per call leaves it out. The line says so.
// All else that is missing is NOT_FOUND, or what the caller's policy declares.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "model/usage.h"
#include "rates/price_book.h"

namespace flyball::rates {

// Why a price was taken that is not the bucket's own; kOwn needs no words.
enum class PriceReason : uint8_t {
  kOwn,
  kContract,      // the contract's own price
  kKindOf,        // the price of a bucket that this one is a kind of
  kStandardTier,  // the standard tier's price
  kNoFee,         // requests that cost nothing
  kCeiling,       // unknown; the dearest price of the book (policy)
  kDeclaredFree,  // unknown; declared free (policy)
};
std::string_view PriceReasonText(PriceReason reason);

struct UnitPrice {
  Money price;  // for Info(bucket).per counts
  Bucket priced_as{};
  PriceReason reason = PriceReason::kOwn;
};

// What a missing price means. The default never charges a wrong amount.
enum class MissingPrice : uint8_t { kDeny, kCeiling, kFree };
Result<MissingPrice> ParseMissingPrice(std::string_view name);

struct RateLine {
  Bucket meter{};
  int64_t quantity = 0;
  UnitPrice unit_price;
  Money cost;
};

struct Rated {
  Money total;  // the sum of the lines
  std::string currency;
  std::vector<RateLine> lines;  // one a bucket that is not zero, in the order of the table
  PriceHit hit;                 // where the prices stand; without a layer: nobody knows the model
};

// The price of one bucket in a call whose whole input is `input_tokens`. NOT_FOUND: none is known.
Result<UnitPrice> FindUnitPrice(const PriceHit& hit, ServiceTier tier, int64_t input_tokens,
                                Bucket bucket);

// Exact: price times count; where a price buys several counts (a GPU hour of seconds) rounded once,
// half to even, to 1e-12. Never overflows: Usage and PriceSet bound their parts.
Money CostOf(Money price, int64_t quantity, int64_t per);

struct RateOptions {
  ServiceTier tier = ServiceTier::kStandard;
  MissingPrice missing = MissingPrice::kDeny;
};
// The cost of a call at prices that were found. `book` is needed for MissingPrice::kCeiling only.
Result<Rated> RateAt(const PriceHit& hit, const Usage& usage, const RateOptions& options,
                     const PriceBook* book = nullptr);
// The same with the look-up. Under kCeiling and kFree a model without any price is rated too, in
// USD.
Result<Rated> Rate(const PriceBook& book, const PriceQuery& query, const Usage& usage,
                   const RateOptions& options);

using TierSet = uint32_t;
constexpr TierSet SetOf(ServiceTier tier) { return TierSet{1} << static_cast<unsigned>(tier); }

std::string TierNames(TierSet tiers);  // "standard,priority"

// What a call can consume at most, known before it is made.
struct UsageBound {
  int64_t input_tokens = 0;  // all of them, however they will be split
  int64_t output_tokens = 0;
  BucketSet input_kinds = 0;  // the buckets that input tokens may come to lie in
  BucketSet output_kinds = 0;
  Usage others;  // at most these of what is no token; tokens in it are ignored
  TierSet tiers = SetOf(ServiceTier::kStandard);  // every tier that the vendor may serve it at
};
// Plain text in and out, the cache read; with `cache_control` also written for five minutes.
inline constexpr BucketSet kTextInput = SetOf(Bucket::kInput) | SetOf(Bucket::kCacheRead);
inline constexpr BucketSet kTextOutput = SetOf(Bucket::kOutput) | SetOf(Bucket::kReasoning);

// No usage within the bound costs more, at any tier of the set and at any size up to the bound, by
// RateAt with the same prices. Tiers other than standard that the model has no prices for are left
// out of the maximum (a vendor can't serve them). NOT_FOUND names the first kind without a price,
// or says that no tier is left; INVALID_ARGUMENT: tokens without a kind.
struct Worst {
  Money without_output;  // the most that input and `others` cost
  Money whole;
};
Result<Worst> WorstCost(const PriceHit& hit, const UsageBound& bound);

}  // namespace flyball::rates
