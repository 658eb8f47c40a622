// Our own price format: written by hand for contracts and for what no public list has, so
// everything that is not understood is an error that names its place.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "rates/price_readers.h"

namespace flyball::rates {
namespace {

constexpr int64_t kMillion = 1'000'000;

std::unexpected<Error> Bad(std::string_view where, std::string_view what, std::string hint = {}) {
  return Fail(Code::kInvalidArgument, fmt::format("{}: {}", where, what), std::move(hint));
}

Status CheckKeys(const JsonNode& object, std::string_view where,
                 std::initializer_list<std::string_view> known) {
  if (!object.is_object()) return Bad(where, "this is no object");
  for (size_t i = 0; i < object.keys.size(); ++i) {
    const std::string& key = object.keys[i];
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return Bad(where, fmt::format("'{}' is not known here", key),
                 "docs/PRICES.md has the format");
    }
    if (std::find(object.keys.begin(), object.keys.begin() + static_cast<ptrdiff_t>(i), key) !=
        object.keys.begin() + static_cast<ptrdiff_t>(i)) {
      return Bad(where, fmt::format("'{}' stands twice", key));
    }
  }
  return {};
}

Result<std::string> TextOf(const JsonNode& object, std::string_view key, std::string_view where,
                           std::string_view otherwise) {
  const JsonNode* node = object.Find(key);
  if (node == nullptr) return std::string(otherwise);
  if (!node->is_string() || node->text.empty() || node->text.size() > kPriceNameBytesMax) {
    return Bad(where, fmt::format("'{}' is no text of 1 to {} bytes", key, kPriceNameBytesMax));
  }
  return node->text;
}

Result<Instant> DateOf(const JsonNode& object, std::string_view key, std::string_view where,
                       Instant otherwise) {
  const std::string text = FB_TRY(TextOf(object, key, where, ""));
  if (text.empty()) return otherwise;
  Result<Instant> date = ParseUserInstant(text);
  if (!date) return Bad(where, fmt::format("'{}' is no date", text), "such as 2026-07-24");
  return *date;
}

Result<Money> ExactPrice(const JsonNode& node, int64_t batch, std::string_view where) {
  PriceReport report;
  const std::optional<Money> price =
      node.is_number() || node.is_string() ? ReadPrice(node.text, batch, "", report) : std::nullopt;
  if (!price) {
    return Bad(where, report.unused.empty() ? "the price is no number" : report.unused[0].reason);
  }
  if (report.noise_rounded + report.digits_rounded > 0) {
    return Bad(where, "the price of one unit has more than twelve decimals");
  }
  return *price;
}

struct Row {
  Instant from, to;
  ServiceTier tier;
  int64_t above;
  bool inclusive;
  PriceSet prices;
};

Status AddPrices(const JsonNode& row, std::string_view key, std::string_view where, Row& out) {
  const JsonNode* prices = row.Find(key);
  if (prices == nullptr) return {};
  const std::string here = fmt::format("{}.{}", where, key);
  if (!prices->is_object()) return Bad(here, "this is no object");
  for (size_t i = 0; i < prices->keys.size(); ++i) {
    const std::optional<Bucket> bucket = BucketByName(prices->keys[i]);
    if (!bucket) return Bad(here, fmt::format("'{}' is no bucket of usage", prices->keys[i]));
    if (out.prices.Find(*bucket) != nullptr) {
      return Bad(here, fmt::format("'{}' has two prices", prices->keys[i]));
    }
    const int64_t batch = key == "per_million" ? kMillion : 1;
    out.prices.Set(*bucket, FB_TRY(ExactPrice(prices->items[i], batch,
                                              fmt::format("{}.{}", here, prices->keys[i]))));
  }
  return {};
}

Result<Row> ReadRow(const JsonNode& node, std::string_view where) {
  FB_CHECK(CheckKeys(node, where,
                     {"from", "to", "tier", "above", "inclusive", "per_million", "per_unit"}));
  Row row;
  row.from = FB_TRY(DateOf(node, "from", where, kAlways));
  row.to = FB_TRY(DateOf(node, "to", where, kForever));
  row.tier = FB_TRY(ParseTier(FB_TRY(TextOf(node, "tier", where, "standard"))));
  const JsonNode* inclusive = node.Find("inclusive");
  row.inclusive = inclusive != nullptr && inclusive->kind == JsonNode::Kind::kTrue;
  row.above = 0;
  if (const JsonNode* above = node.Find("above")) {
    ParsedDecimal size;
    if (!above->is_number() || ParseDecimalFast(above->text, 0, &size) != DecimalFault::kNone ||
        !size.exact || size.units < 0 || size.units > kUsageCountMax) {
      return Bad(where, "'above' is no number of tokens");
    }
    row.above = static_cast<int64_t>(size.units);
  }
  FB_CHECK(AddPrices(node, "per_million", where, row));
  FB_CHECK(AddPrices(node, "per_unit", where, row));
  if (row.prices.empty()) return Bad(where, "there is no price in it");
  return row;
}

// Rows of the same dates are one card; a period without an end ends where the next begins.
Result<std::vector<PricePeriod>> Periods(const std::vector<Row>& rows, const PricePeriod& like,
                                         std::string_view where) {
  std::map<Instant, PricePeriod> by_start;
  for (const Row& row : rows) {
    PricePeriod& period = by_start.try_emplace(row.from, like).first->second;
    period.from = row.from;
    period.to = std::min(period.to, row.to);
    PriceSet& prices = period.card.Band(row.tier, row.above, row.inclusive).prices;
    for (const BucketInfo& info : Buckets()) {
      const Money* price = row.prices.Find(info.bucket);
      if (price == nullptr) continue;
      if (prices.Find(info.bucket) != nullptr) {
        return Bad(where,
                   fmt::format("'{}' has two prices for the same tier, size and dates", info.name));
      }
      prices.Set(info.bucket, *price);
    }
  }
  std::vector<PricePeriod> periods;
  for (auto& [from, period] : by_start) {
    if (!periods.empty()) periods.back().to = std::min(periods.back().to, from);
    periods.push_back(std::move(period));
  }
  return periods;
}

// "tier_factors": {"batch": "0.5"}: token prices of other tiers as a multiple of the standard one.
Status AddTierFactors(const JsonNode& node, std::string_view where,
                      std::vector<PricePeriod>& periods) {
  const JsonNode* factors = node.Find("tier_factors");
  if (factors == nullptr) return {};
  if (!factors->is_object()) return Bad(where, "'tier_factors' is no object");
  for (size_t i = 0; i < factors->keys.size(); ++i) {
    const ServiceTier tier = FB_TRY(ParseTier(factors->keys[i]));
    for (PricePeriod& period : periods) {
      if (tier == ServiceTier::kStandard ||
          !AddScaledTier(period.card, ServiceTier::kStandard, tier, factors->items[i].text)) {
        return Bad(where, fmt::format("'tier_factors.{}' is no factor", factors->keys[i]));
      }
    }
  }
  return {};
}

Status AddRegions(const JsonNode& node, std::string_view where, ModelPrices& model,
                  const std::vector<PricePeriod>& periods) {
  const JsonNode* factors = node.Find("region_factors");
  if (factors == nullptr) return {};
  if (!factors->is_object()) return Bad(where, "'region_factors' is no object");
  for (size_t i = 0; i < factors->keys.size(); ++i) {
    std::vector<PricePeriod>& out = model.Region(factors->keys[i]).periods;
    for (const PricePeriod& period : periods) {
      const auto card = ScaledCard(period.card, factors->items[i].text);
      if (!card)
        return Bad(where, fmt::format("'region_factors.{}' is no factor", factors->keys[i]));
      out.push_back(period);
      out.back().card = *card;
    }
  }
  return {};
}

struct Defaults {
  std::string currency;
  std::string contract;
  std::map<std::string, uint32_t> sources;
};

Status AddModel(const JsonNode& node, const std::string& where, const Defaults& defaults,
                Layer& layer) {
  FB_CHECK(CheckKeys(node, where,
                     {"provider", "model", "aliases", "source", "region", "currency", "prices",
                      "tier_factors", "region_factors"}));
  ModelPrices model;
  model.provider = FB_TRY(TextOf(node, "provider", where, ""));
  model.model = FB_TRY(TextOf(node, "model", where, ""));
  if (model.provider.empty() || model.model.empty()) {
    return Bad(where, "a price names its provider and its model");
  }
  if (const JsonNode* aliases = node.Find("aliases")) {
    for (const JsonNode& alias : aliases->items) {
      if (!alias.is_string()) return Bad(where, "'aliases' is no list of names");
      model.aliases.push_back(alias.text);
    }
  }
  PricePeriod like;
  like.currency = FB_TRY(TextOf(node, "currency", where, defaults.currency));
  like.contract = defaults.contract;
  const std::string source = FB_TRY(TextOf(node, "source", where, ""));
  const auto known = defaults.sources.find(source);
  if (known == defaults.sources.end()) {
    return Bad(where, fmt::format("the source '{}' is not among the sources", source),
               "every price names where it can be read, and when it was checked");
  }
  like.source = known->second;
  const JsonNode* rows = node.Find("prices");
  if (rows == nullptr || !rows->is_array() || rows->items.empty()) {
    return Bad(where, "'prices' is no list of prices");
  }
  std::vector<Row> read;
  for (size_t i = 0; i < rows->items.size(); ++i) {
    read.push_back(FB_TRY(ReadRow(rows->items[i], fmt::format("{}.prices[{}]", where, i))));
  }
  std::vector<PricePeriod> periods = FB_TRY(Periods(read, like, where));
  FB_CHECK(AddTierFactors(node, where, periods));
  FB_CHECK(AddRegions(node, where, model, periods));
  model.Region(FB_TRY(TextOf(node, "region", where, ""))).periods = std::move(periods);
  layer.models.push_back(std::move(model));
  return {};
}

Status AddSources(const JsonNode& document, Layer& layer, Defaults& defaults) {
  const JsonNode* sources = document.Find("sources");
  if (sources == nullptr || !sources->is_array()) return Bad("sources", "there is no list of them");
  for (size_t i = 0; i < sources->items.size(); ++i) {
    const JsonNode& node = sources->items[i];
    const std::string where = fmt::format("sources[{}]", i);
    FB_CHECK(CheckKeys(node, where, {"name", "url", "checked"}));
    PriceSource source;
    source.name = FB_TRY(TextOf(node, "name", where, ""));
    source.url = FB_TRY(TextOf(node, "url", where, ""));
    source.checked = FB_TRY(DateOf(node, "checked", where, kAlways));
    if (source.name.empty() || source.checked == kAlways) {
      return Bad(where, "a source has a name and the date on which it was checked");
    }
    defaults.sources[source.name] = static_cast<uint32_t>(layer.sources.size());
    layer.sources.push_back(std::move(source));
  }
  return {};
}

}  // namespace

