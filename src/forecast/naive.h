// The members that search nothing: last value, drift, seasonal naive.
#pragma once

#include "forecast/member.h"

namespace flyball::forecast {

// The value of one period ago, repeated (Hyndman and Athanasopoulos, Forecasting: Principles and
// Practice, 3rd ed., 5.2). With fewer values than a period, or period 1: the last value.
Path SeasonalNaive(Values past, size_t period, size_t horizon);
// The line through the first and the last value, continued (the same, 5.2).
Path Drift(Values past, size_t horizon);
// The mean absolute difference of values one period apart: the yardstick of MASE (Hyndman and
// Koehler, 2006). 0 when there are none.
double SeasonalNaiveScale(Values past, size_t period);

}  // namespace flyball::forecast
