#include "forecast/outlook.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "forecast/events.h"
#include "forecast/paths.h"

namespace flyball::forecast {
namespace {

using Json = nlohmann::ordered_json;
using budget::ScopeKind;

constexpr size_t kOutlookPaths = 2000;
constexpr size_t kTrials = 8;
constexpr size_t kShareDays = 28;
// Of the paths, for the date of an overrun to be told.
constexpr double kLeastOverrun = 0.05;
// A window that is longer has no honest path to its end.
constexpr int64_t kWindowDaysMax = 370;

// "" for the organisation; nullopt: the ledger does not know what the budget is about.
std::optional<std::string> DimensionOf(const budget::Scope& scope) {
  switch (scope.kind) {
    case ScopeKind::kOrganisation:
      return "";
    case ScopeKind::kTeam:
      return "team";
    case ScopeKind::kProject:
      return "project";
    case ScopeKind::kUseCase:
      return "use_case";
    case ScopeKind::kModel:
      return "model";
    case ScopeKind::kProvider:
      return "provider";
    case ScopeKind::kTag:
      return "tag:" + scope.value.substr(0, scope.value.find('='));
    default:
      return std::nullopt;
  }
}

int64_t DaysOf(budget::Unit unit) {
  switch (unit) {
    case budget::Unit::kMinute:
    case budget::Unit::kHour:
      return 0;
    case budget::Unit::kDay:
      return 1;
    case budget::Unit::kWeek:
      return 7;
    case budget::Unit::kMonth:
      return 31;
    case budget::Unit::kQuarter:
      return 92;
    case budget::Unit::kYear:
      return 366;
  }
  return 0;
}

std::string WhyNot(const BudgetNow& budget) {
  if (budget.measure != budget::Measure::kMoney) return "it limits tokens, not money";
  if (!DimensionOf(budget.scope)) return "the ledger does not know what it is about";
  const int64_t days =
      DaysOf(budget.window.unit) * (budget.window.rolling ? budget.window.count : 1);
  if (days < 1) return "its window is shorter than a day";
  if (days > kWindowDaysMax) return "its window is longer than a year";
  if (!budget.window.rolling && (!budget.began_at || !budget.ends_at)) {
    return "its window is not known";
  }
  return "";
}

// Windows begin at midnight in the budget's zone, days of the ledger at midnight UTC.
Instant NearestDay(Instant at) { return FloorDay(Instant{at.us + kMicrosPerDay / 2}); }

// One amount that is looked ahead at: a budget, or one value of a "*" budget.
struct Case {
  BudgetOutlook outlook;
  const BudgetNow* budget = nullptr;
  std::vector<double> days;  // of the past, from `from` on, as events have changed it
  std::vector<double> told;  // as the ledger tells it
  Instant from;
  std::shared_ptr<const Events> events;
  std::vector<size_t> leaves;  // for events: which, and what each spent in the last days
  std::vector<double> shares;
  bool anchored = false;  // the guard's amount is this case's
};

class Looker {
 public:
  Looker(const std::vector<double>& levels, const LedgerContext& context)
      : levels_(levels), context_(context) {}

  Result<OutlookAnswer> Run(const std::vector<BudgetNow>& budgets) {
    OutlookAnswer answer;
    answer.levels = levels_;
    if (budgets.size() > kOutlookBudgetsMax) {
      return Fail(Code::kResourceExhausted,
                  fmt::format("there are {} budgets, more than the {} that are looked ahead at",
                              budgets.size(), kOutlookBudgetsMax));
    }
    for (const BudgetNow& budget : budgets) {
      listed_.emplace(budget.name, budget::FormatScope(budget.scope));
    }
    for (const BudgetNow& budget : budgets) FB_CHECK(AddCases(budget, &answer));
    FB_CHECK(Forecast());
    for (Case& one : cases_) answer.budgets.push_back(std::move(one.outlook));
    return answer;
  }

