// Failures that gateways in use are known for, as tests: each is named after its class. A: calls
// that pass a limit together or around it; C: streams and aborts that cost nothing; F: spend that
// is lost, leaked or reset. docs/KNOWN_FAILURES.md has the table of all, with the tests elsewhere.
#include <gtest/gtest.h>

#include "guard/test_files.h"
#include "guard/test_guard.h"
#include "guard/wal.h"
#include "os/sim_files.h"

namespace flyball::guard {
namespace {

using budget::ScopeKind;

class KnownBugs : public testing::Test {
 protected:
  void SetUp() override { Open(); }
  void Open() {
    wal_.reset();
    Result<std::unique_ptr<Wal>> wal = Wal::Open(files_, "g", "boot", TestOptions(true));
    ASSERT_TRUE(wal.has_value()) << wal.error().ToString();
    wal_ = std::move(*wal);
  }
  void Set(const budget::Budget& budget) {
    ASSERT_TRUE(guard().SetBudget(budget, now_));
    ASSERT_TRUE(wal_->Commit());
  }
  Guard& guard() { return wal_->guard(); }
  StatusRow Row(std::string_view name = "b") { return guard().StatusOf(name, now_).value(); }
  Admission Admit(std::string_view amount, std::vector<hold::Attribute> attributes) {
    return wal_->Admit({hold::CallId(++last_), attributes, MakeBound("0", amount), "USD",
                        now_.mono_us + 60 * kMicrosPerSecond},
                       now_);
  }
  bool Admits(std::string_view amount, std::vector<hold::Attribute> attributes) {
    return Admit(amount, std::move(attributes)).verdict == Verdict::kAdmitted;
  }
  // Admitted and on its way; its id.
  uint64_t Send(std::string_view amount, std::vector<hold::Attribute> attributes) {
    EXPECT_TRUE(Admits(amount, std::move(attributes)));
    EXPECT_TRUE(guard().Dispatched(hold::CallId(last_), now_));
    EXPECT_TRUE(wal_->Commit());
    return last_;
  }
  bool Settle(uint64_t id, std::string_view cost) {
    bool settled = guard().Settle(hold::CallId(id), MakeCost(cost), -1, now_).has_value();
    return settled && wal_->Commit();
  }
  void Advance(int64_t us) {
    now_.wall.us += us;
    now_.mono_us += us;
    EXPECT_TRUE(wal_->Tick(now_));
  }
  void TearDown() override { EXPECT_EQ(guard().Audit(), ""); }

