#include "gateway/recovery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/clock.h"
#include "base/zone.h"
#include "os/sim_files.h"
#include "reconcile/evidence.h"

namespace flyball::gateway {
namespace {

// The steps of one attempt, in the order in which the gateway takes them. A process may die after
// any of them.
enum Step { kAdmitted, kDispatched, kLogged, kEndLogged, kSettled, kCommitted };

class RecoveryTest : public testing::Test {
 protected:
  explicit RecoveryTest(uint64_t seed = 1) : disk_(os::SimFilesOptions{.seed = seed}) {
    budget::Budget budget;
    budget.name = "all";
    budget.limit = Money::Parse("100")->units();
    Open();
    EXPECT_TRUE(wal_->guard().SetBudget(budget, Now()));
    EXPECT_TRUE(wal_->Commit());
  }

  void OpenGuard() {
    static const Zone utc;
    guard::Options options;
    options.find_zone = [](std::string_view) { return &utc; };
    wal_.reset();
    wal_ = guard::Wal::Open(disk_, "guard", boot_, options).value();
  }
  // As a new process does.
  void Open() {
    log_.reset();
    OpenGuard();
    log_.emplace(RecoverCalls(disk_, "calls", *wal_, Now()).value());
  }
  guard::Moment Now() { return {clock_.Now(), clock_.MonotonicUs()}; }
  void Admit(hold::CallId id) {
    guard::Call call;
    call.id = id;
    call.bound.fixed = kBound;
    call.deadline_us = Now().mono_us + 1'000'000;
    ASSERT_EQ(wal_->Admit(call, Now()).verdict, guard::Verdict::kAdmitted);
  }
  void LogDispatch(hold::CallId id) {
    metered::Dispatch dispatch;
    dispatch.id = id.value();
    dispatch.at = clock_.Now();
    dispatch.bound = kBound;
    dispatch.currency = "USD";
    log_->Add(dispatch);
    ASSERT_TRUE(log_->WriteDispatches());
  }
  metered::End EndOf(hold::CallId id) {
    metered::End end;
    end.id = id.value();
    end.at = clock_.Now();
    end.cost = kCost;
    return end;
  }
  void Run(hold::CallId id, Step last) {
    Admit(id);
    if (last == kAdmitted) return;
    ASSERT_TRUE(wal_->guard().Dispatched(id, Now()));
    ASSERT_TRUE(wal_->Commit());
    if (last == kDispatched) return;
    LogDispatch(id);
    if (last == kLogged) return;
    log_->Add(EndOf(id), clock_.Now());
    ASSERT_TRUE(log_->WriteEnds());
    if (last == kEndLogged) return;
    ASSERT_TRUE(wal_->guard().Settle(id, {kCost, 0}, -1, Now()));
    if (last == kSettled) return;
    ASSERT_TRUE(wal_->Commit());
  }
  std::vector<metered::Record> Records() {
    std::vector<metered::Record> records;
    EXPECT_TRUE(CallLog::Open(disk_, "calls", [&](const metered::Record& record) {
      records.push_back(record);
      return Status();
    }));
    return records;
  }
  // What the log says all calls have cost.
  std::string Logged() {
    std::map<uint64_t, Money> ends;
    for (const metered::Record& record : Records()) {
      if (!record.is_end) continue;
      EXPECT_TRUE(ends.emplace(record.end.id, record.end.cost).second) << "ended twice";
    }
    Money sum;
    for (const auto& [id, cost] : ends) sum = sum.Plus(cost).value();
    return sum.ToString();
  }
  int64_t Evidenced() {
    return SettleByEvidence(ReadLateEvidence(disk_, "calls", clock_.Now()).value(), *wal_, Now())
        .value();
  }
  std::string Counted() {
    const guard::StatusRow row = wal_->guard().StatusOf("all", Now()).value();
    EXPECT_EQ(row.held, 0);
    return Money::FromUnits(row.settled).ToString();
  }

