// Shifts: where the level of a series jumped and stayed, as after a migration or a new price.
//
// What was before such a jump says little about the level and much about the shape. So the past is
// brought to the level of its end, piece by piece, and forecast as if it had always been there.
#pragma once

#include <string>
#include <vector>

#include "forecast/member.h"

namespace flyball::forecast {

struct Shift {
  size_t at = 0;                // the first value of the new level
  bool multiplicative = false;  // of positive series
  double change = 0;            // a factor, or what is added
};

// A two-window test: the medians of the values before and after, without their season, differ by
// far more than such medians differ elsewhere in the series (robust z above 6, so that a trend is
// none), and by a fifth of the level. Needs six seasons of values (or 42) and one after the jump.
// At most kShiftsMax, oldest first; none of an intermittent series.
std::vector<Shift> FindShifts(Values past, size_t period);
inline constexpr size_t kShiftsMax = 4;

// The past at the level of its end.
std::vector<double> LevelOut(Values past, const std::vector<Shift>& shifts);

}  // namespace flyball::forecast
