#include "guard/window.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "os/zones.h"

namespace flyball::guard {
namespace {

using budget::Unit;
using budget::Window;

Instant At(const char* text) { return ParseUserInstant(text).value(); }
std::string Text(const Period& p) { return FormatInstant(p.start) + " " + FormatInstant(p.end); }
Zone Named(const char* name) { return os::LoadZone(name).value(); }
Window Calendar(Unit unit) { return {unit, false, 1, "UTC"}; }

TEST(Window, CalendarWindowsBeginWhereTheyBeginInTheZone) {
  Instant t = At("2026-11-25T19:05:30Z");
  EXPECT_EQ(Text(WindowAt(Calendar(Unit::kMinute), Zone(), t)),
            "2026-11-25T19:05:00Z 2026-11-25T19:06:00Z");
  EXPECT_EQ(Text(WindowAt(Calendar(Unit::kWeek), Zone(), t)),
            "2026-11-23T00:00:00Z 2026-11-30T00:00:00Z");
  EXPECT_EQ(Text(WindowAt(Calendar(Unit::kQuarter), Zone(), t)),
            "2026-10-01T00:00:00Z 2027-01-01T00:00:00Z");
  EXPECT_EQ(Text(WindowAt(Calendar(Unit::kYear), Zone(), t)),
            "2026-01-01T00:00:00Z 2027-01-01T00:00:00Z");
  EXPECT_EQ(
      Text(WindowAt(Calendar(Unit::kMonth), Named("Asia/Shanghai"), At("2026-11-30T16:00:00Z"))),
      "2026-11-30T16:00:00Z 2026-12-31T16:00:00Z");
  EXPECT_EQ(Text(WindowAt(Calendar(Unit::kHour), Named("Asia/Kolkata"), t)),
            "2026-11-25T18:30:00Z 2026-11-25T19:30:00Z");
}

TEST(Window, DaysAreAsLongAsTheyAreWhereClocksChange) {
  Zone zurich = Named("Europe/Zurich");
  Period spring = WindowAt(Calendar(Unit::kDay), zurich, At("2026-03-29T12:00:00Z"));
  EXPECT_EQ(Text(spring), "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z");
  Period autumn = WindowAt(Calendar(Unit::kDay), zurich, At("2026-10-25T12:00:00Z"));
  EXPECT_EQ(Text(autumn), "2026-10-24T22:00:00Z 2026-10-25T23:00:00Z");
  // Lord Howe Island moves its clocks by half an hour: the hour is cut there.
  Zone howe = Named("Australia/Lord_Howe");
  EXPECT_EQ(Text(WindowAt(Calendar(Unit::kHour), howe, At("2026-04-04T14:45:00Z"))),
            "2026-04-04T14:00:00Z 2026-04-04T15:00:00Z");
}

TEST(Window, WindowsTileTheTimeInEveryZone) {
  Random random(7);
  for (const char* name : {"UTC", "Europe/Zurich", "America/Sao_Paulo", "America/Havana",
                           "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "Africa/Cairo"}) {
    Zone zone = Named(name);
    for (int i = 0; i < 3000; ++i) {
      Window window;
      window.unit = static_cast<Unit>(random.Below(7));
      window.rolling = random.Chance(1, 4);
      if (window.rolling)
        window.count = static_cast<int>(random.Between(1, budget::kRollingCountMax));
      Instant t{random.Between(0, 70 * 366 * kMicrosPerDay)};
      // Half of them near a change of the offset, where it can go wrong.
      if (random.Chance(1, 2)) {
        Period same = zone.OffsetPeriod(t);
        if (same.start.us > 0) t = Instant{same.start.us + random.Between(-2, 2) * kMicrosPerHour};
      }
      Period p = WindowAt(window, zone, t);
      ASSERT_LT(p.start, p.end);
      ASSERT_TRUE(p.Contains(ClampTime(t))) << name << " " << FormatInstant(t);
      ASSERT_EQ(WindowAt(window, zone, p.start), p) << name << " " << FormatInstant(t);
      ASSERT_EQ(WindowAt(window, zone, Instant{p.end.us - 1}), p) << name << FormatInstant(t);
      ASSERT_EQ(WindowAt(window, zone, p.end).start, p.end) << name << FormatInstant(t);
    }
  }
}

TEST(Window, RollingBucketsAreNeverForgottenEarly) {
  Window day{Unit::kHour, true, 24, "UTC"};
  Random random(9);
  for (int i = 0; i < 1000; ++i) {
    Instant spent{random.Between(0, 60 * 366 * kMicrosPerDay)};
    Instant until = CountedUntil(day, WindowAt(day, Zone(), spent));
    EXPECT_GE(until.us - spent.us, kMicrosPerDay);
    EXPECT_LE(until.us - spent.us, kMicrosPerDay + kMicrosPerDay / kRollingBuckets);
  }
}

TEST(Window, AbsurdTimesAreClamped) {
  for (Instant t : {Instant{INT64_MIN}, Instant{INT64_MAX}, Instant{-1}}) {
    for (int unit = 0; unit < 7; ++unit) {
      EXPECT_TRUE(WindowAt(Calendar(static_cast<Unit>(unit)), Named("Europe/Zurich"), t)
                      .Contains(ClampTime(t)));
    }
  }
}

}  // namespace
}  // namespace flyball::guard
