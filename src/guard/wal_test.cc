// What the journals promise, and what happens when the disk does not.
#include "guard/wal.h"

#include <gtest/gtest.h>

#include <thread>

#include "guard/test_files.h"
#include "guard/test_guard.h"
#include "os/sim_files.h"

namespace flyball::guard {
namespace {

using budget::ScopeKind;

class WalTest : public testing::Test {
 protected:
  void SetUp() override {
    Open();
    ASSERT_TRUE(guard().SetBudget(MakeBudget("b", "team=t", Usd("64")), now_));
    ASSERT_TRUE(wal_->Commit());
  }
  Result<std::unique_ptr<Wal>> TryOpen() {
    wal_.reset();
    return Wal::Open(files_, "g", boot_, TestOptions(true));
  }
  void Open() {
    Result<std::unique_ptr<Wal>> wal = TryOpen();
    ASSERT_TRUE(wal.has_value()) << wal.error().ToString();
    wal_ = std::move(*wal);
  }
  void CutPower() {
    wal_.reset();
    disk_.PowerCut();
    boot_ += "+";
    Open();
  }
  Guard& guard() { return wal_->guard(); }
  StatusRow Row() { return guard().StatusOf("b", now_).value(); }
  Admission Admit(uint64_t id, std::string_view amount = "1") {
    return wal_->Admit(
        {hold::CallId(id), team_, MakeBound("0", amount), "USD", now_.mono_us + 1'000'000}, now_);
  }
  bool Dispatch(uint64_t id) {
    return Admit(id).verdict == Verdict::kAdmitted && guard().Dispatched(hold::CallId(id), now_) &&
           wal_->Commit();
  }
  bool Settle(uint64_t id, std::string_view cost) {
    return guard().Settle(hold::CallId(id), MakeCost(cost), -1, now_).has_value() && wal_->Commit();
  }

