// Accounts as people see them: renamed, refused, warned of, and of more values than can be counted.
#include <gtest/gtest.h>

#include "guard/test_guard.h"
#include "guard/wal.h"
#include "os/sim_files.h"

namespace flyball::guard {
namespace {

using budget::ScopeKind;

class Accounts : public testing::Test {
 protected:
  Verdict Admit(Guard& guard, std::string_view value, std::string_view amount,
                ScopeKind kind = ScopeKind::kTeam) {
    const std::vector<hold::Attribute> attributes = {{kind, value}};
    last_ = guard.Admit({hold::CallId(++calls_), attributes, MakeBound("0", amount), "USD",
                         now_.mono_us + kMicrosPerSecond},
                        now_);
    return last_.verdict;
  }
  void Spend(Guard& guard, std::string_view value, std::string_view amount,
             ScopeKind kind = ScopeKind::kTeam) {
    ASSERT_EQ(Admit(guard, value, amount, kind), Verdict::kAdmitted);
    ASSERT_TRUE(guard.Dispatched(hold::CallId(calls_), now_));
    ASSERT_TRUE(guard.Settle(hold::CallId(calls_), MakeCost(amount), -1, now_));
  }
  void Advance(int64_t us) {
    now_.wall.us += us;
    now_.mono_us += us;
  }

  Moment now_{kTestStart, 1'000'000};
  uint64_t calls_ = 0;
  Admission last_;
};

TEST_F(Accounts, ARenamedBudgetKeepsItsCountAlsoAfterADeath) {
  os::SimFiles disk{os::SimFilesOptions{}};
  const auto open = [&] { return Wal::Open(disk, "g", "boot", TestOptions(true)).value(); };
  std::unique_ptr<Wal> wal = open();
  ASSERT_TRUE(wal->guard().SetBudget(MakeBudget("old", "team=t", Usd("10")), now_));
  ASSERT_TRUE(wal->guard().SetBudget(MakeBudget("each", "key=*", Usd("10")), now_));
  ASSERT_TRUE(wal->Commit());
  const std::vector<hold::Attribute> who = {{ScopeKind::kTeam, "t"}, {ScopeKind::kKey, "k"}};
  ASSERT_EQ(
      wal->Admit({hold::CallId(1), who, MakeBound("0", "4"), "USD", now_.mono_us + 1'000'000}, now_)
          .verdict,
      Verdict::kAdmitted);
  ASSERT_TRUE(wal->guard().Dispatched(hold::CallId(1), now_));
  ASSERT_TRUE(wal->guard().Settle(hold::CallId(1), MakeCost("3"), -1, now_));
  EXPECT_EQ(wal->guard().RenameBudget("absent", "new", now_).error().code, Code::kNotFound);
  EXPECT_EQ(wal->guard().RenameBudget("old", "each", now_).error().code, Code::kAlreadyExists);
  ASSERT_TRUE(wal->guard().RenameBudget("old", "new", now_));
  ASSERT_TRUE(wal->guard().RenameBudget("each", "every", now_));
  ASSERT_TRUE(wal->Commit());
  for (int life = 0; life < 3; ++life) {  // from memory, from the journal, from a snapshot
    EXPECT_FALSE(wal->guard().StatusOf("old", now_));
    EXPECT_EQ(wal->guard().StatusOf("new", now_)->settled, Usd("3"));
    size_t every = 0;
    for (const StatusRow& row : wal->guard().Statuses(now_)) every += row.name == "every" ? 1 : 0;
    EXPECT_EQ(every, 2u) << "the one of each key, and the key's own";
    EXPECT_EQ(wal->guard().Audit(), "");
    wal.reset();
    wal = open();
  }
  // The old name is free for a budget that begins at nothing.
  ASSERT_TRUE(wal->guard().SetBudget(MakeBudget("old", "team=t", Usd("10")), now_));
  EXPECT_EQ(wal->guard().StatusOf("old", now_)->settled, 0);
}

// An older version reads no record that says so; who goes back to it may have removed the budget.
TEST_F(Accounts, ABudgetThatIsRemovedSaysNoMoreWhatItCounted) {
  const auto has_word = [](Guard& guard) {
    bool found = false;
    EXPECT_TRUE(ForEachRecord(guard.Snapshot(), [&](Record&& record) {
      found |= std::holds_alternative<GatewayOnlyRecord>(record);
    }));
    return found;
  };
  Guard guard(TestOptions(true));
  budget::Budget calls = MakeBudget("b", "key=*", Usd("10"));
  calls.counts_ledger = false;
  ASSERT_TRUE(guard.SetBudget(calls, now_));
  EXPECT_EQ(Admit(guard, "k", "1", ScopeKind::kKey), Verdict::kWait) << "for its own account";
  EXPECT_TRUE(has_word(guard));
  ASSERT_TRUE(guard.RemoveBudget("b", now_));
  EXPECT_FALSE(has_word(guard));
  Guard replayed(TestOptions(true));
  ASSERT_TRUE(replayed.Replay(guard.outbox().control));
  EXPECT_FALSE(has_word(replayed));
  // One that comes back is as it is said then.
  ASSERT_TRUE(guard.SetBudget(calls, now_));
  EXPECT_TRUE(has_word(guard));
  EXPECT_EQ(guard.Audit(), "");
}

TEST_F(Accounts, RefusalsAreCountedWhereTheyHappen) {
  Guard guard(TestOptions(false));
  ASSERT_TRUE(guard.SetBudget(MakeBudget("t", "team=t", Usd("1")), now_));
  ASSERT_TRUE(guard.SetBudget(MakeBudget("all", "organisation", Usd("100")), now_));
  EXPECT_EQ(Admit(guard, "t", "1"), Verdict::kAdmitted);
  EXPECT_EQ(Admit(guard, "t", "1"), Verdict::kRefused);
  ASSERT_TRUE(guard.SetFrozen("t", true, now_));
  EXPECT_EQ(Admit(guard, "t", "0"), Verdict::kRefused);
  EXPECT_EQ(guard.StatusOf("t", now_)->refused, 2u);
  EXPECT_EQ(guard.StatusOf("all", now_)->refused, 0u);
}

TEST_F(Accounts, ARollingWindowDoesNotWarnAgainWithEachBucket) {
  Guard guard(TestOptions(false));
  budget::Budget budget = MakeBudget("b", "team=t", Usd("10"), "rolling hour");
  budget.warn_percent = {50, 80};
  ASSERT_TRUE(guard.SetBudget(budget, now_));
  Spend(guard, "t", "6");
  EXPECT_EQ(guard.TakeNotices().size(), 1u);
  EXPECT_EQ(guard.StatusOf("b", now_)->warned_percent, 50);
  for (int minute = 0; minute < 10; ++minute) {
    Advance(kMicrosPerSecond * 60);
    Spend(guard, "t", "0.01");
    EXPECT_TRUE(guard.TakeNotices().empty()) << minute;
  }
  Spend(guard, "t", "2");
  const std::vector<Notice> notices = guard.TakeNotices();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].percent, 80);
  Advance(2 * kMicrosPerHour);  // all of it is out of the window
  EXPECT_EQ(guard.StatusOf("b", now_)->warned_percent, 0);
  Spend(guard, "t", "6");
  EXPECT_EQ(guard.TakeNotices().size(), 1u);
}

