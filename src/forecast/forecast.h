// Forecast: from series to their next values, with ranges that cover what they say.
//
// The floor's pure part: no files, no clock. The way is: prepare.h fills and scales a series,
// portfolio.h tries members on rolling origins and combines them, ranges.h turns the errors of
// those trials, pooled over the series of a group, into ranges. read_series.h reads files.
//
// Forecasts are estimates and doubles; no amount of the ledger is computed from one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "forecast/portfolio.h"

namespace flyball::forecast {

struct Series {
  std::string id;
  std::vector<double> values;   // NaN: missing
  std::vector<size_t> periods;  // seasons in steps, ascending; none: it has none
  size_t horizon = 0;           // steps to forecast
};

inline constexpr size_t kHorizonMax = 10'000;
inline constexpr size_t kPeriodMax = 100'000;

struct Options {
  std::vector<double> levels;   // percent, ascending, within (0, 100)
  std::vector<Member> members;  // none: the portfolio chooses
  bool fast = false;            // the portfolio's cheap members only
  unsigned threads = 1;
  size_t trials = 0;         // rolling origins a series at most; 0: 8 of few series, 4 of many
  size_t trial_horizon = 0;  // steps of a trial; 0: the horizon
  // Points are moved to the middle of what is likely where trials were off to one side again and
  // again, as of a spend that grows.
  bool recentre = false;
  // Called with how many series are done, by one thread at a time; false stops.
  std::function<bool(size_t done, size_t whole)> progress;
};

struct Range {
  std::vector<double> lower, upper;  // a step each
};

struct Forecast {
  Regime regime = Regime::kShort;
  std::vector<double> mean;       // a step each
  std::vector<Range> ranges;      // a level each
  std::vector<Weighted> members;  // what it is made of
  size_t trials = 0;              // rolling origins tried
  std::string note;               // what is unusual: "3 missing values filled"; empty: nothing
  std::string refusal;            // why there is none; the rest is then empty
};

// One forecast a series, in their order. The same whatever the number of threads. Fails only when
// stopped (CANCELLED). A series without a value is refused; every other one is forecast, if only by
// its last value, and its note says so. What was never negative stays so.
Result<std::vector<Forecast>> ForecastAll(const std::vector<Series>& series,
                                          const Options& options);

}  // namespace flyball::forecast
