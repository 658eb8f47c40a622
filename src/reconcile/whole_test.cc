#include "reconcile/whole.h"

#include <gtest/gtest.h>

#include <random>

namespace flyball::reconcile {
namespace {

Money Cash(std::string_view text) { return Money::Parse(text).value(); }

TEST(Whole, AgreesWithSmallNumbers) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    const auto a = static_cast<int64_t>(random()) >> (random() % 60);
    auto b = static_cast<int64_t>(random()) >> (random() % 60);
    const int128 wide_a = a, wide_b = b;
    EXPECT_EQ(Whole(a) + Whole(b), Whole(wide_a + wide_b));
    EXPECT_EQ(Whole(a) - Whole(b), Whole(wide_a - wide_b));
    EXPECT_EQ(Whole(a) * Whole(b), Whole(wide_a * wide_b));
    EXPECT_EQ(Whole(a) < Whole(b), a < b);
    if (b <= 0) b = 1 - b / 2;
    const int64_t floor = a / b - (a % b < 0 ? 1 : 0);
    EXPECT_EQ(FloorOf(a, b), Whole(floor)) << a << " / " << b;
    EXPECT_EQ(CeilOf(a, b), Whole(a / b + (a % b > 0 ? 1 : 0))) << a << " / " << b;
  }
}

TEST(Whole, WhatIsMultipliedIsDividedAgain) {
  const Whole large = Whole(kDecimalMaxUnits) * kDecimalMaxUnits * kDecimalMaxUnits;
  EXPECT_EQ(large.ToInt128(), std::nullopt);
  EXPECT_EQ(FloorOf(large, Whole(kDecimalMaxUnits) * kDecimalMaxUnits).ToInt128(),
            kDecimalMaxUnits);
  EXPECT_EQ(FloorOf(-large - 1, large), Whole(-2));
}

TEST(Whole, TheSimplestDecimalOfASpanHasTheFewestDigits) {
  const auto in = [](std::string_view low, std::string_view high, std::string_view to) {
    return SimplestIn({{Cash(low).units()}, {Cash(high).units()}}, {Cash(to).units()})->ToString();
  };
  EXPECT_EQ(in("0.94", "0.97", "0.951"), "0.95");
  EXPECT_EQ(in("0.9", "1.2", "0.97"), "1");
  EXPECT_EQ(in("0.00000251", "0.00000259", "0.00000253"), "0.00000253");
  EXPECT_EQ(in("1.1", "1.9", "1.26"), "1.3");
  EXPECT_EQ(in("-3", "-0", "-1"), "0");
  // Thirds have no decimal.
  EXPECT_EQ(SimplestIn({{1, 3}, {1, 3}}, {1, 3}), std::nullopt);
}

}  // namespace
}  // namespace flyball::reconcile
