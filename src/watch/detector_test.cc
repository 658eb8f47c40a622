#include "watch/detector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace flyball::watch {
namespace {

constexpr int64_t kStep = 5 * 60 * kMicrosPerSecond;
const Instant kStart = ToInstant({2026, 10, 1});

std::vector<Event> Noise(size_t count, uint64_t seed, double level = 100, double spread = 5) {
  std::mt19937_64 random(seed);
  std::vector<Event> events;
  for (size_t i = 0; i < count; ++i) {
    double sum = -6;  // of twelve uniform numbers: nearly normal, the same on every machine
    for (int k = 0; k < 12; ++k) sum += static_cast<double>(random() >> 11) * 0x1p-53;
    events.push_back({{kStart.us + static_cast<int64_t>(i) * kStep}, level + spread * sum});
  }
  return events;
}

std::vector<Verdict> Watched(const std::vector<Event>& events) {
  const Detector detector;
  SeriesState state;
  std::vector<Verdict> verdicts;
  for (const Event& event : events) verdicts.push_back(detector.Step(&state, event));
  return verdicts;
}

size_t Opened(const std::vector<Verdict>& verdicts, size_t from, size_t to) {
  size_t count = 0;
  for (size_t i = from; i < to; ++i) count += verdicts[i].opens ? 1 : 0;
  return count;
}

TEST(Detector, AMillionSeriesFitInAGigabyte) { EXPECT_LT(kSeriesBytes * 1'000'000, 1e9); }

TEST(Detector, NoLookAhead) {
  std::vector<Event> events = Noise(1500, 1);
  events[900].value = 400;
  const std::vector<Verdict> whole = Watched(events);
  for (const size_t prefix : {1u, 2u, 57u, 899u, 901u, 1499u}) {
    const std::vector<Verdict> part =
        Watched({events.begin(), events.begin() + static_cast<std::ptrdiff_t>(prefix)});
    for (size_t i = 0; i < prefix; ++i) ASSERT_EQ(part[i].score, whole[i].score) << prefix;
  }
  // What comes after must not matter either.
  for (size_t i = 1000; i < events.size(); ++i) events[i].value = -1e9;
  const std::vector<Verdict> other = Watched(events);
  for (size_t i = 0; i < 1000; ++i) ASSERT_EQ(other[i].score, whole[i].score);
}

TEST(Detector, NamesASpike) {
  std::vector<Event> events = Noise(2000, 2);
  events[1500].value = 300;
  const std::vector<Verdict> verdicts = Watched(events);
  EXPECT_TRUE(verdicts[1500].opens);
  EXPECT_GE(verdicts[1500].score, 0.5);
  EXPECT_NEAR(verdicts[1500].expected, 100, 10);
  EXPECT_EQ(Opened(verdicts, 1501, 1540), 0u) << "the refractory time";
}

TEST(Detector, NoticesALevelThatMoves) {
  std::vector<Event> events = Noise(3000, 3);
  for (size_t i = 2000; i < events.size(); ++i) events[i].value += 40;
  EXPECT_GE(Opened(Watched(events), 2000, 2010), 1u);
}

TEST(Detector, AStuckMeterRaisesTheScore) {
  std::vector<Event> events = Noise(3000, 4);
  for (size_t i = 2000; i < events.size(); ++i) events[i].value = 100;
  Verdict most;
  for (const Verdict& verdict : Watched(events)) {
    if (verdict.strongest == Feature::kQuiet && verdict.surprise > most.surprise) most = verdict;
  }
  EXPECT_GT(most.surprise, 3);
}

TEST(Detector, KnowsTheHoursOfTheDay) {
  // Eight weeks of hours with a peak at noon; on the last day it comes at three in the night.
  std::vector<Event> events;
  for (int64_t hour = 0; hour < 56 * 24; ++hour) {
    const bool peak = hour % 24 == 12 || hour == 55 * 24 + 3;
    events.push_back(
        {{kStart.us + hour * kMicrosPerHour}, (peak ? 500.0 : 100.0) + (hour * 7 % 5)});
  }
  const std::vector<Verdict> verdicts = Watched(events);
  const double at_noon = verdicts[54 * 24 + 12].surprise;
  EXPECT_GT(verdicts[55 * 24 + 3].surprise, at_noon + 1);
}

TEST(Detector, SaysLittleOfNoise) {
  size_t opened = 0;
  for (uint64_t seed = 0; seed < 10; ++seed)
    opened += Opened(Watched(Noise(4000, 100 + seed)), 0, 4000);
  EXPECT_LE(opened, 60u);  // of 40,000 updates
}

TEST(Detector, ScaleAndSignDoNotMatter) {
  std::vector<Event> events = Noise(1500, 5), scaled = events, turned = events;
  events[1000].value = scaled[1000].value = turned[1000].value = 170;
  for (Event& event : scaled) event.value *= 0x1p-20;
  for (Event& event : turned) event.value = -event.value;
  const std::vector<Verdict> a = Watched(events), b = Watched(scaled), c = Watched(turned);
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].score, b[i].score) << i;
    ASSERT_EQ(a[i].score, c[i].score) << i;
  }
}

TEST(Detector, AConstantSeriesScoresNothingUntilItChanges) {
  std::vector<Event> events = Noise(1000, 6);
  for (Event& event : events) event.value = 0.1;
  events[999].value = 0.2;
  const std::vector<Verdict> verdicts = Watched(events);
  for (size_t i = 0; i < 999; ++i) ASSERT_EQ(verdicts[i].score, 0) << i;
  EXPECT_TRUE(verdicts[999].opens);
}

TEST(Detector, RefusesWhatIsNoNumberAndKeepsItsState) {
  const Detector detector;
  SeriesState state;
  for (const Event& event : Noise(300, 7)) (void)detector.Step(&state, event);
  const SeriesState before = state;
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity(), 1e101, -1e300}) {
    const Verdict verdict = detector.Step(&state, {kStart, value});
    EXPECT_TRUE(verdict.refused);
    EXPECT_EQ(verdict.score, 0);
  }
  EXPECT_EQ(std::memcmp(&before, &state, sizeof(state)), 0);
}

TEST(Detector, WildValuesAndInstantsGiveScores) {
  std::mt19937_64 random(8);
  const Detector detector;
  for (int series = 0; series < 200; ++series) {
    SeriesState state;
    for (int i = 0; i < 400; ++i) {
      const int exponent = static_cast<int>(random() % 640) - 320;
      double value = std::pow(10.0, exponent > 100 ? 0 : exponent) *
                     (static_cast<double>(random() % 2001) - 1000) * 1e-3;
      if (random() % 7 == 0) value = exponent % 2 == 0 ? kValueMax : -kValueMax;
      if (random() % 5 == 0) value = 0;
      const Instant at{static_cast<int64_t>(random() % 100'000'000'000'000'000) -
                       50'000'000'000'000'000};
      const Verdict verdict = detector.Step(&state, {at, value});
      ASSERT_FALSE(verdict.refused);
      ASSERT_TRUE(verdict.score >= 0 && verdict.score <= 1) << verdict.score;
      ASSERT_TRUE(std::isfinite(verdict.expected));
    }
  }
}

TEST(Detector, EveryFeatureHasAName) {
  for (int i = 0; i < kFeatures; ++i) EXPECT_FALSE(FeatureName(static_cast<Feature>(i)).empty());
}

}  // namespace
}  // namespace flyball::watch