  os::SimFiles disk_{os::SimFilesOptions{}};
  DyingFiles files_{disk_, 1};
  std::unique_ptr<Wal> wal_;
  Moment now_{kTestStart, 1'000'000};
  uint64_t last_ = 0;
  const std::vector<hold::Attribute> key_ = {{ScopeKind::kKey, "k"}};
};

// --- A: races and bypasses at admission

TEST_F(KnownBugs, A_ConcurrentCallsPassTheLimitTogetherBeforeSpendIsRecorded) {
  Set(MakeBudget("b", "key=k", Usd("0.05")));
  int admitted = 0;
  for (int i = 0; i < 20; ++i) admitted += Admits("0.0125", key_) ? 1 : 0;
  EXPECT_EQ(admitted, 4);
}

TEST_F(KnownBugs, A_FirstCallsOfAnUnknownEndCustomerPassItsDefaultBudget) {
  Set(MakeBudget("b", "end_customer=*", Usd("1")));
  std::vector<hold::Attribute> unknown = {{ScopeKind::kEndCustomer, "never seen"}};
  EXPECT_FALSE(Admits("1.5", unknown)) << "the very first call";
  EXPECT_TRUE(Admits("1", unknown));
  EXPECT_FALSE(Admits("0.1", unknown));
}

TEST_F(KnownBugs, A_OneBudgetOfACallHidesAnother) {
  Set(MakeBudget("key", "key=k", Usd("10")));
  Set(MakeBudget("team", "team=t", Usd("1")));
  Set(MakeBudget("customer", "end_customer=c", Usd("1")));
  for (const char* scope : {"team", "customer"}) {
    std::vector<hold::Attribute> attributes = key_;
    attributes.push_back(scope == std::string("team")
                             ? hold::Attribute{ScopeKind::kTeam, "t"}
                             : hold::Attribute{ScopeKind::kEndCustomer, "c"});
    EXPECT_FALSE(Admits("2", attributes)) << scope;
  }
}

TEST_F(KnownBugs, A_AMissingPriceSwitchesTheReservationOff) {
  Set(MakeBudget("b", "key=k", Usd("1")));
  hold::Bound none;
  none.output = Money::FromUnits(-1);  // what a price that is missing could be mistaken for
  EXPECT_EQ(wal_->Admit({hold::CallId(1), key_, none, "USD", now_.mono_us + 1}, now_).reason,
            Reason::kInvalid);
  EXPECT_EQ(wal_->Admit({hold::CallId(1), key_, MakeBound("0", "1"), "XAU", now_.mono_us + 1}, now_)
                .reason,
            Reason::kNoRate)
      << "a currency without a rate is not free either";
}

TEST_F(KnownBugs, A_TheLimiterFailsOpenWhenItsStoreFails) {
  Set(MakeBudget("b", "key=k", Usd("100")));
  Send("1", key_);
  disk_.SetFailuresPerMillion(1'000'000);
  EXPECT_EQ(Admit("50", key_).reason, Reason::kStopped);
  EXPECT_EQ(Admit("0.1", key_).reason, Reason::kStopped) << "and stays closed";
  EXPECT_EQ(Admit("0.1", {}).reason, Reason::kStopped) << "for everyone";
  disk_.SetFailuresPerMillion(0);
}

TEST_F(KnownBugs, A_AFailedWriteOfTheReservationIsIgnored) {
  Set(MakeBudget("b", "key=k", Usd("1")));
  ASSERT_TRUE(Admits("0.5", key_));
  ASSERT_TRUE(guard().Dispatched(hold::CallId(last_), now_));
  files_.DieAfter(0, 0);
  EXPECT_FALSE(wal_->Commit()) << "so the call must not leave";
  EXPECT_TRUE(guard().stopped());
  files_.Revive();
}

TEST_F(KnownBugs, A_ABudgetGivenAtCreationIsNeitherSavedNorEnforced) {
  budget::Budget frozen = MakeBudget("b", "key=k", Usd("1"));
  Set(frozen);
  EXPECT_FALSE(Admits("2", key_));
  Open();
  EXPECT_EQ(Row().limit, Usd("1"));
  EXPECT_FALSE(Admits("2", key_));
}

TEST_F(KnownBugs, A_AWarningOf99PercentIsToldAtThree) {
  budget::Budget warned = MakeBudget("b", "key=k", Usd("15"));
  warned.warn_percent = {99};
  Set(warned);
  ASSERT_TRUE(Settle(Send("14.9", key_), "0.4"));
  EXPECT_TRUE(guard().TakeNotices().empty());
  ASSERT_TRUE(Settle(Send("14.5", key_), "14.45"));
  EXPECT_EQ(guard().TakeNotices().size(), 1u);
}

TEST_F(KnownBugs, A_CostsAreOnlyKnownAfterTheStream) {
  Set(MakeBudget("b", "key=k", Usd("1")));
  Send("0.75", key_);
  EXPECT_EQ(Row().remaining, Usd("0.25")) << "held before the first byte leaves";
  EXPECT_FALSE(Admits("0.5", key_));
}

TEST_F(KnownBugs, A_WhatIsLeftNeverDecreases) {
  Set(MakeBudget("b", "key=k", Usd("1")));
  Amount before = Row().remaining;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(Settle(Send("0.2", key_), "0.1"));
    EXPECT_EQ(Row().remaining, before - Usd("0.1"));
    before = Row().remaining;
  }
}

TEST_F(KnownBugs, A_TheLimitIsInertUntilTheFirstCallIsCounted) {
  Set(MakeBudget("b", "key=k", Usd("0")));
  EXPECT_FALSE(Admits("0.000000000001", key_));
  EXPECT_TRUE(Admits("0", key_)) << "what is declared to cost nothing is no spend";
}

// --- C: streams and aborts

TEST_F(KnownBugs, C_ADisconnectLosesTheUsage) {
  Set(MakeBudget("b", "key=k", Usd("10")));
  uint64_t id = Send("4", key_);
  ASSERT_TRUE(guard().SettleUnknown(hold::CallId(id), now_));
  ASSERT_TRUE(wal_->Commit());
  EXPECT_EQ(Row().settled, Usd("4"));
  EXPECT_EQ(Row().totals.unknown, Usd("4")) << "and flagged";
}

TEST_F(KnownBugs, C_AnAbortedStreamPaysNothing) {
  Set(MakeBudget("b", "key=k", Usd("10")));
  Send("4", key_);
  Advance(60 * kMicrosPerSecond);  // nobody ever said how it ended
  EXPECT_EQ(Row().settled, Usd("4"));
  EXPECT_EQ(guard().open_calls(), 0u);
}

TEST_F(KnownBugs, C_TokensAreRecoveredAndTheCostStaysAtThePlaceholder) {
  budget::Budget tokens = MakeBudget("tokens", "key=k", 1'000'000);
  tokens.measure = budget::Measure::kTokens;
  Set(tokens);
  Set(MakeBudget("b", "key=k", Usd("10")));
  ASSERT_EQ(wal_->Admit({hold::CallId(1), key_, MakeBound("1", "3", 1000, 3000), "USD",
                         now_.mono_us + 1'000'000},
                        now_)
                .verdict,
            Verdict::kAdmitted);
  ASSERT_TRUE(guard().Dispatched(hold::CallId(1), now_));
  ASSERT_TRUE(guard().SettleUnknown(hold::CallId(1), now_));
  ASSERT_TRUE(guard().Settle(hold::CallId(1), MakeCost("1.5", 1500), 500, now_).has_value());
  EXPECT_EQ(Row("tokens").settled, 1500);
  EXPECT_EQ(Row().settled, Usd("1.5")) << "both, or none";
}

TEST_F(KnownBugs, C_ACrashInMidStreamForgetsTheCall) {
  Set(MakeBudget("b", "key=k", Usd("10")));
  uint64_t id = Send("4", key_);
  EXPECT_EQ(wal_->Grow(hold::CallId(id), MakeBound("0", "1"), Growth::kBound, now_).verdict,
            Verdict::kAdmitted);
  ASSERT_TRUE(wal_->Commit());
  Open();
  EXPECT_EQ(Row().settled, Usd("5"));
}

// --- F: loss, leaks, resets

TEST_F(KnownBugs, F_ABufferIsEmptiedBeforeItIsCommitted) {
  Set(MakeBudget("b", "key=k", Usd("10")));
  uint64_t id = Send("4", key_);
  disk_.SetCapacityBytes(1);
  ASSERT_TRUE(guard().Settle(hold::CallId(id), MakeCost("1"), -1, now_).has_value());
  EXPECT_FALSE(wal_->Commit());
  disk_.SetCapacityBytes(1 << 20);
  ASSERT_TRUE(wal_->Commit());
  Open();
  EXPECT_EQ(Row().totals.settled, Usd("1"));
}

TEST_F(KnownBugs, F_ReservationsLeakAndRefuseForEver) {
  Set(MakeBudget("b", "key=k", Usd("1")));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Admits("0.1", key_));
  EXPECT_FALSE(Admits("0.1", key_));
  Advance(60 * kMicrosPerSecond);
  EXPECT_EQ(guard().open_calls(), 0u);
  EXPECT_EQ(Row().remaining, Usd("1")) << "they never left";
  Open();
  EXPECT_EQ(Row().remaining, Usd("1"));
}

