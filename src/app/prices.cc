// flyball prices import, show, diff.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/price_sources.h"
#include "app/table.h"
#include "base/text.h"
#include "rates/price_diff.h"
#include "rates/price_store.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kDisagreementsShown = 20;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int Show(const Environment& environment, const Json& json, const Table& table) {
  if (environment.json()) {
    Print(Dump(json));
  } else {
    Print(environment, table);
  }
  return kExitDone;
}

std::string DateOrEmpty(Instant at) {
  if (at == rates::kAlways || at == rates::kForever) return "";
  return at == FloorDay(at) ? FormatDate(at) : FormatInstant(at);
}

Json DateJson(Instant at) {
  const std::string text = DateOrEmpty(at);
  return text.empty() ? Json(nullptr) : Json(text);
}

// "3 per million tokens" reads better than "0.000003 per token".
std::pair<std::string, std::string> PerMillion(Bucket bucket, Money price) {
  const BucketInfo& info = Info(bucket);
  if (!info.token) return {price.ToString(), std::string(info.price_unit)};
  return {FormatDecimal(price.units(), Money::scale() - 6), "million tokens"};
}

// ---- import

struct Imported {
  std::string file;
  rates::PriceStore::Added added;
};

Result<std::vector<Imported>> ImportAll(const Environment& environment, const PricesArgs& args) {
  rates::PriceStore store(environment.files, environment.home);
  std::vector<Imported> imported;
  for (const std::string& file : args.files) {
    const std::string bytes = FB_TRY(ReadPriceBytes(environment, file));
    Result<rates::PriceStore::Added> added = store.Add(bytes, environment.clock.Now());
    if (!added) {
      if (added.error().place.file.empty()) added.error().place.file = file;
      return Fail(std::move(added).error());
    }
    imported.push_back({file, *std::move(added)});
  }
  return imported;
}

// What was imported just now against the newest list of another format.
Result<std::optional<rates::PriceComparison>> Disagreements(const Environment& environment,
                                                            const std::vector<Imported>& imported) {
  const Imported& last = imported.back();
  rates::PriceStore store(environment.files, environment.home);
  const std::vector<rates::StoredPrices> have = FB_TRY(store.List());
  for (auto other = have.rbegin(); other != have.rend(); ++other) {
    if (other->format == last.added.prices.format) continue;
    const rates::PriceFile file = FB_TRY(store.Load(*other));
    // The map is looked up in the document: that knows names by patterns.
    const bool map_first = other->format == rates::PriceFormat::kLiteLlm;
    const rates::Layer& mine = last.added.file.layer;
    return FB_TRY(rates::ComparePrices(map_first ? file.layer : mine, map_first ? mine : file.layer,
                                       environment.clock.Now()));
  }
  return std::nullopt;
}

Json ReportJson(const Imported& imported) {
  const rates::PriceReport& report = imported.added.file.report;
  Json unused = Json::array();
  for (const rates::PriceNote& note : report.unused) {
    unused.push_back({{"reason", note.reason}, {"count", note.count}, {"examples", note.examples}});
  }
  return Json{{"file", imported.file},
              {"format", rates::FormatName(report.format)},
              {"id", imported.added.prices.id},
              {"sha256", imported.added.prices.sha256},
              {"unchanged", imported.added.unchanged},
              {"models", report.models_in},
              {"models_priced", report.models_priced},
              {"models_free", report.models_free},
              {"models_unpriced", report.models_unpriced},
              {"prices", report.prices},
              {"rounded_noise", report.noise_rounded},
              {"rounded_digits", report.digits_rounded},
              {"unused", unused}};
}

