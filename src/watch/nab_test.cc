// The scorer by cases worked out by hand, and the detector on the shared half of the benchmark.
#include "watch/test_nab.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace flyball::watch::nab {
namespace {

constexpr Profile kStandard = kProfiles[0];

// 100 rows, probation 15; a window of 10 rows from 40 to 49.
const std::vector<Window> kOneWindow = {{40, 49}};

double EarnedAtHalf(const std::vector<size_t>& detections) {
  std::vector<double> scores(100, 0);
  for (const size_t row : detections) scores[row] = 1;
  return Earned(scores, Worths(100, kOneWindow, kStandard), 1, kStandard, {0.5})[0];
}

TEST(NabScorer, SaysNothingIsZeroAndTheFirstRowOfTheWindowAHundred) {
  EXPECT_DOUBLE_EQ(EarnedAtHalf({}), -1);
  EXPECT_DOUBLE_EQ(Normalised(EarnedAtHalf({}), 1, kStandard), 0);
  EXPECT_DOUBLE_EQ(EarnedAtHalf({40}), 1);
  EXPECT_DOUBLE_EQ(Normalised(EarnedAtHalf({40}), 1, kStandard), 100);
}

TEST(NabScorer, LaterInTheWindowEarnsLess) {
  // Row 45 is 5 of 10 rows before the end: 2 / (1 + e^-2.5) - 1 = 0.848284; over 0.986614.
  EXPECT_NEAR(EarnedAtHalf({45}), 0.859793, 1e-6);
  // Its last row: 2 / (1 + e^-0.5) - 1 = 0.244919.
  EXPECT_NEAR(EarnedAtHalf({49}), 0.248242, 1e-6);
}

TEST(NabScorer, OnlyTheBestOfAWindowCounts) {
  EXPECT_DOUBLE_EQ(EarnedAtHalf({42, 45, 49}), EarnedAtHalf({42}));
}

TEST(NabScorer, AFalseAlarmCostsLessJustBehindTheWindow) {
  EXPECT_DOUBLE_EQ(EarnedAtHalf({40, 30}), 1 - 0.11);  // before any window: all of it
  // Row 52 is 3 of 9 steps behind: 2 / (1 + e^(5/3)) - 1 = -0.682262.
  EXPECT_NEAR(EarnedAtHalf({40, 52}), 1 - 0.11 * 0.682262, 1e-6);
  EXPECT_DOUBLE_EQ(EarnedAtHalf({40, 90}), 1 - 0.11);  // more than three widths behind
}

TEST(NabScorer, ProbationCountsForNothing) {
  EXPECT_EQ(Probation(100), 15u);
  EXPECT_EQ(Probation(100'000), 750u);
  EXPECT_DOUBLE_EQ(EarnedAtHalf({0, 14}), EarnedAtHalf({}));
  EXPECT_DOUBLE_EQ(EarnedAtHalf({15}), -1 - 0.11);
}

TEST(NabScorer, ProfilesWeighMissesAndFalseAlarms) {
  const Profile low_misses = kProfiles[2];
  const std::vector<double> silent(100, 0);
  const double earned =
      Earned(silent, Worths(100, kOneWindow, low_misses), 1, low_misses, {0.5})[0];
  EXPECT_DOUBLE_EQ(earned, -2);
  EXPECT_DOUBLE_EQ(Normalised(1, 1, low_misses), 100);
  EXPECT_NEAR(Normalised(-0.5, 1, low_misses), 50, 1e-9);
}

TEST(NabScorer, ThresholdsAreReachedByScoresThatAreNotBelow) {
  std::vector<double> scores(100, 0);
  scores[40] = 0.7;
  scores[60] = 0.4;
  const std::vector<double> earned =
      Earned(scores, Worths(100, kOneWindow, kStandard), 1, kStandard, {0.8, 0.7, 0.4});
  EXPECT_DOUBLE_EQ(earned[0], -1);
  EXPECT_DOUBLE_EQ(earned[1], 1);
  EXPECT_LT(earned[2], 1);
}

TEST(Nab, SharedHalf) {
  const char* shared = std::getenv("FLYBALL_SHARED_DATA");
  const std::vector<File> files =
      shared == nullptr ? std::vector<File>{} : Load(std::filesystem::path(shared) / "anomaly/nab");
  if (files.empty()) GTEST_SKIP() << "FLYBALL_SHARED_DATA has no anomaly/nab";
  const Detector detector;
  std::vector<std::vector<double>> scores;
  for (const File& file : files) {
    ASSERT_FALSE(file.rows.empty()) << file.name;
    scores.push_back(Scores(detector, file.rows));
  }
  const Report report = ScoreCorpus(files, scores, kStandard);
  EXPECT_GE(report.best, 66) << "at " << report.threshold;
  EXPECT_GE(report.at_half, 66);
  EXPECT_GE(report.held_out, 63);
}

}  // namespace
}  // namespace flyball::watch::nab
