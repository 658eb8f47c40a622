#include "os/zones.h"

#include <gtest/gtest.h>

namespace flyball::os {
namespace {

Instant At(const char* text) { return ParseUserInstant(text).value(); }
int64_t LocalMidnight(int year, int month, int day) {
  return ToInstant(CivilDate{year, month, day}).us;
}

TEST(Zones, ZurichChangesItsClocksInMarchAndOctober) {
  Zone zone = LoadZone("Europe/Zurich").value();
  EXPECT_EQ(zone.OffsetAt(At("2026-03-29T00:59:59Z")), kMicrosPerHour);
  EXPECT_EQ(zone.OffsetAt(At("2026-03-29T01:00:00Z")), 2 * kMicrosPerHour);
  EXPECT_EQ(zone.OffsetAt(At("2026-10-25T00:59:59Z")), 2 * kMicrosPerHour);
  EXPECT_EQ(zone.OffsetAt(At("2026-10-25T01:00:00Z")), kMicrosPerHour);
  EXPECT_EQ(zone.FromLocal(LocalMidnight(2026, 7, 1)), At("2026-06-30T22:00:00Z"));
  EXPECT_EQ(zone.FromLocal(LocalMidnight(2026, 12, 1)), At("2026-11-30T23:00:00Z"));
  EXPECT_EQ(zone.OffsetAt(At("2037-07-01")), 2 * kMicrosPerHour) << "the files spell out 2037";
}

TEST(Zones, MidnightThatIsSkippedIsTheMomentOfTheSkip) {
  // In Sao Paulo clocks went from 00:00 to 01:00 on 2018-11-04.
  Zone zone = LoadZone("America/Sao_Paulo").value();
  EXPECT_EQ(zone.FromLocal(LocalMidnight(2018, 11, 4)), At("2018-11-04T03:00:00Z"));
}

TEST(Zones, UnknownNamesAreRefused) {
  EXPECT_EQ(LoadZone("Europe/Nowhere").error().code, Code::kInvalidArgument);
  EXPECT_EQ(LoadZone("").error().code, Code::kInvalidArgument);
  EXPECT_EQ(LoadZone("../../etc/passwd").error().code, Code::kInvalidArgument);
  EXPECT_EQ(LoadZone(std::string(10'000, 'x')).error().code, Code::kInvalidArgument);
  EXPECT_EQ(LoadZone("UTC").value().OffsetAt(At("2026-07-01")), 0);
}

}  // namespace
}  // namespace flyball::os