TEST_F(Accounts, NoticesThatNobodyTakesAreBounded) {
  Guard guard(TestOptions(false));
  budget::Budget budget = MakeBudget("b", "end_customer=*", Usd("10"));
  budget.warn_percent = {10};
  ASSERT_TRUE(guard.SetBudget(budget, now_));
  for (size_t i = 0; i < kNoticesMax + 10; ++i) {
    Spend(guard, std::to_string(i), "1", ScopeKind::kEndCustomer);
  }
  EXPECT_EQ(guard.TakeNotices().size(), kNoticesMax);
}

TEST_F(Accounts, InventedValuesFillABudgetOfEachUpToItsLimitAndNoFurther) {
  Guard guard(TestOptions(false));
  ASSERT_TRUE(guard.SetBudget(MakeBudget("b", "end_customer=*", Usd("10")), now_));
  for (uint32_t i = 0; i < kValuesMax; ++i) {
    ASSERT_EQ(Admit(guard, std::to_string(i), "1", ScopeKind::kEndCustomer), Verdict::kAdmitted);
  }
  EXPECT_FALSE(guard.wants_room());
  Advance(kForgetEveryUs);
  EXPECT_EQ(Admit(guard, "one more", "1", ScopeKind::kEndCustomer), Verdict::kRefused);
  EXPECT_EQ(last_.reason, Reason::kTooMany);
  EXPECT_NE(guard.Describe(last_).find("end_customer=*"), std::string::npos)
      << guard.Describe(last_);
  EXPECT_TRUE(guard.wants_room());
  EXPECT_EQ(Admit(guard, "7", "1", ScopeKind::kEndCustomer), Verdict::kAdmitted) << "known";
  EXPECT_EQ(Admit(guard, "anybody", "1", ScopeKind::kTeam), Verdict::kAdmitted);
  // What counts nothing any more makes room.
  Advance(100 * kMicrosPerDay);
  guard.Tick(now_);
  guard.ForgetIdle(now_);
  EXPECT_FALSE(guard.wants_room());
  EXPECT_EQ(Admit(guard, "one more", "1", ScopeKind::kEndCustomer), Verdict::kAdmitted);
  EXPECT_EQ(guard.StatusOf("b", now_)->values, 1u);
}

TEST_F(Accounts, OfManyValuesThoseThatHaveUsedTheMostAreShownAndAllAreCounted) {
  Guard guard(TestOptions(false));
  ASSERT_TRUE(guard.SetBudget(MakeBudget("b", "end_customer=*", Usd("10")), now_));
  ASSERT_TRUE(guard.SetBudget(MakeBudget("t", "team=t", Usd("10")), now_));
  const size_t all = kValuesShownMax + 50;
  for (size_t i = 0; i < all; ++i) {
    Spend(guard, std::to_string(i), i < 50 ? "1" : "2", ScopeKind::kEndCustomer);
  }
  const std::vector<StatusRow> rows = guard.Statuses(now_);
  EXPECT_EQ(rows.size(), kValuesShownMax + 2);
  for (const StatusRow& row : rows) {
    if (row.scope == "end_customer=*") {
      EXPECT_EQ(row.values, all);
    } else if (row.name == "b") {
      EXPECT_EQ(row.settled, Usd("2")) << row.scope;
    }
  }
}

TEST_F(Accounts, RatesCanBeTakenBack) {
  Guard guard(TestOptions(false));
  budget::Budget budget = MakeBudget("b", "team=t", Usd("10"));
  budget.currency = "EUR";
  ASSERT_TRUE(guard.SetBudget(budget, now_));
  ASSERT_TRUE(guard.SetRate("USD", "EUR", Money::Parse("0.9").value()));
  EXPECT_EQ(Admit(guard, "t", "1"), Verdict::kAdmitted);
  guard.ClearRates();
  EXPECT_EQ(Admit(guard, "t", "1"), Verdict::kRefused);
  EXPECT_EQ(last_.reason, Reason::kNoRate);
}

}  // namespace
}  // namespace flyball::guard
