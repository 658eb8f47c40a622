// Fits: what forecasting all series of a file leaves behind: of each its combination and trials, of
// each group of like series its ranges. forecast.h makes forecasts of it, paths.h sample paths.
// Internal to the folder.
#pragma once

#include <vector>

#include "base/result.h"
#include "forecast/forecast.h"
#include "forecast/prepare.h"
#include "forecast/ranges.h"

namespace flyball::forecast {

struct Work {
  Prepared prepared;
  Combination combination;  // of the scaled values
  double scale = 0;
  size_t group = 0;  // its place in Fits::groups, and there
  size_t place = 0;

  bool empty() const { return prepared.values.empty(); }
  // A value of the scaled series at the magnitude of its own; what was never negative stays so.
  double Final(double value) const {
    return Unscale(prepared, prepared.non_negative && value < 0 ? 0 : value);
  }
};

struct Fits {
  std::vector<Work> works;     // one a series
  bool recentre = false;       // points are moved to the middle of what is likely
  std::vector<Ranges> groups;  // series are alike when they have the same seasons, horizon, regime
};

// As ForecastAll: CANCELLED when stopped.
Result<Fits> FitAll(const std::vector<Series>& series, const Options& options);
// One a series.
std::vector<Forecast> ForecastsOf(const std::vector<Series>& series, const Fits& fits,
                                  const std::vector<double>& levels);

}  // namespace flyball::forecast
