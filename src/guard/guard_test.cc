// The guard's state machine, event by event. Classes of failures that gateways are known for have
// tests of their own in known_bugs_test.cc; crashes are in guard_sim_test.cc.
#include "guard/guard.h"

#include <gtest/gtest.h>

#include "guard/test_guard.h"

namespace flyball::guard {
namespace {

using budget::ScopeKind;

class GuardTest : public testing::Test {
 protected:
  void Set(budget::Budget budget) {
    Status set = guard_.SetBudget(budget, now_);
    ASSERT_TRUE(set.has_value()) << set.error().ToString();
  }
  Admission Admit(uint64_t id, std::string_view amount, std::vector<hold::Attribute> attributes,
                  std::string_view currency = "USD") {
    return guard_.Admit({hold::CallId(id), attributes, MakeBound("0", amount, 0, 0), currency,
                         now_.mono_us + 60 * kMicrosPerSecond},
                        now_);
  }
  bool Admits(uint64_t id, std::string_view amount, std::vector<hold::Attribute> attributes) {
    return Admit(id, amount, attributes).verdict == Verdict::kAdmitted;
  }
  bool Settle(uint64_t id, std::string_view amount) {
    return guard_.Settle(hold::CallId(id), MakeCost(amount), -1, now_).has_value();
  }
  StatusRow Row(std::string_view name) { return guard_.StatusOf(name, now_).value(); }
  void Advance(int64_t us) {
    now_.wall.us += us;
    now_.mono_us += us;
  }
  void TearDown() override { EXPECT_EQ(guard_.Audit(), ""); }

