#include "watch/daily.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "watch/series.h"

namespace flyball::watch {
namespace {

constexpr size_t kWeek = 7;
constexpr size_t kLevelDays = 14;
constexpr size_t kRhythmDays = 28;
constexpr double kDeviationOfMedian = 1.4826;  // of a normal distribution
constexpr double kDeviationLeast = 0.03;       // of the expectation: no series is exact
constexpr double kMonthlyLike = 0.7;

double MedianOf(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

size_t WeekdayOf(Instant day) { return static_cast<size_t>(day.us / kMicrosPerDay) % kWeek; }

Instant DayAt(const DailySeries& series, size_t at) {
  return Instant{series.first.us + static_cast<int64_t>(at) * kMicrosPerDay};
}

// How the days of a week are to their median; all 1 where too few are known.
std::array<double, kWeek> RhythmOf(const DailySeries& series, size_t from, size_t to) {
  std::array<double, kWeek> rhythm;
  rhythm.fill(1);
  if (to - from < kRhythmDays) return rhythm;
  std::array<std::vector<double>, kWeek> by_day;
  std::vector<double> all;
  for (size_t at = from; at < to; ++at) {
    const double value = ToUnits(series.days[at].units());
    by_day[WeekdayOf(DayAt(series, at))].push_back(value);
    all.push_back(value);
  }
  const double middle = MedianOf(all);
  if (middle <= 0) return rhythm;
  for (size_t day = 0; day < kWeek; ++day) {
    rhythm[day] = std::max(MedianOf(by_day[day]) / middle, 0.0);
  }
  return rhythm;
}

// The level of the days before `to`, without the rhythm of the week.
double LevelOf(const DailySeries& series, const std::array<double, kWeek>& rhythm, size_t from,
               size_t to) {
  std::vector<double> values;
  for (size_t at = to - std::min(kLevelDays, to - from); at < to; ++at) {
    const double usual = rhythm[WeekdayOf(DayAt(series, at))];
    const double value = ToUnits(series.days[at].units());
    if (usual > 0.01) values.push_back(value / usual);
  }
  return MedianOf(values);
}

// The same day of the month before was odd like this one.
bool IsMonthly(const DailySeries& series, size_t at, double excess) {
  const CivilDate date = ToCivilDate(DayAt(series, at));
  const Instant before = AddMonths(ToInstant({date.year, date.month, 1}), -1);
  const Instant same{before.us + (date.day - 1) * kMicrosPerDay};
  if (same < series.first) return false;
  const auto there = static_cast<size_t>((same.us - series.first.us) / kMicrosPerDay);
  const auto usual = ExpectDay(series, there);
  if (!usual) return false;
  return ToUnits(series.days[there].units()) - usual->expected >= kMonthlyLike * excess;
}

}  // namespace

std::optional<DayExpectation> ExpectDay(const DailySeries& series, size_t at) {
  if (at < kDaysKnownLeast || at >= series.days.size()) return std::nullopt;
  const size_t from = at - std::min(at, kDaysRemembered);
  const auto rhythm = RhythmOf(series, from, at);
  DayExpectation day;
  day.expected = LevelOf(series, rhythm, from, at) * rhythm[WeekdayOf(DayAt(series, at))];
  std::vector<double> distances;
  for (size_t before = from + kWeek; before < at; ++before) {
    const double expected =
        LevelOf(series, rhythm, from, before) * rhythm[WeekdayOf(DayAt(series, before))];
    distances.push_back(std::abs(ToUnits(series.days[before].units()) - expected));
  }
  day.deviation =
      std::max(kDeviationOfMedian * MedianOf(distances), kDeviationLeast * day.expected);
  return day;
}

std::vector<Anomaly> FindOddDays(const DailySeries& series, const WatchSettings& settings,
                                 Instant now) {
  std::vector<Anomaly> odd;
  const size_t count = series.days.size();
  const double least = kDayWorth * ToUnits(settings.min_amount.units());
  if (!settings.enabled || settings.off[static_cast<size_t>(Kind::kSpike)]) return odd;
  for (size_t at = count - std::min<size_t>(count, kDaysLookedAt); at < count; ++at) {
    const auto day = ExpectDay(series, at);
    if (!day) continue;
    const ExpectedTime* expected_time = ExpectedAt(settings, DayAt(series, at));
    const double raise = expected_time != nullptr ? expected_time->raise : 1;
    const double value = ToUnits(series.days[at].units());
    const double excess = value - day->expected;
    if (excess < least * raise || excess < kDayDeviations * raise * day->deviation) continue;
    if (value < kDayRatio * day->expected || IsMonthly(series, at, excess)) continue;
    Anomaly anomaly;
    anomaly.kind = Kind::kSpike;
    anomaly.of_bills = true;
    anomaly.series = series.name;
    anomaly.began = DayAt(series, at);
    anomaly.opened = anomaly.updated = now;
    anomaly.ended = Instant{anomaly.began.us + kMicrosPerDay};
    anomaly.rule = "a day of the bills";
    anomaly.against = "the days before";
    if (expected_time != nullptr) anomaly.note = expected_time->note;
    anomaly.expected_per_s = day->expected / 86400;
    anomaly.ratio = day->expected > 0 ? value / day->expected : 0;
    const double deviations = day->deviation > 0 ? excess / day->deviation : 100;
    anomaly.confidence = std::clamp(1 - 0.5 * kDayDeviations / deviations, 0.5, 0.99);
    anomaly.observed = series.days[at];
    anomaly.expected = MoneyOf(day->expected);
    anomaly.amount = anomaly.observed.Minus(anomaly.expected).value_or(Money());
    anomaly.suspect = ElementOf(series.name);
    odd.push_back(std::move(anomaly));
  }
  return odd;
}

}  // namespace flyball::watch