 private:
  static BudgetOutlook OutlookOf(const BudgetNow& budget) {
    BudgetOutlook outlook;
    outlook.name = budget.name;
    outlook.scope = budget::FormatScope(budget.scope);
    outlook.currency = budget.currency;
    outlook.window = budget::FormatWindow(budget.window);
    outlook.limit = budget.limit;
    outlook.hard = budget.hard;
    return outlook;
  }

  Status AddCases(const BudgetNow& budget, OutlookAnswer* answer) {
    BudgetOutlook outlook = OutlookOf(budget);
    outlook.refusal = WhyNot(budget);
    if (!outlook.refusal.empty()) {
      answer->budgets.push_back(std::move(outlook));
      return {};
    }
    Question question;
    question.horizon = {Horizon::Unit::kDay, 1};
    const std::string dimension = *DimensionOf(budget.scope);
    if (!budget.counts_ledger) question.where.push_back({"source", false, {"gateway"}});
    if (budget.scope.is_each()) {
      question.by = {dimension};
    } else if (!dimension.empty()) {
      const size_t at = budget.scope.kind == ScopeKind::kTag ? budget.scope.value.find('=') + 1 : 0;
      question.where.push_back({dimension, false, {budget.scope.value.substr(at)}});
    }
    std::vector<const estate::ForecastEvent*> events;
    const std::vector<std::string> dimensions =
        DimensionsFor(context_.events, question, &events, &outlook.notes);
    Result<Past> past = ReadPast(context_.ask, question, dimensions, context_.now);
    if (!past && past.error().code == Code::kNotFound) {
      outlook.refusal = "the ledger has no charges of it yet";
      answer->budgets.push_back(std::move(outlook));
      return {};
    }
    if (!past) return Fail(past.error());
    answer->commit = past->commit;
    for (const std::string& note : past->left_off) {
      if (std::ranges::find(answer->left_off, note) == answer->left_off.end()) {
        answer->left_off.push_back(note);
      }
    }
    outlook.known_to = past->to;
    AddHistories(budget, question, events, *past, outlook);
    return {};
  }

  void AddHistories(const BudgetNow& budget, const Question& question,
                    const std::vector<const estate::ForecastEvent*>& events, Past& past,
                    const BudgetOutlook& outlook) {
    auto found = std::ranges::find(past.histories, budget.currency, &History::currency);
    std::string others;
    for (const History& history : past.histories) {
      if (history.currency != budget.currency)
        others += (others.empty() ? "" : ", ") + history.currency;
    }
    if (found == past.histories.end()) {
      Case& one = cases_.emplace_back();
      one.outlook = outlook;
      one.outlook.refusal =
          fmt::format("it is in {}, and its charges are in {}", budget.currency, others);
      return;
    }
    const std::vector<std::vector<double>> told = found->values;  // without what events change
    const auto known = std::make_shared<Events>(events, question, past.to, &*found);
    std::map<std::string, Case> by_value;
    for (size_t leaf = 0; leaf < found->leaves.size(); ++leaf) {
      Case& one = by_value[budget.scope.is_each() ? found->leaves[leaf][0] : ""];
      one.leaves.push_back(leaf);
      one.days.resize(found->values[leaf].size(), 0.0);
      one.told.resize(one.days.size(), 0.0);
      double share = 0;
      for (size_t i = 0; i < one.days.size(); ++i) {
        one.days[i] += found->values[leaf][i];
        if (leaf < told.size()) one.told[i] += told[leaf][i];
        if (i + kShareDays >= one.days.size()) share += found->values[leaf][i];
      }
      one.shares.push_back(std::isnan(share) ? 0 : share);
    }
    std::vector<Case> dearest;
    for (auto& [value, one] : by_value) {
      // What the guard lists by itself is a budget of its own here, too.
      std::string scope = budget::FormatScope(budget.scope);
      if (budget.scope.is_each()) scope.replace(scope.size() - 1, 1, value);
      if (budget.scope.is_each() && listed_.contains({budget.name, scope})) continue;
      one.outlook = outlook;
      one.outlook.value = value;
      one.outlook.notes.insert(one.outlook.notes.end(), known->notes().begin(),
                               known->notes().end());
      one.budget = &budget;
      one.from = found->from;
      one.events = known;
      one.anchored = !budget.scope.is_each();
      if (!others.empty()) {
        one.outlook.notes.push_back(fmt::format("charges in {} are not in it", others));
      }
      SetWindow(&one);
      dearest.push_back(std::move(one));
    }
    std::ranges::sort(dearest, std::greater<>(), [](const Case& one) {
      return std::accumulate(one.shares.begin(), one.shares.end(), 0.0);
    });
    if (dearest.size() > kOutlookValuesMax) dearest.resize(kOutlookValuesMax);
    std::ranges::move(dearest, std::back_inserter(cases_));
  }

