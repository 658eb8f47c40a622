// MSTL: a series as trend, one or more seasons, and a remainder (Bandara, Hyndman and Bergmeir,
// 2021), each season found by STL (Cleveland, Cleveland, McRae and Terpenning, Journal of Official
// Statistics 6, 1990).
#pragma once

#include "forecast/member.h"

namespace flyball::forecast {

struct Decomposition {
  std::vector<std::vector<double>> seasons;  // one a period, each as long as the series
  std::vector<double> rest;                  // the series without them
};

// Periods ascend; those with fewer than two cycles are left out.
Decomposition Decompose(Values past, std::span<const size_t> periods);

// The last cycle of each season again, and the rest by exponential smoothing without season
// (ets.h).
Path Mstl(Values past, std::span<const size_t> periods, size_t horizon, Fit& fit);

}  // namespace flyball::forecast
