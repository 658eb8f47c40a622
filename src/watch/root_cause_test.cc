#include "watch/root_cause.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "watch/cuboid.h"
#include "watch/deviation.h"
#include "watch/test_generate.h"

namespace flyball::watch {
namespace {

using generate::Case;
using generate::Elements;
using generate::Tally;

Quantity Q(const char* text) { return *Quantity::Parse(text); }

LeafTable Table(const std::vector<std::string>& dimensions,
                const std::vector<std::vector<const char*>>& rows) {
  LeafTable table = *LeafTable::Make(dimensions);
  for (const auto& row : rows) {
    const std::vector<std::string_view> values(row.begin(), row.end() - 2);
    EXPECT_TRUE(table.Add(values, Q(row[row.size() - 2]), Q(row.back())).has_value());
  }
  return table;
}

TEST(LeafTable, AddsRowsOfALeafUpExactly) {
  const LeafTable table = Table(
      {"a", "b"},
      {{"x", "1", "0.1", "0.2"}, {"x", "2", "5", "5"}, {"x", "1", "0.2", "0.000000000000001"}});
  ASSERT_EQ(table.leaves(), 2u);
  EXPECT_EQ(table.actual()[0], Q("0.3"));
  EXPECT_EQ(table.predicted()[0], Q("0.200000000000001"));
}

TEST(LeafTable, RefusesDimensionsItCannotHave) {
  EXPECT_FALSE(LeafTable::Make({}).has_value());
  EXPECT_FALSE(LeafTable::Make({"a", "b", "a"}).has_value());
  EXPECT_FALSE(LeafTable::Make(std::vector<std::string>(11, "a")).has_value());
}

TEST(LeafTable, SumsThatLeaveTheDecimalsAreErrors) {
  LeafTable table = *LeafTable::Make({"a"});
  const std::vector<std::string_view> x{"x"};
  const Quantity most = Quantity::FromUnits(kDecimalMaxUnits);
  ASSERT_TRUE(table.Add(x, most, most).has_value());
  EXPECT_EQ(table.Add(x, Q("1"), Q("1")).error().code, Code::kOutOfRange);
}

TEST(Deviations, AreRelativeToTheLargerAndTurnedTowardsTheTotal) {
  const LeafTable up = Table({"a"}, {{"x", "200", "100"}, {"y", "90", "100"}, {"z", "0", "0"}});
  const Deviations deviations = MeasureDeviations(up);
  EXPECT_DOUBLE_EQ(deviations.relative[0], 0.5);
  EXPECT_DOUBLE_EQ(deviations.relative[1], -0.1);
  EXPECT_EQ(deviations.magnitude[2], 0);
  const LeafTable down = Table({"a"}, {{"x", "100", "200"}, {"y", "100", "90"}});
  EXPECT_DOUBLE_EQ(MeasureDeviations(down).relative[0], 0.5);
}

TEST(Noise, IsToldByTheLeavesThatMoveAgainstTheTotal) {
  generate::Random random(5);
  Deviations relative, counts;
  for (int i = 0; i < 20'000; ++i) {
    const double magnitude = 1 + 100 * random.Uniform();
    relative.magnitude.push_back(magnitude);
    relative.relative.push_back(0.1 * random.Normal());
    counts.magnitude.push_back(magnitude + 50);
    counts.relative.push_back(random.Normal() / std::sqrt(magnitude + 50));
    if (i % 4 != 0) continue;  // what is to be found must not count as noise
    relative.magnitude.push_back(magnitude);
    relative.relative.push_back(0.9);
  }
  const Noise of_relative = EstimateNoise(relative);
  EXPECT_NEAR(of_relative.Variance(50), 0.01, 0.001);
  EXPECT_LT(of_relative.strays, 1e-3);
  EXPECT_NEAR(EstimateNoise(counts).Variance(100), 0.01, 0.0015);
}

TEST(Cuboid, NumbersElementsWithinItsSlots) {
  const LeafTable table = Table(
      {"a", "b"},
      {{"x", "1", "1", "1"}, {"x", "2", "1", "1"}, {"y", "1", "1", "1"}, {"y", "2", "1", "1"}});
  const std::vector<uint32_t> all{0, 1, 2, 3};
  EXPECT_EQ(ElementsOf(table, 1, all).of_leaf, (std::vector<uint32_t>{0, 0, 1, 1}));
  EXPECT_EQ(ElementsOf(table, 2, all).of_leaf, (std::vector<uint32_t>{0, 1, 0, 1}));
  EXPECT_EQ(ElementsOf(table, 3, all).slots, 4u);
  EXPECT_TRUE(SameElement(table, 2, 0, 2));
  EXPECT_FALSE(SameElement(table, 3, 0, 2));
}

// Two teams, two models, three regions; team red spends double in every region with model big.
TEST(FindRootCauses, NamesTheCombinationAndItsExactSums) {
  const LeafTable table = Table({"team", "model", "region"}, {{"red", "big", "eu", "200.02", "100"},
                                                              {"red", "big", "us", "100.01", "50"},
                                                              {"red", "big", "ap", "60", "30"},
                                                              {"red", "small", "eu", "101", "100"},
                                                              {"red", "small", "us", "49", "50"},
                                                              {"red", "small", "ap", "30", "31"},
                                                              {"blue", "big", "eu", "100", "101"},
                                                              {"blue", "big", "us", "50", "49"},
                                                              {"blue", "big", "ap", "30", "30"},
                                                              {"blue", "small", "eu", "99", "100"},
                                                              {"blue", "small", "us", "51", "50"},
                                                              {"blue", "small", "ap", "29", "30"}});
  const auto causes = *FindRootCauses(table);
  ASSERT_FALSE(causes.empty());
  EXPECT_EQ(causes[0].elements, (Elements{{"team", "red"}, {"model", "big"}}));
  EXPECT_EQ(causes[0].actual, Q("360.03"));
  EXPECT_EQ(causes[0].predicted, Q("180"));
  EXPECT_GT(causes[0].score, 0);
  EXPECT_NEAR(causes[0].share, 180.03 / 178.03, 1e-12);
  EXPECT_EQ(causes.size(), 1u);
}

TEST(FindRootCauses, NothingDiffers) {
  EXPECT_TRUE(FindRootCauses(Table({"a"}, {{"x", "1", "1"}, {"y", "0", "0"}}))->empty());
  EXPECT_TRUE(FindRootCauses(*LeafTable::Make({"a"}))->empty());
}

TEST(FindRootCauses, OneLeafIsItsOwnCause) {
  const auto causes = *FindRootCauses(Table({"a"}, {{"x", "5", "0"}}));
  ASSERT_EQ(causes.size(), 1u);
  EXPECT_EQ(causes[0].elements, (Elements{{"a", "x"}}));
  EXPECT_DOUBLE_EQ(causes[0].share, 1);
}

TEST(FindRootCauses, NegativeAndCancellingNumbersAreNoTrouble) {
  const auto causes =
      *FindRootCauses(Table({"a"}, {{"x", "-5", "5"}, {"y", "5", "-5"}, {"z", "-1", "-1"}}));
  ASSERT_FALSE(causes.empty());
  for (const RootCause& cause : causes) EXPECT_TRUE(std::isfinite(cause.score));
}

TEST(FindRootCauses, TheOrderOfRowsAndTheScaleDoNotMatter) {
  Case made = generate::Make({"T", {6, 5, 4}, 0.1, 0.4, 1, 0.05, 2, 2, false}, 42);
  const auto expected = generate::ElementSets(*FindRootCauses(ToTable(made)));
  Case turned = made;
  std::vector<size_t> order(made.rows.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::mt19937 random(1);
  for (size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random() % (i + 1)]);
  for (size_t i = 0; i < order.size(); ++i) {
    turned.rows[i] = made.rows[order[i]];
    turned.actual[i] = 64 * made.actual[order[i]];
    turned.predicted[i] = 64 * made.predicted[order[i]];
  }
  EXPECT_EQ(generate::ElementSets(*FindRootCauses(ToTable(turned))), expected);
  std::swap(turned.actual, turned.predicted);
  EXPECT_EQ(generate::ElementSets(*FindRootCauses(ToTable(turned))), expected);
}

TEST(FindRootCauses, FindsWhatWasPutIn) {
  Tally s, l;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const Case small = generate::Make(generate::SetS(), seed);
    s.Add(generate::ElementSets(*FindRootCauses(ToTable(small))), small.causes);
    const Case leaves = generate::Make(generate::SetL(), seed);
    l.Add(generate::ElementSets(*FindRootCauses(ToTable(leaves))), leaves.causes);
  }
  // Of set S some causes are single leaves that noise alone may well have moved so far.
  EXPECT_GE(s.F1(), 0.65) << s.right << ' ' << s.wrong << ' ' << s.missed;
  EXPECT_GE(l.F1(), 0.9) << l.right << ' ' << l.wrong << ' ' << l.missed;
}

TEST(Tally, CountsExactSets) {
  Tally tally;
  tally.Add({{{"a", "x"}}, {{"b", "y"}}}, {{{"a", "x"}}, {{"a", "x"}, {"b", "y"}}});
  EXPECT_EQ(tally.right, 1);
  EXPECT_EQ(tally.wrong, 1);
  EXPECT_EQ(tally.missed, 1);
  EXPECT_DOUBLE_EQ(tally.F1(), 0.5);
}

}  // namespace
}  // namespace flyball::watch
