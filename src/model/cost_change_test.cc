#include "model/cost_change.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace flyball::cost_change {
namespace {

Money M(const char* text) { return Money::Parse(text).value(); }
Quantity Q(const char* text) { return Quantity::Parse(text).value(); }

TEST(CostChange, AHandCase) {
  // Two models of one unit: 100 at 1 and 100 at 2; then 150 at 1 and 50 at 3. All in all as many.
  const std::vector<Leaf> leaves{{"tokens", M("100"), M("150"), Q("100"), Q("150")},
                                 {"tokens", M("200"), M("150"), Q("100"), Q("50")}};
  const auto parts = Split(leaves);
  ASSERT_TRUE(parts);
  EXPECT_EQ((*parts)[0], (Parts{M("0"), M("0"), M("50"), {}, {}, {}}));
  EXPECT_EQ((*parts)[1], (Parts{M("50"), M("0"), M("-100"), {}, {}, {}}));
  EXPECT_EQ(Difference(Total(*parts).value()).value(), Money());
}

TEST(CostChange, GrowthAloneIsQuantityAndAPriceAloneIsPrice) {
  const auto grown = Split(std::vector<Leaf>{{"h", M("10"), M("20"), Q("5"), Q("10")},
                                             {"h", M("30"), M("60"), Q("5"), Q("10")}});
  ASSERT_TRUE(grown);
  EXPECT_EQ(Total(*grown)->quantity, M("40"));
  EXPECT_TRUE(Total(*grown)->mix.is_zero() && Total(*grown)->price.is_zero());
  const auto dearer = Split(std::vector<Leaf>{{"h", M("10"), M("12"), Q("5"), Q("5")}});
  EXPECT_EQ((*dearer)[0].price, M("2"));
  EXPECT_TRUE((*dearer)[0].quantity.is_zero());
}

TEST(CostChange, WhatIsNewWhatEndedAndWhatIsNotCounted) {
  const auto parts = Split(std::vector<Leaf>{{"h", {}, M("7"), {}, Q("2")},
                                             {"h", M("5"), {}, Q("1"), {}},
                                             {"", M("5"), M("9"), {}, {}},
                                             {"h", M("1"), M("2"), Q("1"), {}}});
  ASSERT_TRUE(parts);
  EXPECT_EQ((*parts)[0].fresh, M("7"));
  EXPECT_EQ((*parts)[1].ended, M("-5"));
  EXPECT_EQ((*parts)[2].unsplit, M("4"));
  EXPECT_EQ((*parts)[3].unsplit, M("1"));
  EXPECT_FALSE(Split(std::vector<Leaf>{{"h", {}, {}, Q("-1"), {}}}));
}

RC_GTEST_PROP(CostChange, PartsAddUpToTheDifferenceExactly, ()) {
  std::vector<Leaf> leaves;
  Money difference;
  const auto count = *rc::gen::inRange<size_t>(0, 20);
  for (size_t i = 0; i < count; ++i) {
    const auto cost = [] {
      return Money::FromUnits(
          *rc::gen::inRange<int64_t>(-1'000'000'000'000, 9'000'000'000'000'000));
    };
    const auto quantity = [] {
      return Quantity::FromUnits(
          *rc::gen::element<int64_t>(0, 1, 7, 1'000'000'000'000'000, 333'333'333'333'333'333));
    };
    leaves.push_back({i % 3 == 0 ? "h" : "tokens", cost(), cost(), quantity(), quantity()});
    const Leaf& leaf = leaves.back();
    difference = difference.Plus(leaf.cost_after.Minus(leaf.cost_before).value()).value();
  }
  const auto parts = Split(leaves);
  RC_ASSERT(parts.has_value());
  for (size_t i = 0; i < leaves.size(); ++i) {
    RC_ASSERT(Difference((*parts)[i]).value() ==
              leaves[i].cost_after.Minus(leaves[i].cost_before).value());
  }
  RC_ASSERT(Difference(Total(*parts).value()).value() == difference);
}

}  // namespace
}  // namespace flyball::cost_change
