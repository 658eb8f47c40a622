#include "forecast/outlook.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <set>

#include "forecast/events.h"
#include "forecast/paths.h"
#include "model/dimension.h"
#include "rates/price_book.h"

namespace flyball::forecast {
namespace {

using budget::ScopeKind;

constexpr size_t kOutlookPaths = 2000;
constexpr size_t kTrials = 8;
constexpr size_t kShareDays = 28;
constexpr size_t kWeek = 7;
// Of the paths, for the date of an overrun to be told.
constexpr double kLeastOverrun = 0.05;
// A window that is longer has no honest path to its end.
constexpr int64_t kWindowDaysMax = 372;  // twelve months of a rolling window

int64_t HoursOf(budget::Unit unit) {
  constexpr int64_t kDay = 24;
  switch (unit) {
    case budget::Unit::kMinute:
      return 0;
    case budget::Unit::kHour:
      return 1;
    case budget::Unit::kDay:
      return kDay;
    case budget::Unit::kWeek:
      return 7 * kDay;
    case budget::Unit::kMonth:
      return 31 * kDay;
    case budget::Unit::kQuarter:
      return 92 * kDay;
    case budget::Unit::kYear:
      return 366 * kDay;
  }
  return 0;
}

// Days of a window, the last one begun; 0: it is shorter than a day.
int64_t DaysOf(const budget::Window& window) {
  const int64_t hours = HoursOf(window.unit) * (window.rolling ? window.count : 1);
  return hours < 24 ? 0 : (hours + 23) / 24;
}

// Whether values of the scope are spelled in several ways, so that all are asked for.
bool IsSpelled(const budget::Scope& scope) {
  return scope.kind == ScopeKind::kModel || scope.kind == ScopeKind::kProvider;
}

std::string WhyNot(const BudgetNow& budget) {
  if (budget.measure != budget::Measure::kMoney) return "it limits tokens, not money";
  if (!budget::LedgerDimension(budget.scope)) return "the ledger does not know what it is about";
  const int64_t days = DaysOf(budget.window);
  if (days < 1) return "its window is shorter than a day";
  if (days > kWindowDaysMax) return "its window is longer than a year";
  if (!budget.window.rolling && (!budget.began_at || !budget.ends_at)) {
    return "its window is not known";
  }
  return "";
}

// Windows begin at midnight in the budget's zone, days of the ledger at midnight UTC: of the days
// at the edges a part counts, as large as their part of the window. How much of [day, end of it)
// stands in it up to `to`.
double PartOf(Instant day, const BudgetOutlook& outlook, Instant to) {
  const int64_t from = std::max(day.us, outlook.began_at.us);
  const int64_t until = std::min({day.us + kMicrosPerDay, outlook.ends_at.us, to.us});
  return until <= from ? 0 : static_cast<double>(until - from) / kMicrosPerDay;
}

// The values of the scope that a charge counts for by what it has in the scope's dimension, as the
// guard spells them; none: it counts for none. A snapshot counts for its model, too.
std::vector<std::string> ValuesOf(const budget::Scope& scope, const std::string& text) {
  std::vector<std::string> words = {text};
  if (scope.kind == ScopeKind::kProvider) words = {rates::CanonicalProvider(text)};
  if (scope.kind == ScopeKind::kModel) words = rates::ModelNames(text);
  const bool nobody = text.empty() || text == dimension::kUnallocated || text == dimension::kNone;
  if (scope.is_each()) return nobody ? std::vector<std::string>() : words;
  if (!IsSpelled(scope)) return {""};
  const std::string wanted = scope.kind == ScopeKind::kModel
                                 ? rates::CanonicalModel(scope.value)
                                 : rates::CanonicalProvider(scope.value);
  if (std::ranges::find(words, wanted) == words.end()) return {};
  return {""};
}

// One amount that is looked ahead at: a budget, or one value of a "*" budget.
struct Case {
  BudgetOutlook outlook;
  const BudgetNow* budget = nullptr;
  std::vector<double> days;  // of the past, from `from` on, as events have changed it
  std::vector<double> told;  // as the ledger tells it
  Instant from;
  std::shared_ptr<const Events> events;
  std::vector<size_t> leaves;  // for events: which, and what each spends a day by now
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
    const std::string dimension = *budget::LedgerDimension(budget.scope);
    if (!budget.counts_ledger) question.where.push_back({"source", false, {"gateway"}});
    if (budget.scope.is_each() || IsSpelled(budget.scope)) {
      question.by = {dimension};
    } else if (!dimension.empty()) {
      const size_t at = budget.scope.kind == ScopeKind::kTag ? budget.scope.value.find('=') + 1 : 0;
      question.where.push_back({dimension, false, {budget.scope.value.substr(at)}});
    }
    std::vector<const estate::ForecastEvent*> events;
    const std::vector<std::string> dimensions =
        DimensionsFor(context_.events, question, &events, &outlook.notes);
    Result<Past> past = ReadPast(context_.ask, question, dimensions, context_.now);
    if (!past && past.error().code == Code::kCancelled) return Fail(past.error());
    if (!past) {  // of this budget; others may be looked ahead at
      const bool none = past.error().code == Code::kNotFound;
      outlook.refusal = none ? "the ledger has no charges of it yet" : past.error().message;
      answer->budgets.push_back(std::move(outlook));
      return {};
    }
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
      const std::string text = question.by.empty() ? "" : found->leaves[leaf][0];
      for (const std::string& value : ValuesOf(budget.scope, text)) {
        AddLeaf(found->values[leaf], leaf < told.size() ? &told[leaf] : nullptr, leaf,
                &by_value[value]);
      }
    }
    if (by_value.empty() && !budget.scope.is_each()) {
      cases_.emplace_back().outlook = outlook;
      cases_.back().outlook.refusal = "the ledger has no charges of it yet";
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
    if (dearest.size() > kOutlookValuesMax) {
      dearest.front().outlook.notes.push_back(
          fmt::format("of {} values of the budget the {} dearest are looked ahead at",
                      dearest.size(), kOutlookValuesMax));
      dearest.resize(kOutlookValuesMax);
    }
    std::ranges::move(dearest, std::back_inserter(cases_));
  }

