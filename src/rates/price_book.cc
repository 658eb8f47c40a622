#include "rates/price_book.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"

namespace flyball::rates {
namespace {

constexpr std::string_view kTierNames[] = {"standard", "batch", "flex", "priority", "fast"};
static_assert(std::size(kTierNames) == kServiceTierCount);

struct ProviderAlias {
  std::string_view name;
  std::string_view canonical;
};
// Spellings of the price files, of OpenTelemetry and of everyday speech.
constexpr ProviderAlias kProviderAliases[] = {
    {"gemini", "google"},
    {"vertex_ai", "google"},
    {"vertex", "google"},
    {"google-vertex", "google"},
    {"google-gla", "google"},
    {"vertexai", "google"},
    {"gcp.gemini", "google"},
    {"gcp.vertex_ai", "google"},
    {"gcp.gen_ai", "google"},
    {"bedrock", "aws"},
    {"bedrock_converse", "aws"},
    {"bedrock_mantle", "aws"},
    {"aws.bedrock", "aws"},
    {"amazon", "aws"},
    {"amazon-bedrock", "aws"},
    {"azure_ai", "azure"},
    {"azure.ai.openai", "azure"},
    {"azure.ai.inference", "azure"},
    {"azure-openai", "azure"},
    {"az.ai.openai", "azure"},
    {"az.ai.inference", "azure"},
    {"xai", "x-ai"},
    {"x_ai", "x-ai"},
    {"mistral_ai", "mistral"},
    {"mistralai", "mistral"},
    {"moonshot", "moonshotai"},
    {"moonshot_ai", "moonshotai"},
    {"together_ai", "together"},
    {"together-ai", "together"},
    {"togetherai", "together"},
    {"fireworks_ai", "fireworks"},
    {"voyage", "voyageai"},
};

}  // namespace

std::string CanonicalProvider(std::string_view provider) {
  std::string lower = ToLower(provider);
  if (lower.starts_with("vertex_ai-")) return "google";
  for (const ProviderAlias& alias : kProviderAliases) {
    if (alias.name == lower) return std::string(alias.canonical);
  }
  return lower;
}

std::string CanonicalModel(std::string_view model) { return ToLower(model); }

std::string_view UndatedModel(std::string_view model) {
  constexpr std::string_view kLatest = "-latest";
  if (model.size() > kLatest.size() && model.ends_with(kLatest)) {
    return model.substr(0, model.size() - kLatest.size());
  }
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  constexpr size_t kIsoDate = sizeof("2024-08-06") - 1;
  if (model.size() > kIsoDate + 1) {
    const std::string_view date = model.substr(model.size() - kIsoDate);
    const char before = model[model.size() - kIsoDate - 1];
    if (std::ranges::count_if(date, is_digit) == 8 && date[4] == '-' && date[7] == '-' &&
        (before == '-' || before == '@')) {
      return model.substr(0, model.size() - kIsoDate - 1);
    }
  }
  const size_t separator = model.find_last_of("-@");
  if (separator == std::string_view::npos || separator == 0) return model;
  const std::string_view date = model.substr(separator + 1);
  const bool dated = date.size() >= 3 && date.size() <= 8 && std::ranges::all_of(date, is_digit);
  return dated ? model.substr(0, separator) : model;
}

std::vector<std::string> ModelNames(std::string_view model) {
  std::vector<std::string> names = {CanonicalModel(model)};
  std::string undated(UndatedModel(names[0]));
  if (undated != names[0]) names.push_back(std::move(undated));
  return names;
}

std::string_view TierName(ServiceTier tier) { return kTierNames[static_cast<size_t>(tier)]; }

Result<ServiceTier> ParseTier(std::string_view name) {
  if (name == "default" || name == "on_demand") return ServiceTier::kStandard;
  for (size_t i = 0; i < kServiceTierCount; ++i) {
    if (kTierNames[i] == name) return static_cast<ServiceTier>(i);
  }
  return Fail(Code::kInvalidArgument, fmt::format("'{}' is no service tier", name),
              "standard, batch, flex, priority or fast");
}

void PriceSet::Set(Bucket bucket, Money price) {
  FB_ASSERT(price >= Money{} &&
            price.units() <= int128{kPriceMaxUnits} * int128{1'000'000'000'000});
  const auto at = prices_.begin() + std::popcount(mask_ & (SetOf(bucket) - 1));
  if ((mask_ & SetOf(bucket)) != 0) {
    *at = price;
  } else {
    prices_.insert(at, price);
    mask_ |= SetOf(bucket);
  }
}

SizeBand& RateCard::Band(ServiceTier tier, int64_t above, bool inclusive) {
  std::vector<SizeBand>& bands = tiers[static_cast<size_t>(tier)];
  const auto at = std::find_if(bands.begin(), bands.end(),
                               [above](const SizeBand& band) { return band.above >= above; });
  if (at != bands.end() && at->above == above) return *at;
  return *bands.insert(at, SizeBand{above, inclusive, {}});
}

bool RateCard::empty() const { return price_count() == 0; }

size_t RateCard::price_count() const {
  size_t count = 0;
  for (const auto& bands : tiers) {
    for (const SizeBand& band : bands) {
      count += static_cast<size_t>(std::popcount(band.prices.buckets()));
    }
  }
  return count;
}

bool DayWindow::Contains(Instant at) const {
  // Not by FloorDay, which kAlways has none of.
  const int64_t in_day = (at.us % kMicrosPerDay + kMicrosPerDay) % kMicrosPerDay;
  const int64_t second = in_day / kMicrosPerSecond;
  if (start_s <= end_s) return start_s <= second && second < end_s;
  return second >= start_s || second < end_s;
}

const RateCard& PricePeriod::CardAt(Instant at) const {
  for (size_t i = windows.size(); i-- > 0;) {
    if (windows[i].first.Contains(at)) return windows[i].second;
  }
  return card;
}

RegionPrices& ModelPrices::Region(std::string_view region) {
  for (RegionPrices& have : regions) {
    if (have.region == region) return have;
  }
  return regions.emplace_back(RegionPrices{std::string(region), {}});
}

}  // namespace flyball::rates
