// Outlook in JSON: budgets as the desk lists them, and the answer.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "forecast/outlook.h"

namespace flyball::forecast {
namespace {

using Json = nlohmann::ordered_json;

Result<double> AmountAt(const Json& row, const char* name) {
  const std::string text = row.value(name, "");
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) {
    return Fail(Code::kInternal, fmt::format("a budget's '{}' cannot be read", name));
  }
  return value;
}

Json Rounded(double value) { return std::round(value * 1e6) / 1e6; }

Json DayOrNull(const std::optional<Instant>& day) { return day ? Json(FormatDate(*day)) : Json(); }

Json OneJson(const BudgetOutlook& outlook, const std::vector<double>& levels) {
  Json json{{"name", outlook.name},         {"scope", outlook.scope}, {"window", outlook.window},
            {"currency", outlook.currency}, {"hard", outlook.hard},   {"limit", outlook.limit}};
  if (!outlook.value.empty()) json["value"] = outlook.value;
  if (!outlook.refusal.empty()) {
    json["refusal"] = outlook.refusal;
    return json;
  }
  json["began_at"] = FormatInstant(outlook.began_at);
  json["ends_at"] = FormatInstant(outlook.ends_at);
  json["known_to"] = FormatInstant(outlook.known_to);
  json["spent"] = Rounded(outlook.spent);
  json["mean"] = Rounded(outlook.mean);
  Json ranges = Json::array();
  for (size_t l = 0; l < levels.size(); ++l) {
    ranges.push_back({{"level", levels[l]},
                      {"lower", Rounded(outlook.lower[l])},
                      {"upper", Rounded(outlook.upper[l])}});
  }
  json["ranges"] = std::move(ranges);
  json["overrun_probability"] = Rounded(outlook.overrun);
  json["overrun_expected"] = Rounded(outlook.overrun_amount);
  json["overrun_at"] = DayOrNull(outlook.overrun_at);
  json["overrun_from"] = DayOrNull(outlook.overrun_from);
  json["overrun_to"] = DayOrNull(outlook.overrun_to);
  json["notes"] = outlook.notes;
  return json;
}

}  // namespace

Result<std::vector<BudgetNow>> ReadBudgets(std::string_view text) {
  const Json rows = Json::parse(text, nullptr, false);
  if (!rows.is_array()) return Fail(Code::kInternal, "the budgets cannot be read");
  std::vector<BudgetNow> budgets;
  for (const Json& row : rows) {
    BudgetNow& one = budgets.emplace_back();
    one.name = row.value("name", "");
    one.scope = FB_TRY(budget::ParseScope(row.value("scope", "")));
    one.measure = row.value("measure", "") == budget::MeasureName(budget::Measure::kMoney)
                      ? budget::Measure::kMoney
                      : budget::Measure::kTokens;
    one.currency = row.value("currency", "");
    one.window = FB_TRY(budget::ParseWindow(row.value("window", ""), row.value("zone", "UTC")));
    one.limit = FB_TRY(AmountAt(row, "limit"));
    one.settled = FB_TRY(AmountAt(row, "settled"));
    one.counts_ledger = row.value("counts", "ledger") == "ledger";
    one.hard = row.value("hard", true);
    if (row.contains("began_at")) {
      one.began_at = FB_TRY(ParseUserInstant(row.value("began_at", "")));
      one.ends_at = FB_TRY(ParseUserInstant(row.value("resets_at", "")));
    }
  }
  return budgets;
}

std::string OutlookJson(const OutlookAnswer& answer) {
  Json budgets = Json::array();
  for (const BudgetOutlook& outlook : answer.budgets) {
    budgets.push_back(OneJson(outlook, answer.levels));
  }
  return Json{{"estimate", true},
              {"commit", answer.commit},
              {"levels", answer.levels},
              {"left_off", answer.left_off},
              {"budgets", std::move(budgets)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace flyball::forecast
