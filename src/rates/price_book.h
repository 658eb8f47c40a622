// Rates: what a unit of work costs, and since when (floor 3). Read this first, then rate.h.
//
// A *price* is exact money for a fixed number of units (Bucket::per, one token). Money counts 1e-12
// of the currency, and list prices end there once the float noise of price files is rounded away,
// so a call's cost is an integer product: no rounding, no error to carry. (A price for a million
// tokens would keep digits that no vendor bills and would bring a division into every call.)
//
// A *rate card* holds all prices of one model at one time: by service tier, and within a tier by
// the size of the input. A *period* is a card with its dates, currency, source and the day it was
// checked. A *book* is made of layers: contracts, imported files, the built-in list. The first
// layer that knows the model answers. A book never changes after Build: share it between threads
// freely.
//
// A price that is missing is an error; a price of zero must be stated. docs/PRICES.md tells which
// price stands in for which.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "model/usage.h"
#include "rates/name_match.h"

namespace flyball::rates {

enum class ServiceTier : uint8_t { kStandard, kBatch, kFlex, kPriority, kFast };
inline constexpr size_t kServiceTierCount = 5;
std::string_view TierName(ServiceTier tier);
// The names above, and what vendors call the standard tier: "default", "on_demand".
// INVALID_ARGUMENT for others.
Result<ServiceTier> ParseTier(std::string_view name);

// No price is above this many currency units: with kUsageCountMax it keeps every cost in range.
inline constexpr int64_t kPriceMaxUnits = 1'000'000;

// "Since ever" and "until further notice".
inline constexpr Instant kAlways{std::numeric_limits<int64_t>::min()};
inline constexpr Instant kForever{std::numeric_limits<int64_t>::max()};

// Prices by bucket; absent and zero are two things.
class PriceSet {
 public:
  // Replaces what is there. The price is not negative and at most kPriceMaxUnits (asserted).
  void Set(Bucket bucket, Money price);
  const Money* Find(Bucket bucket) const {
    if ((mask_ & SetOf(bucket)) == 0) return nullptr;
    return &prices_[static_cast<size_t>(std::popcount(mask_ & (SetOf(bucket) - 1)))];
  }
  BucketSet buckets() const { return mask_; }
  bool empty() const { return mask_ == 0; }
  bool operator==(const PriceSet&) const = default;

 private:
  BucketSet mask_ = 0;
  std::vector<Money> prices_;  // in the order of the set bits
};

// The prices of calls whose whole input (cached or not) is above a size. They hold for all tokens
// of the call, not only for those above. A bucket that a band does not name keeps the price of the
// band below.
struct SizeBand {
  int64_t above = 0;       // input tokens; 0 for the base
  bool inclusive = false;  // reached at `above` itself
  PriceSet prices;
  bool Reached(int64_t input_tokens) const {
    return above == 0 || input_tokens > above || (inclusive && input_tokens == above);
  }
  bool operator==(const SizeBand&) const = default;
};

struct RateCard {
  // By tier: bands from the smallest to the largest size; a tier without prices has none.
  std::array<std::vector<SizeBand>, kServiceTierCount> tiers;
  SizeBand& Band(ServiceTier tier, int64_t above, bool inclusive = false);  // made when absent
  bool empty() const;
  size_t price_count() const;
  bool operator==(const RateCard&) const = default;
};

// A daily time in UTC, [start, end) in seconds since midnight; over midnight when end < start.
struct DayWindow {
  int32_t start_s = 0;
  int32_t end_s = 0;
  bool Contains(Instant at) const;
  bool operator==(const DayWindow&) const = default;
};

struct PriceSource {
  std::string name;          // "litellm", "genai-prices", "flyball"
  std::string url;           // where the price can be read; may be empty
  Instant checked{kAlways};  // when it was last compared with it; kAlways: unknown
};

// A card in force during [from, to); at some hours of the day another one may replace it.
struct PricePeriod {
  Instant from{kAlways};
  Instant to{kForever};
  std::string currency = "USD";
  std::string contract;  // its name, of a contract's price
  uint32_t source = 0;   // in the layer's sources
  RateCard card;
  std::vector<std::pair<DayWindow, RateCard>> windows;  // the last that contains the time counts
  const RateCard& CardAt(Instant at) const;
};

struct RegionPrices {
  std::string region;                // "": everywhere where no other entry of the model applies
  std::vector<PricePeriod> periods;  // ordered, disjoint
};

struct ModelPrices {
  std::string provider;  // as its source spells it
  std::string model;
  std::vector<std::string> aliases;
  std::optional<NameMatch> match;  // other names that mean this model
  std::vector<RegionPrices> regions;
  RegionPrices& Region(std::string_view region);  // made when absent
};

struct ProviderInfo {
  std::string id;
  std::optional<NameMatch> names;      // of providers that mean this one
  std::optional<NameMatch> models;     // whose maker this is
  std::vector<std::string> fallbacks;  // providers whose prices hold when this one has none
};

struct Layer {
  std::string name;
  bool contract = false;  // its prices replace others bucket by bucket
  std::vector<PriceSource> sources;
  std::vector<ProviderInfo> providers;
  std::vector<ModelPrices> models;
};

struct PriceQuery {
  std::string_view provider;  // empty: whoever has the model
  std::string_view model;
  Instant at;
  std::string_view region;  // empty: the price that holds everywhere
};

// Where a call's prices stand. Points into the book.
struct PriceHit {
  const Layer* layer = nullptr;
  const ModelPrices* model = nullptr;
  const PricePeriod* period = nullptr;
  const RateCard* card = nullptr;
  // Of a contract in the same currency: its prices come before those of `card`.
  const PricePeriod* contract = nullptr;
  const RateCard* contract_card = nullptr;
  const std::string& currency() const { return period->currency; }
  const PriceSource& source() const { return layer->sources[period->source]; }
};

class PriceBook {
 public:
  PriceBook();
  PriceBook(PriceBook&&) noexcept;
  PriceBook& operator=(PriceBook&&) noexcept;
  ~PriceBook();