  const Money kBound = Money::Parse("5").value();
  const Money kCost = Money::Parse("2").value();
  os::SimFiles disk_;
  SimClock clock_{Instant{1'795'608'000'000'000}};
  std::string boot_ = "boot";
  std::unique_ptr<guard::Wal> wal_;
  std::optional<CallLog> log_;
};

// By step and by what the disk does when the power goes.
class RecoveryStep : public RecoveryTest, public testing::WithParamInterface<std::tuple<int, int>> {
 protected:
  RecoveryStep() : RecoveryTest(static_cast<uint64_t>(std::get<1>(GetParam()))) {}
  static Step step() { return static_cast<Step>(std::get<0>(GetParam())); }
};

TEST_P(RecoveryStep, LogAndGuardSayTheSameWhereverTheProcessDied) {
  Run(hold::CallId(1), kCommitted);
  Run(hold::CallId(2), step());
  // Between the guard's word and the log's nothing has left: it is given back.
  const std::map<int, std::pair<const char*, const char*>> expected = {
      {kAdmitted, {"2", "2"}},  {kDispatched, {"2", "2"}}, {kLogged, {"7", "7"}},
      {kEndLogged, {"4", "4"}}, {kSettled, {"4", "4"}},    {kCommitted, {"4", "4"}}};
  for (int again = 0; again < 3; ++again) {
    Open();
    EXPECT_EQ(Counted(), expected.at(step()).first) << again;
    EXPECT_EQ(Logged(), expected.at(step()).second) << again;
  }
}

TEST_F(RecoveryTest, ACallThatALogWhichIsNotWholeDoesNotHaveStaysAtItsBound) {
  Run(hold::CallId(1), kDispatched);
  log_.reset();
  ASSERT_TRUE(disk_.Remove("calls/recovered.json"));
  Open();
  EXPECT_EQ(Counted(), "5") << "nobody knows since when the log was read";
  Open();
  EXPECT_EQ(Counted(), "5") << "it was looked for then";
  Run(hold::CallId(2), kDispatched);
  Open();
  EXPECT_EQ(Counted(), "5");
}

// The power goes off, the guard's journal loses what was not synced, and somebody looks at budgets
// before the gateway comes back.
TEST_P(RecoveryStep, AfterAPowerCutACallOfTheLogCountsWhoeverOpensTheGuardFirst) {
  Run(hold::CallId(1), kCommitted);
  Run(hold::CallId(2), step());
  if (step() >= kLogged) {
    ASSERT_TRUE(disk_.SyncFile("calls/" + CallLogName(clock_.Now())));
  }
  wal_.reset();
  log_.reset();
  disk_.PowerCut();
  boot_ = "another";
  OpenGuard();
  for (int again = 0; again < 3; ++again) {
    Open();
    if (step() >= kLogged) {
      EXPECT_EQ(Logged(), step() == kLogged ? "7" : "4") << again;
    }
    EXPECT_GE(Money::Parse(Counted()).value(), Money::Parse(Logged()).value());
  }
}

INSTANTIATE_TEST_SUITE_P(Steps, RecoveryStep,
                         testing::Combine(testing::Range(0, 6), testing::Range(1, 9)));

// The guard has settled and forgotten it; that the log's word was lost does not make it free.
TEST_F(RecoveryTest, ACallWhoseEndWasLostCountsAtItsBound) {
  const hold::CallId id(7);
  Run(id, kLogged);
  disk_.SetCapacityBytes(1);
  log_->Add(EndOf(id), clock_.Now());
  EXPECT_FALSE(log_->WriteEnds());
  disk_.SetCapacityBytes(1 << 30);
  ASSERT_TRUE(wal_->guard().Settle(id, {kCost, 0}, -1, Now()));
  ASSERT_TRUE(wal_->Commit());
  Open();
  EXPECT_EQ(Logged(), "5");
  EXPECT_EQ(Counted(), "2");
}

TEST_F(RecoveryTest, AGuardThatWasPutBackFromACopyGivesOutNoIdAgain) {
  Run(wal_->NextCallId(), kLogged);
  wal_.reset();
  std::map<std::string, std::string> copy;
  const std::vector<std::string> names = disk_.List("guard").value();
  for (const std::string& name : names) {
    copy[name] = disk_.ReadAll("guard/" + name).value();
  }
  Open();
  const hold::CallId later = wal_->NextCallId();
  Run(later, kCommitted);
  wal_.reset();
  ASSERT_TRUE(disk_.RemoveTree("guard"));
  ASSERT_TRUE(disk_.MakeDirs("guard"));
  for (const auto& [name, content] : copy) {
    ASSERT_TRUE(disk_.OpenAppend("guard/" + name).value()->Append(content));
  }
  Open();
  EXPECT_GT(wal_->NextCallId(), later);
  const hold::CallId next = wal_->NextCallId();
  Open();
  EXPECT_GT(wal_->NextCallId(), next) << "nor after the next start";
}

// An end says what the dispatch before it has cost, not what a later one of the same id will.
TEST_F(RecoveryTest, ACallIsSettledByTheEndOfItsOwnDispatchOnly) {
  const hold::CallId id(7);
  LogDispatch(id);
  log_->Add(EndOf(id), clock_.Now());
  ASSERT_TRUE(log_->WriteEnds());
  Run(id, kLogged);
  Open();
  EXPECT_EQ(Counted(), "5");
  EXPECT_EQ(Records().back().end.basis, metered::Basis::kBound);
}

// The hole that a power cut has left is told, and nothing stands still for it.
TEST_F(RecoveryTest, ACallWhoseEndIsInADamagedPlaceCountsAtItsBound) {
  Run(hold::CallId(1), kLogged);
  const std::string path = "calls/" + CallLogName(clock_.Now());
  const uint64_t from = disk_.Size(path).value();
  log_->Add(EndOf(hold::CallId(1)), clock_.Now());
  ASSERT_TRUE(log_->WriteEnds());
  const uint64_t to = disk_.Size(path).value();
  Run(hold::CallId(2), kCommitted);
  log_.reset();
  std::string bytes = disk_.ReadAll(path).value();
  std::fill(bytes.begin() + static_cast<int64_t>(from), bytes.begin() + static_cast<int64_t>(to),
            '\0');
  ASSERT_TRUE(os::AtomicWrite(disk_, path, bytes));
  for (int again = 0; again < 2; ++again) {
    Open();
    EXPECT_EQ(Logged(), "7");
    EXPECT_EQ(Counted(), "7");
  }
  Run(hold::CallId(3), kCommitted);
  EXPECT_EQ(Logged(), "9") << "what comes later stands behind it";
}

// A record that is whole and that nobody can read kept the gateway from starting, though damage
// does not.
TEST_F(RecoveryTest, ARecordThatCannotBeDecodedIsDamage) {
  Run(hold::CallId(1), kLogged);
  const std::string path = "calls/" + CallLogName(clock_.Now());
  log_.reset();
  for (const char* strange : {"{}", "not json", R"({"end":{"basis":"of next year"}})"}) {
    os::Journal journal =
        os::Journal::Open(disk_, path, [](uint64_t, std::string_view) { return Status(); }).value();
    ASSERT_TRUE(journal.Append(strange, true));
  }
  Open();
  EXPECT_TRUE(log_->is_damaged());
  EXPECT_EQ(Logged(), "5");
  EXPECT_EQ(Counted(), "5") << "its end may have been one of them";
  Open();
  EXPECT_EQ(Counted(), "5");
}

TEST_F(RecoveryTest, AStartReadsOnlyWhatCameSinceTheLast) {
  Run(hold::CallId(1), kCommitted);
  Run(hold::CallId(2), kLogged);
  Open();
  const std::string path = "calls/" + CallLogName(clock_.Now());
  const uint64_t before = disk_.Size(path).value();
  Open();
  EXPECT_EQ(disk_.Size(path).value(), before);
  // What was read once may be damaged since; nobody looks there.
  log_.reset();
  std::string bytes = disk_.ReadAll(path).value();
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  ASSERT_TRUE(os::AtomicWrite(disk_, path, bytes));
  Open();
  EXPECT_EQ(disk_.Size(path).value(), before) << "call 1 seems to have no end from here on";
  Run(hold::CallId(3), kLogged);
  Open();
  EXPECT_EQ(Counted(), "12");
  EXPECT_EQ(Records().back().end.id, 3u);
  EXPECT_EQ(Records().back().end.basis, metered::Basis::kBound);
}

// What a bill says of a call at its bound makes room in the budgets.
TEST_F(RecoveryTest, AVendorsBillSettlesACallThatCountedAtItsBound) {
  Run(hold::CallId(1), kLogged);
  Open();  // it counts at its bound
  EXPECT_EQ(Counted(), "5");
  reconcile::Evidence evidence;
  evidence.key = {"openai", FloorDay(clock_.Now()), "m", "USD"};
  evidence.corrections = {{1, clock_.Now(), Money::Parse("0.25").value(), {}},
                          {0, clock_.Now(), Money::Parse("9").value(), {}}};
  ASSERT_TRUE(reconcile::WriteEvidence(disk_, "calls", {evidence}));
  EXPECT_EQ(Evidenced(), 1);
  EXPECT_EQ(Evidenced(), 0);
  EXPECT_EQ(wal_->guard().StatusOf("all", Now())->totals.unknown, 0);
  EXPECT_EQ(Counted(), "0.25");
}

// A bill of sums does not say how many tokens a call was: they stay counted.
TEST_F(RecoveryTest, ABillWithoutTokensMakesNoRoomInABudgetOfTokens) {
  budget::Budget tokens;
  tokens.name = "tokens";
  tokens.measure = budget::Measure::kTokens;
  tokens.limit = 1000;
  ASSERT_TRUE(wal_->guard().SetBudget(tokens, Now()));
  ASSERT_TRUE(wal_->Commit());
  guard::Call call;
  call.id = hold::CallId(1);
  call.bound.fixed = kBound;
  call.bound.tokens_fixed = 900;
  call.deadline_us = Now().mono_us + 1'000'000;
  ASSERT_EQ(wal_->Admit(call, Now()).verdict, guard::Verdict::kAdmitted);
  ASSERT_TRUE(wal_->guard().Dispatched(call.id, Now()));
  ASSERT_TRUE(wal_->Commit());
  LogDispatch(call.id);
  Open();
  reconcile::Evidence evidence;
  evidence.key = {"openai", FloorDay(clock_.Now()), "m", "USD"};
  evidence.corrections = {{1, clock_.Now(), Money::Parse("0.25").value(), {}}};
  ASSERT_TRUE(reconcile::WriteEvidence(disk_, "calls", {evidence}));
  EXPECT_EQ(Evidenced(), 1);
  EXPECT_EQ(Counted(), "0.25");
  EXPECT_EQ(wal_->guard().StatusOf("tokens", Now())->settled, 900);
}

}  // namespace
}  // namespace flyball::gateway
