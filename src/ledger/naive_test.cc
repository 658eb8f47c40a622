#include "ledger/naive.h"

#include <gtest/gtest.h>

#include "ledger/test_answer.h"

namespace flyball::ledger {
namespace {

constexpr int128 kOne = 1'000'000'000'000;

NaiveCharge Charge(const char* provider, const char* team, int64_t cost, Instant start) {
  NaiveCharge charge;
  charge.columns["ServiceProviderName"] = provider;
  charge.columns["BillingCurrency"] = "USD";
  if (*team != '\0') charge.assigned[dimension::kTeam] = team;
  charge.measures["billed_cost"] = charge.measures["effective_cost"] = kOne * cost;
  charge.start = start;
  charge.source = "test";
  return charge;
}

const Instant kOctober = ToInstant({2026, 10, 1});
const Instant kNovember = ToInstant({2026, 11, 1});

std::vector<NaiveCharge> Bill() {
  return {Charge("AWS", "ads", 1, kOctober), Charge("AWS", "", 2, kOctober),
          Charge("Azure", "ads", 4, kNovember), Charge("Oracle", "search", 8, kNovember),
          Charge("Oracle", "search", -3, kOctober)};
}

CostQuery Ask(std::vector<std::string> by) {
  CostQuery query;
  query.measures = {"billed_cost"};
  query.by = std::move(by);
  return query;
}

TEST(Naive, GroupsAndOrders) {
  EXPECT_EQ(Text(AnswerNaively(Ask({"provider"}), Bill())),
            "Oracle USD 5 | Azure USD 4 | AWS USD 3");
  EXPECT_EQ(Text(AnswerNaively(Ask({"team"}), Bill())),
            "ads USD 5 | search USD 5 | (unallocated) USD 2");
  EXPECT_EQ(Text(AnswerNaively(Ask({}), Bill())), "USD 12");
  EXPECT_EQ(Text(AnswerNaively(Ask({}), {})), "");
}

TEST(Naive, GrainPutsThePeriodFirst) {
  CostQuery query = Ask({"provider"});
  query.grain = Grain::kMonth;
  EXPECT_EQ(
      Text(AnswerNaively(query, Bill())),
      "2026-10 AWS USD 3 | 2026-10 Oracle USD -3 | 2026-11 Oracle USD 8 | 2026-11 Azure USD 4");
}

TEST(Naive, TopSumsTheRestOfEachPeriod) {
  CostQuery query = Ask({"provider"});
  query.top = 1;
  EXPECT_EQ(Text(AnswerNaively(query, Bill())), "Oracle USD 5 | (other) USD 7");
  query.grain = Grain::kMonth;
  EXPECT_EQ(Text(AnswerNaively(query, Bill())),
            "2026-10 Oracle USD -3 | 2026-10 (other) USD 3 | 2026-11 Oracle USD 8 | 2026-11 "
            "(other) USD 4");
}

TEST(Naive, FiltersKnowMissingValues) {
  CostQuery query = Ask({"provider"});
  query.where = {{"team", false, {"(unallocated)"}}};
  EXPECT_EQ(Text(AnswerNaively(query, Bill())), "AWS USD 2");
  query.where = {{"team", true, {"ads"}}};
  EXPECT_EQ(Text(AnswerNaively(query, Bill())), "Oracle USD 5 | AWS USD 2");
  query.where = {{"tag:env", true, {"dev"}}, {"provider", false, {"AWS", "Azure"}}};
  EXPECT_EQ(Text(AnswerNaively(query, Bill())), "Azure USD 4 | AWS USD 3");
  query.where = {};
  query.from = kNovember;
  EXPECT_EQ(Text(AnswerNaively(query, Bill())), "Oracle USD 8 | Azure USD 4");
  query.from.reset();
  query.to = kNovember;
  EXPECT_EQ(Text(AnswerNaively(query, Bill())), "AWS USD 3 | Oracle USD -3");
}

TEST(Naive, UsageAddsItsUnitAndCurrenciesStayApart) {
  std::vector<NaiveCharge> bill = Bill();
  constexpr int128 kUsageOne = 1'000'000'000'000'000;
  bill[0].columns["ConsumedUnit"] = "Hours";
  bill[0].measures["usage"] = kUsageOne * 3;
  bill[2].columns["BillingCurrency"] = "EUR";
  CostQuery query = Ask({"provider"});
  query.measures = {"usage", "charges"};
  EXPECT_EQ(
      Text(AnswerNaively(query, bill)),
      "Azure (none) EUR 0 1 | Oracle (none) USD 0 2 | AWS (none) USD 0 1 | AWS Hours USD 3 1");
  query.top = 1;
  EXPECT_EQ(Text(AnswerNaively(query, bill)),
            "Azure (none) EUR 0 1 | Oracle (none) USD 0 2 | (other) (none) USD 0 1 | (other) Hours "
            "USD 3 1");
}

TEST(Naive, RefusesWhatLeaves38Digits) {
  std::vector<NaiveCharge> bill = {Bill()[0], Bill()[0], Bill()[0]};
  bill[0].measures["billed_cost"] = bill[1].measures["billed_cost"] = kDecimalMaxUnits;
  bill[2].measures["billed_cost"] = -kDecimalMaxUnits;
  EXPECT_TRUE(AnswerNaively(Ask({}), bill).has_value());
  bill.pop_back();
  EXPECT_EQ(AnswerNaively(Ask({}), bill).error().code, Code::kOutOfRange);
}

}  // namespace
}  // namespace flyball::ledger