  static void AddLeaf(const std::vector<double>& values, const std::vector<double>* told,
                      size_t leaf, Case* one) {
    one->leaves.push_back(leaf);
    one->days.resize(values.size(), 0.0);
    one->told.resize(values.size(), 0.0);
    double share = 0;
    size_t counted = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      one->days[i] += values[i];
      if (told != nullptr) one->told[i] += (*told)[i];
      if (i + kShareDays < values.size() || std::isnan(values[i])) continue;
      share += values[i];
      ++counted;
    }
    one->shares.push_back(counted == 0 ? 0 : share / static_cast<double>(counted));
  }

  void SetWindow(Case* one) const {
    const BudgetNow& budget = *one->budget;
    BudgetOutlook& outlook = one->outlook;
    if (budget.window.rolling) {
      const int64_t days = DaysOf(budget.window);
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
    size_t longest = 0, length = 0;
    for (Case& one : cases_) {
      Series& made = series.emplace_back();
      if (!one.outlook.refusal.empty()) continue;
      const Instant end = FloorDay(Instant{one.outlook.ends_at.us + kMicrosPerDay - 1});
      const int64_t days = (end.us - one.outlook.known_to.us) / kMicrosPerDay;
      const auto horizon = static_cast<size_t>(std::max<int64_t>(days, 1));
      longest = std::max(longest, horizon);
      length = std::max(length, one.days.size());
      made = SeriesOf("", one.days, question, horizon, &one.outlook.notes);
    }
    if (longest == 0) return {};
    Options options;
    options.threads = context_.threads;
    options.trials = kTrials;
    options.trial_horizon = TrialHorizon(length, longest, kWeek);
    options.fast = cases_.size() > kSlowSeriesMax;
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

  // What events that come make of the values of a day: all leaves change in proportion to what they
  // are by now, credits as well; what comes new is added.
  static void ApplyEvents(const Case& one, Instant day, std::vector<double>* values) {
    double weights = 0, factors = 0, added = 0;
    for (size_t i = 0; i < one.leaves.size(); ++i) {
      double with = one.shares[i], without = 0;
      one.events->Apply(one.leaves[i], day, std::span(&with, 1));
      one.events->Apply(one.leaves[i], day, std::span(&without, 1));
      added += without;
      const double weight = std::abs(one.shares[i]);
      if (weight == 0) continue;
      weights += weight;
      factors += weight * (with - without) / one.shares[i];
    }
    const double factor = weights > 0 ? factors / weights : 1;
    for (double& value : *values) value = value * factor + added;
  }

  // What the past has in the window, and when it broke the limit for good.
  double KnownOf(const Case& one, std::optional<Instant>* over) const {
    const BudgetOutlook& outlook = one.outlook;
    double known = 0;
    for (Instant day = FloorDay(outlook.began_at); day < outlook.known_to;
         day.us += kMicrosPerDay) {
      known += PastOf(one, day) * PartOf(day, outlook, outlook.ends_at);
      if (known > outlook.limit && !*over) *over = day;
    }
    if (known <= outlook.limit) over->reset();  // credits came
    return known;
  }

  // Sums the window up along each path, day by day.
  void Follow(const Paths& paths, size_t series, size_t horizon, Case* one) const {
    BudgetOutlook& outlook = one->outlook;
    const budget::Window& window = one->budget->window;
    const double settled = one->anchored ? one->budget->settled : 0;
    std::optional<Instant> over;  // since when it is broken
    const double known = KnownOf(*one, &over);
    if (!over && settled > outlook.limit) over = FloorDay(context_.now);
    outlook.spent = std::max(known, settled);
    std::vector<double> sums(paths.paths(), known), day_values(paths.paths()),
        highest(paths.paths(), -std::numeric_limits<double>::infinity());
    // The past may tell all of the window up to now, or of today.
    const Instant today = FloorDay(context_.now);
    if (today < outlook.known_to) std::ranges::fill(sums, outlook.spent);
    std::vector<std::vector<double>> rolled;  // paths by day, of a rolling window
    std::vector<double> broke;                // the day, in microseconds, a path that breaks each
    std::vector<bool> broken(paths.paths(), false);
    for (size_t step = 0; step < horizon; ++step) {
      const Instant day{outlook.known_to.us + static_cast<int64_t>(step) * kMicrosPerDay};
      const double part = PartOf(day, outlook, outlook.ends_at);
      if (part == 0) continue;
      paths.Fill(series, step, day_values);
      ApplyEvents(*one, day, &day_values);
      const double to_come = part - PartOf(day, outlook, std::max(day, context_.now));
      for (size_t p = 0; p < sums.size(); ++p) {
        sums[p] += part * day_values[p] - LeavesWindow(*one, rolled, p, day);
        // By now at least what the guard has seen is spent.
        if (day == today) sums[p] += std::max(0.0, settled - (sums[p] - to_come * day_values[p]));
        highest[p] = std::max(highest[p], sums[p]);
        if (sums[p] > outlook.limit && !broken[p]) {
          broken[p] = true;
          broke.push_back(static_cast<double>(day.us));
        }
      }
      if (window.rolling) rolled.push_back(day_values);
    }
    if (over) broke.assign(paths.paths(), static_cast<double>(over->us));
    const bool any = highest.front() > -std::numeric_limits<double>::infinity();
    Conclude(window.rolling && any ? highest : sums, std::move(broke), &outlook);
  }

  // Of a rolling window, what the day that is out of it had on a path.
  double LeavesWindow(const Case& one, const std::vector<std::vector<double>>& rolled, size_t path,
                      Instant day) const {
    const budget::Window& window = one.budget->window;
    if (!window.rolling) return 0;
    const Instant out{day.us - DaysOf(window) * kMicrosPerDay};
    if (out < one.outlook.began_at) return 0;
    if (out < one.outlook.known_to) return PastOf(one, out);
    const auto i = static_cast<size_t>((out.us - one.outlook.known_to.us) / kMicrosPerDay);
    return i < rolled.size() ? rolled[i][path] : 0;
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

}  // namespace

Result<OutlookAnswer> LookAhead(const std::vector<BudgetNow>& budgets,
                                const std::vector<double>& levels, const LedgerContext& context) {
  return Looker(levels, context).Run(budgets);
}

}  // namespace flyball::forecast
