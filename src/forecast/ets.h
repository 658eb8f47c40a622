// ETS: exponential smoothing as a family of state-space models with error, trend and season
// (Hyndman, Koehler, Ord and Snyder, Forecasting with Exponential Smoothing, 2008, tables 2.2 and
// 2.3), the model chosen by AICc.
//
// Admissible are: additive errors with trend none, additive or damped and season none or additive;
// for positive values also multiplicative errors with season none, additive or multiplicative.
// Searched are the smoothing parameters, the damping, first level and first slope; the first
// seasonal indices are those of classical decomposition (season.h), which are as good for series
// of some cycles and spare a dozen dimensions.
#pragma once

#include "forecast/member.h"

namespace flyball::forecast {

// A period beyond this has too many states for what a series tells: no season.
inline constexpr size_t kEtsPeriodMax = 24;

struct EtsForm {
  bool multiplicative_error = false;
  enum class Trend : unsigned char { kNone, kAdditive, kDamped } trend = Trend::kNone;
  enum class Season : unsigned char { kNone, kAdditive, kMultiplicative } season = Season::kNone;
};

// The point path: the means of the additive models, what the recursion gives without errors for
// the others. `trend_only` leaves seasons and, for speed, multiplicative errors out.
Path Ets(Values past, size_t period, size_t horizon, Fit& fit, bool trend_only = false);

// AICc and path of one form, for tests and for those who know the form that they want. The AICc is
// infinite when the series is too short for it.
struct EtsResult {
  double aicc = 0;
  Fit fit;
};
EtsResult FitEts(Values past, size_t period, const EtsForm& form);
// "ETS(A,Ad,M)"
const char* EtsName(const Fit& fit);

}  // namespace flyball::forecast
