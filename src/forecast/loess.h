// Loess: locally weighted lines (Cleveland, 1979), on evenly spaced values as STL needs them.
#pragma once

#include "forecast/member.h"

namespace flyball::forecast {

// A line weighted by tricube distance, through the `window` values nearest to each place, read at
// the places begin, begin + 1, ... (`count` of them; outside of the values it is extrapolated).
// With `jump` > 1 only every jump-th place is computed, those between are interpolated. Each value
// may have a weight of its own (robustness); none: all are alike.
std::vector<double> Loess(Values values, size_t window, std::ptrdiff_t begin, size_t count,
                          size_t jump = 1, Values weights = {});

}  // namespace flyball::forecast
