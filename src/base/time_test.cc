#include "base/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace flyball {
namespace {

constexpr int64_t kYear1Us = -62135596800LL * kMicrosPerSecond;
constexpr int64_t kYear10000Us = 253402300800LL * kMicrosPerSecond;

std::string Read(std::string_view text, TimeForm form) {
  ParsedInstant parsed;
  if (!ParseInstant(text, &parsed)) return "refused";
  EXPECT_EQ(static_cast<int>(parsed.form), static_cast<int>(form)) << text;
  return FormatInstant(parsed.instant);
}

TEST(CivilTest, KnownDays) {
  EXPECT_EQ(ToInstant({1970, 1, 1}).us, 0);
  EXPECT_EQ(ToInstant({2000, 3, 1}).us, 951868800LL * kMicrosPerSecond);
  EXPECT_EQ(ToInstant({1, 1, 1}).us, kYear1Us);
  EXPECT_EQ(ToInstant({9999, 12, 31}).us, kYear10000Us - kMicrosPerDay);
  EXPECT_EQ(FormatInstant(Instant{-1}), "1969-12-31T23:59:59.999999Z");
}

TEST(CivilTest, EveryDayOfTenThousandYearsComesAfterTheOneBefore) {
  CivilDate last{0, 12, 31};
  for (int64_t us = kYear1Us; us < kYear10000Us; us += kMicrosPerDay) {
    CivilDate date = ToCivilDate(Instant{us});
    bool next_day = date.year == last.year && date.month == last.month && date.day == last.day + 1;
    bool next_month =
        date.year == last.year && date.month == last.month + 1 && date.day == 1 && last.day >= 28;
    bool next_year =
        date.year == last.year + 1 && date.month == 1 && date.day == 1 && last.day == 31;
    ASSERT_TRUE(next_day || next_month || next_year) << FormatDate(Instant{us});
    ASSERT_EQ(ToInstant(date).us, us);
    last = date;
  }
}

TEST(FloorTest, FloorsBeforeAndAfter1970) {
  Instant t = ParseUserInstant("2026-10-31T23:59:59.5Z").value();
  EXPECT_EQ(FormatInstant(FloorHour(t)), "2026-10-31T23:00:00Z");
  EXPECT_EQ(FormatInstant(FloorDay(t)), "2026-10-31T00:00:00Z");
  EXPECT_EQ(FormatInstant(FloorWeek(t)), "2026-10-26T00:00:00Z");
  EXPECT_EQ(FormatInstant(FloorMonth(t)), "2026-10-01T00:00:00Z");
  Instant before{-1};
  EXPECT_EQ(FormatInstant(FloorHour(before)), "1969-12-31T23:00:00Z");
  EXPECT_EQ(FormatInstant(FloorDay(before)), "1969-12-31T00:00:00Z");
  EXPECT_EQ(FormatInstant(FloorWeek(before)), "1969-12-29T00:00:00Z");
  EXPECT_EQ(FloorWeek(FloorWeek(before)), FloorWeek(before));
  EXPECT_EQ(FormatInstant(FloorMonth(before)), "1969-12-01T00:00:00Z");
}

TEST(AddMonthsTest, CrossesYears) {
  Instant start = ToInstant({2026, 11, 1});
  EXPECT_EQ(FormatDate(AddMonths(start, 1)), "2026-12-01");
  EXPECT_EQ(FormatDate(AddMonths(start, 2)), "2027-01-01");
  EXPECT_EQ(FormatDate(AddMonths(start, -11)), "2025-12-01");
  EXPECT_EQ(FormatDate(AddMonths(start, -1200)), "1926-11-01");
  EXPECT_EQ(AddMonths(start, 0), start);
}

TEST(ParseInstantTest, ReadsWhatBillsWrite) {
  EXPECT_EQ(Read("2024-09-18T22:00:00Z", TimeForm::kIso8601Utc), "2024-09-18T22:00:00Z");
  EXPECT_EQ(Read("2024-09-18T22:00:00.123Z", TimeForm::kIso8601Utc), "2024-09-18T22:00:00.123Z");
  EXPECT_EQ(Read("2024-09-18T22:00:00.1234567Z", TimeForm::kIso8601Utc),
            "2024-09-18T22:00:00.123456Z");
  EXPECT_EQ(Read("2024-09-18T22:00Z", TimeForm::kIso8601Utc), "2024-09-18T22:00:00Z");
  EXPECT_EQ(Read("2024-09-18 22:00:00", TimeForm::kSpaceNoZone), "2024-09-18T22:00:00Z");
  EXPECT_EQ(Read("2024-09-18 22:00:00.500", TimeForm::kSpaceNoZone), "2024-09-18T22:00:00.5Z");
  EXPECT_EQ(Read("2024-09-18 22:00:00+00:00", TimeForm::kSpaceNoZone), "2024-09-18T22:00:00Z");
  EXPECT_EQ(Read("2024-09-18 22:00:00 UTC", TimeForm::kSpaceNoZone), "2024-09-18T22:00:00Z");
  EXPECT_EQ(Read("2024-09-18 22:00:00 +0000 UTC", TimeForm::kSpaceNoZone), "2024-09-18T22:00:00Z");
  EXPECT_EQ(Read("2024-09-18 22:00:00+00", TimeForm::kSpaceNoZone), "2024-09-18T22:00:00Z");
  EXPECT_EQ(Read("2024-09-18 22:00:00Z", TimeForm::kSpaceNoZone), "2024-09-18T22:00:00Z");
  EXPECT_EQ(Read("2024-09-18 22:00", TimeForm::kSpaceNoZone), "2024-09-18T22:00:00Z");
  EXPECT_EQ(Read("2024-09-18T22:00:00", TimeForm::kIsoNoZone), "2024-09-18T22:00:00Z");
  EXPECT_EQ(Read("2024-09-18", TimeForm::kDateOnly), "2024-09-18T00:00:00Z");
  EXPECT_EQ(Read("2024-09-18T22:00:00+02:00", TimeForm::kOffset), "2024-09-18T20:00:00Z");
  EXPECT_EQ(Read("2024-12-31T22:00:00-0500", TimeForm::kOffset), "2025-01-01T03:00:00Z");
  EXPECT_EQ(Read("2024-09-18 22:00:00-03", TimeForm::kOffset), "2024-09-19T01:00:00Z");
  EXPECT_EQ(Read("9/18/24", TimeForm::kUsDate), "2024-09-18T00:00:00Z");
  EXPECT_EQ(Read("9/18/2024", TimeForm::kUsDate), "2024-09-18T00:00:00Z");
  EXPECT_EQ(Read("09/08/2024 7:05", TimeForm::kUsDate), "2024-09-08T07:05:00Z");
  EXPECT_EQ(Read("12/31/2024 12:00:00", TimeForm::kUsDate), "2024-12-31T12:00:00Z");
  EXPECT_EQ(Read("9/18/2024 12:30:00 AM", TimeForm::kUsDate), "2024-09-18T00:30:00Z");
  EXPECT_EQ(Read("9/18/2024 12:30 pm", TimeForm::kUsDate), "2024-09-18T12:30:00Z");
  EXPECT_EQ(Read("9/18/2024 11:30:00 PM", TimeForm::kUsDate), "2024-09-18T23:30:00Z");
}

TEST(ParseInstantTest, ValidatesTheCalendar) {
  EXPECT_EQ(Read("2024-02-29", TimeForm::kDateOnly), "2024-02-29T00:00:00Z");
  EXPECT_EQ(Read("2000-02-29", TimeForm::kDateOnly), "2000-02-29T00:00:00Z");
  for (const char* text : {"2023-02-29", "1900-02-29", "2024-04-31", "2024-13-01", "2024-00-01",
                           "2024-01-00", "2024-01-32", "0000-01-01", "2024-09-18T24:00:00Z",
                           "2024-09-18T23:60:00Z", "2024-09-18T23:59:60Z", "2024-09-18 23:59:60",
                           "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-00:01", "2/30/24",
                           "13/1/24", "9/18/2024 13:00 PM", "9/18/2024 0:30 AM"}) {
    EXPECT_EQ(Read(text, TimeForm::kDateOnly), "refused") << text;
  }
}

TEST(ParseInstantTest, RefusesWhatIsNoDate) {
  for (const char* text : {"",
                           "NULL",
                           "2024",
                           "2024-9-18",
                           "20240918",
                           "2024-09-18T",
                           "2024-09-18T2200",
                           "2024-09-18T22:00:00z",
                           "2024-09-18T22:00:00 ",
                           " 2024-09-18",
                           "2024-09-18T22:00:00.Z",
                           "2024-09-18T22:00:00.1234567890Z",
                           "2024-09-18T22:00:00ZZ",
                           "2024-09-18T22:00:00UTC",
                           "2024-09-18T22:00:00+2:00",
                           "2024-09-18T22:00:00+24:00",
                           "2024-09-18 22:00:00 PST",
                           "9/18/024",
                           "9/18",
                           "9/18/20245",
                           "18.9.2024",
                           "9-18-2024",
                           "-024-09-18T22:00:00Z",
                           "2024/09/18T22:00:00Z",
                           "20x4-09-18T22:00:00Z",
                           "1726696800"}) {
    EXPECT_EQ(Read(text, TimeForm::kDateOnly), "refused") << text;
  }
}

RC_GTEST_PROP(ParseInstantProperty, FormatThenParseIsTheSame, ()) {
  auto us = *rc::gen::inRange<int64_t>(kYear1Us, kYear10000Us);
  if (*rc::gen::arbitrary<bool>()) us = us / kMicrosPerSecond * kMicrosPerSecond;
  ParsedInstant parsed;
  RC_ASSERT(ParseInstant(FormatInstant(Instant{us}), &parsed));
  RC_ASSERT(parsed.instant.us == us);
  RC_ASSERT(parsed.form == TimeForm::kIso8601Utc);
}

// The short ways read exactly what the general way reads.
RC_GTEST_PROP(ParseInstantProperty, ShortWayAgreesWithTheGeneralOne, ()) {
  std::string text =
      FormatInstant(Instant{*rc::gen::inRange<int64_t>(0, 4102444800LL) * kMicrosPerSecond});
  auto at = *rc::gen::inRange<size_t>(0, text.size());
  text[at] = *rc::gen::elementOf(std::string("0123456789-:TZ .x"));
  RC_PRE(text.size() == 20 && text[19] == 'Z' && text[10] == 'T');
  std::string general = text.substr(0, 19) + ".0Z";
  ParsedInstant a;
  ParsedInstant b;
  bool a_read = ParseInstant(text, &a);
  RC_ASSERT(a_read == ParseInstant(general, &b));
  if (a_read) RC_ASSERT(a.instant == b.instant);
}

TEST(ParseUserInstantTest, ReadsMonthsToo) {
  EXPECT_EQ(ParseUserInstant("2026-10").value(), ToInstant({2026, 10, 1}));
  EXPECT_EQ(ParseUserInstant("2026-10-31").value(), ToInstant({2026, 10, 31}));
  EXPECT_EQ(ParseUserInstant("2026-10-31T01:00:00Z").value().us,
            ToInstant({2026, 10, 31}).us + kMicrosPerHour);
  for (const char* text : {"", "2026", "2026-13", "10/31/26", "yesterday", "2026-10-32"}) {
    Result<Instant> read = ParseUserInstant(text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, Code::kInvalidArgument);
    EXPECT_FALSE(read.error().hint.empty());
  }
}

}  // namespace
}  // namespace flyball