void AddReport(const Imported& imported, Table& table) {
  const rates::PriceReport& report = imported.added.file.report;
  const auto row = [&](std::string_view what, int64_t count, const std::string& more = "") {
    table.rows.push_back({std::string(what), std::to_string(count), more});
  };
  table.rows.push_back({fmt::format("{} prices", rates::FormatName(report.format)),
                        std::to_string(report.prices),
                        fmt::format("{} {}{}", imported.added.prices.id, imported.file,
                                    imported.added.unchanged ? ": unchanged" : "")});
  row("models", report.models_in);
  row("  with prices", report.models_priced);
  row("  all of them stated as zero", report.models_free);
  row("  without any price", report.models_unpriced);
  row("prices rounded from float noise", report.noise_rounded);
  row("prices rounded to 12 decimals", report.digits_rounded);
  for (const rates::PriceNote& note : report.unused) {
    std::string examples;
    for (const std::string& example : note.examples) {
      examples += (examples.empty() ? "" : "; ") + example;
    }
    row("not used: " + note.reason, note.count, examples);
  }
}

Json DifferenceJson(const rates::PriceDifference& difference) {
  using Kind = rates::PriceDifference::Kind;
  Json json{{"provider", difference.provider},
            {"model", difference.model},
            {"meter", Info(difference.bucket).name},
            {"tier", rates::TierName(difference.tier)},
            {"above", difference.above},
            {"first", nullptr},
            {"second", nullptr}};
  if (difference.kind != Kind::kOnlySecond) json["first"] = difference.first.ToString();
  if (difference.kind != Kind::kOnlyFirst) json["second"] = difference.second.ToString();
  return json;
}

// `shown` of the differing prices at most; those that one list alone states only where `all`.
Json ComparisonJson(const rates::PriceComparison& comparison, size_t shown, bool all) {
  Json differences = Json::array();
  for (const rates::PriceDifference& difference : comparison.differences) {
    if (differences.size() == shown) break;
    if (all || difference.kind == rates::PriceDifference::Kind::kPrice) {
      differences.push_back(DifferenceJson(difference));
    }
  }
  return Json{{"models_compared", comparison.models_compared},
              {"models_only_first", comparison.models_only_first},
              {"models_only_second", comparison.models_only_second},
              {"prices_compared", comparison.prices_compared},
              {"prices_differing", comparison.prices_differing},
              {"prices_only_one", comparison.prices_only_one},
              {"differences", differences}};
}

std::vector<std::string> DifferenceRow(const rates::PriceDifference& difference) {
  using Kind = rates::PriceDifference::Kind;
  const auto [first, unit] = PerMillion(difference.bucket, difference.first);
  const std::string second = PerMillion(difference.bucket, difference.second).first;
  return {difference.provider,
          difference.model,
          std::string(Info(difference.bucket).name),
          difference.tier == rates::ServiceTier::kStandard
              ? ""
              : std::string(rates::TierName(difference.tier)),
          difference.above == 0 ? "" : std::to_string(difference.above),
          difference.kind == Kind::kOnlySecond ? "" : first,
          difference.kind == Kind::kOnlyFirst ? "" : second,
          unit};
}

// ---- show

void AddCard(const rates::Layer& layer, const rates::ModelPrices& model, const std::string& region,
             const rates::PricePeriod& period, const rates::RateCard& card,
             const std::string& hours, Json& list, Table& table) {
  const rates::PriceSource& source = layer.sources[period.source];
  for (size_t tier = 0; tier < rates::kServiceTierCount; ++tier) {
    const std::string_view tier_name = rates::TierName(static_cast<rates::ServiceTier>(tier));
    for (const rates::SizeBand& band : card.tiers[tier]) {
      for (const BucketInfo& info : Buckets()) {
        const Money* price = band.prices.Find(info.bucket);
        if (price == nullptr) continue;
        list.push_back({{"list", layer.name},
                        {"provider", model.provider},
                        {"model", model.model},
                        {"region", region},
                        {"contract", period.contract},
                        {"from", DateJson(period.from)},
                        {"to", DateJson(period.to)},
                        {"hours", hours},
                        {"tier", tier_name},
                        {"above", band.above},
                        {"inclusive", band.inclusive && band.above > 0},
                        {"meter", info.name},
                        {"unit_price", price->ToString()},
                        {"per", info.per},
                        {"unit", info.unit},
                        {"currency", period.currency},
                        {"source", source.url},
                        {"checked", DateJson(source.checked)}});
        const auto [amount, unit] = PerMillion(info.bucket, *price);
        table.rows.push_back(
            {layer.name, model.provider, model.model, region, period.contract,
             DateOrEmpty(period.from), DateOrEmpty(period.to), hours, std::string(tier_name),
             band.above == 0 ? "" : std::to_string(band.above), std::string(info.name), amount,
             period.currency + " per " + unit, DateOrEmpty(source.checked), source.url});
      }
    }
  }
}