  void SetWindow(Case* one) const {
    const BudgetNow& budget = *one->budget;
    BudgetOutlook& outlook = one->outlook;
    if (budget.window.rolling) {
      const int64_t days = DaysOf(budget.window.unit) * budget.window.count;
      outlook.began_at = Instant{FloorDay(context_.now).us - (days - 1) * kMicrosPerDay};
      outlook.ends_at = Instant{FloorDay(context_.now).us + days * kMicrosPerDay};
      outlook.notes.push_back("a rolling window: the highest of the next windows counts");
    } else {
      outlook.began_at = *budget.began_at;
      outlook.ends_at = *budget.ends_at;
    }
  }

  Status Forecast() {
    Question question;
    std::vector<Series> series;
    size_t longest = 0;
    for (Case& one : cases_) {
      Series& made = series.emplace_back();
      if (!one.outlook.refusal.empty()) continue;
      const Instant end = NearestDay(one.outlook.ends_at);
      const int64_t days = (end.us - one.outlook.known_to.us) / kMicrosPerDay;
      const auto horizon = static_cast<size_t>(std::max<int64_t>(days, 1));
      longest = std::max(longest, horizon);
      made = SeriesOf("", one.days, question, horizon, &one.outlook.notes);
    }
    if (longest == 0) return {};
    Options options;
    options.threads = context_.threads;
    options.trials = kTrials;
    options.trial_horizon = std::min<size_t>(longest, 28);
    if (context_.stopped) {
      options.progress = [this](size_t, size_t) { return !context_.stopped(); };
    }
    const Fits fits = FB_TRY(FitAll(series, options));
    const Paths paths(series, fits, {kOutlookPaths, kForecastSeed});
    for (size_t i = 0; i < cases_.size(); ++i) {
      if (cases_[i].outlook.refusal.empty()) Follow(paths, i, series[i].horizon, &cases_[i]);
    }
    return {};
  }

  double PastOf(const Case& one, Instant day) const {
    if (day < one.from) return 0;
    const auto i = static_cast<size_t>((day.us - one.from.us) / kMicrosPerDay);
    return i < one.told.size() && !std::isnan(one.told[i]) ? one.told[i] : 0;
  }

  // What events that come make of the values of a day: all leaves change as their shares do.
  static void ApplyEvents(const Case& one, Instant day, std::vector<double>* values) {
    double before = 0, after = 0, added = 0;
    for (size_t i = 0; i < one.leaves.size(); ++i) {
      double value = one.shares[i] / kShareDays;
      const bool is_new = value == 0;
      before += value;
      one.events->Apply(one.leaves[i], day, std::span(&value, 1));
      (is_new ? added : after) += value;
    }
    const double factor = before > 0 ? after / before : 1;
    for (double& value : *values) value = value * factor + added;
  }

