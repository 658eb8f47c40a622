// CES: complex exponential smoothing (Svetunkov, Kourentzes and Ord, Naval Research Logistics 69,
// 2022): level and potential as the two parts of one complex state, smoothed by one complex
// parameter, so that level and trend need not be told apart.
#pragma once

#include "forecast/member.h"

namespace flyball::forecast {

// A period beyond this is taken for none: its states would be most of the series.
inline constexpr size_t kCesPeriodMax = 60;

// The form is chosen by AICc among no season, simple (every phase has a complex state of its own),
// partial (additive indices beside the complex state) and full (two complex states).
Path Ces(Values past, size_t period, size_t horizon, Fit& fit);

}  // namespace flyball::forecast
