#include "reconcile/solve.h"

#include <gtest/gtest.h>

#include <random>

namespace flyball::reconcile {
namespace {

Money Cash(std::string_view text) { return Money::Parse(text).value(); }

// A day's cost at the true prices, rounded to cents where asked for.
CostRow Day(std::vector<int128> counts, const std::vector<Money>& truth, bool cents = false) {
  int128 cost = 0;
  for (size_t k = 0; k < truth.size(); ++k) cost += counts[k] * truth[k].units();
  if (!cents) return {std::move(counts), cost, 1};
  const int128 cent = Cash("0.01").units();
  return {std::move(counts), (cost + cent / 2) / cent * cent, cent / 2};
}
std::vector<std::string> Texts(const std::vector<Money>& prices) {
  std::vector<std::string> texts;
  for (const Money price : prices) texts.push_back(price.ToString());
  return texts;
}
using Prices = std::vector<std::string>;

TEST(Solve, OnePriceIsTheSimplestThatEveryDaysRoundingLeaves) {
  const std::vector<Money> truth = {Cash("0.00000275")};
  const std::vector<Money> book = {Cash("0.0000025")};
  const std::vector<CostRow> days = {Day({1'234'567}, truth, true), Day({9'876'543}, truth, true),
                                     Day({55}, truth, true)};
  const Solution solution = Solve(days, book);
  EXPECT_TRUE(solution.determined);
  EXPECT_EQ(Texts(solution.prices), Prices{"0.00000275"});
}

TEST(Solve, DaysOfTwoPricesHaveNone) {
  const std::vector<CostRow> days = {Day({1'000'000}, {Cash("0.000003")}),
                                     Day({1'000'000}, {Cash("0.000004")})};
  EXPECT_TRUE(Solve(days, std::vector{Cash("0.000002")}).prices.empty());
}

TEST(Solve, SeveralPricesAreToldApartByDaysOfDifferentMixes) {
  const std::vector<Money> truth = {Cash("0.0000025"), Cash("0.00000125"), Cash("0.00001")};
  const std::vector<Money> book = {Cash("0.0000025"), Cash("0.000000625"), Cash("0.00001")};
  std::vector<CostRow> days = {Day({5'000'000, 90'000'000, 700'000}, truth, true),
                               Day({80'000'000, 3'000'000, 900'000}, truth, true)};
  EXPECT_FALSE(Solve(days, book).determined);  // two days, three prices
  days.push_back(Day({10'000'000, 10'000'000, 10'000'000}, truth, true));
  const Solution solution = Solve(days, book);
  EXPECT_TRUE(solution.determined);
  EXPECT_EQ(Texts(solution.prices), (Prices{"0.0000025", "0.00000125", "0.00001"}));
}

TEST(Solve, AsManyDaysAsWrongPricesDetermineNothing) {
  const std::vector<Money> truth = {Cash("0.000003"), Cash("0.000015")};
  const std::vector<Money> book = {Cash("0.000002"), Cash("0.00001")};
  std::vector<CostRow> days = {Day({9'000'000, 500'000}, truth), Day({2'000, 800'000}, truth)};
  EXPECT_FALSE(Solve(days, book).determined);
  days.push_back(Day({1'000'000, 100'000}, truth));
  EXPECT_EQ(Texts(Solve(days, book).prices), (Prices{"0.000003", "0.000015"}));
}

TEST(Solve, WhatNoPricesExplainIsTold) {
  const std::vector<Money> truth = {Cash("0.000003"), Cash("0.000001"), Cash("0.000015")};
  std::vector<CostRow> days;
  for (int128 day = 1; day <= 5; ++day) {  // the first two always go together
    days.push_back(Day({1'000'000 * day, 3'000'000 * day, 700'000 * day * day}, truth, true));
  }
  EXPECT_TRUE(MayExplain(days));
  EXPECT_FALSE(MayExplain(std::span(days).first(2)));  // any two costs have some prices
  days[3].cost = days[3].cost + Whole(Cash("0.5").units());
  EXPECT_FALSE(MayExplain(days));
}

TEST(Solve, DaysOfTheSameMixDetermineNothing) {
  const std::vector<Money> truth = {Cash("0.000003"), Cash("0.000015")};
  const std::vector<Money> book = {Cash("0.000002"), Cash("0.000015")};
  const std::vector<CostRow> days = {Day({2'000, 500}, truth), Day({8'000, 2'000}, truth)};
  EXPECT_FALSE(Solve(days, book).determined);
}

TEST(Solve, MixesThatTheRoundingHidesDetermineNothing) {
  const std::vector<Money> truth = {Cash("0.000003"), Cash("0.000015")};
  const std::vector<Money> book = {Cash("0.000002"), Cash("0.000016")};
  const std::vector<CostRow> days = {Day({2'000'000, 500'000}, truth, true),
                                     Day({2'000'100, 500'000}, truth, true)};
  EXPECT_FALSE(Solve(days, book).determined);
}

TEST(Solve, AnyPricesAreFoundAgain) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 100; ++round) {
    const size_t n = 1 + random() % kPricesMax;
    std::vector<Money> truth, book;
    for (size_t k = 0; k < n; ++k) {
      truth.push_back(Money::FromUnits(static_cast<int128>(random() % 40'000'000)));
      book.push_back(random() % 3 == 0 ? truth.back() : Cash("0.00002"));
    }
    std::vector<CostRow> days;
    for (size_t day = 0; day < n + 3; ++day) {
      std::vector<int128> counts;
      for (size_t k = 0; k < n; ++k) counts.push_back(static_cast<int128>(random() % (1ULL << 40)));
      days.push_back(Day(std::move(counts), truth));
    }
    if (std::ranges::all_of(days, [&](const CostRow& day) { return Reproduces(day, book); })) {
      continue;
    }
    const Solution solution = Solve(days, book);
    EXPECT_TRUE(solution.determined);
    EXPECT_EQ(Texts(solution.prices), Texts(truth));
  }
}

TEST(Solve, AFactorIsTheCostByTheBooksCost) {
  const std::vector<Money> book = {Cash("2"), Cash("3")};
  const RatioSpan span = FactorOf(Day({1, 2}, {Cash("1.9"), Cash("2.85")}), book).value();
  EXPECT_EQ(SimplestIn(span, span.low)->ToString(), "0.95");
  EXPECT_EQ(FactorOf(Day({0, 0}, book), book), std::nullopt);
}

}  // namespace
}  // namespace flyball::reconcile
