// Rules: whether a series of live spend is unlike what was expected of it. Pure functions over
// Series (series.h); who calls them is the Watcher.
#pragma once

#include <optional>
#include <span>

#include "watch/detector.h"
#include "watch/series.h"

namespace flyball::watch {

// What the whole spends beside a series: a new one is held against it.
struct Surroundings {
  const Series* total = nullptr;      // of the same currency; null: the series is the total itself
  Instant since;                      // the first call that the watch knows of
  std::span<const EvenPace> budgets;  // of the series
};

// A series without eight minutes to learn from is new.
bool IsNew(const Series& series);
// For windows up to `window_s`.
Expectation Expect(const Series& series, Instant now, int64_t window_s);

// Once a second: what the rules over windows learn.
void LearnSecond(Series* series, const WatchSettings& settings, Instant now);
// What silence may be due to beside the series itself.
struct Attention {
  const Series* total = nullptr;  // of the same currency; null: the series is the total itself
  // The watch did not run, or the clock jumped, in these minutes: nothing is known of them.
  int64_t away_from = 0, away_to = -1;
  bool is_away(int64_t minute) const { return minute >= away_from && minute <= away_to; }
  bool learning = false;  // from the log: whether the gateway ran at all can't be told
};
// Once a minute, when it is over: what is usual, silence, sameness, and the detector's verdict.
void LearnMinutes(Series* series, const Detector& detector, const Attention& attention,
                  Instant now);

// `raise`: of factors and the least amount, 1 usually (ExpectedTime).
std::optional<Finding> FindBurn(const Series& series, const Surroundings& around,
                                const WatchSettings& settings, double raise, Instant now);
// After LearnMinutes.
std::optional<Finding> FindSpike(const Series& series, const WatchSettings& settings, double raise,
                                 Instant now);
std::optional<Finding> FindMissing(const Series& series, const WatchSettings& settings,
                                   Instant now);
std::optional<Finding> FindStuck(const Series& series, const WatchSettings& settings, Instant now);

// Whether what a rule of money found is over: the window is near what was expected.
bool IsCalm(const Series& series, const Expectation& expected, const WatchSettings& settings,
            int64_t window_s, Instant now);
// In the last `window_s` seconds, up to a minute, or whole minutes.
double SpentIn(const Series& series, Instant now, int64_t window_s);

}  // namespace flyball::watch