  Guard guard_{TestOptions(false)};
  Moment now_{kTestStart, 1'000'000};
  std::vector<hold::Attribute> search_ = {{ScopeKind::kTeam, "search"}};
};

TEST_F(GuardTest, HoldsTheBoundAndSettlesTheCost) {
  Set(MakeBudget("b", "team=search", Usd("10")));
  ASSERT_TRUE(Admits(1, "4", search_));
  EXPECT_EQ(Row("b").held, Usd("4"));
  EXPECT_EQ(Row("b").remaining, Usd("6"));
  ASSERT_TRUE(guard_.Dispatched(hold::CallId(1), now_));
  ASSERT_TRUE(Settle(1, "1.5"));
  EXPECT_EQ(Row("b").held, 0);
  EXPECT_EQ(Row("b").settled, Usd("1.5"));
  EXPECT_EQ(Row("b").remaining, Usd("8.5"));
  EXPECT_EQ(FormatInstant(Row("b").resets_at), "2026-12-01T00:00:00Z");
}

TEST_F(GuardTest, RefusesWithScopeLimitWhatIsLeftAndWhenItResets) {
  Set(MakeBudget("b", "team=search", Usd("10")));
  ASSERT_TRUE(Admits(1, "6.8", search_));
  Admission refused = Admit(2, "5", search_);
  EXPECT_EQ(refused.verdict, Verdict::kRefused);
  EXPECT_EQ(refused.reason, Reason::kOverLimit);
  EXPECT_EQ(refused.left, Usd("3.2"));
  EXPECT_EQ(guard_.Describe(refused),
            "the budget of team=search has 3.2 USD left of 10 USD in its month, the call may need "
            "5 USD; more comes at 2026-12-01T00:00:00Z");
  EXPECT_TRUE(Admits(3, "3.2", search_)) << "what is left can be used to the last unit";
  EXPECT_FALSE(Admits(4, "0.000000000001", search_));
}

TEST_F(GuardTest, AllScopesOrNone) {
  Set(MakeBudget("team", "team=search", Usd("10")));
  Set(MakeBudget("key", "key=k", Usd("1")));
  Set(MakeBudget("all", "organisation", Usd("100")));
  std::vector<hold::Attribute> both = {{ScopeKind::kTeam, "search"}, {ScopeKind::kKey, "k"}};
  Admission refused = Admit(1, "2", both);
  EXPECT_EQ(refused.verdict, Verdict::kRefused);
  EXPECT_EQ(Row("team").held, 0);
  EXPECT_EQ(Row("all").held, 0);
  ASSERT_TRUE(Admits(1, "0.5", both));
  for (const char* name : {"team", "key", "all"}) EXPECT_EQ(Row(name).held, Usd("0.5")) << name;
  ASSERT_TRUE(guard_.Release(hold::CallId(1), now_));
  for (const char* name : {"team", "key", "all"}) EXPECT_EQ(Row(name).held, 0) << name;
}

TEST_F(GuardTest, TokensAreCountedAsTokens) {
  budget::Budget tokens = MakeBudget("t", "model=m", 1000);
  tokens.measure = budget::Measure::kTokens;
  Set(tokens);
  std::vector<hold::Attribute> model = {{ScopeKind::kModel, "m"}};
  Call call{hold::CallId(1), model, MakeBound("1", "1", 300, 500), "USD", now_.mono_us + 1000};
  ASSERT_EQ(guard_.Admit(call, now_).verdict, Verdict::kAdmitted);
  EXPECT_EQ(Row("t").held, 800);
  call.id = hold::CallId(2);
  EXPECT_EQ(guard_.Admit(call, now_).reason, Reason::kOverLimit);
  ASSERT_TRUE(guard_.Settle(hold::CallId(1), MakeCost("1", 412), 112, now_).has_value());
  EXPECT_EQ(Row("t").settled, 412);
}

TEST_F(GuardTest, OtherCurrenciesAreHeldAtTheRateOfTheHold) {
  Set(MakeBudget("b", "team=search", Usd("10")));
  EXPECT_EQ(Admit(1, "1", search_, "CHF").reason, Reason::kNoRate);
  ASSERT_TRUE(guard_.SetRate("CHF", "USD", Money::Parse("1.25").value()));
  ASSERT_EQ(Admit(1, "4", search_, "CHF").verdict, Verdict::kAdmitted);
  EXPECT_EQ(Row("b").held, Usd("5"));
  ASSERT_TRUE(guard_.SetRate("CHF", "USD", Money::Parse("2").value()));
  ASSERT_TRUE(Settle(1, "2"));
  EXPECT_EQ(Row("b").settled, Usd("2.5")) << "not at the rate of the settlement";
  EXPECT_FALSE(guard_.SetRate("CHF", "USD", Money()).has_value());
  EXPECT_FALSE(guard_.SetRate("CHF", "usd", Money::Parse("1").value()).has_value());
  EXPECT_FALSE(guard_.SetRate("CHF", "USD", Money::Parse("1000001").value()).has_value());
}

TEST_F(GuardTest, AbsurdCallsAreRefusedAtTheBoundary) {
  Set(MakeBudget("b", "team=search", Usd("10")));
  auto reason = [this](hold::Bound bound, int64_t ahead_us, std::string_view currency = "USD") {
    return guard_.Admit({hold::CallId(1), search_, bound, currency, now_.mono_us + ahead_us}, now_)
        .reason;
  };
  hold::Bound negative = MakeBound("-1", "2");
  EXPECT_EQ(reason(negative, 1000), Reason::kInvalid);
  EXPECT_EQ(reason(MakeBound("0", "1", -1, 5), 1000), Reason::kInvalid);
  hold::Bound huge;
  huge.output = Money::FromUnits(kDecimalMaxUnits);
  EXPECT_EQ(reason(huge, 1000), Reason::kInvalid);
  huge = {};
  huge.tokens_output = INT64_MAX;
  EXPECT_EQ(reason(huge, 1000), Reason::kInvalid);
  EXPECT_EQ(reason(MakeBound("0", "1"), 0), Reason::kInvalid);
  EXPECT_EQ(reason(MakeBound("0", "1"), kHoldMaxUs + 1), Reason::kInvalid);
  EXPECT_EQ(reason(MakeBound("0", "1"), 1000, "dollars"), Reason::kInvalid);
  ASSERT_TRUE(Admits(1, "1", search_));
  EXPECT_EQ(Admit(1, "1", search_).reason, Reason::kDuplicate);
  EXPECT_FALSE(Settle(1, "-1"));
  EXPECT_EQ(Row("b").held, Usd("1"));
}

TEST_F(GuardTest, MoreThanTheBoundIsChargedFreezesAndIsCounted) {
  Set(MakeBudget("b", "team=search", Usd("10")));
  ASSERT_TRUE(Admits(1, "1", search_));
  Result<bool> fault = guard_.Settle(hold::CallId(1), MakeCost("12"), -1, now_);
  ASSERT_TRUE(fault.has_value());
  EXPECT_TRUE(*fault);
  StatusRow row = Row("b");
  EXPECT_EQ(row.settled, Usd("12"));
  EXPECT_EQ(row.totals.excess, Usd("11"));
  EXPECT_TRUE(row.frozen);
  EXPECT_EQ(row.faults, 1u);
  EXPECT_EQ(row.max_overspend.amount, Usd("2"));
  EXPECT_EQ(row.max_overspend.why, "fault");
  EXPECT_EQ(Admit(2, "0", search_).reason, Reason::kFrozen);
  ASSERT_EQ(guard_.TakeNotices().size(), 1u);
  Set(MakeBudget("b", "team=search", Usd("20")));
  EXPECT_EQ(Admit(2, "1", search_).reason, Reason::kFrozen) << "an edit is no pardon";
  ASSERT_TRUE(guard_.SetFrozen("b", false, now_));
  EXPECT_TRUE(Admits(2, "8", search_));
}

TEST_F(GuardTest, TheKillSwitchStopsAdmissionsAndGrowth) {
  Set(MakeBudget("b", "team=search", Usd("10")));
  ASSERT_TRUE(Admits(1, "1", search_));
  ASSERT_TRUE(guard_.SetFrozen("b", true, now_));
  EXPECT_EQ(Admit(2, "1", search_).reason, Reason::kFrozen);
  EXPECT_EQ(guard_.Grow(hold::CallId(1), MakeBound("0", "1"), Growth::kBound, now_).reason,
            Reason::kFrozen);
  ASSERT_TRUE(Settle(1, "1"));
  ASSERT_TRUE(guard_.SetFrozen("b", false, now_));
  EXPECT_TRUE(Admits(2, "9", search_));
  EXPECT_FALSE(guard_.SetFrozen("nobody", true, now_).has_value());
}

TEST_F(GuardTest, AStreamGrowsUntilTheLimit) {
  Set(MakeBudget("b", "team=search", Usd("3")));
  ASSERT_TRUE(Admits(1, "1", search_));
  ASSERT_TRUE(guard_.Dispatched(hold::CallId(1), now_));
  EXPECT_EQ(guard_.Grow(hold::CallId(1), MakeBound("0", "1.5"), Growth::kBound, now_).verdict,
            Verdict::kAdmitted);
  Admission refused = guard_.Grow(hold::CallId(1), MakeBound("0", "1"), Growth::kBound, now_);
  EXPECT_EQ(refused.reason, Reason::kOverLimit);
  EXPECT_EQ(Row("b").held, Usd("2.5"));
  EXPECT_FALSE(*guard_.Settle(hold::CallId(1), MakeCost("2.5"), -1, now_)) << "within the bound";
  EXPECT_EQ(guard_.Grow(hold::CallId(1), MakeBound("0", "1"), Growth::kBound, now_).reason,
            Reason::kNotOpen);
}

TEST_F(GuardTest, UnknownUsageIsChargedAtTheBoundUntilEvidenceComes) {
  Set(MakeBudget("b", "team=search", Usd("10")));
  ASSERT_TRUE(Admits(1, "4", search_));
  ASSERT_TRUE(guard_.Dispatched(hold::CallId(1), now_));
  ASSERT_TRUE(guard_.SettleUnknown(hold::CallId(1), now_));
  EXPECT_EQ(Row("b").settled, Usd("4"));
  EXPECT_EQ(Row("b").totals.unknown, Usd("4"));
  EXPECT_EQ(guard_.unknown_calls(), 1u);
  EXPECT_FALSE(guard_.SettleUnknown(hold::CallId(1), now_).has_value());
  EXPECT_FALSE(guard_.Release(hold::CallId(1), now_).has_value()) << "it has left";
  ASSERT_TRUE(Settle(1, "1"));
  EXPECT_EQ(Row("b").settled, Usd("1"));
  EXPECT_EQ(guard_.unknown_calls(), 0u);
}

TEST_F(GuardTest, NoHoldOutlivesItsDeadline) {
  Set(MakeBudget("b", "team=search", Usd("10")));
  ASSERT_TRUE(Admits(1, "1", search_));
  ASSERT_TRUE(Admits(2, "2", search_));
  ASSERT_TRUE(guard_.Dispatched(hold::CallId(2), now_));
  Advance(60 * kMicrosPerSecond - 1);
  guard_.Tick(now_);
  EXPECT_EQ(guard_.open_calls(), 2u);
  Advance(1);
  guard_.Tick(now_);
  EXPECT_EQ(guard_.open_calls(), 0u);
  EXPECT_EQ(Row("b").settled, Usd("2")) << "what left is charged, what did not is given back";
  // The wall clock has no say in it.
  ASSERT_TRUE(Admits(3, "1", search_));
  now_.wall.us += 365 * kMicrosPerDay;
  guard_.Tick(now_);
  EXPECT_EQ(guard_.open_calls(), 1u);
}

// A machine that stood still wakes up to it: the gateway asks, and has done nothing wrong.
TEST_F(GuardTest, ACallThatIsDispatchedAfterItsDeadlineIsRefusedAndNoBug) {
  Set(MakeBudget("b", "team=search", Usd("10")));
  ASSERT_TRUE(Admits(1, "4", search_));
  now_.mono_us += kHoldMaxUs;
  guard_.Tick(now_);
  EXPECT_FALSE(guard_.Dispatched(hold::CallId(1), now_));
  EXPECT_EQ(guard_.bugs(), 0u);
  EXPECT_EQ(guard_.StatusOf("b", now_)->held, 0);
}

TEST_F(GuardTest, AHoldIsSettledInTheWindowThatItWasTakenIn) {
  Set(MakeBudget("b", "team=search", Usd("10"), "day"));
  ASSERT_TRUE(Admits(1, "4", search_));
  Advance(kMicrosPerDay);
  EXPECT_EQ(Row("b").held, 0) << "another day";
  ASSERT_TRUE(Settle(1, "3"));
  EXPECT_EQ(Row("b").settled, 0);
  EXPECT_TRUE(Admits(2, "10", search_));
  now_.wall.us -= kMicrosPerDay;
  EXPECT_EQ(Row("b").settled, Usd("3"));
}

TEST_F(GuardTest, ARollingWindowForgetsLateAndNeverEarly) {
  Set(MakeBudget("b", "team=search", Usd("10"), "rolling hour"));
  ASSERT_TRUE(Admits(1, "10", search_));
  ASSERT_TRUE(Settle(1, "10"));
  Advance(kMicrosPerHour - 1);
  Admission refused = Admit(2, "1", search_);
  EXPECT_EQ(refused.reason, Reason::kOverLimit);
  EXPECT_GT(refused.resets_at, now_.wall);
  now_.wall = refused.resets_at;
  EXPECT_TRUE(Admits(2, "10", search_));
  // A clock that goes back makes no room.
  now_.wall.us -= 5 * kMicrosPerHour;
  EXPECT_FALSE(Admits(3, "1", search_));
}

TEST_F(GuardTest, EditsLoseNothing) {
  Set(MakeBudget("b", "team=search", Usd("10"), "day"));
  ASSERT_TRUE(Admits(1, "2", search_));
  ASSERT_TRUE(Settle(1, "2"));
  ASSERT_TRUE(Admits(2, "3", search_));
  Set(MakeBudget("b", "team=search", Usd("4"), "day"));
  EXPECT_EQ(Row("b").remaining, 0);
  EXPECT_FALSE(Admits(3, "0.1", search_));
  Set(MakeBudget("b", "team=search", Usd("40"), "month"));
  EXPECT_EQ(Row("b").held, Usd("3"));
  EXPECT_EQ(Row("b").settled, Usd("2"));
  Set(MakeBudget("b", "team=other", Usd("40"), "rolling 2 days"));
  EXPECT_EQ(Row("b").settled, Usd("2"));
  EXPECT_TRUE(Admits(4, "50", search_)) << "no budget any more";
  EXPECT_FALSE(Admits(5, "36", {{ScopeKind::kTeam, "other"}}));
  ASSERT_TRUE(Settle(2, "1"));
  EXPECT_EQ(Row("b").settled, Usd("3"));
  EXPECT_EQ(Row("b").held, 0);
  ASSERT_TRUE(guard_.RemoveBudget("b", now_));
  EXPECT_FALSE(guard_.StatusOf("b", now_).has_value());
  Set(MakeBudget("b", "team=search", Usd("40"), "rolling 2 days"));
  EXPECT_EQ(Row("b").settled, Usd("3")) << "to remove and make again is no reset";
  budget::Budget other = MakeBudget("b", "team=search", Usd("40"));
  other.currency = "EUR";
  EXPECT_FALSE(guard_.SetBudget(other, now_).has_value());
  other.currency = "USD";
  other.window.zone = "Mars/Olympus";
  EXPECT_FALSE(guard_.SetBudget(other, now_).has_value());
}

TEST_F(GuardTest, AWindowEditedFromDaysToMonthsBringsTheDaysAlong) {
  Set(MakeBudget("b", "team=search", Usd("10"), "day"));
  for (uint64_t day = 0; day < 3; ++day) {
    ASSERT_TRUE(Admits(day, "5", search_));
    ASSERT_TRUE(Settle(day, "5"));
    Advance(kMicrosPerDay);
  }
  Set(MakeBudget("b", "team=search", Usd("100"), "month"));
  EXPECT_EQ(Row("b").settled, Usd("15"));
}

TEST_F(GuardTest, EachValueOfAStarHasItsOwnBudget) {
  Set(MakeBudget("each", "end_customer=*", Usd("1")));
  std::vector<hold::Attribute> ann = {{ScopeKind::kEndCustomer, "ann"}};
  std::vector<hold::Attribute> bob = {{ScopeKind::kEndCustomer, "bob"}};
  EXPECT_TRUE(Admits(1, "1", ann));
  EXPECT_FALSE(Admits(2, "1", ann));
  EXPECT_TRUE(Admits(3, "1", bob));
  EXPECT_EQ(Admit(4, "1", {{ScopeKind::kEndCustomer, "*"}}).reason, Reason::kInvalid);
  Set(MakeBudget("each", "end_customer=*", Usd("2")));
  EXPECT_TRUE(Admits(5, "1", ann)) << "an edit is for every value";
  ASSERT_TRUE(guard_.SetFrozen("each", true, now_));
  EXPECT_EQ(Admit(6, "0", bob).reason, Reason::kFrozen);
  EXPECT_EQ(Admit(6, "0", {{ScopeKind::kEndCustomer, "cy"}}).reason, Reason::kFrozen);
  EXPECT_EQ(guard_.Statuses(now_).size(), 4u);
  EXPECT_FALSE(guard_.SetBudget(MakeBudget("each", "key=*", Usd("2")), now_).has_value());
}

TEST_F(GuardTest, WhatTheLedgerSaysCountsOnceIsRestatedAndCannotBeStopped) {
  Set(MakeBudget("b", "team=search", Usd("10")));
  const auto say = [&](std::vector<ExternalSum> sums, uint64_t commit = 7) {
    return guard_.SetExternal("b", "", sums, commit, now_);
  };
  ASSERT_TRUE(say({{now_.wall, Usd("9"), "USD"}}).has_value());
  ASSERT_TRUE(say({{now_.wall, Usd("9"), "USD"}}, 8).has_value()) << "said again";
  EXPECT_EQ(Row("b").settled, Usd("9"));
  EXPECT_EQ(guard_.external_commit(), 8u);
  EXPECT_FALSE(Admits(1, "2", search_));
  ASSERT_TRUE(say({{now_.wall, Usd("6"), "USD"}, {now_.wall, Usd("-1"), "USD"}}).has_value());
  EXPECT_EQ(Row("b").settled, Usd("5")) << "restated, with a credit";
  EXPECT_EQ(Row("b").max_overspend.amount, Usd("5")) << "nine never came";
  EXPECT_TRUE(Admits(2, "2", search_));
  const Instant before{now_.wall.us - 40 * kMicrosPerDay};
  ASSERT_TRUE(say({{before, Usd("9"), "USD"}}).has_value());
  EXPECT_EQ(Row("b").totals.external, 0) << "another month, and nothing of this one";
  ASSERT_TRUE(say({{now_.wall, Usd("-9"), "USD"}}).has_value());
  EXPECT_EQ(Row("b").totals.external, 0) << "a credit makes no room";
  ASSERT_TRUE(say({{now_.wall, Usd("18"), "USD"}}).has_value());
  StatusRow row = Row("b");
  EXPECT_EQ(row.settled, Usd("18"));
  EXPECT_EQ(row.remaining, 0);
  EXPECT_FALSE(row.max_overspend.bounded);
  EXPECT_EQ(row.max_overspend.why, "unguarded");
  EXPECT_GE(row.max_overspend.amount, Usd("8"));
  EXPECT_FALSE(say({{now_.wall, Usd("9"), "EUR"}}).has_value()) << "no rate";
  EXPECT_FALSE(say({{now_.wall, budget::kLimitMax + 1, "USD"}}).has_value());
  EXPECT_EQ(Row("b").settled, Usd("18")) << "what is refused changes nothing";
  ASSERT_TRUE(guard_.SetRate("EUR", "USD", Money::Parse("1.5").value()));
  ASSERT_TRUE(say({{now_.wall, Usd("2"), "EUR"}}).has_value());
  EXPECT_EQ(Row("b").totals.external, Usd("3"));
  EXPECT_EQ(guard_.SetExternal("b", "x", {}, 9, now_).error().code, Code::kInvalidArgument);
  EXPECT_EQ(guard_.SetExternal("none", "", {}, 9, now_).error().code, Code::kNotFound);
  EXPECT_EQ(guard_.Audit(), "");
}

TEST_F(GuardTest, ABudgetOfCallsAloneTakesNothingThatTheLedgerSays) {
  const std::vector<ExternalSum> nine = {{now_.wall, Usd("9"), "USD"}};
  budget::Budget calls = MakeBudget("b", "team=search", Usd("10"));
  Set(calls);
  ASSERT_TRUE(guard_.SetExternal("b", "", nine, 1, now_).has_value());
  calls.counts_ledger = false;
  Set(calls);
  EXPECT_EQ(Row("b").totals.external, 0) << "what it had of the ledger is gone with the word";
  ASSERT_TRUE(guard_.SetExternal("b", "", nine, 2, now_).has_value());
  EXPECT_EQ(Row("b").totals.external, 0);
  EXPECT_TRUE(Admits(1, "10", search_));
  EXPECT_EQ(guard_.Audit(), "");
}

TEST_F(GuardTest, WhatTheLedgerSaysOfAValueCountsInItsOwnAccount) {
  Set(MakeBudget("each", "team=*", Usd("10")));
  const std::vector<ExternalSum> nine = {{now_.wall, Usd("9"), "USD"}};
  ASSERT_TRUE(guard_.SetExternal("each", "search", nine, 1, now_).has_value());
  EXPECT_FALSE(Admits(1, "2", search_));
  EXPECT_TRUE(Admits(2, "2", {{ScopeKind::kTeam, "other"}}));
  EXPECT_EQ(guard_.SetExternal("each", "", nine, 1, now_).error().code, Code::kInvalidArgument);
}

TEST_F(GuardTest, WhatTheLedgerSaysOfARollingWindowIsForgottenWithIt) {
  budget::Budget rolling = MakeBudget("r", "team=search", Usd("10"));
  rolling.window = budget::ParseWindow("rolling 60 days").value();
  Set(rolling);
  const auto ago = [&](int64_t days) { return Instant{now_.wall.us - days * kMicrosPerDay}; };
  const std::vector<ExternalSum> sums = {{ago(70), Usd("100"), "USD"},
                                         {ago(59), Usd("4"), "USD"},
                                         {ago(3), Usd("5"), "USD"},
                                         {ago(-3), Usd("100"), "USD"}};
  ASSERT_TRUE(guard_.SetExternal("r", "", sums, 1, now_).has_value());
  EXPECT_EQ(Row("r").totals.external, Usd("9"));
  now_.wall.us += 5 * kMicrosPerDay;
  EXPECT_EQ(Row("r").totals.external, Usd("5"));
  EXPECT_EQ(guard_.Audit(), "");
}

TEST_F(GuardTest, MaxOverspendIsNothingWhereItIsNothingAndSomethingElsewhere) {
  Set(MakeBudget("hard", "team=search", Usd("10")));
  ASSERT_TRUE(Admits(1, "10", search_));
  EXPECT_EQ(Row("hard").max_overspend.amount, 0);
  EXPECT_TRUE(Row("hard").max_overspend.bounded);

  budget::Budget soft = MakeBudget("soft", "team=soft", Usd("10"));
  soft.hard = false;
  Set(soft);
  EXPECT_FALSE(Row("soft").max_overspend.bounded);
  ASSERT_TRUE(Admits(2, "12", {{ScopeKind::kTeam, "soft"}}));
  EXPECT_EQ(Row("soft").max_overspend.amount, Usd("2")) << "of the open hold";

  budget::Budget quantile = MakeBudget("quantile", "team=quantile", Usd("10"));
  quantile.mode = budget::Mode::kQuantile;
  Set(quantile);
  EXPECT_EQ(Row("quantile").max_overspend.amount, Usd("0.5"));
  EXPECT_TRUE(Row("quantile").max_overspend.bounded);

  Set(MakeBudget("edited", "team=edited", Usd("10")));
  ASSERT_TRUE(Admits(3, "8", {{ScopeKind::kTeam, "edited"}}));
  Set(MakeBudget("edited", "team=edited", Usd("5")));
  EXPECT_EQ(Row("edited").max_overspend.amount, Usd("3")) << "held before the edit";
}

TEST_F(GuardTest, QuantileModeHoldsWhatNearlyAllCallsStayUnder) {
  budget::Budget quantile = MakeBudget("q", "key=k", Usd("10"));
  quantile.mode = budget::Mode::kQuantile;
  quantile.quantile_overrun_percent = 10;
  Set(quantile);
  std::vector<hold::Attribute> key = {{ScopeKind::kKey, "k"}, {ScopeKind::kModel, "m"}};
  uint64_t id = 0;
  auto admit = [&] {
    return guard_.Admit(
        {hold::CallId(++id), key, MakeBound("0", "1", 0, 1000), "USD", now_.mono_us + 1'000'000},
        now_);
  };
  EXPECT_EQ(admit().output_covered, 1000);
  EXPECT_EQ(Row("q").held, Usd("1")) << "nothing known yet: the bound";
  ASSERT_TRUE(guard_.Settle(hold::CallId(id), MakeCost("0"), 100, now_).has_value());
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(admit().verdict, Verdict::kAdmitted);
    ASSERT_TRUE(guard_.Settle(hold::CallId(id), MakeCost("0"), 100, now_).has_value());
  }
  const Admission admitted_short = admit();
  ASSERT_EQ(admitted_short.verdict, Verdict::kAdmitted);
  EXPECT_GE(admitted_short.output_covered, 100);
  EXPECT_LE(admitted_short.output_covered, 120);
  StatusRow row = Row("q");
  EXPECT_GE(row.held, Usd("0.1"));
  EXPECT_LE(row.held, Usd("0.12"));
  EXPECT_EQ(row.held + row.totals.gap, Usd("1"));
  // A longer answer than most grows into its bound.
  ASSERT_EQ(guard_.Grow(hold::CallId(id), MakeBound("0", "0.3"), Growth::kHold, now_).verdict,
            Verdict::kAdmitted);
  EXPECT_EQ(Row("q").held, row.held + Usd("0.3"));
  EXPECT_EQ(Row("q").held + Row("q").totals.gap, Usd("1"));
  // Bounds of all open calls stay under the limit and what may be overspent.
  int admitted = 1;
  while (admit().verdict == Verdict::kAdmitted) ++admitted;
  EXPECT_EQ(admitted, 11);
  EXPECT_EQ(Row("q").max_overspend.amount, Usd("1"));
  EXPECT_GT(Row("q").max_overspend.expected, 0);
  // The worst happens: all cost their bound. It is no fault, and the overrun is as bounded.
  for (uint64_t open = id - 11; open < id; ++open) {
    EXPECT_FALSE(*guard_.Settle(hold::CallId(open), MakeCost("1"), 1000, now_));
  }
  EXPECT_EQ(Row("q").settled, Usd("11"));
  EXPECT_FALSE(Row("q").frozen);
}

TEST_F(GuardTest, AnOpenCallKnowsWhenOneOfItsBudgetsIsFrozen) {
  Set(MakeBudget("b", "team=search", Usd("10")));
  ASSERT_TRUE(Admits(1, "4", search_));
  EXPECT_EQ(guard_.FrozenOf(hold::CallId(1)).verdict, Verdict::kAdmitted);
  ASSERT_TRUE(guard_.SetFrozen("b", true, now_));
  const Admission frozen = guard_.FrozenOf(hold::CallId(1));
  EXPECT_EQ(frozen.reason, Reason::kFrozen);
  EXPECT_EQ(guard_.Describe(frozen), "the budget of team=search is frozen");
  EXPECT_EQ(guard_.FrozenOf(hold::CallId(2)).verdict, Verdict::kAdmitted) << "no such call";
}

TEST_F(GuardTest, WarnLevelsAreToldOnceAWindow) {
  budget::Budget warned = MakeBudget("b", "team=search", Usd("15"), "day");
  warned.warn_percent = {50, 99};
  Set(warned);
  auto spend = [this, id = uint64_t{0}](std::string_view amount) mutable {
    ASSERT_TRUE(Admits(++id, "5", search_));
    ASSERT_TRUE(Settle(id, amount));
  };
  ASSERT_TRUE(Admits(100, "9", search_));
  EXPECT_TRUE(guard_.TakeNotices().empty()) << "a hold is not spent yet";
  ASSERT_TRUE(guard_.Release(hold::CallId(100), now_));
  spend("0.4");
  EXPECT_TRUE(guard_.TakeNotices().empty());
  spend("5");
  spend("2.2");
  std::vector<Notice> notices = guard_.TakeNotices();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].percent, 50);
  spend("0.1");
  EXPECT_TRUE(guard_.TakeNotices().empty());
  Advance(kMicrosPerDay);
  Row("b");
  spend("5");
  spend("5");
  ASSERT_EQ(guard_.TakeNotices().size(), 1u);
}

