// Windows: which stretch of time a budget counts in at an instant.
//
// A window is computed from the time, and what is spent is kept by the start of its window: nothing
// has to run at midnight, and nothing is ever set to zero. A rolling window is counted in buckets;
// an amount stays counted until its whole bucket is out of the window, so it is forgotten up to one
// bucket late and never early.
#pragma once

#include "base/time.h"
#include "base/zone.h"
#include "model/budget.h"

namespace flyball::guard {

// Into how many buckets a rolling window is cut; one more is counted, the one that is half out.
inline constexpr int64_t kRollingBuckets = 60;

// Times that a window is asked for: years 1970 to 2500. Others are clamped into them.
Instant ClampTime(Instant t);

// The calendar window, or the bucket of a rolling one, that holds `t`: windows of one budget tile
// the time without gap or overlap, also where clocks are changed.
Period WindowAt(const budget::Window& window, const Zone& zone, Instant t);

// Of the bucket that starts at `start`: when nothing of it is counted any more. For a calendar
// window that is its end.
Instant CountedUntil(const budget::Window& window, const Period& bucket);

}  // namespace flyball::guard
