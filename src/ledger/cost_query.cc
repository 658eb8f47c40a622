#include "ledger/cost_query.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/hash.h"
#include "base/text.h"
#include "model/charge.h"
#include "model/dimension.h"
#include "rates/exchange.h"

namespace flyball::ledger {
namespace {

constexpr std::array<std::string_view, 5> kGrainNames = {"none", "hour", "day", "week", "month"};

struct Basis {
  std::string_view name, measure;
};
constexpr std::array<Basis, 4> kBases = {{{"effective", "effective_cost"},
                                          {"billed", "billed_cost"},
                                          {"list", "list_cost"},
                                          {"contracted", "contracted_cost"}}};

std::string DidYouMean(std::string_view word, const std::vector<std::string_view>& known) {
  std::string_view near = Nearest(word, known);
  if (!near.empty()) return "did you mean '" + std::string(near) + "'?";
  std::string all = "known: ";
  for (size_t i = 0; i < known.size(); ++i) {
    if (i > 0) all += ", ";
    all += known[i];
  }
  return all;
}

std::unexpected<Error> Wrong(std::string message, std::string hint = {}) {
  return Fail(Code::kInvalidArgument, std::move(message), std::move(hint));
}

// An untrusted word inside a message: whole when short, cut at a character when long.
std::string Shown(std::string_view word) {
  constexpr size_t kShownBytes = 80;
  if (word.size() <= kShownBytes) return "'" + std::string(word) + "'";
  std::string_view cut = word.substr(0, kShownBytes);
  return "'" + std::string(cut.substr(0, ValidUtf8Prefix(cut))) + "...'";
}

Status CheckText(std::string_view field, std::string_view text) {
  if (ValidUtf8Prefix(text) != text.size() || text.find('\0') != std::string_view::npos) {
    return Wrong(std::string(field) + ": " + "a text is not valid UTF-8 or has a NUL character");
  }
  if (text.size() > kQueryMaxValueBytes) {
    return Wrong(std::string(field) + ": a text is longer than " +
                 std::to_string(kQueryMaxValueBytes) + " bytes");
  }
  return {};
}

Status CheckDimension(std::string_view field, std::string_view name) {
  FB_CHECK(CheckText(field, name));
  constexpr std::string_view kTagPrefix = "tag:";
  if (name.starts_with(kTagPrefix)) {
    if (name.size() == kTagPrefix.size()) {
      return Wrong(std::string(field) + ": 'tag:' names no key", "write tag:KEY");
    }
    return {};
  }
  if (name == "period") {
    return Wrong(std::string(field) + ": 'period' is no dimension to ask for",
                 field == "by" ? "give a grain (hour, day, week, month)" : "give from and to");
  }
  const dimension::Info* info = dimension::Find(name);
  if (info != nullptr && info->kind != dimension::Kind::kPeriod) return {};
  std::vector<std::string_view> known;
  for (const dimension::Info& each : dimension::Dimensions()) {
    if (each.kind != dimension::Kind::kPeriod) known.push_back(each.name);
  }
  return Wrong(std::string(field) + ": " + Shown(name) + " is no dimension",
               DidYouMean(name, known));
}

Status CheckMeasures(const std::vector<std::string>& measures) {
  if (measures.empty())
    return Wrong("measures: none is given", "ask for effective_cost, for example");
  std::set<std::string_view> seen;
  for (const std::string& measure : measures) {
    FB_CHECK(CheckText("measures", measure));
    if (MeasureScale(measure) < 0) {
      return Wrong("measures: " + Shown(measure) + " is no measure",
                   DidYouMean(measure, MeasureNames()));
    }
    if (!seen.insert(measure).second) return Wrong("measures: " + Shown(measure) + " stands twice");
  }
  return {};
}

Status CheckBy(const std::vector<std::string>& by) {
  if (by.size() > static_cast<size_t>(kQueryMaxDimensions)) {
    return Wrong("by: more than " + std::to_string(kQueryMaxDimensions) + " dimensions");
  }
  std::set<std::string_view> seen;
  for (const std::string& name : by) {
    FB_CHECK(CheckDimension("by", name));
    if (!seen.insert(name).second) return Wrong("by: " + Shown(name) + " stands twice");
  }
  return {};
}

Status CheckWhere(const std::vector<Filter>& where) {
  if (where.size() > static_cast<size_t>(kQueryMaxFilters)) {
    return Wrong("where: more than " + std::to_string(kQueryMaxFilters) + " filters");
  }
  size_t bytes = 0;
  for (const Filter& filter : where) {
    FB_CHECK(CheckDimension("where", filter.dimension));
    if (filter.values.empty()) return Wrong("where: " + Shown(filter.dimension) + " has no value");
    if (filter.values.size() > static_cast<size_t>(kQueryMaxValues)) {
      return Wrong("where: " + Shown(filter.dimension) + " has more than " +
                   std::to_string(kQueryMaxValues) + " values");
    }
    for (const std::string& value : filter.values) {
      FB_CHECK(CheckText("where", value));
      if (value.empty()) {
        return Wrong("where: " + Shown(filter.dimension) + " has an empty value",
                     "write (none) for charges without one");
      }
      bytes += value.size();
    }
  }
  if (bytes > kQueryMaxBytes) return Wrong("where: longer than " + FormatBytes(kQueryMaxBytes));
  return {};
}

Status CheckTime(const CostQuery& query) {
  const Instant first = ToInstant({1, 1, 1});
  const Instant last = ToInstant({9999, 12, 31});
  for (const auto& [field, time] : {std::pair("from", query.from), std::pair("to", query.to)}) {
    if (time && (*time < first || *time > last)) {
      return Wrong(std::string(field) + ": outside of the years 1 to 9999");
    }
  }
  if (query.from && query.to && *query.from >= *query.to) {
    return Wrong(
        "to: " + FormatInstant(*query.to) + " is not after from, " + FormatInstant(*query.from),
        "a period is [from, to): `to` is the first instant after it");
  }
  return {};
}

Status CheckAsOf(std::string_view as_of) {
  constexpr size_t kAsOfMaxBytes = 64;
  bool good = as_of.size() <= kAsOfMaxBytes && std::all_of(as_of.begin(), as_of.end(), [](char c) {
                return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
              });
  if (!good) {
    return Wrong(
        "as_of: " + Shown(as_of) + " is no commit",
        "give a commit's id, the beginning of one, or its number; `flyball commits` lists them");
  }
  return {};
}

// By currency the answer would have two columns of that name, and sums that can't be told apart.
Status CheckCurrency(const CostQuery& query) {
  if (query.currency.empty()) return {};
  FB_CHECK(CheckText("currency", query.currency));
  if (!rates::IsCurrencyCode(query.currency)) {
    const std::string upper = ToUpper(query.currency);
    return Wrong("currency: " + Shown(query.currency) + " is no currency to report in",
                 rates::IsCurrencyCode(upper) ? "did you mean '" + upper + "'?"
                                              : "the three letters of ISO 4217, such as EUR");
  }
  if (std::find(query.by.begin(), query.by.end(), "currency") != query.by.end()) {
    return Wrong(
        "by: 'currency' is what charges were billed in, and the answer is all in " + query.currency,
        "leave it out: what was billed in each currency stands beside the answer");
  }
  return {};
}

}  // namespace

const std::vector<std::string_view>& MeasureNames() {
  static const std::vector<std::string_view> kNames = [] {
    std::vector<std::string_view> names;
    for (const charge::MeasureColumn& each : charge::Measures()) names.push_back(each.measure);
    names.push_back("charges");
    return names;
  }();
  return kNames;
}

int MeasureScale(std::string_view measure) {
  if (measure == "charges") return 0;
  for (const charge::MeasureColumn& each : charge::Measures()) {
    if (each.measure != measure) continue;
    return each.type == ColumnType::kMoney ? Money::scale() : Quantity::scale();
  }
  return -1;
}

std::string_view GrainName(Grain grain) { return kGrainNames[static_cast<size_t>(grain)]; }

Result<Grain> ParseGrain(std::string_view name) {
  for (size_t i = 0; i < kGrainNames.size(); ++i) {
    if (kGrainNames[i] == name) return static_cast<Grain>(i);
  }
  return Wrong("grain: " + Shown(name) + " is no grain", "none, hour, day, week or month");
}

std::string PeriodLabel(Grain grain, Instant period_start) {
  switch (grain) {
    case Grain::kNone:
      return "";
    case Grain::kHour:
      return FormatInstant(period_start);
    case Grain::kMonth:
      return FormatDate(period_start).substr(0, sizeof("2026-10") - 1);
    case Grain::kDay:
    case Grain::kWeek:
      break;
  }
  return FormatDate(period_start);
}

const std::vector<std::string_view>& BasisNames() {
  static const std::vector<std::string_view> kNames = [] {
    std::vector<std::string_view> names;
    for (const Basis& each : kBases) names.push_back(each.name);
    return names;
  }();
  return kNames;
}

std::string_view BasisMeasure(std::string_view basis) {
  for (const Basis& each : kBases) {
    if (each.name == basis) return each.measure;
  }
  return "";
}

Status Validate(const CostQuery& query) {
  FB_CHECK(CheckMeasures(query.measures));
  FB_CHECK(CheckBy(query.by));
  if (static_cast<size_t>(query.grain) >= kGrainNames.size()) return Wrong("grain: no such grain");
  FB_CHECK(CheckTime(query));
  FB_CHECK(CheckWhere(query.where));
  if (query.top < 0 || query.top > kQueryMaxRows) {
    return Wrong("top: " + std::to_string(query.top) + " is outside of 0 to " +
                     std::to_string(kQueryMaxRows),
                 "0 means all");
  }
  if (BasisMeasure(query.basis).empty()) {
    FB_CHECK(CheckText("basis", query.basis));
    return Wrong("basis: " + Shown(query.basis) + " is no basis",
                 DidYouMean(query.basis, BasisNames()));
  }
  FB_CHECK(CheckCurrency(query));
  return CheckAsOf(query.as_of);
}

std::string QueryHash(const CostQuery& query) { return Sha256Hex(CanonicalJson(query)); }

}  // namespace flyball::ledger
