// The Theta method: a series is the mean of lines that bend it less and more.
#pragma once

#include "forecast/member.h"

namespace flyball::forecast {

// The standard method (Assimakopoulos and Nikolopoulos, 2000) in the form that Hyndman and Billah
// (2003) gave it: simple exponential smoothing with half the slope of the regression line as drift.
// The season is taken out and given back (season.h, Deseasonalised).
Path Theta(Values past, size_t period, size_t horizon, Fit& fit);

// The dynamic optimised Theta model (Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler,
// International Journal of Forecasting 32, 2016, equations 11 to 16): theta, the smoothing and the
// first level are searched; the line is that of the values so far.
Path DynamicTheta(Values past, size_t period, size_t horizon, Fit& fit);

}  // namespace flyball::forecast