std::string HoursText(const rates::DayWindow& window) {
  const auto clock = [](int32_t second) {
    return fmt::format("{:02}:{:02}", second / 3600, second / 60 % 60);
  };
  return fmt::format("{}-{}Z", clock(window.start_s), clock(window.end_s));
}

void AddModel(const rates::Layer& layer, const rates::ModelPrices& model, std::optional<Instant> at,
              Json& list, Table& table) {
  for (const rates::RegionPrices& prices : model.regions) {
    for (const rates::PricePeriod& period : prices.periods) {
      if (at && (*at < period.from || *at >= period.to)) continue;
      if (at) {
        AddCard(layer, model, prices.region, period, period.CardAt(*at), "", list, table);
        continue;
      }
      AddCard(layer, model, prices.region, period, period.card, "", list, table);
      for (const auto& [window, card] : period.windows) {
        AddCard(layer, model, prices.region, period, card, HoursText(window), list, table);
      }
    }
  }
}

Result<std::optional<Instant>> AtOf(const PricesArgs& args) {
  if (args.at.empty()) return std::nullopt;
  return FB_TRY(ParseUserInstant(args.at));
}

// ---- diff

struct NamedLayer {
  std::string name;
  rates::Layer layer;
};

Result<NamedLayer> LayerOf(const Environment& environment, const std::string& what) {
  if (what == "builtin") return NamedLayer{what, rates::BuiltinPrices().layer};
  rates::PriceStore store(environment.files, environment.home);
  const Result<rates::StoredPrices> stored = store.Find(what);
  if (stored) {
    return NamedLayer{fmt::format("{} {}", rates::FormatName(stored->format), stored->id),
                      FB_TRY(store.Load(*stored)).layer};
  }
  if (stored.error().code != Code::kNotFound || !environment.files.Exists(what)) {
    Error error = stored.error();
    error.hint = "an import's id, a file, or 'builtin'";
    return Fail(std::move(error));
  }
  return NamedLayer{what, FB_TRY(ReadPrices(environment, what)).layer};
}

Result<std::vector<std::string>> ListsToCompare(const Environment& environment,
                                                const PricesArgs& args) {
  if (args.files.size() == 2) return args.files;
  std::vector<std::string> lists = args.files;
  rates::PriceStore store(environment.files, environment.home);
  const std::vector<rates::StoredPrices> have = FB_TRY(store.List());
  for (auto newest = have.rbegin(); newest != have.rend() && lists.size() < 2; ++newest) {
    lists.insert(lists.begin(), newest->name);
  }
  if (lists.size() < 2) lists.insert(lists.begin(), "builtin");
  // The map is looked up in the document, that knows names by patterns.
  if (args.files.empty() && lists.back().find("-litellm-") != std::string::npos) {
    std::swap(lists.front(), lists.back());
  }
  if (lists.size() == 2) return lists;
  return Fail(Code::kFailedPrecondition, "there are no two lists of prices to compare",
              "name two, or `flyball prices import` some");
}

struct Diff {
  std::string first, second;
  rates::PriceComparison comparison;
};

