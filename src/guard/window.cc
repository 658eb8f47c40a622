#include "guard/window.h"

#include <algorithm>

#include "base/assert.h"

namespace flyball::guard {
namespace {

using budget::Unit;

constexpr Instant kTimeMin{0};
constexpr Instant kTimeMax{530 * 366 * kMicrosPerDay};

int64_t FloorTo(int64_t value, int64_t step) {
  int64_t quotient = value / step;
  return (value % step < 0 ? quotient - 1 : quotient) * step;
}

// Of a rolling window; the longest that each unit can be, so that nothing is forgotten early.
int64_t UnitUs(Unit unit) {
  switch (unit) {
    case Unit::kMinute:
      return 60 * kMicrosPerSecond;
    case Unit::kHour:
      return kMicrosPerHour;
    case Unit::kDay:
      return kMicrosPerDay;
    case Unit::kWeek:
      return 7 * kMicrosPerDay;
    case Unit::kMonth:
      return 31 * kMicrosPerDay;
    case Unit::kQuarter:
      return 92 * kMicrosPerDay;
    case Unit::kYear:
      return 366 * kMicrosPerDay;
  }
  return kMicrosPerDay;
}

int64_t BucketUs(const budget::Window& window) {
  return UnitUs(window.unit) * window.count / kRollingBuckets;
}

Instant FloorLocal(Unit unit, Instant local) {
  switch (unit) {
    case Unit::kWeek:
      return FloorWeek(local);
    case Unit::kMonth:
      return FloorMonth(local);
    case Unit::kQuarter: {
      CivilDate date = ToCivilDate(local);
      return ToInstant({date.year, (date.month - 1) / 3 * 3 + 1, 1});
    }
    case Unit::kYear:
      return ToInstant({ToCivilDate(local).year, 1, 1});
    default:
      return FloorDay(local);
  }
}

Instant NextLocal(Unit unit, Instant start) {
  switch (unit) {
    case Unit::kWeek:
      return Instant{start.us + 7 * kMicrosPerDay};
    case Unit::kMonth:
      return AddMonths(start, 1);
    case Unit::kQuarter:
      return AddMonths(start, 3);
    case Unit::kYear:
      return AddMonths(start, 12);
    default:
      return Instant{start.us + kMicrosPerDay};
  }
}

// Days and longer: from one local midnight to another, however long that takes.
Period LongWindow(Unit unit, const Zone& zone, Instant t) {
  Instant local = FloorLocal(unit, Instant{t.us + zone.OffsetAt(t)});
  Instant start = zone.FromLocal(local.us);
  if (t < start) {  // local midnight came twice, and this is before the one that counts
    local = FloorLocal(unit, Instant{local.us - 1});
    start = zone.FromLocal(local.us);
  }
  Instant end = zone.FromLocal(NextLocal(unit, local).us);
  if (end <= t) {
    start = end;
    end = zone.FromLocal(NextLocal(unit, NextLocal(unit, local)).us);
  }
  return {start, end};
}

// Hours and minutes: of one offset each, cut where the offset changes.
Period ShortWindow(Unit unit, const Zone& zone, Instant t) {
  int64_t offset = zone.OffsetAt(t);
  Period same = zone.OffsetPeriod(t);
  int64_t start = FloorTo(t.us + offset, UnitUs(unit)) - offset;
  return {std::max(Instant{start}, same.start), std::min(Instant{start + UnitUs(unit)}, same.end)};
}

}  // namespace

Instant ClampTime(Instant t) { return std::clamp(t, kTimeMin, kTimeMax); }

Period WindowAt(const budget::Window& window, const Zone& zone, Instant t) {
  t = ClampTime(t);
  if (window.rolling) {
    int64_t bucket_us = BucketUs(window);
    int64_t start = FloorTo(t.us, bucket_us);
    return {Instant{start}, Instant{start + bucket_us}};
  }
  Period found = window.unit <= Unit::kHour ? ShortWindow(window.unit, zone, t)
                                            : LongWindow(window.unit, zone, t);
  FB_ASSERT(found.Contains(t));
  return found;
}

Instant CountedUntil(const budget::Window& window, const Period& bucket) {
  if (!window.rolling) return bucket.end;
  return Instant{bucket.end.us + UnitUs(window.unit) * window.count};
}

}  // namespace flyball::guard
