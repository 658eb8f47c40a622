// Files of series: their forms, their timestamps, and what is refused.
#include "forecast/read_series.h"

#include <gtest/gtest.h>

#include <cmath>

#include "forecast/detect_season.h"
#include "forecast/test_series.h"

namespace flyball::forecast {
namespace {

Result<SeriesFile> Read(std::string text, const ReadOptions& options = {}) {
  return ReadSeries(ingest::MakeTextSource(std::move(text), 7), "file", options);
}

SeriesFile ReadGood(std::string text, const ReadOptions& options = {}) {
  Result<SeriesFile> file = Read(std::move(text), options);
  EXPECT_TRUE(file.has_value()) << file.error().ToString();
  return file ? *file : SeriesFile{};
}

// The line that the error names, and a word of it.
void ExpectBad(std::string text, int64_t line, std::string_view word) {
  const Result<SeriesFile> file = Read(text);
  ASSERT_FALSE(file.has_value()) << text;
  EXPECT_EQ(file.error().code, Code::kInvalidArgument);
  EXPECT_EQ(file.error().place.line, line) << text;
  EXPECT_NE(file.error().ToString().find(word), std::string::npos) << file.error().ToString();
}

TEST(ReadSeries, WideAsM4) {
  const SeriesFile file =
      ReadGood("\"V1\",\"V2\",\"V3\",\"V4\"\n\"H1\",\"1\",\"2.5\",\"-3e2\"\n\"H2\",\"4\",,\n");
  ASSERT_EQ(file.series.size(), 2u);
  EXPECT_EQ(file.form, SeriesForm::kWide);
  EXPECT_EQ(file.series[0].id, "H1");
  EXPECT_EQ(file.series[0].values, (std::vector<double>{1, 2.5, -300}));
  EXPECT_EQ(file.series[1].values, (std::vector<double>{4}));  // the ragged end is none
}

TEST(ReadSeries, WideWithoutHeaderAndWithGaps) {
  const SeriesFile file = ReadGood("a;1;NA;3\nb;4;5\n");
  ASSERT_EQ(file.series.size(), 2u);
  ASSERT_EQ(file.series[0].values.size(), 3u);
  EXPECT_TRUE(std::isnan(file.series[0].values[1]));
  EXPECT_EQ(file.series[1].values, (std::vector<double>{4, 5}));
}

TEST(ReadSeries, WideHasMoreColumnsThanABill) {
  std::string text = "long";
  for (int i = 0; i < 2500; ++i) text += "," + std::to_string(i);
  const SeriesFile file = ReadGood(text);
  ASSERT_EQ(file.series[0].values.size(), 2500u);
  EXPECT_EQ(file.series[0].values[2499], 2499);
}

TEST(ReadSeries, M3GivesThePastAlone) {
  const SeriesFile file = ReadGood("N1,YEARLY,1,2,3,1;2;3;4;5\nN2,MONTHLY,12,3,2,7;8;9;9;9\n");
  ASSERT_EQ(file.form, SeriesForm::kM3);
  EXPECT_EQ(file.series[0].values, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(file.series[0].horizon, 2u);
  EXPECT_TRUE(file.series[0].periods.empty());
  EXPECT_EQ(file.series[1].values, (std::vector<double>{7, 8}));
  EXPECT_EQ(file.series[1].periods, (std::vector<size_t>{12}));
  EXPECT_EQ(ReadGood("id,period,m,h,n_train,values\nN1,YEARLY,1,2,3,1;2;3\n").series.size(), 1u);
}

TEST(ReadSeries, LongByItsHeader) {
  const SeriesFile file = ReadGood(
      "value,timestamp,id\n2,2026-01-02,a\n1,2026-01-01,a\n10,2026-01-01,b\n4,2026-01-04,a\n");
  ASSERT_EQ(file.series.size(), 2u);
  EXPECT_EQ(file.series[0].id, "a");
  ASSERT_EQ(file.series[0].values.size(), 4u);  // sorted, the third day is a gap
  EXPECT_EQ(file.series[0].values[1], 2);
  EXPECT_TRUE(std::isnan(file.series[0].values[2]));
  EXPECT_EQ(file.series[0].periods, (std::vector<size_t>{7}));
  EXPECT_EQ(file.series[0].horizon, 28u);
  EXPECT_EQ(ReadGood("ds,y\n2026-01,3\n2026-02,4\n2026-03,5\n").series[0].horizon, 12u);
  EXPECT_EQ(ReadGood("value\n3\n4\n").series[0].values, (std::vector<double>{3, 4}));
}

TEST(ReadSeries, OptionsComeFirst) {
  ReadOptions options;
  options.has_periods = true;
  options.periods = {5};
  options.horizon = 3;
  const SeriesFile file = ReadGood("N1,MONTHLY,12,18,3,1;2;3;4;5\n", options);
  EXPECT_EQ(file.series[0].periods, (std::vector<size_t>{5}));
  EXPECT_EQ(file.series[0].horizon, 3u);
}

TEST(ReadSeries, RefusesWithTheLine) {
  ExpectBad("", 0, "no rows");
  ExpectBad("id,timestamp,value\n", 0, "no series");
  ExpectBad("a,1,2\nb,1,x\n", 2, "'x' is no finite number");
  ExpectBad("a,1,2\na,3\n", 2, "has a row already");
  ExpectBad("date,NN5-001,NN5-002\n2026-01-01,1,2\n", 1, "none named 'value'");
  ExpectBad("a,1,1e999\n", 1, "no finite number");
  ExpectBad("a,1,inf\n", 1, "no finite number");
  ExpectBad("id,timestamp,value\na,yesterday,1\n", 2, "no timestamp");
  ExpectBad("timestamp,value\n2026-01-01,1\n2026-01-02,2\n2026-01-01,3\n", 4, "line 2");
  ExpectBad("a,1,2\n\"b,1,2\n", 2, "");
  ExpectBad("N1,YEARLY,1,2,3,1;2;3\nN2,YEARLY,x,2,3,1;2\n", 2, "no counts");
  ExpectBad("N1,YEARLY,1,2,3,1;2;3\nN2,YEARLY,1,99999999,3,1;2\n", 2, "no counts");
}

TEST(ReadSeries, DetectsTheSeason) {
  std::string text;
  for (int s = 0; s < 5; ++s) {
    text += "s" + std::to_string(s);
    for (const double value : Hours(24 * 30, 100, 0.05, static_cast<uint64_t>(s))) {
      text += "," + std::to_string(value);
    }
    text += "\n";
  }
  const SeriesFile file = ReadGood(text);
  EXPECT_EQ(file.series[0].periods, (std::vector<size_t>{24, 168}));
  ASSERT_EQ(file.notes.size(), 1u);
  EXPECT_EQ(file.notes[0], "seasons detected: 24,168");
  Noise noise(3);
  std::vector<double> plain(300);
  for (double& value : plain) value = noise.Normal();
  EXPECT_TRUE(DetectSeasons({plain}).empty());
}

Result<Timeline> TimelineOf(std::initializer_list<std::string_view> times) {
  std::vector<Observation> observations;
  for (const std::string_view time : times) {
    ParsedInstant parsed;
    EXPECT_TRUE(ParseInstant(time, &parsed)) << time;
    const auto line = static_cast<int64_t>(observations.size()) + 2;
    observations.push_back(
        {parsed.instant.us, 1, line, parsed.form == TimeForm::kSpaceNoZone, false});
  }
  return MakeTimeline(std::move(observations));
}

TEST(Timeline, FindsTheStep) {
  const auto step = [](std::initializer_list<std::string_view> times) {
    const Result<Timeline> timeline = TimelineOf(times);
    EXPECT_TRUE(timeline.has_value());
    return StepText(timeline->step);
  };
  EXPECT_EQ(step({"2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"}),
            "1 hour");
  EXPECT_EQ(step({"2026-01-01", "2026-02-01", "2026-03-01", "2026-05-01"}), "1 month");
  EXPECT_EQ(step({"2026-01-31", "2026-02-28", "2026-03-31"}), "1 month");
  EXPECT_EQ(step({"2026-01-01", "2026-04-01", "2026-07-01"}), "3 months");
  EXPECT_EQ(step({"2024-01-01", "2025-01-01", "2026-01-01"}), "12 months");
  EXPECT_EQ(step({"2026-01-05", "2026-01-12", "2026-01-26"}), "7 days");
  EXPECT_EQ(step({"2026-01-05"}), "");
  EXPECT_EQ(SeasonsOf({StepUnit::kMicros, kMicrosPerHour}), (std::vector<size_t>{24, 168}));
  EXPECT_EQ(SeasonsOf({StepUnit::kMicros, kMicrosPerHour / 4}), (std::vector<size_t>{96, 672}));
  EXPECT_EQ(SeasonsOf({StepUnit::kMicros, 7 * kMicrosPerDay}), (std::vector<size_t>{52}));
  EXPECT_EQ(SeasonsOf({StepUnit::kMonths, 3}), (std::vector<size_t>{4}));
  EXPECT_TRUE(SeasonsOf({StepUnit::kMonths, 12}).empty());
}

TEST(Timeline, ClocksThatChange) {
  // Local midnights around the end of March, with their offsets: days of 24, 23 and 24 hours.
  const Result<Timeline> days = TimelineOf(
      {"2026-03-27T00:00:00+01:00", "2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00",
       "2026-03-30T00:00:00+02:00", "2026-03-31T00:00:00+02:00", "2026-04-01T00:00:00+02:00"});
  ASSERT_TRUE(days.has_value());
  EXPECT_EQ(days->refusal, "");
  EXPECT_EQ(days->values.size(), 6u);
  // Hours in local time: the one that is skipped is a gap, the one that comes twice an error.
  const Result<Timeline> spring = TimelineOf(
      {"2026-03-29 00:00:00", "2026-03-29 01:00:00", "2026-03-29 03:00:00", "2026-03-29 04:00:00"});
  ASSERT_TRUE(spring.has_value());
  EXPECT_EQ(spring->values.size(), 5u);
  EXPECT_TRUE(std::isnan(spring->values[2]));
  const Result<Timeline> autumn =
      TimelineOf({"2026-10-25 01:00:00", "2026-10-25 02:00:00", "2026-10-25 02:00:00"});
  ASSERT_FALSE(autumn.has_value());
  EXPECT_EQ(autumn.error().place.line, 4);
  EXPECT_NE(autumn.error().hint.find("summer time"), std::string::npos);
}

TEST(Timeline, UnevenOnesAreRefused) {
  const Result<Timeline> uneven =
      TimelineOf({"2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "2026-01-01T01:37:00Z",
                  "2026-01-01T02:00:00Z", "2026-01-01T03:00:00Z", "2026-01-01T04:11:00Z"});
  ASSERT_TRUE(uneven.has_value());
  EXPECT_NE(uneven->refusal.find("not evenly spaced"), std::string::npos) << uneven->refusal;
  EXPECT_TRUE(uneven->values.empty());
  const Result<Timeline> sparse =
      TimelineOf({"2020-01-01T00:00:00Z", "2020-01-01T00:00:01Z", "2026-01-01T00:00:00Z"});
  EXPECT_NE(sparse->refusal.find("have a value"), std::string::npos) << sparse->refusal;
}

TEST(ReadSeries, NumbersAsTimes) {
  EXPECT_EQ(ReadGood("timestamp,value\n1,5\n2,6\n4,7\n").series[0].values.size(), 4u);
  // Seconds since 1970: hours.
  const SeriesFile epoch = ReadGood("timestamp,value\n1767225600,5\n1767229200,6\n1767232800,7\n");
  EXPECT_EQ(epoch.series[0].periods, (std::vector<size_t>{24, 168}));
  EXPECT_EQ(ReadGood("ts,time,y\n0,1767225600000,5\n0,1767312000000,6\n0,1767398400000,7\n")
                .series[0]
                .periods,
            (std::vector<size_t>{7}));
  ExpectBad("timestamp,value\n-9223372036854775808,5\n", 2, "no timestamp");
  ExpectBad("timestamp,value\n99999999999999999999,5\n", 2, "no timestamp");
  // Months written without a dash are no counts full of gaps.
  EXPECT_EQ(ReadGood("timestamp,value\n202511,5\n202512,6\n202601,7\n").series[0].values.size(),
            3u);
  EXPECT_EQ(
      ReadGood("timestamp,value\n20251231,5\n20260101,6\n20260102,7\n").series[0].values.size(),
      3u);
}

TEST(ReadSeries, OneUnevenSeriesKeepsNoOtherBack) {
  const SeriesFile file = ReadGood(
      "id,timestamp,value\na,2026-01-01,1\na,2026-01-02,1\na,2026-01-03,1\n"
      "b,2026-01-01T00:00:00Z,1\nb,2026-01-01T01:00:00Z,1\nb,2026-01-01T01:30:00Z,1\n"
      "b,2026-01-01T02:00:00Z,1\n");
  ASSERT_EQ(file.refusals.size(), 2u);
  EXPECT_EQ(file.refusals[0], "");
}

}  // namespace
}  // namespace flyball::forecast