  os::SimFiles disk_{os::SimFilesOptions{}};
  DyingFiles files_{disk_, 1};
  std::string boot_ = "boot";
  std::unique_ptr<Wal> wal_;
  Moment now_{kTestStart, 1'000'000};
  std::vector<hold::Attribute> team_ = {{ScopeKind::kTeam, "t"}};
};

TEST_F(WalTest, AProcessThatDiesLosesNothing) {
  ASSERT_TRUE(Dispatch(1));
  ASSERT_TRUE(Settle(1, "0.25"));
  ASSERT_TRUE(Dispatch(2));
  ASSERT_EQ(Admit(3).verdict, Verdict::kAdmitted);
  Open();
  EXPECT_FALSE(wal_->tail_was_lost());
  EXPECT_EQ(Row().totals.settled, Usd("0.25"));
  EXPECT_EQ(Row().totals.unknown, Usd("1")) << "it left, and nobody knows what it cost";
  EXPECT_EQ(Row().held, 0) << "it never left";
  ASSERT_TRUE(Settle(2, "0.5"));
  Open();
  EXPECT_EQ(Row().settled, Usd("0.75"));
}

TEST_F(WalTest, WhatABudgetOfCallsAloneHadOfTheLedgerIsGoneAtOnceAndStaysGone) {
  const auto say = [&](std::string_view name, std::string_view value, std::string_view money) {
    const ExternalSum sum{now_.wall, Usd(money), "USD"};
    ASSERT_TRUE(wal_->SetExternal(name, value, std::span(&sum, 1), 1, now_));
  };
  budget::Budget day = MakeBudget("b", "team=t", Usd("64"), "day");
  budget::Budget each = MakeBudget("each", "end_customer=*", Usd("64"), "day");
  ASSERT_TRUE(guard().SetBudget(day, now_));
  ASSERT_TRUE(guard().SetBudget(each, now_));
  say("b", "", "9");
  now_.wall.us += kMicrosPerDay;
  say("b", "", "7");
  say("each", "ann", "5");
  EXPECT_EQ(Row().max_overspend.amount, Usd("9")) << "so much came in one window";
  day.counts_ledger = each.counts_ledger = false;
  ASSERT_TRUE(guard().SetBudget(day, now_));
  ASSERT_TRUE(guard().SetBudget(each, now_));
  say("b", "", "3");
  say("each", "ann", "3");
  say("each", "bob", "3");
  ASSERT_TRUE(wal_->Commit());
  const std::string told = guard().Snapshot();
  for (int life = 0; life < 3; ++life) {  // from memory, from the journal, from a snapshot
    EXPECT_EQ(Row().totals.external, 0);
    EXPECT_EQ(Row().max_overspend.amount, 0) << "no charge of the ledger can break it any more";
    EXPECT_TRUE(Row().max_overspend.bounded);
    for (const StatusRow& row : guard().Statuses(now_)) {
      EXPECT_EQ(row.totals.external, 0) << row.scope;
      EXPECT_NE(row.scope, "end_customer=bob") << "nothing was said of him";
    }
    EXPECT_EQ(guard().Snapshot(), told);
    EXPECT_EQ(guard().Audit(), "");
    Open();
  }
}

// An older version kept them.
TEST_F(WalTest, WhatASnapshotHasOfTheLedgerInABudgetOfCallsAloneIsGoneOnceItIsOpened) {
  const ExternalSum sum{now_.wall, Usd("9"), "USD"};
  ASSERT_TRUE(wal_->SetExternal("b", "", std::span(&sum, 1), 1, now_));
  std::string records = guard().Snapshot();
  Write(GatewayOnlyRecord{0}, &records);
  Guard opened(TestOptions(true));
  ASSERT_TRUE(opened.Replay(records));
  opened.FinishRecovery(false);
  EXPECT_EQ(opened.StatusOf("b", now_)->totals.external, 0);
  EXPECT_EQ(opened.StatusOf("b", now_)->max_overspend.amount, 0);
  EXPECT_EQ(opened.Audit(), "");
}

TEST_F(WalTest, AfterAPowerCutTheWholeLeaseCounts) {
  for (uint64_t id = 1; id <= 10; ++id) {
    ASSERT_TRUE(Dispatch(id));
    ASSERT_TRUE(Settle(id, "1"));
  }
  CutPower();
  EXPECT_TRUE(wal_->tail_was_lost());
  StatusRow row = Row();
  EXPECT_GE(row.settled, Usd("10"));
  EXPECT_LE(row.settled, Usd("12")) << "a lease is a 64th of the limit at a time";
  Amount lost = row.totals.lost;
  ASSERT_GT(lost, 0);
  Instant start = guard().books().at(0).current.start;
  EXPECT_FALSE(guard().ResolveLost("b", start, lost + 1, now_));
  ASSERT_TRUE(guard().ResolveLost("b", start, lost - 5, now_));
  ASSERT_TRUE(wal_->Commit());
  EXPECT_EQ(Row().settled, row.settled - 5);
  Open();
  EXPECT_EQ(Row().settled, row.settled - 5);
  EXPECT_FALSE(guard().ResolveLost("b", start, 0, now_)) << "nothing is lost any more";
  CutPower();
  EXPECT_EQ(Row().settled, row.settled - 5) << "nor comes it back";
}

TEST_F(WalTest, NoCallWaitsForTheDiskInsideALease) {
  uint64_t before = files_.operations();
  for (uint64_t id = 1; id <= 200; ++id) {
    ASSERT_TRUE(Dispatch(id));
    ASSERT_TRUE(Settle(id, "0.01"));
  }
  // Two appends a call, and an append and a sync for each of the few leases.
  EXPECT_LE(files_.operations() - before, 400u + 12u);
}

TEST_F(WalTest, AFailedSyncStopsAdmissionUntilItIsOpenedAgain) {
  ASSERT_TRUE(Dispatch(1));
  disk_.SetFailuresPerMillion(1'000'000);
  Admission refused = Admit(2, "5");
  EXPECT_EQ(refused.reason, Reason::kStopped);
  disk_.SetFailuresPerMillion(0);
  EXPECT_EQ(Admit(3, "0.1").reason, Reason::kStopped);
  (void)wal_->Commit();
  Open();
  EXPECT_EQ(Admit(4, "5").verdict, Verdict::kAdmitted);
  EXPECT_EQ(Row().totals.unknown, Usd("1")) << "the first call is still known";
}

TEST_F(WalTest, AFullDiskStopsAdmissionUntilThereIsRoom) {
  ASSERT_TRUE(Dispatch(1));
  ASSERT_TRUE(Dispatch(2));
  disk_.SetCapacityBytes(1);
  EXPECT_FALSE(Settle(1, "0.5"));
  EXPECT_TRUE(guard().stopped());
  EXPECT_EQ(Admit(3).reason, Reason::kStopped);
  EXPECT_FALSE(wal_->Tick(now_).has_value());
  disk_.SetCapacityBytes(1 << 30);
  ASSERT_TRUE(wal_->Tick(now_));
  EXPECT_EQ(Admit(3).verdict, Verdict::kAdmitted);
  Open();
  EXPECT_EQ(Row().totals.settled, Usd("0.5")) << "what could not be written then was written later";
}

TEST_F(WalTest, WhatTheLedgerSaidIsThereAfterAPowerCutAndAfterAnEditOfTheWindow) {
  budget::Budget daily = MakeBudget("b", "team=t", Usd("64"));
  daily.window = budget::ParseWindow("day").value();
  ASSERT_TRUE(guard().SetBudget(daily, now_));
  const auto say = [&](std::string_view money) {
    const ExternalSum sum{now_.wall, Usd(money), "USD"};
    return wal_->SetExternal("b", "", std::span(&sum, 1), 1, now_);
  };
  ASSERT_TRUE(say("40"));
  now_.wall.us += kMicrosPerDay;
  ASSERT_TRUE(say("10"));
  CutPower();
  EXPECT_EQ(Row().totals.external, Usd("10"));
  daily.window = budget::ParseWindow("rolling 7 days").value();
  ASSERT_TRUE(guard().SetBudget(daily, now_));
  ASSERT_TRUE(wal_->Commit());
  EXPECT_EQ(Row().totals.external, Usd("50"));
  Open();
  EXPECT_EQ(Row().totals.external, Usd("50"));
  EXPECT_EQ(guard().Audit(), "");
}

TEST_F(WalTest, AFaultIsThereAfterAPowerCut) {
  ASSERT_TRUE(Dispatch(1));
  ASSERT_TRUE(Settle(1, "40"));
  CutPower();
  EXPECT_GE(Row().settled, Usd("40"));
  EXPECT_TRUE(Row().frozen);
  EXPECT_EQ(guard().faults(), 1u);
}

// A process that died between its two journals had settled the call and not what was beyond its
// bound: nobody counted that any more, and the budget was not frozen.
TEST_F(WalTest, AFaultIsCountedOnceWhereverTheProcessDies) {
  for (uint64_t after = 0; after < 4; ++after) {
    for (const uint64_t bytes : {uint64_t{0}, uint64_t{1000}}) {
      ASSERT_TRUE(guard().SetFrozen("b", false, now_));
      const uint64_t id = 100 + 2 * after + (bytes > 0 ? 1 : 0);
      const StatusRow before = Row();
      ASSERT_TRUE(Dispatch(id));
      files_.DieAfter(after, bytes);
      (void)Settle(id, "3");
      wal_.reset();
      files_.Revive();
      Open();
      if (guard().calls().Find(hold::CallId(id)) != kNoIndex) {
        ASSERT_TRUE(Settle(id, "3"));  // as the log of calls has it
      }
      EXPECT_EQ(Row().totals.excess - before.totals.excess, Usd("2")) << after << ", " << bytes;
      EXPECT_EQ(Row().totals.settled - before.totals.settled, Usd("1"));
      EXPECT_EQ(Row().faults - before.faults, 1u);
      EXPECT_TRUE(Row().frozen) << after << ", " << bytes;
      EXPECT_EQ(guard().Audit(), "");
    }
  }
}

// The fault is on the disk, and that its call was settled is not: told again, it was counted twice.
TEST_F(WalTest, AFaultIsCountedOnceWhateverAPowerCutTakes) {
  int found = 0;
  constexpr int kCuts = 20;
  for (int cut = 0; cut < kCuts; ++cut) {
    ASSERT_TRUE(guard().SetFrozen("b", false, now_));
    const Amount before = Row().totals.excess;
    const auto id = static_cast<uint64_t>(100 + cut);
    ASSERT_TRUE(Dispatch(id));
    ASSERT_TRUE(Settle(id, "1.5"));
    CutPower();
    if (guard().Settle(hold::CallId(id), MakeCost("1.5"), -1, now_)) ++found;
    ASSERT_TRUE(wal_->Commit());
    EXPECT_EQ(Row().totals.excess - before, Usd("0.5"));
    EXPECT_TRUE(Row().frozen);
  }
  EXPECT_LT(found, kCuts);
}

TEST_F(WalTest, TheJournalDoesNotGrowForEver) {
  ASSERT_TRUE(Dispatch(1));
  ASSERT_TRUE(Dispatch(2));
  ASSERT_TRUE(Settle(2, "0.5"));
  ASSERT_EQ(Admit(3).verdict, Verdict::kAdmitted);
  uint64_t epoch = wal_->epoch();
  ASSERT_TRUE(wal_->Rotate(now_));
  EXPECT_EQ(wal_->epoch(), epoch + 1);
  EXPECT_EQ(disk_.List("g").value().size(), 3u) << "a snapshot and two journals";
  EXPECT_LT(wal_->calls_bytes(), 20u);
  ASSERT_TRUE(Settle(1, "0.25"));
  ASSERT_TRUE(guard().Dispatched(hold::CallId(3), now_));
  ASSERT_TRUE(wal_->Commit());
  Open();
  EXPECT_EQ(Row().totals.settled, Usd("0.75"));
  EXPECT_EQ(Row().totals.unknown, Usd("1"));
}

TEST_F(WalTest, ARotationOnAFullDiskIsTriedAgain) {
  ASSERT_TRUE(Dispatch(1));
  ASSERT_EQ(Admit(2).verdict, Verdict::kAdmitted);
  disk_.SetCapacityBytes(1);
  EXPECT_FALSE(wal_->Rotate(now_));
  EXPECT_EQ(Admit(3).reason, Reason::kStopped);
  EXPECT_FALSE(Settle(1, "0.25")) << "nothing is written to the journals of before";
  EXPECT_FALSE(guard().SetBudget(MakeBudget("c", "team=c", Usd("1")), now_) && wal_->Commit());
  EXPECT_FALSE(wal_->Tick(now_));
  now_.mono_us += kMicrosPerSecond;
  EXPECT_FALSE(wal_->Tick(now_));
  disk_.SetCapacityBytes(1 << 30);
  now_.mono_us += kMicrosPerSecond;
  ASSERT_TRUE(wal_->Tick(now_));
  EXPECT_EQ(disk_.List("g").value().size(), 3u);
  ASSERT_TRUE(Dispatch(3));
  CutPower();
  EXPECT_GE(Row().settled, Usd("1.25"));
  EXPECT_EQ(Row().totals.unknown, Usd("1"));
  EXPECT_TRUE(guard().StatusOf("c", now_).has_value()) << "the snapshot had it";
}

// From some operation of a rotation on the disk fails, for a while or until the power goes.
TEST_F(WalTest, ARotationThatFailsAnywhereLosesNothing) {
  ASSERT_TRUE(guard().SetBudget(MakeBudget("b", "team=t", Usd("64000")), now_));
  ASSERT_TRUE(wal_->Commit());
  uint64_t id = 0;
  for (uint64_t operation = 0; operation < 24; ++operation) {
    for (const bool cut : {false, true}) {
      SCOPED_TRACE(operation);
      const Amount before = Row().settled;
      const uint64_t first = ++id;
      ASSERT_TRUE(Dispatch(first));
      files_.DieAfter(operation);
      const bool rotated = wal_->Rotate(now_).has_value();
      if (!rotated) {
        EXPECT_EQ(Admit(++id).reason, Reason::kStopped);
      }
      files_.Revive();
      if (cut) {
        CutPower();
      } else {
        now_.mono_us += kMicrosPerSecond;
        ASSERT_TRUE(wal_->Tick(now_));
      }
      // After a power cut the call may be known by its lease only.
      ASSERT_TRUE(Settle(first, "0.001") || cut);
      if (operation % 3 == 0) CutPower();
      Open();
      EXPECT_GE(Row().settled, before + Usd("0.001"));
      EXPECT_EQ(guard().Audit(), "");
    }
  }
}

// The journals have room and the snapshot has none: attempts leave nothing behind.
TEST_F(WalTest, RotationsThatAreTriedForLongLeaveNothingBehind) {
  uint64_t used = 0;
  const std::vector<std::string> names = disk_.List("g").value();
  for (const std::string& name : names) {
    used += disk_.Size("g/" + name).value();
  }
  disk_.SetCapacityBytes(used + 40);
  EXPECT_FALSE(wal_->Rotate(now_));
  for (int i = 0; i < 20; ++i) {
    now_.mono_us += kMicrosPerSecond;
    EXPECT_FALSE(wal_->Tick(now_));
  }
  EXPECT_LE(disk_.List("g").value().size(), 5u);
}

// The new snapshot stands, but nobody was told; and the power goes while it is tried again.
TEST_F(WalTest, APowerCutWhileARotationIsTriedAgainLosesNothing) {
  ASSERT_TRUE(guard().SetBudget(MakeBudget("b", "team=t", Usd("64"), "minute"), now_));
  ASSERT_TRUE(wal_->Commit());
  uint64_t id = 0;
  for (uint64_t failing = 8; failing < 20; ++failing) {
    for (uint64_t cut = 0; cut < 16; ++cut) {
      SCOPED_TRACE(std::to_string(failing) + " " + std::to_string(cut));
      now_.wall.us += 60 * kMicrosPerSecond;
      ASSERT_TRUE(Dispatch(++id));
      const Amount before = Row().settled + Row().held;
      files_.DieAfter(failing, 1);  // an operation that is done and says that it was not
      (void)wal_->Rotate(now_);
      files_.Revive();
      now_.mono_us += kMicrosPerSecond;
      disk_.CutPowerAfter(cut);
      (void)wal_->Tick(now_);
      CutPower();
      ASSERT_TRUE(wal_ != nullptr);
      ASSERT_GE(Row().settled, before);
    }
  }
}

TEST_F(WalTest, DamageInTheJournalOfCallsIsCoveredByLeases) {
  ASSERT_TRUE(Dispatch(1));
  const uint64_t end = wal_->calls_bytes();
  ASSERT_TRUE(Dispatch(2));
  ASSERT_TRUE(Settle(1, "0.25"));
  const std::string path = "g/calls-" + std::to_string(wal_->epoch());
  wal_.reset();
  std::string bytes = disk_.ReadAll(path).value();
  bytes[end + 12] = static_cast<char>(bytes[end + 12] ^ 1);
  ASSERT_TRUE(os::AtomicWrite(disk_, path, bytes));
  Open();
  EXPECT_TRUE(wal_->tail_was_lost());
  EXPECT_EQ(Row().totals.unknown, Usd("1")) << "what stands before the damage is read";
  EXPECT_GE(Row().settled, Usd("1.25"));
}

TEST_F(WalTest, WhatIsMissingOrDamagedIsDataLoss) {
  ASSERT_TRUE(Dispatch(1));
  std::string control = "g/control-" + std::to_string(wal_->epoch());
  std::string calls = "g/calls-" + std::to_string(wal_->epoch());
  wal_.reset();
  auto change = [&](const std::string& path, std::string_view content) {
    auto file = disk_.OpenAppend(path).value();
    ASSERT_TRUE(file->Truncate(0));
    ASSERT_TRUE(file->Append(content));
  };
  std::string snapshot = disk_.ReadAll("g/guard.snapshot").value();
  std::string broken = snapshot;
  broken.back() = static_cast<char>(broken.back() ^ 1);
  change("g/guard.snapshot", broken);
  EXPECT_EQ(TryOpen().error().code, Code::kDataLoss);
  ASSERT_TRUE(disk_.Remove("g/guard.snapshot"));
  EXPECT_EQ(TryOpen().error().code, Code::kDataLoss) << "journals without a snapshot";
  change("g/guard.snapshot", snapshot);
  std::string bytes = disk_.ReadAll(control).value();
  change(control, "nonsense");
  EXPECT_EQ(TryOpen().error().code, Code::kDataLoss);
  change(control, bytes);
  // The calls that can't be read are covered by their leases.
  change(calls, "nonsense");
  Open();
  EXPECT_TRUE(wal_->tail_was_lost());
  EXPECT_GE(Row().settled, Usd("1"));
}

TEST_F(WalTest, ASnapshotThatIsGoneIsNoFreshStart) {
  ASSERT_TRUE(Dispatch(1));
  Open();  // the journals of this epoch are empty, and the snapshot knows the call
  wal_.reset();
  ASSERT_TRUE(disk_.Remove("g/guard.snapshot"));
  EXPECT_EQ(TryOpen().error().code, Code::kDataLoss);
}

TEST_F(WalTest, CallIdsAreNeverUsedTwice) {
  hold::CallId first = wal_->NextCallId();
  EXPECT_NE(wal_->NextCallId(), first);
  Open();
  EXPECT_GT(wal_->NextCallId(), first);
}

TEST_F(WalTest, LeasesAreSyncedBesideALoopThatGoesOn) {
  wal_.reset();
  Options options = TestOptions(true);
  options.syncs_elsewhere = true;
  wal_ = std::move(*Wal::Open(disk_, "g", boot_, options));
  std::thread syncing;
  int waited = 0;
  int went_on = 0;
  for (uint64_t id = 1; id <= 600; ++id) {
    Call call{hold::CallId(id), team_, MakeBound("0", "0.1"), "USD", now_.mono_us + 1'000'000};
    Admission answer = guard().Admit(call, now_);
    if (wal_->StartSync()) {
      syncing = std::thread([this] { EXPECT_TRUE(wal_->RunSync()); });
    }
    if (answer.verdict == Verdict::kWait) {
      ++waited;
      syncing.join();
      ASSERT_TRUE(wal_->FinishSync({}));
      answer = guard().Admit(call, now_);
    }
    ASSERT_EQ(answer.verdict, Verdict::kAdmitted);
    ASSERT_TRUE(guard().Dispatched(call.id, now_));
    ASSERT_TRUE(guard().Settle(call.id, MakeCost("0.1"), -1, now_).has_value());
    ASSERT_TRUE(wal_->CommitCalls());
    went_on += wal_->syncing() ? 1 : 0;
    if (id % 3 == 0 && wal_->syncing()) {
      syncing.join();
      ASSERT_TRUE(wal_->FinishSync({}));
    }
  }
  if (syncing.joinable()) syncing.join();
  if (wal_->syncing()) {
    ASSERT_TRUE(wal_->FinishSync({}));
  }
  EXPECT_EQ(waited, 1) << "the first call alone: later leases were asked for ahead";
  EXPECT_GT(went_on, 30);
  EXPECT_EQ(Row().settled, Usd("60"));
  CutPower();
  EXPECT_GE(Row().settled, Usd("60"));
  EXPECT_LE(Row().settled, Usd("64"));
}

TEST_F(WalTest, WithoutABootIdEveryStartIsOneAfterAPowerCut) {
  boot_ = "";
  Open();
  EXPECT_TRUE(wal_->tail_was_lost());
}

TEST_F(WalTest, RollingWindowsStayUnderTheLimitThroughPowerCuts) {
  ASSERT_TRUE(guard().SetBudget(MakeBudget("b", "team=t", Usd("8"), "rolling hour"), now_));
  ASSERT_TRUE(wal_->Commit());
  uint64_t id = 0;
  for (int minute = 0; minute < 30; ++minute) {
    now_.wall.us += 60 * kMicrosPerSecond;
    if (Dispatch(++id)) {
      ASSERT_TRUE(Settle(id, minute % 3 == 0 ? "1" : "0.1"));
    }
    if (minute % 10 == 9) CutPower();
    EXPECT_LE(Row().totals.own(), Usd("8"));
    EXPECT_EQ(guard().Audit(), "");
  }
}

TEST_F(WalTest, WindowEditsSurviveWithTheCallsOfBefore) {
  ASSERT_TRUE(Dispatch(1));
  ASSERT_TRUE(Settle(1, "0.5"));
  ASSERT_TRUE(Dispatch(2));
  ASSERT_TRUE(guard().SetBudget(MakeBudget("b", "team=t", Usd("64"), "year"), now_));
  ASSERT_TRUE(wal_->Commit());
  ASSERT_TRUE(Dispatch(3));
  Open();
  EXPECT_EQ(Row().window, "year");
  EXPECT_EQ(Row().settled, Usd("2.5"));
  ASSERT_TRUE(Settle(2, "0.25"));
  EXPECT_EQ(Row().settled, Usd("1.75"));
}

}  // namespace
}  // namespace flyball::guard