  // Earlier layers answer first; contracts before all others. INVALID_ARGUMENT when periods of a
  // model overlap or are empty, or a source index is out of range.
  static Result<PriceBook> Build(std::vector<Layer> layers);

  // Without a provider a model is its maker's, where any layer has it from there; otherwise whoever
  // has it. NOT_FOUND: no layer has the model, or not at that time (the message says since when).
  // FAILED_PRECONDITION: several providers price it differently; the message names them.
  // Costs a few hash look-ups. A name that only a pattern knows, or nobody, costs a walk over the
  // patterns, some 20 us with both public files: who rates many calls keeps the hit of a model and
  // time, which lives as long as the book.
  Result<PriceHit> Find(const PriceQuery& query) const;
  // The known name nearest to one that was not found, or "": for "did you mean". A walk over all.
  std::string_view Nearest(std::string_view model) const;
  // All that the name means, in every layer, in the order in which they are asked.
  std::vector<std::pair<const Layer*, const ModelPrices*>> All(std::string_view provider,
                                                               std::string_view model) const;
  // The dearest price of a bucket in any card of USD, whenever it held: what an unknown price is
  // taken for under MissingPrice::kCeiling. Null when no card has one.
  const Money* Ceiling(Bucket bucket) const;
  const std::vector<Layer>& layers() const;

 private:
  struct Index;
  // Of the lists alone; no layer: none has it then. `known`: one has it, whenever.
  Result<PriceHit> FindList(const PriceQuery& query, bool maker, bool* known,
                            Instant* first_from) const;
  std::unique_ptr<const Index> index_;
};

// One name for what sources spell differently: "vertex_ai-language-models" and "gemini" are
// "google". Unknown names come back in lower case.
std::string CanonicalProvider(std::string_view provider);
// A model's name as budgets know it: in lower case.
std::string CanonicalModel(std::string_view model);
// Without what names a snapshot at its end ("gpt-4o-2024-08-06", "gpt-4-0613", "m@20241022",
// "m-latest"); the name itself when it has none. Of "claude-sonnet-4-5-20250929" that is
// "claude-sonnet-4-5", not "claude-sonnet-4", which is another model.
std::string_view UndatedModel(std::string_view model);
// The canonical names that a model's spend counts under: its own and, of a dated snapshot, that of
// the model.
std::vector<std::string> ModelNames(std::string_view model);

}  // namespace flyball::rates
