#include "reconcile/match.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "reconcile/bill.h"
#include "reconcile/sums.h"

namespace flyball::reconcile {
namespace {

Instant At(std::string_view text) { return ParseUserInstant(text).value(); }
Money Cash(std::string_view text) { return Money::Parse(text).value(); }

// A day of one vendor and model, from both sides.
class Matching : public testing::Test {
 protected:
  CallFact& Call(metered::Basis basis, std::string_view cost, const std::string& answer = "",
                 std::string_view at = "2026-11-10T10:00:00Z") {
    CallFact& call = calls_.emplace_back();
    call.dispatch.id = calls_.size();
    call.dispatch.at = At(at);
    call.dispatch.provider = "OpenAI";
    call.dispatch.model = "m";
    call.dispatch.currency = "USD";
    call.dispatch.bound = Cash(cost);
    call.end.id = call.dispatch.id;
    call.end.at = Instant{call.dispatch.at.us + kMicrosPerSecond};
    call.end.basis = basis;
    call.end.answer_id = answer;
    call.end.cost = Cash(cost);
    if (basis == metered::Basis::kExact) {
      call.end.lines = {{Bucket::kInput, 100, {}, call.end.cost}};
    }
    return call;
  }
  BillLine& Line(std::string_view cost, const std::string& answer = "",
                 std::string_view at = "2026-11-10T10:00:00Z") {
    BillLine& line = bill_.lines.emplace_back();
    line.place = "charge " + std::to_string(bill_.lines.size());
    line.vendor = "openai";
    line.model = "m";
    line.currency = "USD";
    line.at = At(at);
    line.answer_id = answer;
    line.cost = Cash(cost);
    return line;
  }
  BillLine& Answer(std::string_view cost, const std::string& answer, int64_t tokens = 100,
                   std::string_view at = "2026-11-10T10:00:00Z") {
    BillLine& line = Line(cost, answer, at);
    line.lines = {{Bucket::kInput, tokens, {}, line.cost}};
    return line;
  }
  BillLine& Meter(std::string_view cost, int64_t tokens) {
    BillLine& line = Line(cost);
    line.meter = "input";
    line.quantity = Quantity::Parse(std::to_string(tokens)).value();
    return line;
  }
  // What every report keeps: parts explain the difference exactly, and what applying it would write
  // leaves nothing but what is never applied.
  const std::vector<Group>& Run() {
    bill_.days["openai"] = {{At("2026-11-10"), At("2026-11-12")}};
    groups_ = Match(calls_, bill_, known_, now_).value();
    for (const Group& group : groups_) {
      Money explained;
      for (const Part& part : group.parts) explained = Added(explained, part.amount);
      EXPECT_EQ(explained.ToString(), Difference(group.theirs, group.ours).ToString());
      if (group.evidence) known_[group.key] = *group.evidence;
    }
    applied_ = Match(calls_, bill_, known_, now_).value();
    return groups_;
  }
  // Of one group with one reason.
  void ExpectOnly(Reason reason, std::string_view amount, int64_t count = 1) {
    const std::vector<Group>& groups = Run();
    ASSERT_EQ(groups.size(), 1u);
    ASSERT_EQ(groups[0].parts.size(), 1u);
    EXPECT_EQ(ReasonName(groups[0].parts[0].reason), ReasonName(reason));
    EXPECT_EQ(groups[0].parts[0].amount.ToString(), amount);
    EXPECT_EQ(groups[0].parts[0].count, count);
    EXPECT_EQ(applied_[0].left().ToString(), "0");
  }

