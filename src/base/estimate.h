// Estimate: money as a floating number, for estimates alone. No amount may be computed from it.
#pragma once

#include "base/money.h"

namespace flyball {

// In units of the currency.
inline double EstimateOf(Money money) { return static_cast<double>(money.units()) / 1e12; }

}  // namespace flyball
