#include "watch/tail.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

namespace flyball::watch {
namespace {

using std::numbers::ln10;
using std::numbers::ln2;

TEST(LogSurvival, ExponentialExcesses) {
  // Variance = mean^2 is the shape 0: P(E > e) = exp(-e / mean).
  EXPECT_NEAR(LogSurvival(2, 8, 6), -3, 1e-12);
}

TEST(LogSurvival, HeavyExcesses) {
  // Shape 1/4 and scale 3/4: mean 1, variance 2; P(E > 3) = (1 + 3 / 3)^-4.
  EXPECT_NEAR(LogSurvival(1, 3, 3), -4 * ln2, 1e-12);
}

TEST(LogSurvival, BoundedExcessesEndWhereTheDistributionDoes) {
  // Shape -1/5 and scale 6/5: mean 1, variance 5/7, nothing beyond 6; P(E > 3) = (1/2)^5.
  EXPECT_NEAR(LogSurvival(1, 12.0 / 7, 3), -5 * ln2, 1e-9);
  EXPECT_NEAR(LogSurvival(1, 12.0 / 7, 7), -kDecadesMax * ln10, 1e-9);
}

TEST(LogSurvival, ShapeStaysWithinItsBounds) {
  // A variance of 100 asks for the shape 0.495; 0.4 and the scale 0.6 are taken.
  EXPECT_NEAR(LogSurvival(1, 101, 3), -2.5 * std::log(3), 1e-9);
}

TEST(Tail, CountsTheDecadesOfARareValue) {
  const TailRates rates({.share = 0.02, .threshold_rate = 0.002, .excess_rate = 0.001});
  std::mt19937_64 random(7);
  Tail tail;
  int rare[5] = {};
  constexpr int kValues = 400'000;
  for (int i = 0; i < kValues; ++i) {
    const double uniform = (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53;
    const double decades = tail.Step(rates, -std::log(uniform), 1e-12);
    if (i < kValues / 2) continue;
    for (int d = 2; d < 5; ++d) rare[d] += decades >= d ? 1 : 0;
  }
  EXPECT_NEAR(rare[2], 2'000, 400);
  EXPECT_NEAR(rare[3], 200, 80);
  EXPECT_NEAR(rare[4], 20, 20);
}

TEST(Tail, ScaledByAPowerOfTwoIsTheSame) {
  const TailRates rates(TailSettings{});
  std::mt19937_64 random(3);
  Tail plain, scaled;
  for (int i = 0; i < 20'000; ++i) {
    const double value = static_cast<double>(random() % 1000);
    EXPECT_EQ(plain.Step(rates, value, 1e-9), scaled.Step(rates, value * 0x1p30, 1e-9 * 0x1p30));
  }
}

TEST(Tail, NothingIsRareAmongEquals) {
  const TailRates rates(TailSettings{});
  Tail tail;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(tail.Step(rates, 0, 1e-12), 0);
  EXPECT_GT(tail.Step(rates, 1, 1e-12), 1.5);
}

}  // namespace
}  // namespace flyball::watch
