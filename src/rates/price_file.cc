#include "rates/price_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "rates/price_readers.h"

extern "C" {
extern const char flyball_builtin_prices[];
extern const char flyball_builtin_prices_end[];
}

namespace flyball::rates {
namespace {

constexpr int kMoneyScale = Money::scale();
constexpr int kReadScale = 30;  // digits that prices are read to, to tell noise from digits

constexpr int128 PowerOfTen(int exponent) {
  int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

bool AllFree(const ModelPrices& model) {
  for (const RegionPrices& prices : model.regions) {
    for (const PricePeriod& period : prices.periods) {
      for (const auto& bands : period.card.tiers) {
        for (const SizeBand& band : bands) {
          for (const BucketInfo& info : Buckets()) {
            const Money* price = band.prices.Find(info.bucket);
            if (price != nullptr && !price->is_zero()) return false;
          }
        }
      }
    }
  }
  return true;
}

// Half to even.
int128 DivideRounded(int128 value, int128 divisor, bool* exact) {
  int128 quotient = value / divisor;
  const int128 rest = value % divisor;
  *exact = rest == 0;
  if (rest > divisor - rest || (rest == divisor - rest && quotient % 2 != 0)) ++quotient;
  return quotient;
}

}  // namespace

std::string_view FormatName(PriceFormat format) {
  switch (format) {
    case PriceFormat::kLiteLlm:
      return "litellm";
    case PriceFormat::kGenaiPrices:
      return "genai-prices";
    case PriceFormat::kFlyball:
      return "flyball";
  }
  return "";
}

void PriceReport::Note(std::string_view reason, std::string example) {
  auto note = std::find_if(unused.begin(), unused.end(),
                           [reason](const PriceNote& have) { return have.reason == reason; });
  if (note == unused.end()) {
    unused.push_back({std::string(reason), 0, {}});
    note = std::prev(unused.end());
  }
  ++note->count;
  if (note->examples.size() < kPriceExamplesMax) note->examples.push_back(std::move(example));
}

std::optional<Money> ReadPrice(std::string_view number, int64_t batch, std::string_view example,
                               PriceReport& report) {
  // A price file's decimals have at most some 20 digits; 30 - log10(batch) of them are kept here.
  ParsedDecimal parsed;
  const DecimalFault fault = ParseDecimalFast(number, kReadScale - kMoneyScale, &parsed);
  if (fault == DecimalFault::kNotANumber) {
    report.Note("the price is no number", std::string(example));
    return std::nullopt;
  }
  if (fault == DecimalFault::kOutOfRange ||
      parsed.units > int128{kPriceMaxUnits} * batch * PowerOfTen(kReadScale - kMoneyScale)) {
    report.Note("the price is absurdly high", std::string(example));
    return std::nullopt;
  }
  if (parsed.units < 0) {
    report.Note("the price is negative", std::string(example));
    return std::nullopt;
  }
  const int128 divisor = PowerOfTen(kReadScale - 2 * kMoneyScale) * batch;
  bool exact = false;
  const int128 units = DivideRounded(parsed.units, divisor, &exact);
  if (!exact || !parsed.exact) {
    // Floating point keeps 15 to 17 digits: what is off by less than 1e-14 of the price is noise.
    const int128 off = parsed.units - units * divisor;
    const bool noise = (off < 0 ? -off : off) <= parsed.units / PowerOfTen(14) + 1;
    ++(noise ? report.noise_rounded : report.digits_rounded);
  }
  return Money::FromUnits(units);
}

std::optional<Money> Scaled(Money price, std::string_view factor) {
  constexpr int kFactorScale = 6;
  ParsedDecimal parsed;
  if (ParseDecimalFast(factor, kFactorScale, &parsed) != DecimalFault::kNone || !parsed.exact ||
      parsed.units < 0 || parsed.units > 1000 * PowerOfTen(kFactorScale)) {
    return std::nullopt;
  }
  bool exact = false;
  const Money scaled = Money::FromUnits(
      DivideRounded(price.units() * parsed.units, PowerOfTen(kFactorScale), &exact));
  if (scaled.units() > int128{kPriceMaxUnits} * PowerOfTen(kMoneyScale)) return std::nullopt;
  return scaled;
}

bool AddScaledTier(RateCard& card, ServiceTier from, ServiceTier to, std::string_view factor) {
  const std::vector<SizeBand> bands = card.tiers[static_cast<size_t>(from)];
  for (const SizeBand& band : bands) {
    for (const BucketInfo& info : Buckets()) {
      const Money* price = info.token ? band.prices.Find(info.bucket) : nullptr;
      if (price == nullptr) continue;
      const std::optional<Money> scaled = Scaled(*price, factor);
      if (!scaled) return false;
      card.Band(to, band.above, band.inclusive).prices.Set(info.bucket, *scaled);
    }
  }
  return true;
}

std::optional<RateCard> ScaledCard(const RateCard& card, std::string_view factor) {
  RateCard scaled = card;
  for (size_t i = 0; i < kServiceTierCount; ++i) {
    const ServiceTier tier = static_cast<ServiceTier>(i);
    if (!AddScaledTier(scaled, tier, tier, factor)) return std::nullopt;
  }
  return scaled;
}

void CountPrices(PriceFile& file) {
  PriceReport& report = file.report;
  for (const ModelPrices& model : file.layer.models) {
    ++report.models_priced;
    if (AllFree(model)) ++report.models_free;
    for (const RegionPrices& prices : model.regions) {
      for (const PricePeriod& period : prices.periods) {
        report.prices += static_cast<int64_t>(period.card.price_count());
        for (const auto& [window, card] : period.windows) {
          report.prices += static_cast<int64_t>(card.price_count());
        }
      }
    }
  }
  std::sort(report.unused.begin(), report.unused.end(), [](const PriceNote& a, const PriceNote& b) {
    return a.count != b.count ? a.count > b.count : a.reason < b.reason;
  });
}

Result<PriceFile> ReadPriceFile(std::string_view text, const PriceFileOptions& options) {
  JsonLimits limits;
  limits.bytes_max = kPriceFileBytesMax;
  const JsonNode document = FB_TRY(ParseJson(text, limits));
  if (document.is_array()) return ReadGenaiPrices(document);
  if (document.is_object() && document.Find("flyball_prices") != nullptr) {
    return ReadFlyballPrices(document);
  }
  const bool litellm =
      document.is_object() &&
      std::any_of(document.items.begin(), document.items.end(), [](const JsonNode& entry) {
        return entry.is_object() && entry.Find("litellm_provider") != nullptr;
      });
  if (litellm) return ReadLiteLlm(document, options);
  return Fail(Code::kInvalidArgument, "this is none of the price formats",
              "the LiteLLM map, the genai-prices document (v2), or \"flyball_prices\" "
              "(docs/PRICES.md)");
}

const PriceFile& BuiltinPrices() {
  static const PriceFile prices = [] {
    const std::string_view text(
        flyball_builtin_prices,
        static_cast<size_t>(flyball_builtin_prices_end - flyball_builtin_prices));
    Result<PriceFile> read = ReadPriceFile(text, {});
    FB_ASSERT(read.has_value());
    read->layer.name = "builtin";
    return *std::move(read);
  }();
  return prices;
}

}  // namespace flyball::rates