TEST_F(KnownBugs, F_RetriesCountTwice) {
  Set(MakeBudget("b", "key=k", Usd("10")));
  uint64_t id = Send("4", key_);
  ASSERT_TRUE(Settle(id, "1"));
  EXPECT_FALSE(Settle(id, "1"));
  EXPECT_FALSE(Settle(id, "3"));
  EXPECT_EQ(Row().settled, Usd("1"));
  // A retry is another call, with another hold: that is counted, for it is paid.
  ASSERT_TRUE(Settle(Send("4", key_), "1"));
  EXPECT_EQ(Row().settled, Usd("2"));
}

TEST_F(KnownBugs, F_ACounterIsSeededAgainWithAStaleValue) {
  Set(MakeBudget("b", "key=k", Usd("10")));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Settle(Send("2", key_), "1"));
    Open();
    EXPECT_EQ(Row().settled, Usd("1") * (i + 1));
  }
}

TEST_F(KnownBugs, F_ANewWindowStartsWithTheSpendOfALifetime) {
  Set(MakeBudget("b", "key=k", Usd("10"), "day"));
  ASSERT_TRUE(Settle(Send("10", key_), "10"));
  EXPECT_FALSE(Admits("1", key_));
  Advance(kMicrosPerDay);
  EXPECT_EQ(Row().settled, 0);
  EXPECT_TRUE(Admits("10", key_));
}

TEST_F(KnownBugs, F_AResetThatIsInterruptedLosesOrRepeatsIt) {
  // There is nothing to interrupt: the window is part of what an amount is counted under.
  Set(MakeBudget("b", "key=k", Usd("10"), "day"));
  ASSERT_TRUE(Settle(Send("10", key_), "8"));
  Advance(kMicrosPerDay);
  Open();
  EXPECT_EQ(Row().settled, 0);
  ASSERT_TRUE(Settle(Send("10", key_), "3"));
  Open();
  EXPECT_EQ(Row().settled, Usd("3"));
  now_.wall.us -= kMicrosPerDay;
  EXPECT_EQ(Row().settled, Usd("8"));
}

TEST_F(KnownBugs, F_AnAbsurdResetTimeDisablesTheBudget) {
  Set(MakeBudget("b", "key=k", Usd("1"), "day"));
  for (Instant absurd : {Instant{INT64_MIN}, Instant{INT64_MAX}, Instant{0}}) {
    now_.wall = absurd;
    EXPECT_FALSE(Admits("2", key_));
    EXPECT_GT(Row().resets_at, Instant{0});
  }
}

TEST_F(KnownBugs, F_FractionsAreCountedAsWholeNumbers) {
  Set(MakeBudget("b", "key=k", Usd("0.00000001")));
  for (int i = 0; i < 10'000; ++i)
    ASSERT_TRUE(Settle(Send("0.000000000001", key_), "0.000000000001"));
  EXPECT_EQ(Row().remaining, 0) << "ten thousand times the smallest amount, to the last one";
  EXPECT_FALSE(Admits("0.000000000001", key_));
}

TEST_F(KnownBugs, F_SumsDriftByFloatingPoint) {
  Set(MakeBudget("b", "key=k", Usd("1")));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Settle(Send("0.1", key_), "0.1"));
  EXPECT_EQ(Row().remaining, 0) << "ten times 0.1 is 1";
}

}  // namespace
}  // namespace flyball::guard