  // Sums the window up along each path, day by day.
  void Follow(const Paths& paths, size_t series, size_t horizon, Case* one) const {
    BudgetOutlook& outlook = one->outlook;
    const Instant begin = NearestDay(outlook.began_at);
    double known = 0;
    for (Instant day = begin; day < outlook.known_to; day.us += kMicrosPerDay) {
      known += PastOf(*one, day);
    }
    outlook.spent = one->anchored ? std::max(known, one->budget->settled) : known;
    std::vector<double> sums(paths.paths(), known), day_values(paths.paths()),
        highest(paths.paths(), -std::numeric_limits<double>::infinity());
    std::vector<std::vector<double>> rolled;  // paths by day, of a rolling window
    std::vector<double> broke;                // the day, in microseconds, a path that breaks each
    std::vector<bool> broken(paths.paths(), false);
    for (size_t step = 0; step < horizon; ++step) {
      const Instant day{outlook.known_to.us + static_cast<int64_t>(step) * kMicrosPerDay};
      paths.Fill(series, step, day_values);
      ApplyEvents(*one, day, &day_values);
      const double leaves = LeavesWindow(*one, rolled, day);
      for (size_t p = 0; p < sums.size(); ++p) {
        if (day >= begin) sums[p] += day_values[p];
        sums[p] -= leaves;
        if (day == FloorDay(context_.now) && one->anchored && !one->budget->window.rolling) {
          // By now at least what the guard has seen is spent.
          const double share = static_cast<double>(context_.now.us - day.us) / kMicrosPerDay;
          sums[p] += std::max(0.0, one->budget->settled - (sums[p] - (1 - share) * day_values[p]));
        }
        highest[p] = std::max(highest[p], sums[p]);
        if (sums[p] > outlook.limit && !broken[p]) {
          broken[p] = true;
          broke.push_back(static_cast<double>(day.us));
        }
      }
      if (one->budget->window.rolling) rolled.push_back(day_values);
    }
    Conclude(one->budget->window.rolling ? highest : sums, std::move(broke), &outlook);
  }

  // Of a rolling window, what the day that is out of it had (of forecast days, in the mean).
  double LeavesWindow(const Case& one, const std::vector<std::vector<double>>& rolled,
                      Instant day) const {
    const budget::Window& window = one.budget->window;
    if (!window.rolling) return 0;
    const Instant out{day.us - DaysOf(window.unit) * window.count * kMicrosPerDay};
    if (out < NearestDay(one.outlook.began_at)) return 0;
    if (out < one.outlook.known_to) return PastOf(one, out);
    const auto i = static_cast<size_t>((out.us - one.outlook.known_to.us) / kMicrosPerDay);
    if (i >= rolled.size()) return 0;
    return std::accumulate(rolled[i].begin(), rolled[i].end(), 0.0) /
           static_cast<double>(rolled[i].size());
  }

  void Conclude(const std::vector<double>& ends, std::vector<double> broke,
                BudgetOutlook* outlook) const {
    const auto count = static_cast<double>(ends.size());
    for (const double end : ends) {
      outlook->mean += end / count;
      outlook->overrun_amount += std::max(0.0, end - outlook->limit) / count;
    }
    for (const double level : levels_) {
      const double tail = (1 - level / 100) / 2;
      const std::vector<double> probabilities{tail, 1 - tail};
      const std::vector<double> bounds = QuantilesOf(ends, probabilities);
      outlook->lower.push_back(bounds[0]);
      outlook->upper.push_back(bounds[1]);
    }
    outlook->overrun = static_cast<double>(broke.size()) / count;
    if (outlook->overrun < kLeastOverrun) return;
    const std::vector<double> probabilities{0.1, 0.5, 0.9};
    const std::vector<double> days = QuantilesOf(std::move(broke), probabilities);
    const auto day = [&](size_t i) { return FloorDay(Instant{static_cast<int64_t>(days[i])}); };
    outlook->overrun_from = day(0);
    outlook->overrun_at = day(1);
    outlook->overrun_to = day(2);
  }

  const std::vector<double>& levels_;
  const LedgerContext& context_;
  std::vector<Case> cases_;
  std::set<std::pair<std::string, std::string>> listed_;  // name and scope
};

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

Result<OutlookAnswer> LookAhead(const std::vector<BudgetNow>& budgets,
                                const std::vector<double>& levels, const LedgerContext& context) {
  return Looker(levels, context).Run(budgets);
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