  std::vector<CallFact> calls_;
  Bill bill_{"bill.json", "abc", false, {}, {}};
  EvidenceByKey known_;
  Instant now_ = At("2026-11-20");
  std::vector<Group> groups_, applied_;
};

TEST_F(Matching, EqualWhereEveryCallIs) {
  Call(metered::Basis::kExact, "0.5", "a");
  Answer("0.5", "a");
  EXPECT_TRUE(Run()[0].parts.empty());
  EXPECT_TRUE(groups_[0].left().is_zero());
  EXPECT_TRUE(groups_[0].evidence->corrections.empty());
}

TEST_F(Matching, ABoundGoesDownToWhatTheBillSaysOfTheAnswer) {
  Call(metered::Basis::kBound, "4", "a");
  Answer("0.5", "a");
  ExpectOnly(Reason::kBound, "-3.5");
  EXPECT_EQ(groups_[0].evidence->corrections[0].lines.size(), 1u);
}

// One vendor's answer hid the other's of the same id: that counted as unseen, its call as not
// billed.
TEST_F(Matching, AnIdIsOneVendors) {
  Call(metered::Basis::kBound, "4", "a").dispatch.provider = "Anthropic";
  Call(metered::Basis::kBound, "5", "a");
  Answer("0.5", "a");
  Answer("0.25", "a").vendor = "anthropic";
  bill_.days = {{"anthropic", {{At("2026-11-10"), At("2026-11-12")}}}};
  ASSERT_EQ(Run().size(), 2u);
  for (const Group& group : groups_) {
    ASSERT_EQ(group.parts.size(), 1u) << group.key.vendor;
    EXPECT_EQ(ReasonName(group.parts[0].reason), ReasonName(Reason::kBound));
  }
}

// An invoice without tiers brought the hold of a priority call down to the standard price.
TEST_F(Matching, ABoundGoesDownToTheDearestTierThatItLeavesRoomFor) {
  Call(metered::Basis::kBound, "4", "a");
  Call(metered::Basis::kBound, "4", "", "2026-11-10T12:00:00Z");
  Call(metered::Basis::kExact, "0.5", "c");
  const auto tell = [&](const std::string& answer, std::string_view at) {
    BillLine& line = Answer("0.5", answer, 100, at);
    line.assumed = true;
    line.dearer = {{Cash("1"), line.lines, "standard", "eu"},
                   {Cash("3"), line.lines, "priority", "us"},
                   {Cash("6"), line.lines, "priority", "eu"}};
  };
  tell("a", "2026-11-10T10:00:00Z");
  tell("x", "2026-11-10T12:00:01Z");
  tell("c", "2026-11-10T10:00:00Z");
  ExpectOnly(Reason::kBound, "-2", 2);
  EXPECT_EQ(groups_[0].theirs.ToString(), "6.5");
  EXPECT_EQ(groups_[0].evidence->corrections[0].cost.ToString(), "3");
}

// The lines of an answer that is billed in several went at the standard price, whatever its hold
// had room for.
TEST_F(Matching, AnAnswerInSeveralLinesIsTakenAtOneTierAndOnePlace) {
  Call(metered::Basis::kBound, "4", "a");
  Answer("0.5", "a", 100);
  bill_.lines.back().dearer = {{Cash("1"), bill_.lines.back().lines, "priority", {}},
                               {Cash("3"), bill_.lines.back().lines, "fast", {}}};
  Answer("0.25", "a", 50);
  bill_.lines.back().dearer = {{Cash("2"), bill_.lines.back().lines, "priority", {}},
                               {Cash("1.5"), bill_.lines.back().lines, "fast", {}}};
  Answer("0.125", "a", 25);
  Run();
  EXPECT_EQ(groups_[0].theirs.ToString(), "3.125") << "fast were 4.625, and it was held for 4";
  ASSERT_EQ(groups_[0].evidence->corrections.size(), 1u);
  EXPECT_EQ(groups_[0].evidence->corrections[0].cost.ToString(), "3.125");
  EXPECT_EQ(groups_[0].evidence->corrections[0].lines.size(), 3u);
}

// Each line of an answer tells of its tier and its place as much as it likes.
TEST_F(Matching, AnAnswerInSeveralLinesIsTakenAtOnePlaceWhateverEachOfThemTells) {
  CallFact& call = Call(metered::Basis::kBound, "9", "a");
  call.dispatch.tiers = "standard,priority";
  call.dispatch.region = "eu";
  const auto dearer = [&](std::vector<BillLine::Rating> ratings) {
    Answer("0.5", "a").dearer = std::move(ratings);
  };
  dearer({{Cash("1"), {}, "standard", "eu"},
          {Cash("2"), {}, "priority", "eu"},
          {Cash("3"), {}, "priority", "us"}});
  dearer({{Cash("1.5"), {}, "priority", {}}});                           // told its place
  dearer({{Cash("1.25"), {}, "", "eu"}, {Cash("1.75"), {}, "", "us"}});  // and its tier
  dearer({});                                                            // and both
  EXPECT_EQ(Run()[0].theirs.ToString(), "5.25") << "2, 1.5, 1.25 and 0.5: nothing was held of us";
}

// Else the ledger has more of a call than its hold could ever have come to.
TEST_F(Matching, ABoundGoesDownToNoTierOrPlaceThatItHasNotCounted) {
  using Dearer = std::vector<BillLine::Rating>;
  const auto cost_of = [&](const std::string& tiers, bool anywhere, const Dearer& dearer) {
    calls_.clear();
    bill_.lines.clear();
    CallFact& call = Call(metered::Basis::kBound, "4", "a");
    call.dispatch.tiers = tiers;
    call.dispatch.anywhere = anywhere;
    call.dispatch.region = "eu";
    Answer("0.5", "a").dearer = dearer;
    Run();
    return groups_[0].theirs.ToString();
  };
  const Dearer all = {{Cash("1"), {}, "priority", "eu"},
                      {Cash("1.5"), {}, "priority", "us"},
                      {Cash("2"), {}, "fast", "eu"},
                      {Cash("3"), {}, "fast", "us"}};
  EXPECT_EQ(cost_of("", false, all), "3") << "an older record says nothing";
  EXPECT_EQ(cost_of("standard", false, all), "0.5");
  EXPECT_EQ(cost_of("standard,priority", false, all), "1");
  EXPECT_EQ(cost_of("standard,priority", true, all), "1.5");
  EXPECT_EQ(cost_of("standard,fast", false, all), "2");
  EXPECT_EQ(cost_of("standard,priority,fast", true, all), "3");
  // What was told is the vendor's word, counted or not.
  EXPECT_EQ(cost_of("standard", true, {{Cash("1"), {}, "", "us"}}), "1");
  EXPECT_EQ(cost_of("standard,priority", false, {{Cash("1"), {}, "priority", {}}}), "1");
}

TEST_F(Matching, AFailedCallWithoutAnIdIsPairedByTime) {
  Call(metered::Basis::kBound, "4", "", "2026-11-10T09:00:00Z");
  Call(metered::Basis::kBound, "4", "", "2026-11-10T12:00:00Z");
  Answer("0.5", "x", 100, "2026-11-10T12:00:01Z");
  Run();
  ASSERT_EQ(groups_[0].parts.size(), 2u);
  EXPECT_EQ(groups_[0].parts[0].reason, Reason::kBound);
  EXPECT_EQ(groups_[0].parts[0].amount.ToString(), "-3.5");
  EXPECT_EQ(groups_[0].parts[1].reason, Reason::kNotBilled);
  EXPECT_EQ(groups_[0].parts[1].amount.ToString(), "-4");
  EXPECT_TRUE(applied_[0].left().is_zero());
}

TEST_F(Matching, WhatTheBillDoesNotHaveIsNotBilled) {
  Call(metered::Basis::kExact, "0.5", "a");
  Call(metered::Basis::kExact, "0.25", "b");
  Answer("0.5", "a");
  ExpectOnly(Reason::kNotBilled, "-0.25");
}

TEST_F(Matching, WhatTheGatewayDidNotSeeIsUnseen) {
  Call(metered::Basis::kExact, "0.5", "a");
  Answer("0.5", "a");
  Answer("0.125", "b");
  ExpectOnly(Reason::kUnseen, "0.125");
  EXPECT_EQ(groups_[0].evidence->corrections[0].call, 0u);
}

TEST_F(Matching, ARefusedCallMayBeBilled) {
  Call(metered::Basis::kRefused, "0");
  Answer("0.125", "b");
  ExpectOnly(Reason::kRefusedBilled, "0.125");
}

TEST_F(Matching, PriceAndUsageAreToldApartByQuantity) {
  Call(metered::Basis::kExact, "0.5", "a");
  Call(metered::Basis::kExact, "0.5", "b");
  Answer("0.75", "a");
  Answer("0.625", "b", 125);
  Run();
  ASSERT_EQ(groups_[0].parts.size(), 2u);
  EXPECT_EQ(groups_[0].parts[0].reason, Reason::kUsage);
  EXPECT_EQ(groups_[0].parts[0].amount.ToString(), "0.125");
  EXPECT_EQ(groups_[0].parts[1].reason, Reason::kPrice);
  EXPECT_EQ(groups_[0].parts[1].amount.ToString(), "0.25");
  EXPECT_TRUE(applied_[0].left().is_zero());
}

TEST_F(Matching, RoundingIsHalfADigitOfWhatTheBillStates) {
  Call(metered::Basis::kExact, "0.1234", "a");
  Answer("0.12", "a");
  ExpectOnly(Reason::kRounding, "-0.0034");
}

TEST_F(Matching, AcrossMidnightACallIsOursOnOneDayAndTheirsOnTheNext) {
  Call(metered::Basis::kExact, "0.5", "a", "2026-11-10T23:59:59Z");
  Answer("0.5", "a", 100, "2026-11-11T00:00:01Z");
  Run();
  ASSERT_EQ(groups_.size(), 2u);
  for (const Group& group : groups_) {
    ASSERT_EQ(group.parts.size(), 1u);
    EXPECT_EQ(group.parts[0].reason, Reason::kMidnight);
  }
  EXPECT_EQ(Added(applied_[0].left(), applied_[1].left()).ToString(), "0");
}

TEST_F(Matching, AnotherModelNameMovesTheAmount) {
  Call(metered::Basis::kBound, "4", "a");
  Answer("0.5", "a").model = "m-2026";
  Run();
  ASSERT_EQ(groups_.size(), 2u);
  EXPECT_EQ(groups_[1].parts[0].reason, Reason::kOtherModel);
  EXPECT_EQ(Added(applied_[0].left(), applied_[1].left()).ToString(), "0");
}

TEST_F(Matching, AnotherCurrencyIsNeverAddedNorApplied) {
  Call(metered::Basis::kExact, "0.5", "a");
  Answer("0.4", "a").currency = "EUR";
  Run();
  ASSERT_EQ(groups_.size(), 2u);
  for (const Group& group : groups_) {
    EXPECT_EQ(group.parts.at(0).reason, Reason::kOtherCurrency);
    EXPECT_FALSE(group.evidence.has_value());
  }
}

TEST_F(Matching, ADayThatIsNotOverIsNotApplied) {
  now_ = At("2026-11-10T18:00:00Z");
  Call(metered::Basis::kBound, "4", "a");
  Answer("0.5", "a");
  Run();
  EXPECT_FALSE(groups_[0].over);
  EXPECT_FALSE(groups_[0].evidence.has_value());
}

TEST_F(Matching, AnOpenCallKeepsItsDayOpen) {
  Call(metered::Basis::kExact, "0.5", "a");
  Call(metered::Basis::kExact, "0", "b").ended = false;
  Answer("0.5", "a");
  EXPECT_FALSE(Run()[0].over);
  EXPECT_EQ(groups_[0].open, 1);
}

// An alias ends as the dated snapshot that answered, which is applied by then.
TEST_F(Matching, AnOpenCallOfAnyModelKeepsTheDayOpen) {
  Call(metered::Basis::kExact, "0.5", "a").end.model = "m-2026-10-01";
  Call(metered::Basis::kExact, "0", "b").ended = false;
  Call(metered::Basis::kExact, "0.5", "c", "2026-11-11T10:00:00Z");
  Answer("0.5", "a").model = "m-2026-10-01";
  Answer("0.5", "c", 100, "2026-11-11T10:00:00Z");
  Run();
  ASSERT_EQ(groups_.size(), 3u);
  EXPECT_FALSE(groups_[0].over);
  EXPECT_FALSE(groups_[1].over);
  EXPECT_FALSE(groups_[1].evidence.has_value());
  EXPECT_TRUE(groups_[2].over);
}

TEST_F(Matching, ABoundCallOfAnAliasIsPairedWithTheSnapshotOfTheBill) {
  Call(metered::Basis::kBound, "4");
  Answer("0.5", "a").model = "m-2026-10-01";
  Run();
  ASSERT_EQ(groups_.size(), 2u);
  EXPECT_TRUE(groups_[0].ours.is_zero());
  ASSERT_EQ(groups_[1].parts.size(), 1u);
  EXPECT_EQ(groups_[1].parts[0].reason, Reason::kBound);
  EXPECT_EQ(groups_[1].parts[0].amount.ToString(), "-3.5");
  ASSERT_EQ(groups_[1].evidence->corrections.size(), 1u);
  EXPECT_EQ(groups_[1].evidence->corrections[0].call, 1u);
  for (const Group& group : applied_) EXPECT_TRUE(group.left().is_zero());
}

TEST_F(Matching, BoundCallsOfAnAliasTakeTheRestOfTheSnapshotsSum) {
  Call(metered::Basis::kExact, "0.5").end.model = "m-0613";
  Call(metered::Basis::kBound, "4");
  Meter("0.75", 150).model = "m-0613";
  Run();
  ASSERT_EQ(groups_.size(), 2u);
  EXPECT_EQ(groups_[1].parts.at(0).reason, Reason::kBound);
  EXPECT_EQ(groups_[1].evidence->corrections.at(0).cost.ToString(), "0.25");
  for (const Group& group : applied_) EXPECT_TRUE(group.left().is_zero());
}

TEST_F(Matching, AnotherVersionIsNoSnapshot) {
  for (const char* name : {"m-5", "m-5-20250929", "m-32k", "m2-20250929", "m-2026-10-0x"}) {
    calls_.clear();
    bill_.lines.clear();
    known_.clear();
    Call(metered::Basis::kBound, "4");
    Answer("0.5", "a").model = name;
    Run();
    ASSERT_EQ(groups_.size(), 2u);
    EXPECT_EQ(groups_[0].parts.at(0).reason, Reason::kNotBilled) << name;
  }
}

TEST_F(Matching, ALaterBillWithoutAModelTakesBackWhatAnEarlierOneHadOfIt) {
  Call(metered::Basis::kExact, "0.5", "a");
  Answer("0.5", "a");
  Answer("0.25", "b").model = "n";
  Run();
  bill_.lines.pop_back();
  groups_ = Match(calls_, bill_, known_, now_).value();
  ASSERT_EQ(groups_.size(), 2u);
  EXPECT_EQ(groups_[1].left().ToString(), "-0.25");
  Run();
  for (const Group& group : applied_) EXPECT_TRUE(group.left().is_zero());
}

// Two bills, each of a month: the first must not take away what the second will have.
TEST_F(Matching, ACallThatIsAnsweredBehindTheLastDayOfABillIsLeftToTheNext) {
  Call(metered::Basis::kExact, "0.5", "a", "2026-11-11T23:59:59.5Z");
  Call(metered::Basis::kExact, "0.25", "b", "2026-11-11T10:00:00Z");
  Answer("0.25", "b", 100, "2026-11-11T10:00:00Z");
  Run();
  ASSERT_EQ(groups_.size(), 1u);
  EXPECT_EQ(groups_[0].parts.at(0).reason, Reason::kMidnight);
  ASSERT_TRUE(groups_[0].evidence.has_value());
  EXPECT_TRUE(groups_[0].evidence->corrections.empty());
}

TEST_F(Matching, ABillCoversNothingOfAVendorThatItHasNoChargeOf) {
  Call(metered::Basis::kExact, "0.5", "a").dispatch.provider = "Anthropic";
  Call(metered::Basis::kExact, "0.5", "b");
  Answer("0.5", "b");
  Run();
  ASSERT_EQ(groups_.size(), 2u);
  EXPECT_EQ(groups_[0].key.vendor, "anthropic");
  EXPECT_EQ(groups_[0].parts.at(0).reason, Reason::kNoBill);
  EXPECT_FALSE(groups_[0].evidence.has_value());
  EXPECT_TRUE(groups_[1].covered);
}

TEST_F(Matching, ABillCoversItsVendorsFromTheirFirstDayToTheirLastButNoMonthThatIsMissing) {
  Line("1", "", "2026-09-03T10:00:00Z");
  Line("1", "", "2026-11-02T10:00:00Z");
  Line("1", "", "2026-11-20T23:59:59Z");
  Line("1", "", "2026-12-03T00:00:00Z");
  Line("1", "", "2026-11-05T00:00:00Z").vendor = "anthropic";
  CoverDaysOfLines(&bill_);
  const auto covered = [&](std::string_view day) { return bill_.Covers("openai", At(day)); };
  EXPECT_FALSE(covered("2026-09-02"));
  EXPECT_TRUE(covered("2026-09-03"));
  EXPECT_FALSE(covered("2026-09-04"));
  EXPECT_FALSE(covered("2026-10-15"));
  EXPECT_TRUE(covered("2026-11-10"));
  EXPECT_TRUE(covered("2026-11-30"));
  EXPECT_TRUE(covered("2026-12-03"));
  EXPECT_FALSE(covered("2026-12-04"));
  EXPECT_TRUE(bill_.Covers("anthropic", At("2026-11-05")));
  EXPECT_FALSE(bill_.Covers("anthropic", At("2026-11-06")));
  EXPECT_FALSE(bill_.Covers("google", At("2026-11-05")));
  bill_.lines.clear();
  CoverDaysOfLines(&bill_);
  EXPECT_FALSE(covered("2026-11-10"));
}

TEST_F(Matching, ADayThatTheBillDoesNotCoverIsLeftAlone) {
  Call(metered::Basis::kExact, "0.5", "a", "2026-11-14T00:00:00Z");
  EXPECT_EQ(Run()[0].parts.at(0).reason, Reason::kNoBill);
  EXPECT_FALSE(groups_[0].evidence.has_value());
}

TEST_F(Matching, SumsGiveCallsAtTheirBoundTheRest) {
  Call(metered::Basis::kExact, "0.5");
  Call(metered::Basis::kBound, "3");
  Call(metered::Basis::kBound, "1");
  Meter("0.9", 180);
  ExpectOnly(Reason::kBound, "-3.6", 2);
  // In proportion to the bounds, to the last digit.
  EXPECT_EQ(groups_[0].evidence->corrections[0].cost.ToString(), "0.3");
  EXPECT_EQ(groups_[0].evidence->corrections[1].cost.ToString(), "0.1");
}

TEST_F(Matching, SumsTellPriceFromQuantity) {
  Call(metered::Basis::kExact, "0.5");
  Meter("0.6", 100);
  ExpectOnly(Reason::kPrice, "0.1");
  EXPECT_EQ(groups_[0].evidence->spread.ToString(), "0.1");
}

TEST_F(Matching, SumsWithMoreTokensThanOursHaveUnseenCalls) {
  Call(metered::Basis::kExact, "0.5");
  Meter("0.6", 120);
  ExpectOnly(Reason::kUnseen, "0.1");
}

TEST_F(Matching, SumsWithFewerTokensThanOursLeaveCallsOut) {
  Call(metered::Basis::kExact, "0.5");
  Meter("0.4", 80);
  ExpectOnly(Reason::kNotBilled, "-0.1");
}

TEST_F(Matching, SumsThatCountByTheEndOfCallsAreAMatterOfMidnight) {
  Call(metered::Basis::kExact, "0.5");
  CallFact& late = Call(metered::Basis::kExact, "0.25", "", "2026-11-10T23:59:59Z");
  late.end.at = At("2026-11-11T00:00:05Z");
  Line("0.5");
  Line("0.25", "", "2026-11-11");
  Run();
  ASSERT_EQ(groups_.size(), 2u);
  EXPECT_EQ(groups_[0].parts.at(0).reason, Reason::kMidnight);
}

TEST_F(Matching, WithTheBillInTheLedgerOursAreSuperseded) {
  bill_.in_ledger = true;
  Call(metered::Basis::kExact, "0.5");
  Meter("0.6", 100);
  Run();
  EXPECT_TRUE(groups_[0].evidence->superseded);
  EXPECT_TRUE(applied_[0].left().is_zero());
}

TEST_F(Matching, ALaterBillReplacesWhatAnEarlierOneSaid) {
  Call(metered::Basis::kExact, "0.5", "a");
  Answer("0.75", "a");
  Run();
  bill_.lines[0].cost = bill_.lines[0].lines[0].cost = Cash("0.625");
  groups_ = Match(calls_, bill_, known_, now_).value();
  EXPECT_EQ(groups_[0].applied.ToString(), "0.25");
  EXPECT_EQ(groups_[0].left().ToString(), "-0.125");
  Run();
  EXPECT_TRUE(applied_[0].left().is_zero());
}

// Whatever both sides say: every amount is explained, and applying it leaves the bill's sums.
TEST_F(Matching, AnyTwoSidesAreExplainedToTheLastDigit) {
  Random random(11);
  for (int life = 0; life < 300; ++life) {
    calls_.clear();
    bill_.lines.clear();
    known_.clear();
    const bool sums = random.Chance(1, 2);
    for (int i = 0; i < 12; ++i) {
      const std::string id = random.Chance(1, 2) ? "a" + std::to_string(i) : "";
      const std::string cost = Money::FromUnits(random.Between(1, 1'000'000'000)).ToString();
      const std::string at =
          fmt::format("2026-11-1{}T{:02}:00:00Z", random.Below(2), random.Below(24));
      if (random.Chance(3, 4)) {
        Call(random.Chance(1, 3) ? metered::Basis::kBound : metered::Basis::kExact, cost, id, at);
      }
      if (random.Chance(1, 4)) continue;
      const std::string theirs =
          random.Chance(1, 2) ? cost : Money::FromUnits(random.Between(1, 1'000'000)).ToString();
      if (sums) {
        Line(theirs, "", at);
      } else {
        Answer(theirs, id.empty() ? "b" + std::to_string(i) : id, 100, at);
      }
    }
    Run();
    Money left;
    for (const Group& group : applied_) left = Added(left, group.left());
    EXPECT_EQ(left.ToString(), "0") << "life " << life;
  }
}

}  // namespace
}  // namespace flyball::reconcile
