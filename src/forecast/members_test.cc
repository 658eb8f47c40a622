// The members, each on series whose continuation is known by hand or by construction.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "forecast/ces.h"
#include "forecast/ets.h"
#include "forecast/fold.h"
#include "forecast/intermittent.h"
#include "forecast/loess.h"
#include "forecast/minimise.h"
#include "forecast/mstl.h"
#include "forecast/naive.h"
#include "forecast/season.h"
#include "forecast/test_series.h"
#include "forecast/theta.h"

namespace flyball::forecast {
namespace {

void ExpectNear(const Path& path, const Path& expected, double tolerance) {
  ASSERT_EQ(path.size(), expected.size());
  for (size_t i = 0; i < path.size(); ++i) EXPECT_NEAR(path[i], expected[i], tolerance) << i;
}

std::vector<double> Repeat(std::vector<double> cycle, size_t times) {
  std::vector<double> values;
  for (size_t i = 0; i < times; ++i) values.insert(values.end(), cycle.begin(), cycle.end());
  return values;
}

TEST(Naive, RepeatsTheLastCycle) {
  const std::vector<double> past{9, 9, 1, 2, 3};
  EXPECT_EQ(SeasonalNaive(past, 3, 5), (Path{1, 2, 3, 1, 2}));
  EXPECT_EQ(SeasonalNaive(past, 1, 2), (Path{3, 3}));
  EXPECT_EQ(SeasonalNaive(past, 6, 2), (Path{3, 3}));  // no whole cycle: the last value
  EXPECT_EQ(SeasonalNaive({}, 3, 2), (Path{0, 0}));
}

TEST(Naive, DriftIsTheLineThroughFirstAndLast) {
  EXPECT_EQ(Drift(std::vector<double>{1, 9, 4, 7}, 3), (Path{9, 11, 13}));
  EXPECT_EQ(Drift(std::vector<double>{5}, 2), (Path{5, 5}));
}

TEST(Naive, ScaleIsTheMeanSeasonalDifference) {
  const std::vector<double> past{1, 3, 2, 6};
  EXPECT_DOUBLE_EQ(SeasonalNaiveScale(past, 1), (2 + 1 + 4) / 3.0);
  EXPECT_DOUBLE_EQ(SeasonalNaiveScale(past, 2), (1 + 3) / 2.0);
  EXPECT_EQ(SeasonalNaiveScale(past, 4), 0);
}

TEST(Season, IndicesOfAPatternAreThePattern) {
  const std::vector<double> past = Repeat({1, 2, 3, 2}, 6);
  EXPECT_TRUE(IsSeasonal(past, 4));
  ExpectNear(SeasonalIndices(past, 4, true), {0.5, 1, 1.5, 1}, 1e-12);
  ExpectNear(SeasonalIndices(past, 4, false), {-1, 0, 1, 0}, 1e-12);
  EXPECT_NEAR(SeasonalStrength(past, 4), 1, 1e-12);
  const Deseasonalised plain(past, 4);
  for (const double value : plain.values()) EXPECT_NEAR(value, 2, 1e-12);
  Path path{2, 2, 2};
  plain.Reseason(path);
  ExpectNear(path, {1, 2, 3}, 1e-12);
}

TEST(Season, NoiseHasNone) {
  Noise noise(1);
  std::vector<double> past(200);
  for (double& value : past) value = noise.Normal();
  EXPECT_FALSE(IsSeasonal(past, 12));
  EXPECT_FALSE(IsSeasonal(std::vector<double>(50, 3.0), 12));  // constant
  EXPECT_FALSE(IsSeasonal(Repeat({1, 2}, 2), 2));              // fewer than three periods
  EXPECT_LT(SeasonalStrength(past, 12), 0.3);
}

TEST(Minimise, FindsTheValleyOfRosenbrock) {
  const Minimum minimum = Minimise(
      [](const std::vector<double>& p) {
        return 100 * std::pow(p[1] - p[0] * p[0], 2) + std::pow(1 - p[0], 2);
      },
      {-1.2, 1.0}, {{-2, -2}, {2, 2}}, 2000, 1e-14);
  EXPECT_NEAR(minimum.at[0], 1, 1e-3);
  EXPECT_NEAR(minimum.at[1], 1, 1e-3);
}

TEST(Minimise, StaysInItsBoxAndPassesOverWhatIsNotFinite) {
  const Minimum minimum =
      Minimise([](const std::vector<double>& p) { return p[0] < 0.2 ? NAN : -p[0]; }, {5.0},
               {{0}, {1}}, 200);
  EXPECT_NEAR(minimum.at[0], 1, 1e-3);
}

TEST(Theta, ContinuesALineWithHalfItsSlope) {
  // On a line the smoothing follows with alpha near 1, and the drift is half the slope.
  Fit fit;
  const Path path = Theta(Line(40, 10, 2), 1, 3, fit);
  EXPECT_NEAR(path[1] - path[0], 1, 1e-9);
  EXPECT_NEAR(path[0], 10 + 2 * 39 + 1, 0.1);
  // The dynamic form finds the theta that keeps the whole slope.
  Fit dynamic;
  const Path better = DynamicTheta(Line(40, 10, 2), 1, 3, dynamic);
  EXPECT_NEAR(better[2], 10 + 2 * 42, 1.0);
}

TEST(Theta, GivesTheSeasonBack) {
  Fit fit;
  ExpectNear(Theta(Repeat({1, 2, 3, 2}, 8), 4, 4, fit), {1, 2, 3, 2}, 1e-6);
  Fit dynamic;
  ExpectNear(DynamicTheta(Repeat({1, 2, 3, 2}, 8), 4, 4, dynamic), {1, 2, 3, 2}, 1e-2);
}

TEST(Ets, ContinuesALineAndAPattern) {
  Fit line;
  ExpectNear(Ets(Line(40, 10, 2), 1, 3, line), {90, 92, 94}, 0.05);
  EXPECT_STREQ(EtsName(line), "ETS(A,A,N)");
  Fit pattern;
  ExpectNear(Ets(Repeat({10, 20, 30, 20}, 8), 4, 4, pattern), {10, 20, 30, 20}, 0.05);
}

TEST(Ets, ChoosesByAicc) {
  // A level with noise has no trend to pay for.
  Noise noise(3);
  std::vector<double> past(80);
  for (double& value : past) value = 100 + noise.Normal();
  Fit fit;
  const Path path = Ets(past, 1, 2, fit);
  EXPECT_EQ(path[0], path[1]) << EtsName(fit);
  EXPECT_NEAR(path[0], 100, 0.6);
  const EtsResult none = FitEts(past, 1, {});
  const EtsResult trend = FitEts(past, 1, {false, EtsForm::Trend::kAdditive, {}});
  EXPECT_LT(none.aicc, trend.aicc);
}

TEST(Ets, MultiplicativeFormsAreForPositiveValues) {
  std::vector<double> past = Line(30, -3, 1);
  const EtsForm form{true, EtsForm::Trend::kNone, EtsForm::Season::kNone};
  EXPECT_TRUE(std::isinf(FitEts(past, 1, form).aicc));
  past = Line(30, 3, 1);
  EXPECT_TRUE(std::isfinite(FitEts(past, 1, form).aicc));
  // A multiplicative season grows with its level.
  std::vector<double> growing = Repeat({0.5, 1, 1.5, 1}, 12);
  for (size_t i = 0; i < growing.size(); ++i) growing[i] *= 100 + 5 * static_cast<double>(i);
  Fit fit;
  const Path path = Ets(growing, 4, 4, fit);
  EXPECT_NEAR(path[2] / path[0], 3 * (350.0 / 340), 0.1) << EtsName(fit);
}

TEST(Ets, AFitServesALongerPast) {
  const std::vector<double> past = Hours(200, 100, 0.05, 4);
  Fit fit;
  (void)Ets(Values(past).first(150), 24, 5, fit);
  const Fit before = fit;
  const Path path = Ets(past, 24, 5, fit);
  EXPECT_EQ(fit.parameters, before.parameters);
  Fit own;
  const Path searched = Ets(past, 24, 5, own);
  for (size_t i = 0; i < path.size(); ++i) EXPECT_NEAR(path[i] / searched[i], 1, 0.2);
}

TEST(Ces, HoldsALevelAndAPattern) {
  Fit level;
  ExpectNear(Ces(std::vector<double>(30, 7.0), 1, 3, level), {7, 7, 7}, 0.3);
  Fit pattern;
  ExpectNear(Ces(Repeat({10, 20, 30, 20}, 10), 4, 4, pattern), {10, 20, 30, 20}, 0.5);
}

TEST(Loess, ReproducesALineBeyondItsEnds) {
  const std::vector<double> smooth = Loess(Line(20, 3, 0.5), 7, -2, 24, 3);
  for (size_t i = 0; i < smooth.size(); ++i) {
    EXPECT_NEAR(smooth[i], 3 + 0.5 * (static_cast<double>(i) - 2), 1e-9);
  }
  EXPECT_EQ(Loess({}, 7, 0, 2), (std::vector<double>{0, 0}));
}

TEST(Mstl, TakesTwoSeasonsApart) {
  std::vector<double> past(24 * 7 * 4);
  for (size_t i = 0; i < past.size(); ++i) {
    past[i] = 100 + static_cast<double>(i % 24) + (i / 24 % 7 >= 5 ? -30 : 0);
  }
  const std::vector<size_t> periods{24, 168};
  const Decomposition parts = Decompose(past, periods);
  ASSERT_EQ(parts.seasons.size(), 2u);
  for (size_t i = 0; i < past.size(); ++i) {
    EXPECT_NEAR(parts.seasons[0][i] + parts.seasons[1][i] + parts.rest[i], past[i], 1e-9);
  }
  Fit fit;
  const Path path = Mstl(past, periods, 168, fit);
  for (size_t i = 0; i < path.size(); ++i) EXPECT_NEAR(path[i], past[i], 5) << i;
}

TEST(Fold, ContinuesLevelsTimesShape) {
  const std::vector<double> past = Hours(24 * 7 * 6, 100, 0, 0);
  const std::vector<size_t> periods{24, 168};
  const Path path = Fold(past, periods, 168);
  for (size_t i = 0; i < path.size(); ++i) EXPECT_NEAR(path[i] / past[i], 1, 0.05) << i;
}

TEST(Fold, TooFewCyclesAreRepeated) {
  const std::vector<size_t> periods{4};
  ExpectNear(Fold(Repeat({1, 2, 3, 2}, 3), periods, 5), {1, 2, 3, 2, 1}, 1e-9);
  EXPECT_EQ(Fold(std::vector<double>{1, 2, 3}, periods, 2), (Path{3, 3}));
}

TEST(Intermittent, ByHand) {
  // Sizes 4 and 6, intervals 3 (with the start) and 2: size 4.2, interval 2.9.
  const std::vector<double> past{0, 0, 4, 0, 6};
  EXPECT_DOUBLE_EQ(Sba(past, 1)[0], 0.95 * 4.2 / 2.9);
  // Probability from 0.4: three tenths of ninths down and up; size 4 + 0.2 * 2.
  double probability = 0.4;
  for (const double demand : {0.0, 0.0, 1.0, 0.0, 1.0}) probability += 0.1 * (demand - probability);
  EXPECT_DOUBLE_EQ(Tsb(past, 1)[0], probability * 4.4);
  EXPECT_EQ(Sba(std::vector<double>(4, 0.0), 2), (Path{0, 0}));
  EXPECT_EQ(Tsb(std::vector<double>(4, 0.0), 2), (Path{0, 0}));
  EXPECT_EQ(Imapa(std::vector<double>(4, 0.0), 2), (Path{0, 0}));
  // Demand in every step: only one level, its smoothing.
  EXPECT_NEAR(Imapa(std::vector<double>(10, 5.0), 1)[0], 5, 1e-12);
}

TEST(Intermittent, ASeriesThatStoppedFades) {
  std::vector<double> past(60, 0.0);
  for (size_t i = 0; i < 30; i += 3) past[i] = 9;
  EXPECT_LT(Tsb(past, 1)[0], 0.2);
  EXPECT_GT(Sba(past, 1)[0], 2);  // Croston's family does not see it
}

}  // namespace
}  // namespace flyball::forecast
