#include "watch/points.h"

#include <gtest/gtest.h>

#include <vector>

namespace flyball::watch {
namespace {

using Fields = std::vector<std::string_view>;

Result<std::optional<Point>> Read(PointReader* reader, const Fields& fields) {
  return reader->Read(fields);
}
Error ErrorOf(const std::vector<Fields>& records) {
  PointReader reader;
  for (const Fields& record : records) {
    const auto point = Read(&reader, record);
    if (!point) return point.error();
  }
  return {};
}

TEST(PointReader, FindsItsColumnsByName) {
  PointReader reader;
  EXPECT_FALSE(Read(&reader, {"id", "Value", " timestamp "})->has_value());
  const auto point = **Read(&reader, {"7", "1.5e2", "2026-10-31 23:00:00"});
  EXPECT_EQ(point.at.us, ToInstant({2026, 10, 31}).us + 23 * kMicrosPerHour);
  EXPECT_EQ(point.value, 150);
  EXPECT_EQ(point.value_text, "1.5e2");
}

TEST(PointReader, NeedsNoHeader) {
  PointReader reader;
  const auto first = **Read(&reader, {"1761951600", "-3"});
  EXPECT_EQ(first.at.us, 1761951600 * kMicrosPerSecond);
  EXPECT_EQ(first.value, -3);
}

TEST(PointReader, MissingValuesAreKeptAndCounted) {
  PointReader reader;
  for (const std::string_view text : {"", "NaN", "nan", "NA", "null", " None "}) {
    EXPECT_FALSE((**Read(&reader, {"2026-10-01", text})).value.has_value()) << text;
  }
  EXPECT_EQ(reader.notes().missing, 6);
  EXPECT_EQ(reader.notes().points, 6);
}

TEST(PointReader, RefusesWhatItWouldHaveToGuess) {
  const Fields header{"timestamp", "value"};
  EXPECT_EQ(ErrorOf({{"time", "count"}}).code, Code::kInvalidArgument);
  EXPECT_EQ(ErrorOf({{"timestamp;value"}}).code, Code::kInvalidArgument);
  EXPECT_EQ(ErrorOf({header, {"yesterday", "1"}}).code, Code::kInvalidArgument);
  EXPECT_EQ(ErrorOf({header, {"2026-10-01", "1,5"}}).code, Code::kInvalidArgument);
  EXPECT_EQ(ErrorOf({header, {"2026-10-01", "0x10"}}).code, Code::kInvalidArgument);
  EXPECT_EQ(ErrorOf({header, {"2026-10-01", "1", "2"}}).code, Code::kInvalidArgument);
  EXPECT_EQ(ErrorOf({header, {"2026-10-01"}}).code, Code::kInvalidArgument);
  EXPECT_EQ(ErrorOf({header, {"99999999999999", "1"}}).code, Code::kInvalidArgument);
}

TEST(PointReader, RefusesValuesThatCannotBeScored) {
  for (const std::string_view text : {"inf", "-Infinity", "1e400", "1e101", "-1e300"}) {
    const Error error = ErrorOf({{"2026-10-01", text}});
    EXPECT_EQ(error.code, Code::kOutOfRange) << text;
    EXPECT_FALSE(error.hint.empty());
  }
  EXPECT_EQ(ErrorOf({{"2026-10-01", "1e100"}}).message, "");
  EXPECT_EQ(ErrorOf({{"2026-10-01", "1e-320"}}).message, "");
}

TEST(PointReader, NotesWhatIsOddAboutTimestamps) {
  PointReader reader;
  for (const std::string_view at :
       {"2026-10-01 00:00:00", "2026-10-01 00:05:00", "2026-10-01 00:05:00", "2026-10-01 00:10:00",
        "2026-10-01 00:15:00", "2026-10-01 01:15:00", "2026-10-01 01:00:00"}) {
    ASSERT_TRUE(Read(&reader, {at, "1"}).has_value());
  }
  const PointNotes& notes = reader.notes();
  EXPECT_EQ(notes.repeated, 1);
  EXPECT_EQ(notes.gaps, 1);
  EXPECT_EQ(notes.backwards, 1);
  EXPECT_TRUE(notes.constant);
  ASSERT_TRUE(Read(&reader, {"2026-10-02", "2"}).has_value());
  EXPECT_FALSE(reader.notes().constant);
}

}  // namespace
}  // namespace flyball::watch
