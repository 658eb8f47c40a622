#include "rates/rate.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>

#include "base/assert.h"

namespace flyball::rates {
namespace {

template <typename Do>
void ForEach(BucketSet set, Do what) {
  for (; set != 0; set &= set - 1) what(static_cast<Bucket>(std::countr_zero(set)));
}

// What a bucket is a kind of: whose price it gets when it has none.
constexpr BucketSet KindOf(Bucket bucket) {
  using enum Bucket;
  switch (bucket) {
    case kCacheRead:
    case kCacheWrite5m:
    case kInputAudio:
    case kInputImage:
    case kInputVideo:
      return SetOf(kInput);
    case kCacheWrite1h:
      return SetOf(kCacheWrite5m);
    case kCacheReadAudio:
      return SetOf(kInputAudio) | SetOf(kCacheRead);
    case kCacheReadImage:
      return SetOf(kInputImage) | SetOf(kCacheRead);
    case kCacheReadVideo:
      return SetOf(kInputVideo) | SetOf(kCacheRead);
    case kCacheWriteAudio:
      return SetOf(kInputAudio) | SetOf(kCacheWrite5m);
    case kReasoning:
    case kOutputAudio:
    case kOutputImage:
    case kOutputVideo:
    case kCitation:
      return SetOf(kOutput);
    case kSearchesLow:
    case kSearchesHigh:
      return SetOf(kSearches);
    case kInputAudioSeconds:
      return SetOf(kInputSeconds);
    case kOutputVideoSeconds:
      return SetOf(kOutputSeconds);
    default:
      return 0;
  }
}

struct Banded {
  const Money* price = nullptr;
  int64_t above = 0;
};

// The price in the highest band that is reached and names the bucket.
Banded InTier(const RateCard& card, ServiceTier tier, int64_t input_tokens, Bucket bucket) {
  Banded found;
  for (const SizeBand& band : card.tiers[static_cast<size_t>(tier)]) {
    if (!band.Reached(input_tokens)) break;
    if (const Money* price = band.prices.Find(bucket)) found = {price, band.above};
  }
  return found;
}

bool IsDearTier(ServiceTier tier) {
  return tier == ServiceTier::kPriority || tier == ServiceTier::kFast;
}

// One look-up: the prices, the call's tier and size.
struct Search {
  const PriceHit& hit;
  ServiceTier tier;
  int64_t input_tokens;

