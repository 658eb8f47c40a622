// Seasons: is there one, and what remains without it.
#pragma once

#include "forecast/member.h"

namespace flyball::forecast {

// The indices of classical decomposition (centred moving average; Kendall and Stuart, The Advanced
// Theory of Statistics, vol. 3): one a phase, phase 0 is that of the first value; multiplicative
// ones have the mean 1, additive ones 0. Needs two periods; neutral indices otherwise.
std::vector<double> SeasonalIndices(Values past, size_t period, bool multiplicative);

// Whether the autocorrelation at the period is significant at 90 %, by the rule of the
// M-competitions' benchmark Naive2 (Bartlett's formula). False with fewer than three periods.
bool IsSeasonal(Values past, size_t period);

// 0..1: the share of the variance around the moving average that additive indices explain
// (Wang, Smith and Hyndman, 2006).
double SeasonalStrength(Values past, size_t period);

// The same values without their season, and how to give it back to a path that follows them.
class Deseasonalised {
 public:
  // Does nothing (`values` are the past) unless IsSeasonal. Multiplicative for positive values.
  Deseasonalised(Values past, size_t period);
  Values values() const { return values_; }
  bool seasonal() const { return !indices_.empty(); }
  void Reseason(Path& path) const;

 private:
  std::vector<double> indices_;
  bool multiplicative_ = false;
  std::vector<double> values_;
};

}  // namespace flyball::forecast
