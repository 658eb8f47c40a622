#include "app/day_watch.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <tuple>

#include "ingest/gateway_charges.h"
#include "watch/causes.h"

namespace flyball::app {
namespace {

using watch::Anomaly;
using watch::DailySeries;
using watch::Level;

constexpr int kLookEveryMs = 2000;
constexpr int64_t kDaysAsked = watch::kDaysRemembered + 70;
constexpr int64_t kDaysBefore = 28;  // that a combination's share of the expectation is of
constexpr int kLeavesAsked = 20'000;
// In the order in which a suspect is looked for.
constexpr std::array<std::string_view, 5> kDimensions = {"team", "service", "account", "model",
                                                         "provider"};
constexpr std::array<Level, 5> kLevels = {Level::kTotal, Level::kService, Level::kAccount,
                                          Level::kTeam, Level::kModel};

ledger::CostQuery Question(Instant from, Instant to) {
  ledger::CostQuery query;
  query.measures = {"effective_cost"};
  query.from = from;
  query.to = to;
  query.where.push_back({"source", true, {ingest::kGatewaySource}});
  return query;
}

// By value and currency, each from its first day to the last of all.
Result<std::vector<DailySeries>> ReadDays(ledger::Ledger& ledger, Level level, Instant today) {
  ledger::CostQuery query =
      Question(Instant{today.us - kDaysAsked * kMicrosPerDay}, Instant{today.us + kMicrosPerDay});
  query.grain = ledger::Grain::kDay;
  if (level != Level::kTotal) {
    query.by = {std::string(watch::LevelName(level))};
    query.top = kDaySeriesMax;
  }
  const ledger::QueryAnswer answer = FB_TRY(ledger.Query(query));
  std::map<std::pair<std::string, std::string>, std::map<Instant, Money>> days;
  Instant last;
  for (const ledger::AnswerRow& row : answer.rows) {
    const Instant day = FB_TRY(ParseUserInstant(row.dimensions.front()));
    const std::string value = level == Level::kTotal ? std::string() : row.dimensions.at(1);
    last = std::max(last, day);
    if (value.starts_with('(')) continue;  // "(unallocated)", "(other)"
    days[{value, row.currency}][day] = Money::FromUnits(row.measures.front());
  }
  std::vector<DailySeries> all;
  if (last.us < today.us - kDaysOldMost * kMicrosPerDay) return all;
  for (const auto& [name, by_day] : days) {
    DailySeries series{{level, name.first, name.second}, by_day.begin()->first, {}};
    series.days.resize(static_cast<size_t>((last.us - series.first.us) / kMicrosPerDay) + 1);
    for (const auto& [day, spent] : by_day) {
      series.days[static_cast<size_t>((day.us - series.first.us) / kMicrosPerDay)] = spent;
    }
    all.push_back(std::move(series));
  }
  return all;
}

using Sums = std::map<std::vector<std::string>, int128>;

Result<Sums> ReadLeaves(ledger::Ledger& ledger, const Anomaly& anomaly, Instant from, Instant to) {
  ledger::CostQuery query = Question(from, to);
  query.by.assign(kDimensions.begin(), kDimensions.end());
  query.top = kLeavesAsked;
  if (anomaly.series.level != Level::kTotal) {
    query.where.push_back(
        {std::string(watch::LevelName(anomaly.series.level)), false, {anomaly.series.value}});
  }
  Sums sums;
  for (const ledger::AnswerRow& row : FB_TRY(ledger.Query(query)).rows) {
    if (row.currency == anomaly.series.currency) sums[row.dimensions] += row.measures.front();
  }
  return sums;
}

// Who is behind an odd day: what the day has beside what it would have if each combination had kept
// its part of the four weeks before.
Status FindCausesOfDay(ledger::Ledger& ledger, Anomaly* anomaly) {
  const Instant day = anomaly->began;
  Sums actual = FB_TRY(ReadLeaves(ledger, *anomaly, day, Instant{day.us + kMicrosPerDay}));
  const Sums before =
      FB_TRY(ReadLeaves(ledger, *anomaly, Instant{day.us - kDaysBefore * kMicrosPerDay}, day));
  double all = 0;
  for (const auto& [values, units] : before) {
    all += watch::ToUnits(units);
    (void)actual[values];
  }
  const double part = all > 0 ? watch::ToUnits(anomaly->expected.units()) / all : 0;
  std::vector<watch::CauseLeaf> leaves;
  for (const auto& [values, units] : actual) {
    const auto found = before.find(values);
    const double expected = found == before.end() ? 0 : watch::ToUnits(found->second) * part;
    leaves.push_back({{values.begin(), values.end()}, units, expected});
  }
  return watch::SetCauses(kDimensions, leaves, anomaly);
}

}  // namespace

Result<std::vector<Anomaly>> FindOddDaysOfBills(ledger::Ledger& ledger,
                                                const watch::WatchSettings& settings, Instant now) {
  std::vector<Anomaly> odd;
  if (ledger.Head().empty()) return odd;
  for (const Level level : kLevels) {
    for (const DailySeries& series : FB_TRY(ReadDays(ledger, level, FloorDay(now)))) {
      std::ranges::move(watch::FindOddDays(series, settings, now), std::back_inserter(odd));
    }
  }
  for (Anomaly& anomaly : odd) FB_CHECK(FindCausesOfDay(ledger, &anomaly));
  // Incidents open in the order of the days.
  std::ranges::sort(
      odd, {}, [](const Anomaly& anomaly) { return std::tuple(anomaly.began, anomaly.series); });
  return odd;
}

DayWatch::DayWatch(const Environment& environment, ledger::Ledger& ledger, Settings settings,
                   Sink sink)
    : environment_(environment),
      ledger_(ledger),
      settings_(std::move(settings)),
      sink_(std::move(sink)),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

DayWatch::~DayWatch() {
  thread_.request_stop();
  wake_.notify_all();
}

void DayWatch::Run(const std::stop_token& stop) {
  std::string looked_at;
  while (!stop.stop_requested()) {
    const std::string head = ledger_.Head();
    if (head != looked_at) {
      looked_at = head;
      auto odd = FindOddDaysOfBills(ledger_, settings_(), environment_.clock.Now());
      if (fault_.IsNews(odd)) {
        log::Warn("the days of the bills are not watched", {{"why", fault_.why()}});
      }
      if (odd && !odd->empty()) sink_(*std::move(odd));
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, std::chrono::milliseconds(kLookEveryMs), [] { return false; });
  }
}

}  // namespace flyball::app