  std::optional<UnitPrice> Own(Bucket bucket) const;
  std::optional<UnitPrice> OfStandard(Bucket bucket) const;
  std::optional<UnitPrice> OfKind(Bucket bucket) const;
  std::optional<UnitPrice> Any(Bucket bucket) const;
};

std::optional<UnitPrice> Search::Own(Bucket bucket) const {
  if (hit.contract_card != nullptr) {
    const Banded contract = InTier(*hit.contract_card, tier, input_tokens, bucket);
    if (contract.price != nullptr)
      return UnitPrice{*contract.price, bucket, PriceReason::kContract};
  }
  const Banded own = InTier(*hit.card, tier, input_tokens, bucket);
  if (own.price == nullptr) return std::nullopt;
  const Banded standard = InTier(*hit.card, ServiceTier::kStandard, input_tokens, bucket);
  if (standard.price != nullptr && standard.above > own.above && *standard.price > *own.price) {
    return UnitPrice{*standard.price, bucket, PriceReason::kStandardTier};
  }
  return UnitPrice{*own.price, bucket, PriceReason::kOwn};
}

std::optional<UnitPrice> Search::OfStandard(Bucket bucket) const {
  if (tier == ServiceTier::kStandard) return std::nullopt;
  std::optional<UnitPrice> found = Search{hit, ServiceTier::kStandard, input_tokens}.Own(bucket);
  if (found && Info(bucket).token) found->reason = PriceReason::kStandardTier;
  return found;
}

std::optional<UnitPrice> Dearer(std::optional<UnitPrice> a, std::optional<UnitPrice> b) {
  if (!a || (b && b->price > a->price)) return b;
  return a;
}

std::optional<UnitPrice> Search::OfKind(Bucket bucket) const {
  std::optional<UnitPrice> dearest;
  const BucketSet kinds = KindOf(bucket);
  for (const bool recurse : {false, true}) {
    ForEach(kinds,
            [&](Bucket kind) { dearest = Dearer(dearest, recurse ? Any(kind) : Own(kind)); });
    if (dearest) break;
  }
  if (dearest && dearest->reason == PriceReason::kOwn) dearest->reason = PriceReason::kKindOf;
  return dearest;
}

std::optional<UnitPrice> Search::Any(Bucket bucket) const {
  if (std::optional<UnitPrice> own = Own(bucket)) return own;
  std::optional<UnitPrice> standard = OfStandard(bucket);
  if (IsDearTier(tier) && Info(bucket).token) {
    // The standard tier's price alone may be too low; only a price of this tier says how dear it
    // is.
    std::optional<UnitPrice> kind = OfKind(bucket);
    return kind ? Dearer(kind, standard) : std::nullopt;
  }
  return standard ? standard : OfKind(bucket);
}

bool HasOtherPrices(const PriceHit& hit) {
  return !hit.card->empty() || (hit.contract_card != nullptr && !hit.contract_card->empty());
}

std::unexpected<Error> Missing(const PriceHit& hit, ServiceTier tier, Bucket bucket) {
  const bool tiered = tier != ServiceTier::kStandard && Info(bucket).token;
  return Fail(Code::kNotFound,
              fmt::format("'{}' has no price for {}{}", hit.model->model, Info(bucket).name,
                          tiered ? fmt::format(" in the service tier {}", TierName(tier)) : ""),
              "import a price file that has it, or state its price in one of your own");
}

// What the policy makes of a price that nobody knows.
std::optional<UnitPrice> Declared(Bucket bucket, MissingPrice missing, const PriceBook* book) {
  if (missing == MissingPrice::kFree) return UnitPrice{{}, bucket, PriceReason::kDeclaredFree};
  if (missing != MissingPrice::kCeiling || book == nullptr) return std::nullopt;
  const Money* ceiling = book->Ceiling(bucket);
  if (ceiling == nullptr && bucket == Bucket::kRequests) {
    return UnitPrice{{}, bucket, PriceReason::kNoFee};  // no model of the book has a fee
  }
  if (ceiling == nullptr) return std::nullopt;
  return UnitPrice{*ceiling, bucket, PriceReason::kCeiling};
}

Money Plus(Money a, Money b) {
  // Bounded by kUsageCountMax x kPriceMaxUnits x kBucketCount, far inside 38 digits.
  return Money::FromUnits(a.units() + b.units());
}

void AddLine(Rated& rated, Bucket bucket, int64_t quantity, const UnitPrice& price) {
  const Money cost = CostOf(price.price, quantity, Info(bucket).per);
  rated.lines.push_back({bucket, quantity, price, cost});
  rated.total = Plus(rated.total, cost);
}

// An input size of each stretch up to the bound in which prices are the same: its largest.
std::vector<int64_t> SizesUpTo(const PriceHit& hit, int64_t input_tokens) {
  std::vector<int64_t> sizes{input_tokens};
  for (const RateCard* card : {hit.card, hit.contract_card}) {
    if (card == nullptr) continue;
    for (const auto& bands : card->tiers) {
      for (const SizeBand& band : bands) {
        if (band.above == 0) continue;
        const int64_t below = band.inclusive ? band.above - 1 : band.above;
        if (below < input_tokens) sizes.push_back(below);
      }
    }
  }
  std::ranges::sort(sizes);
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

// The dearest price of any of the buckets at any of the sizes.
Result<Money> Dearest(const PriceHit& hit, ServiceTier tier, const std::vector<int64_t>& sizes,
                      BucketSet kinds) {
  Money dearest;
  Status missing;
  ForEach(kinds, [&](Bucket bucket) {
    for (size_t i = 0; missing && i < sizes.size(); ++i) {
      const Result<UnitPrice> price = FindUnitPrice(hit, tier, sizes[i], bucket);
      if (price) {
        dearest = std::max(dearest, price->price);
      } else {
        missing = Fail(price.error());
      }
    }
  });
  FB_CHECK(std::move(missing));
  return dearest;
}

bool Offers(const PriceHit& hit, ServiceTier tier) {
  const size_t index = static_cast<size_t>(tier);
  return !hit.card->tiers[index].empty() ||
         (hit.contract_card != nullptr && !hit.contract_card->tiers[index].empty());
}

Result<Worst> WorstCostInTier(const PriceHit& hit, ServiceTier tier, const UsageBound& bound,
                              const std::vector<int64_t>& sizes) {
  Worst worst;
  if (bound.input_tokens > 0) {
    const Money price = FB_TRY(Dearest(hit, tier, sizes, bound.input_kinds));
    worst.without_output = CostOf(price, bound.input_tokens, 1);
  }
  for (const BucketInfo& info : Buckets()) {
    if (info.token || bound.others[info.bucket] == 0) continue;
    const Money price = FB_TRY(Dearest(hit, tier, sizes, SetOf(info.bucket)));
    worst.without_output =
        Plus(worst.without_output, CostOf(price, bound.others[info.bucket], info.per));
  }
  worst.whole = worst.without_output;
  if (bound.output_tokens > 0) {
    const Money price = FB_TRY(Dearest(hit, tier, sizes, bound.output_kinds));
    worst.whole = Plus(worst.whole, CostOf(price, bound.output_tokens, 1));
  }
  return worst;
}

}  // namespace

std::string_view PriceReasonText(PriceReason reason) {
  switch (reason) {
    case PriceReason::kOwn:
      return "";
    case PriceReason::kContract:
      return "price of the contract";
    case PriceReason::kKindOf:
      return "no price of its own";
    case PriceReason::kStandardTier:
      return "price of the standard tier";
    case PriceReason::kNoFee:
      return "no fee per request";
    case PriceReason::kCeiling:
      return "price unknown: the dearest of the book";
    case PriceReason::kDeclaredFree:
      return "price unknown: declared free";
  }
  return "";
}

Result<MissingPrice> ParseMissingPrice(std::string_view name) {
  if (name == "deny") return MissingPrice::kDeny;
  if (name == "ceiling") return MissingPrice::kCeiling;
  if (name == "free") return MissingPrice::kFree;
  return Fail(Code::kInvalidArgument, fmt::format("'{}' is no policy for missing prices", name),
              "deny, ceiling or free");
}

Result<UnitPrice> FindUnitPrice(const PriceHit& hit, ServiceTier tier, int64_t input_tokens,
                                Bucket bucket) {
  if (const auto found = Search{hit, tier, input_tokens}.Any(bucket)) return *found;
  if (bucket == Bucket::kRequests && HasOtherPrices(hit)) {
    return UnitPrice{{}, bucket, PriceReason::kNoFee};
  }
  return Missing(hit, tier, bucket);
}

Money CostOf(Money price, int64_t quantity, int64_t per) {
  FB_ASSERT(quantity >= 0 && quantity <= kUsageCountMax && per > 0);
  const int128 product = price.units() * quantity;
  if (per == 1) return Money::FromUnits(product);
  int128 quotient = product / per;
  const int128 twice = product % per * 2;
  if (twice > per || (twice == per && quotient % 2 != 0)) ++quotient;
  return Money::FromUnits(quotient);
}

Result<Rated> RateAt(const PriceHit& hit, const Usage& usage, const RateOptions& options,
                     const PriceBook* book) {
  Rated rated;
  rated.hit = hit;
  rated.currency = hit.currency();
  const int64_t input_tokens = usage.InputTokens();
  for (const BucketInfo& info : Buckets()) {
    const int64_t quantity = usage[info.bucket];
    if (quantity == 0) continue;
    Result<UnitPrice> price = FindUnitPrice(hit, options.tier, input_tokens, info.bucket);
    if (!price) {
      const auto declared = Declared(info.bucket, options.missing, book);
      if (!declared || (declared->reason == PriceReason::kCeiling && rated.currency != "USD")) {
        return Fail(std::move(price).error());
      }
      price = *declared;
    }
    AddLine(rated, info.bucket, quantity, *price);
  }
  return rated;
}

Result<Rated> Rate(const PriceBook& book, const PriceQuery& query, const Usage& usage,
                   const RateOptions& options) {
  Result<PriceHit> hit = book.Find(query);
  if (hit) return RateAt(*hit, usage, options, &book);
  if (hit.error().code != Code::kNotFound || options.missing == MissingPrice::kDeny) {
    return Fail(std::move(hit).error());
  }
  Rated rated;
  rated.currency = "USD";
  for (const BucketInfo& info : Buckets()) {
    if (usage[info.bucket] == 0) continue;
    const auto declared = Declared(info.bucket, options.missing, &book);
    if (!declared) return Fail(std::move(hit).error());
    AddLine(rated, info.bucket, usage[info.bucket], *declared);
  }
  return rated;
}

std::string TierNames(TierSet tiers) {
  std::string names;
  for (size_t i = 0; i < kServiceTierCount; ++i) {
    const auto tier = static_cast<ServiceTier>(i);
    if ((tiers & SetOf(tier)) == 0) continue;
    if (!names.empty()) names += ',';
    names += TierName(tier);
  }
  return names;
}

Result<Worst> WorstCost(const PriceHit& hit, const UsageBound& bound) {
  if (bound.input_tokens < 0 || bound.input_tokens > kUsageCountMax || bound.output_tokens < 0 ||
      bound.output_tokens > kUsageCountMax) {
    return Fail(Code::kOutOfRange,
                fmt::format("a call of {} input and {} output tokens can't be priced",
                            bound.input_tokens, bound.output_tokens));
  }
  if ((bound.input_tokens > 0 && bound.input_kinds == 0) ||
      (bound.output_tokens > 0 && bound.output_kinds == 0)) {
    return Fail(Code::kInvalidArgument, "the bound names no kind for its tokens");
  }
  const std::vector<int64_t> sizes = SizesUpTo(hit, bound.input_tokens);
  std::optional<Worst> worst;
  for (size_t i = 0; i < kServiceTierCount; ++i) {
    const ServiceTier tier = static_cast<ServiceTier>(i);
    if ((bound.tiers & SetOf(tier)) == 0 || (IsDearTier(tier) && !Offers(hit, tier))) continue;
    const Worst cost = FB_TRY(WorstCostInTier(hit, tier, bound, sizes));
    if (!worst) worst.emplace();
    worst->without_output = std::max(worst->without_output, cost.without_output);
    worst->whole = std::max(worst->whole, cost.whole);
  }
  if (worst) return *worst;
  return Fail(
      Code::kNotFound,
      fmt::format("'{}' has no price in any service tier that the call may get", hit.model->model),
      "import a price file that has it, or state its price in one of your own");
}

}  // namespace flyball::rates