Result<Diff> DiffLists(const Environment& environment, const PricesArgs& args) {
  const std::vector<std::string> lists = FB_TRY(ListsToCompare(environment, args));
  const NamedLayer first = FB_TRY(LayerOf(environment, lists[0]));
  const NamedLayer second = FB_TRY(LayerOf(environment, lists[1]));
  const Instant at = FB_TRY(AtOf(args)).value_or(environment.clock.Now());
  return Diff{first.name, second.name, FB_TRY(rates::ComparePrices(first.layer, second.layer, at))};
}

}  // namespace

int RunPricesImport(const Environment& environment, const PricesArgs& args) {
  const Result<std::vector<Imported>> imported = ImportAll(environment, args);
  if (!imported) return Report(environment, imported.error());
  const auto disagreements = Disagreements(environment, *imported);
  if (!disagreements) return Report(environment, disagreements.error());
  Json json{{"imports", Json::array()}, {"disagreements", nullptr}};
  Table table{{"what", "count", "which"}, {}};
  for (const Imported& one : *imported) {
    json["imports"].push_back(ReportJson(one));
    AddReport(one, table);
  }
  if (*disagreements) {
    const rates::PriceComparison& comparison = **disagreements;
    json["disagreements"] = ComparisonJson(comparison, kDisagreementsShown, false);
    table.rows.push_back({"prices stated by both formats",
                          std::to_string(comparison.prices_compared),
                          fmt::format("of {} models", comparison.models_compared)});
    table.rows.push_back({"  where they disagree", std::to_string(comparison.prices_differing),
                          "`flyball prices diff` lists them"});
  }
  return Show(environment, json, table);
}

int RunPricesShow(const Environment& environment, const PricesArgs& args) {
  const Result<std::optional<Instant>> at = AtOf(args);
  if (!at) return Report(environment, at.error());
  const Result<rates::PriceBook> book = OpenPrices(environment, "");
  if (!book) return Report(environment, book.error());
  const auto found = book->All(args.provider, args.model);
  Json list = Json::array();
  Table table{{"list", "provider", "model", "region", "contract", "from", "to", "hours", "tier",
               "above", "meter", "price", "unit", "checked", "source"},
              {}};
  for (const auto& [layer, model] : found) AddModel(*layer, *model, *at, list, table);
  if (list.empty()) {
    const std::string_view nearest = book->Nearest(args.model);
    return Report(
        environment,
        Error{Code::kNotFound,
              fmt::format("no price of the model '{}' is known{}", args.model,
                          found.empty() ? "" : " at that time"),
              !found.empty() || nearest.empty() ? "" : fmt::format("did you mean '{}'?", nearest),
              {}});
  }
  return Show(environment, Json{{"prices", list}}, DropEmptyColumns(table));
}

int RunPricesDiff(const Environment& environment, const PricesArgs& args) {
  const Result<Diff> diff = DiffLists(environment, args);
  if (!diff) return Report(environment, diff.error());
  Json json{{"first", diff->first}, {"second", diff->second}};
  json.update(ComparisonJson(diff->comparison, diff->comparison.differences.size(), true));
  json["only_first"] = diff->comparison.only_first;
  json["only_second"] = diff->comparison.only_second;
  Table table{{"provider", "model", "meter", "tier", "above", diff->first, diff->second, "unit"},
              {}};
  for (const rates::PriceDifference& difference : diff->comparison.differences) {
    table.rows.push_back(DifferenceRow(difference));
  }
  if (environment.format == "table") {
    const rates::PriceComparison& all = diff->comparison;
    Say(fmt::format(
        "{} models and {} prices in both; {} prices differ, {} are in one list only; {} "
        "models only in {}, {} only in {}",
        all.models_compared, all.prices_compared, all.prices_differing, all.prices_only_one,
        all.models_only_first, diff->first, all.models_only_second, diff->second));
  }
  return Show(environment, json, DropEmptyColumns(table));
}

}  // namespace flyball::app
