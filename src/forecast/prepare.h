// Prepare: a series as members want it: finite, evenly spaced, of a magnitude around 1.
#pragma once

#include <cmath>

#include "forecast/member.h"

namespace flyball::forecast {

// A value that is not known.
inline bool IsMissing(double value) { return std::isnan(value); }

struct Prepared {
  std::vector<double> values;  // from the first known value to the last
  int exponent = 0;            // what they are to be multiplied by is 2^exponent
  size_t filled = 0;           // how many were missing in between
  size_t trimmed_end = 0;      // missing ones after the last known value
  bool non_negative = true;
};

// Missing values between are filled: by the mean of what stands one period before and after where
// both are known, otherwise by the straight line between their neighbours. Scaling is by a power of
// two, so that it is exact and a series of 1e300 is forecast like one of 1.
Prepared Prepare(Values values, std::span<const size_t> periods);

// Back to the magnitude of the series. What would overflow ends at the largest double.
double Unscale(const Prepared& prepared, double value);

}  // namespace flyball::forecast