TEST_F(GuardTest, StoppedAdmitsNothing) {
  Set(MakeBudget("b", "team=search", Usd("10")));
  guard_.Stop();
  EXPECT_EQ(Admit(1, "1", search_).reason, Reason::kStopped);
  EXPECT_EQ(Admit(1, "1", {}).reason, Reason::kStopped) << "not even what has no budget";
  guard_.Resume();
  EXPECT_TRUE(Admits(1, "1", search_));
}

TEST_F(GuardTest, AsManyUnknownCallsAsCanBeKept) {
  Set(MakeBudget("b", "team=search", Usd("1000000")));
  for (uint64_t id = 0; id < kUnknownCallsMax + 10; ++id) {
    ASSERT_TRUE(Admits(id, "1", search_));
    ASSERT_TRUE(guard_.Dispatched(hold::CallId(id), now_));
    ASSERT_TRUE(guard_.SettleUnknown(hold::CallId(id), now_));
  }
  EXPECT_EQ(guard_.unknown_calls(), kUnknownCallsMax);
  EXPECT_EQ(Row("b").settled, Usd("10010"));
  EXPECT_FALSE(Settle(0, "0.5")) << "given up: it stays charged at its bound";
  EXPECT_TRUE(Settle(100, "0.5"));
}

}  // namespace
}  // namespace flyball::guard