Result<PriceFile> ReadFlyballPrices(const JsonNode& document) {
  FB_CHECK(CheckKeys(document, "the file",
                     {"flyball_prices", "contract", "currency", "sources", "models"}));
  if (document.Find("flyball_prices")->text != "1") {
    return Bad("flyball_prices", "only version 1 of the format is known");
  }
  PriceFile file;
  file.report.format = PriceFormat::kFlyball;
  file.layer.name = FormatName(PriceFormat::kFlyball);
  Defaults defaults;
  defaults.currency = FB_TRY(TextOf(document, "currency", "the file", "USD"));
  defaults.contract = FB_TRY(TextOf(document, "contract", "the file", ""));
  file.layer.contract = !defaults.contract.empty();
  FB_CHECK(AddSources(document, file.layer, defaults));
  const JsonNode* models = document.Find("models");
  if (models == nullptr || !models->is_array()) return Bad("models", "there is no list of them");
  if (models->items.size() > kPriceModelsMax) return Bad("models", "there are too many");
  for (size_t i = 0; i < models->items.size(); ++i) {
    FB_CHECK(AddModel(models->items[i], fmt::format("models[{}]", i), defaults, file.layer));
  }
  file.report.models_in = static_cast<int64_t>(models->items.size());
  CountPrices(file);
  return file;
}

}  // namespace flyball::rates
