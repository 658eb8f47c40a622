#include "gateway/recovery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/clock.h"
#include "base/zone.h"
#include "reconcile/evidence.h"

namespace flyball::gateway {
namespace {

// The steps of one attempt, in the order in which the gateway takes them. A process may die after
// any of them.
enum Step { kAdmitted, kLogged, kDispatched, kEndLogged, kSettled, kCommitted };

class Journals : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    std::ranges::replace(name, '/', '_');
    home_ = testing::TempDir() + "recovery_" + name;
    std::filesystem::remove_all(home_);
    std::filesystem::create_directories(home_);
  }
  void TearDown() override { std::filesystem::remove_all(home_); }

  void Open() {
    static const Zone utc;
    guard::Options options;
    options.find_zone = [](std::string_view) { return &utc; };
    wal_ = guard::Wal::Open(*files_, home_ + "/guard", "boot", options).value();
    log_.emplace(RecoverCalls(*files_, home_ + "/calls", *wal_, Now()).value());
  }
  guard::Moment Now() { return {clock_.Now(), clock_.MonotonicUs()}; }
  void Run(uint64_t id, Step last, Money bound, Money cost) {
    guard::Call call;
    call.id = hold::CallId(id);
    call.bound.fixed = bound;
    call.deadline_us = Now().mono_us + 1'000'000;
    ASSERT_EQ(wal_->Admit(call, Now()).verdict, guard::Verdict::kAdmitted);
    if (last == kAdmitted) return;
    metered::Dispatch dispatch;
    dispatch.id = id;
    dispatch.at = clock_.Now();
    dispatch.bound = bound;
    dispatch.currency = "USD";
    ASSERT_TRUE(log_->Write(dispatch));
    if (last == kLogged) return;
    ASSERT_TRUE(wal_->guard().Dispatched(call.id, Now()));
    ASSERT_TRUE(wal_->Commit());
    if (last == kDispatched) return;
    metered::End end;
    end.id = id;
    end.at = clock_.Now();
    end.cost = cost;
    ASSERT_TRUE(log_->Write(end, dispatch.at));
    if (last == kEndLogged) return;
    ASSERT_TRUE(wal_->guard().Settle(call.id, {cost, 0}, -1, Now()));
    if (last == kSettled) return;
    ASSERT_TRUE(wal_->Commit());
  }
  // What the log says all calls have cost.
  Money Logged() {
    std::map<uint64_t, Money> ends;
    EXPECT_TRUE(CallLog::Open(*files_, home_ + "/calls", [&](const metered::Record& record) {
      if (record.is_end) {
        EXPECT_TRUE(ends.emplace(record.end.id, record.end.cost).second) << "ended twice";
      }
      return Status();
    }));
    Money sum;
    for (const auto& [id, cost] : ends) sum = sum.Plus(cost).value();
    return sum;
  }

  std::string home_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
  SimClock clock_{Instant{1'795'608'000'000'000}};
  std::unique_ptr<guard::Wal> wal_;
  std::optional<CallLog> log_;
};

class Recovery : public Journals, public testing::WithParamInterface<int> {};
class Evidence : public Journals {};

TEST_P(Recovery, LogAndGuardSayTheSameWhereverTheProcessDied) {
  const Money bound = Money::Parse("5").value();
  const Money cost = Money::Parse("2").value();
  Open();
  budget::Budget budget;
  budget.name = "all";
  budget.limit = Money::Parse("100")->units();
  ASSERT_TRUE(wal_->guard().SetBudget(budget, Now()));
  ASSERT_TRUE(wal_->Commit());
  Run(1, kCommitted, bound, cost);
  Run(2, static_cast<Step>(GetParam()), bound, cost);
  const std::map<int, const char*> expected = {{kAdmitted, "2"},   {kLogged, "2"},
                                               {kDispatched, "7"}, {kEndLogged, "4"},
                                               {kSettled, "4"},    {kCommitted, "4"}};
  for (int again = 0; again < 3; ++again) {
    wal_.reset();
    log_.reset();
    Open();
    const guard::StatusRow row = wal_->guard().StatusOf("all", Now()).value();
    EXPECT_EQ(Money::FromUnits(row.settled).ToString(), expected.at(GetParam())) << again;
    EXPECT_EQ(row.held, 0);
    EXPECT_EQ(Logged().ToString(), expected.at(GetParam())) << again;
  }
}

TEST_F(Evidence, WhatABillSaysOfACallAtItsBoundMakesRoomInTheBudgets) {
  Open();
  budget::Budget budget;
  budget.name = "all";
  budget.limit = Money::Parse("100")->units();
  ASSERT_TRUE(wal_->guard().SetBudget(budget, Now()));
  ASSERT_TRUE(wal_->Commit());
  Run(1, kDispatched, Money::Parse("5").value(), {});
  wal_.reset();
  log_.reset();
  Open();  // it counts at its bound
  EXPECT_EQ(wal_->guard().StatusOf("all", Now())->settled, Money::Parse("5")->units());
  reconcile::Evidence evidence;
  evidence.key = {"openai", FloorDay(clock_.Now()), "m", "USD"};
  evidence.corrections = {{1, clock_.Now(), Money::Parse("0.25").value(), {}},
                          {0, clock_.Now(), Money::Parse("9").value(), {}}};
  ASSERT_TRUE(reconcile::WriteEvidence(*files_, home_ + "/calls", {evidence}));
  EXPECT_EQ(SettleByEvidence(*files_, home_ + "/calls", *wal_, Now()).value(), 1);
  EXPECT_EQ(SettleByEvidence(*files_, home_ + "/calls", *wal_, Now()).value(), 0);
  const guard::StatusRow row = wal_->guard().StatusOf("all", Now()).value();
  EXPECT_EQ(Money::FromUnits(row.settled).ToString(), "0.25");
}

INSTANTIATE_TEST_SUITE_P(Steps, Recovery, testing::Range(0, 6));

}  // namespace
}  // namespace flyball::gateway
