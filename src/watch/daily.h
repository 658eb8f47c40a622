// Daily: the newest days of bills beside the days before them.
//
// Bills come a day or more late and say a day at a time, so what the live watch does in seconds is
// done here once a day for each series: a day is held against a level (the median of the last two
// weeks, without the rhythm of the week) times its weekday (where four weeks are known), and
// against how far days before were from theirs (the median of the deviations). Pure; robust to
// single odd days before.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/time.h"
#include "watch/anomaly.h"
#include "watch/watch_settings.h"

namespace flyball::watch {

inline constexpr int64_t kDaysLookedAt = 3;    // the newest
inline constexpr size_t kDaysKnownLeast = 10;  // before a day that is judged
inline constexpr size_t kDaysRemembered = 70;  // before it
inline constexpr int kDayWorth = 10;           // times the least amount of the live watch
inline constexpr double kDayDeviations = 4;    // of the usual distance, at least,
inline constexpr double kDayRatio = 1.25;      // and of what was expected

// Spend by day, without a gap, oldest first.
struct DailySeries {
  SeriesName name;
  Instant first;  // day
  std::vector<Money> days;
};

struct DayExpectation {
  double expected = 0;   // money
  double deviation = 0;  // the usual distance of a day from it
};
// Of the day at `at`, by the days before it; nothing when they are too few.
std::optional<DayExpectation> ExpectDay(const DailySeries& series, size_t at);

// Anomalies of the newest days, without causes. Days with a like in the month before, on the same
// day of the month, are fees that come each month, and none.
std::vector<Anomaly> FindOddDays(const DailySeries& series, const WatchSettings& settings,
                                 Instant now);

}  // namespace flyball::watch
