// World: the guard in a simulated world: clients, vendors that honour bounds and vendors that do
// not, clocks that jump, edits, processes that die in the middle of a write, power cuts, failing
// disks. After every step the vendors' invoices are compared with what the guard counts.
#pragma once

#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "guard/rates.h"
#include "guard/test_files.h"
#include "guard/test_guard.h"
#include "guard/test_life.h"
#include "guard/wal.h"
#include "guard/window.h"
#include "os/sim_files.h"

namespace flyball::guard {

using budget::ScopeKind;

inline constexpr char kFolder[] = "guard";
inline constexpr int kSteps = 250;
inline constexpr size_t kUnfinishedMax = 24;

class World {
 public:
  World(uint64_t seed, Faults faults, bool tells)
      : random_(seed * 2 + 1),
        faults_(std::move(faults)),
        tells_(tells),
        disk_(os::SimFilesOptions{seed, 0, std::numeric_limits<uint64_t>::max()}),
        files_(disk_, seed + 7) {
    files_.LieAbout(faults_.lie_about);
    climate_ = {random_.Chance(1, 2), random_.Chance(1, 2), random_.Chance(1, 2),
                random_.Chance(2, 3), random_.Chance(1, 2), random_.Chance(1, 4),
                random_.Chance(1, 2)};
    specs_ = AnyBudgets(random_);
    edited_.resize(specs_.size());
    names_before_.resize(specs_.size());
    set_.resize(specs_.size());
  }

  const Tally& tally() const { return tally_; }

  // What went wrong, or "".
  std::string Live() {
    Open();
    for (int step = 0; step < kSteps && wrong_.empty(); ++step) {
      Step();
      Recover();
      if (wrong_.empty()) Check();
    }
    if (wrong_.empty()) Settle();
    return wrong_;
  }

 private:
  void Fail(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
  }
  void Tell(const std::string& what) {
    if (tells_) std::fprintf(stderr, "%s\n", what.c_str());
  }
  Guard& guard() { return wal_->guard(); }

  // --- budgets

  void SetSpec(size_t i) {
    if (!guard().SetBudget(specs_[i], now_).has_value()) return Fail("a budget was refused");
    // What was not written may be found after a crash, or not; the world then asks.
    set_[i] = Commit();
  }

  void EditBudget() {
    size_t i = random_.Below(specs_.size());
    if (!set_[i]) return;
    budget::Budget& spec = specs_[i];
    edited_[i] = true;
    ++tally_.edits;
    switch (random_.Below(9)) {
      case 0:
      case 1:
        spec.limit = spec.limit * random_.Between(1, 20) / 10;
        break;
      case 2: {
        std::string zone = spec.window.zone;
        spec.window = budget::ParseWindow(AnyWindow(random_), zone).value();
        EditWindow(i);
        break;
      }
      case 3:
        (void)guard().SetFrozen(spec.name, random_.Chance(1, 2), now_);
        (void)Commit();
        return;
      case 4:
        spec.mode = random_.Chance(1, 2) ? budget::Mode::kQuantile : budget::Mode::kStrict;
        break;
      case 5:
        spec.hard = !spec.hard;
        break;
      case 6:
        spec.counts_ledger = !spec.counts_ledger;
        break;
      case 7:
        names_before_[i] = spec.name;
        if (spec.name.ends_with('\'')) {
          spec.name.pop_back();
        } else {
          spec.name += '\'';
        }
        if (!guard().RenameBudget(names_before_[i], spec.name, now_)) Fail("a name was refused");
        break;
      default:
        (void)guard().RemoveBudget(spec.name, now_);
        break;
    }
    Tell("edit " + spec.name + " to " + budget::FormatAmount(spec.measure, spec.limit) + " a " +
         budget::FormatWindow(spec.window));
    SetSpec(i);
  }

  // The windows that the new one reaches back to are one window with it from now on.
  void EditWindow(size_t i) {
    const budget::Window& window = specs_[i].window;
    std::map<std::string, Instant> floors;
    for (uint32_t id = 0; id < guard().books().size(); ++id) {
      const Account& account = guard().books().at(id);
      if (account.in_use && account.spec.name == specs_[i].name) {
        if (account.spec.window == window) return;  // no edit at all
        floors[account.spec.scope.value] = account.floor;
      }
    }
    for (SimCall& call : calls_) {
      for (SimLeg& leg : call.legs) {
        if (leg.spec != i) continue;
        leg.unedited = leg;
        if (leg.generation == kNoIndex) continue;
        const Zone& zone = *FindTestZone(window.zone);
        std::string value = specs_[i].scope.is_each() ? leg.value : specs_[i].scope.value;
        if (!floors.contains(value)) continue;
        Period now = WindowAt(window, zone, std::max(now_.wall, floors[value]));
        int64_t length_us = CountedUntil(window, now).us - now.end.us;
        ++leg.generation;  // those out of reach are found by their old one
        if (leg.period.end.us > now.start.us - length_us) {
          leg.period = now;
          leg.counted_until = CountedUntil(window, now);
        } else {
          leg.generation = kNoIndex;
        }
      }
    }
  }

  // An edit that was not written: after a restart the window is as it was, and is edited again.
  void EditAgain(size_t i) {
    bool known = false;
    for (uint32_t id = 0; id < guard().books().size(); ++id) {
      const Account& account = guard().books().at(id);
      if (!account.in_use || account.spec.name != specs_[i].name) continue;
      if (account.spec.window == specs_[i].window) return;
      known = true;
    }
    if (!known) return;
    for (SimCall& call : calls_) {
      for (SimLeg& leg : call.legs) {
        if (leg.spec == i) static_cast<SimWindow&>(leg) = leg.unedited;
      }
    }
    EditWindow(i);
  }

  // --- the process

  std::string BootId() const { return "boot " + std::to_string(boot_); }

  void Open() {
    Options options = TestOptions(true);
    options.lease_parts = static_cast<int>(random_.Between(1, 40));
    options.quantile_samples_min = 2;
    options.syncs_elsewhere = climate_.syncs_elsewhere;
    options.mutation_for_tests = faults_.mutation;
    for (int attempt = 0; wal_ == nullptr; ++attempt) {
      if (attempt == 20) return Fail("the guard can't be opened");
      Result<std::unique_ptr<Wal>> wal = Wal::Open(files_, kFolder, BootId(), options);
      if (wal) {
        wal_ = std::move(*wal);
        break;
      }
      Tell("open: " + wal.error().ToString());
      if (wal.error().code == Code::kDataLoss) return Fail("open: " + wal.error().ToString());
      disk_.SetFailuresPerMillion(0);
      if (attempt > 2) LosePower();
      if (files_.dead()) files_.Revive();
    }
    disk_.SetFailuresPerMillion(climate_.bad_disk ? 3000 : 0);
    if (wal_->tail_was_lost()) exact_ = false;
    AskWhatWasWritten();
    (void)guard().SetRate("CHF", "USD", chf_);
    for (size_t i = 0; i < specs_.size(); ++i) {
      if (set_[i]) continue;
      // A name that was not written is given again.
      (void)guard().RenameBudget(names_before_[i], specs_[i].name, now_);
      EditAgain(i);
      SetSpec(i);
      if (wal_ == nullptr) return;
    }
    SendExternals();
  }

  // What was told when a commit failed may be found all the same.
  void AskWhatWasWritten() {
    for (SimCall& call : calls_) {
      bool known = guard().calls().Find(call.id) != kNoIndex;
      if (call.dispatch_failed && known) call.phase = Phase::kUnknown;
      if (call.phase != Phase::kFinal || call.known) continue;
      call.known = !known;
      if (call.known) {
        call.told = std::min(call.cost, call.granted);
        call.told_tokens = std::min(call.cost_tokens, call.granted_tokens);
      } else {
        call.phase = Phase::kUnknown;
      }
    }
  }

  void Close(const char* why) {
    Tell(why);
    wal_.reset();
    files_.Revive();
    for (SimCall& call : calls_) {
      call.telling = false;
      if (call.phase == Phase::kHeld) call.phase = Phase::kNeverLeft;
      if (call.phase == Phase::kLeft) call.phase = Phase::kUnknown;
    }
  }

  void LosePower() {
    disk_.PowerCut();
    ++tally_.cuts;
    ++boot_;
    cut_armed_ = false;
    exact_ = false;
  }
  void CutPower() {
    Close("power cut");
    LosePower();
    Open();
  }

  // What has to follow when something failed in the step.
  void Recover() {
    if (!wrong_.empty()) return;
    if (cut_armed_ && failed_) {
      CutPower();
    } else if (files_.dead()) {
      ++tally_.deaths;
      Close("the process died");
      Open();
    } else if (failed_ && random_.Chance(1, 4)) {
      Close("restart");
      Open();
    }
    failed_ = false;
  }

  // The thread that syncs comes to its end.
  void FinishSync() {
    if (!wal_->syncing()) return;
    if (!wal_->FinishSync(wal_->RunSync())) failed_ = true;
  }

  bool Commit() {
    FinishSync();
    if (wal_->Commit()) {
      for (SimCall& call : calls_) {
        if (!call.telling) continue;
        call.told = call.cost;
        call.told_tokens = call.cost_tokens;
        call.telling = false;
        call.known = true;
      }
      return true;
    }
    Tell("a commit failed");
    failed_ = true;
    return false;
  }

  // Opening twice finds the same.
  void CheckIdempotent() {
    Close("restart, twice");
    Open();
    if (!wrong_.empty() || failed_) return;
    (void)guard().Statuses(now_);  // lets go of windows that are over
    std::string first = guard().Snapshot();
    Close("again");
    Open();
    if (!wrong_.empty() || failed_) return;
    (void)guard().Statuses(now_);
    if (guard().Snapshot() != first) Fail("a second recovery finds something else");
  }

  // --- calls

  std::vector<hold::Attribute> Attributes() {
    static constexpr std::string_view kTeams[] = {"t0", "t1"};
    static constexpr std::string_view kKeys[] = {"k0", "k1"};
    static constexpr std::string_view kModels[] = {"m0", "m1"};
    static constexpr std::string_view kCustomers[] = {"ann", "bob", "cy"};
    std::vector<hold::Attribute> attributes = {{ScopeKind::kTeam, kTeams[random_.Below(2)]},
                                               {ScopeKind::kKey, kKeys[random_.Below(2)]},
                                               {ScopeKind::kModel, kModels[random_.Below(2)]}};
    if (random_.Chance(1, 2)) {
      attributes.push_back({ScopeKind::kEndCustomer, kCustomers[random_.Below(3)]});
    }
    for (uint64_t i = random_.Below(3); i > 0; --i) {
      attributes.push_back({ScopeKind::kTag, "env=prod"});
    }
    return attributes;
  }

  // Budgets that the attributes fall under: the value of a "*" budget, by spec.
  std::map<size_t, std::string> Matching(const std::vector<hold::Attribute>& attributes) const {
    std::map<size_t, std::string> found;
    for (size_t i = 0; i < specs_.size(); ++i) {
      const budget::Scope& scope = specs_[i].scope;
      if (scope.kind == ScopeKind::kOrganisation) found[i] = "";
      for (const hold::Attribute& attribute : attributes) {
        if (attribute.kind != scope.kind) continue;
        if (scope.is_each() || attribute.value == scope.value) found[i] = attribute.value;
      }
    }
    return found;
  }

  const Account* AccountOf(size_t spec, const std::string& value) {
    for (uint32_t id = 0; id < guard().books().size(); ++id) {
      const Account& account = guard().books().at(id);
      if (account.in_use && account.spec.name == specs_[spec].name &&
          account.spec.scope.value ==
              (specs_[spec].scope.is_each() ? value : specs_[spec].scope.value)) {
        return &account;
      }
    }
    return nullptr;
  }

  void Admit() {
    if (Unfinished() >= kUnfinishedMax) return;
    SimCall call;
    call.id = hold::CallId(++last_call_);
    call.hostile = climate_.hostile && random_.Chance(1, 5);
    call.deadline_us = now_.mono_us + random_.Between(1, 300) * kMicrosPerSecond;
    std::vector<hold::Attribute> attributes = Attributes();
    hold::Bound bound;
    bound.fixed = Money::FromUnits(random_.Between(0, 500'000'000'000));
    bound.output = Money::FromUnits(random_.Between(0, 2'000'000'000'000));
    bound.tokens_fixed = random_.Between(0, 300);
    bound.tokens_output = random_.Chance(1, 2) ? 1000 : random_.Between(1, 1000);
    std::string_view currency = random_.Chance(1, 6) ? "CHF" : "USD";
    Call asked{call.id, attributes, bound, currency, call.deadline_us};
    bool waits = climate_.syncs_elsewhere && random_.Chance(3, 4);
    if (!waits) FinishSync();
    Admission answer = waits ? guard().Admit(asked, now_) : wal_->Admit(asked, now_);
    if (answer.verdict == Verdict::kWait) {
      if (wal_->StartSync()) return;
      FinishSync();
      answer = wal_->Admit(asked, now_);
    }
    if (answer.verdict != Verdict::kAdmitted) {
      failed_ |= answer.reason == Reason::kStopped;
      tally_.refused += answer.reason == Reason::kOverLimit ? 1 : 0;
      return;
    }
    call.granted = bound.fixed.units() + bound.output.units();
    call.granted_tokens = Amount{bound.tokens_fixed} + bound.tokens_output;
    for (const auto& [spec, value] : Matching(attributes)) {
      exact_ = exact_ && set_[spec];  // what it may count is not looked at
      if (!set_[spec]) continue;
      const Account* account = AccountOf(spec, value);
      if (account == nullptr) return Fail("no account for " + specs_[spec].name);
      if (account->spec.frozen) Fail("admitted under the frozen " + specs_[spec].name);
      bool other = currency == "CHF" && specs_[spec].measure == budget::Measure::kMoney;
      SimLeg leg;
      leg.spec = spec;
      leg.value = value;
      leg.generation = account->generation;
      leg.period = account->current;
      leg.rate = other ? ChfRate() : 0;
      leg.bound = In(leg, IsTokens(spec), call.granted, call.granted_tokens);
      leg.counted_until = CountedUntil(account->spec.window, leg.period);
      if (!leg.period.Contains(std::max(now_.wall, account->floor)))
        Fail("held in no window of now");
      call.legs.push_back(leg);
    }
    Tell("admit " + std::to_string(call.id.value()) + " " +
         FormatDecimal(call.granted, Money::scale()));
    calls_.push_back(call);
    ++tally_.admitted;
    for (const SimLeg& leg : calls_.back().legs) {
      tally_.gaps += AccountOf(leg.spec, leg.value)->now.gap > 0 ? 1 : 0;
    }
    CheckLimits(calls_.back());
    if (random_.Chance(4, 5)) Dispatch(&calls_.back());
  }
  int64_t ChfRate() const { return static_cast<int64_t>(chf_.units() / 1000); }

  void Dispatch(SimCall* call) {
    if (!guard().Dispatched(call->id, now_)) return Fail("a held call can't be dispatched");
    bool written = climate_.syncs_elsewhere ? wal_->CommitCalls().has_value() : Commit();
    failed_ |= !written;
    if (written) {
      call->phase = Phase::kLeft;
    } else if (!files_.dead() && !cut_armed_) {
      // It may not leave.
      (void)guard().Release(call->id, now_);
      call->phase = Phase::kNeverLeft;
      call->dispatch_failed = true;
    } else {
      call->phase = Phase::kFinal;  // it cost nothing, but its record may be found
    }
  }

  size_t Unfinished() const {
    size_t count = 0;
    for (const SimCall& call : calls_) {
      count += call.phase == Phase::kHeld || call.phase == Phase::kLeft ? 1 : 0;
    }
    return count;
  }
  SimCall* Pick(Phase phase) {
    std::vector<SimCall*> found;
    for (SimCall& call : calls_) {
      if (call.phase == phase) found.push_back(&call);
    }
    return found.empty() ? nullptr : found[random_.Below(found.size())];
  }

  void Grow(SimCall* call) {
    Amount more = random_.Between(1, 500'000'000'000);
    int64_t tokens = random_.Between(1, 200);
    hold::Bound bound;
    bound.output = Money::FromUnits(more);
    bound.tokens_output = tokens;
    Growth growth = random_.Chance(1, 3) ? Growth::kHold : Growth::kBound;
    FinishSync();
    if (wal_->Grow(call->id, bound, growth, now_).verdict != Verdict::kAdmitted) return;
    if (!Commit() || growth == Growth::kHold) return;
    call->granted += more;
    call->granted_tokens += tokens;
    for (SimLeg& leg : call->legs) leg.bound += In(leg, IsTokens(leg.spec), more, tokens);
    CheckLimits(*call);
  }

  // The vendor works, and writes it on the invoice: also after a timeout or a disconnect.
  void Bill(SimCall* call) {
    Amount most = call->hostile ? 3 * call->granted : call->granted;
    Amount most_tokens = call->hostile ? 3 * call->granted_tokens : call->granted_tokens;
    if (call->hostile && random_.Chance(1, 2)) most = call->granted;
    Amount room = std::max<Amount>(most - call->cost, 0);
    Amount room_tokens = std::max<Amount>(most_tokens - call->cost_tokens, 0);
    call->cost += random_.Chance(1, 5) ? room : room * random_.Between(0, 100) / 100;
    call->cost_tokens +=
        random_.Chance(1, 5) ? room_tokens : room_tokens * random_.Between(0, 100) / 100;
  }

  // Exact usage: at the end of a call, or as late evidence.
  void TellCost(SimCall* call) {
    hold::Cost cost{Money::FromUnits(call->cost), static_cast<int64_t>(call->cost_tokens)};
    Result<bool> settled =
        guard().Settle(call->id, cost, static_cast<int64_t>(call->cost_tokens), now_);
    bool expected = call->phase == Phase::kLeft;
    if (!settled && expected && !cut_armed_) return Fail("a call that left can't be settled");
    call->phase = Phase::kFinal;
    if (!settled) return;
    Tell("settle " + std::to_string(call->id.value()) + " " + FormatDecimal(call->cost, 12));
    call->telling = true;
    ++tally_.settled;
    tally_.faults += *settled ? 1 : 0;
    if (random_.Chance(1, 3)) {  // the answer got lost, and it is sent again
      if (guard().Settle(call->id, cost, -1, now_).has_value()) twice_ = true;
    }
    (void)Commit();
  }

  void EndUnknown(SimCall* call) {
    Tell("unknown " + std::to_string(call->id.value()));
    if (!guard().SettleUnknown(call->id, now_) && !cut_armed_)
      Fail("a call that left is not known");
    call->phase = Phase::kUnknown;
    (void)Commit();
  }

  void Release(SimCall* call) {
    (void)guard().Release(call->id, now_);
    call->phase = Phase::kNeverLeft;
    (void)Commit();
  }

  // --- what the ledger says of budgets beside the calls

  void AddExternal() {
    if (guard().stopped()) return;
    const size_t spec = random_.Below(specs_.size());
    const std::string value = specs_[spec].scope.is_each() ? "bob" : "";
    const auto sum = Amount{random_.Between(-100'000'000'000, 1'000'000'000'000)};
    externals_[{spec, value}] = {now_.wall, sum, "USD"};  // also restates
    ++tally_.external;
    SendExternals();
  }
  void SendExternals() {
    FinishSync();
    for (const auto& [of, sum] : externals_) {
      const auto& [spec, value] = of;
      const Status said =
          wal_->SetExternal(specs_[spec].name, value, std::span(&sum, 1), tally_.external, now_);
      if (said || said.error().code == Code::kNotFound) continue;  // the budget is removed just now
      failed_ = true;
      return;
    }
  }

  // --- time

  void PassTime() {
    int64_t us = random_.Chance(1, 6) ? random_.Between(0, 3 * kMicrosPerHour)
                                      : random_.Between(0, 40 * kMicrosPerSecond);
    now_.wall.us += us;
    now_.mono_us += us;
    if (climate_.jumps && random_.Chance(1, 12)) {
      now_.wall.us += random_.Between(-3 * kMicrosPerDay, 3 * kMicrosPerDay);
      Tell("the clock jumps to " + FormatInstant(now_.wall));
    }
    if (climate_.syncs_elsewhere && random_.Chance(1, 2)) FinishSync();
    if (!wal_->Tick(now_)) {
      failed_ = true;
    } else if (!wal_->syncing()) {
      // A Tick commits.
      (void)Commit();
    }
    for (SimCall& call : calls_) {
      if (call.deadline_us > now_.mono_us) continue;
      if (call.phase == Phase::kHeld) call.phase = Phase::kNeverLeft;
      if (call.phase == Phase::kLeft) call.phase = Phase::kUnknown;
    }
    for (uint32_t slot = 0; slot < guard().calls().slot_count(); ++slot) {
      const HeldCall& call = guard().calls().at(slot);
      bool open = call.state == CallState::kHeld || call.state == CallState::kDispatched;
      if (open && call.deadline_us <= now_.mono_us) Fail("a hold is open after its deadline");
    }
  }

  void Step() {
    uint64_t dice = random_.Below(100);
    if (dice < 30) {
      Admit();
    } else if (dice < 44) {
      if (SimCall* call = Pick(Phase::kLeft)) Bill(call);
    } else if (dice < 58) {
      if (SimCall* call = Pick(Phase::kLeft)) {
        Bill(call);
        TellCost(call);
      }
    } else if (dice < 62) {
      if (SimCall* call = Pick(Phase::kUnknown)) Bill(call);
    } else if (dice < 66) {
      if (SimCall* call = Pick(Phase::kUnknown)) TellCost(call);
    } else if (dice < 70) {
      if (SimCall* call = Pick(Phase::kLeft)) EndUnknown(call);
    } else if (dice < 73) {
      if (SimCall* call = Pick(Phase::kHeld)) Release(call);
    } else if (dice < 76) {
      if (SimCall* call = Pick(Phase::kHeld)) Dispatch(call);
    } else if (dice < 80) {
      if (SimCall* call = Pick(Phase::kLeft)) Grow(call);
    } else if (dice < 88) {
      PassTime();
    } else if (dice < 90) {
      AddExternal();
    } else {
      Trouble(dice);
    }
  }

  void Trouble(uint64_t dice) {
    if (dice < 93) {
      if (climate_.edits) EditBudget();
    } else if (dice < 95) {
      if (climate_.deaths) files_.DieAfter(random_.Below(6));
    } else if (dice < 96) {
      if (climate_.deaths && random_.Chance(1, 2)) CheckIdempotent();
    } else if (dice < 97) {
      if (climate_.cuts) {
        disk_.CutPowerAfter(random_.Below(6));
        cut_armed_ = true;
      }
    } else if (dice < 98) {
      if (climate_.cuts) CutPower();
    } else if (dice < 99) {
      FinishSync();
      if (!wal_->Rotate(now_)) {
        failed_ = true;
        Tell("the rotation failed");
      }
    } else {
      chf_ = Money::FromUnits(random_.Between(1, 3'000'000'000) * 1000);
      (void)guard().SetRate("CHF", "USD", chf_);
      (void)guard().SetFrozen(specs_[random_.Below(specs_.size())].name, false, now_);
      (void)Commit();
    }
  }

  // --- what must hold

  bool IsTokens(size_t spec) const { return specs_[spec].measure == budget::Measure::kTokens; }
  static bool HasLeft(const SimCall& call) {
    return call.phase != Phase::kHeld && call.phase != Phase::kNeverLeft;
  }

  // Right after an admission: all that vendors can still bill in the windows of now fits.
  void CheckLimits(const SimCall& admitted) {
    for (const SimLeg& leg : admitted.legs) {
      const budget::Budget& spec = specs_[leg.spec];
      const Account* account = AccountOf(leg.spec, leg.value);
      if (!spec.hard || account == nullptr || !set_[leg.spec]) continue;
      Amount most = 0;
      for (const SimCall& call : calls_) {
        if (call.phase == Phase::kNeverLeft) continue;
        for (const SimLeg& other : call.legs) {
          if (other.spec != leg.spec || other.value != leg.value ||
              other.generation != leg.generation || !CountsNow(spec, *account, leg, other)) {
            continue;
          }
          bool tokens = IsTokens(leg.spec);
          Amount told = In(other, tokens, call.told, call.told_tokens);
          most += call.known ? told : std::max(other.bound, told);
        }
      }
      if (most > spec.limit + account->overrun()) {
        Fail("the calls under " + spec.name + " may cost " +
             budget::FormatAmount(spec.measure, most) + ", more than its limit");
      }
    }
  }
  const Cell* CellOf(const SimLeg& leg) {
    const Account* account = AccountOf(leg.spec, leg.value);
    if (account == nullptr) return nullptr;
    for (uint32_t c : account->cells) {
      const Cell& cell = guard().books().cell(c);
      if (cell.generation == leg.generation && cell.period.start == leg.period.start) return &cell;
    }
    return nullptr;
  }

  // The invoice of every cell is counted in it.
  void Check() {
    if (wal_ == nullptr) return;
    (void)guard().Statuses(now_);  // every account counts in the window of now
    if (std::string wrong = guard().Audit(); faults_.audit && !wrong.empty())
      return Fail("audit: " + wrong);
    std::map<const Cell*, Amount> invoices;
    for (const SimCall& call : calls_) {
      for (const SimLeg& leg : call.legs) {
        if (!HasLeft(call) || leg.generation == kNoIndex) continue;
        bool tokens = IsTokens(leg.spec);
        // What a hostile vendor bills beyond the bound can't be known before it is told.
        Amount cost = std::min(In(leg, tokens, call.cost, call.cost_tokens), leg.bound);
        cost = std::max(cost, In(leg, tokens, call.told, call.told_tokens));
        if (cost == 0) continue;
        const Cell* cell = CellOf(leg);
        if (cell != nullptr) {
          invoices[cell] += cost;
        } else if (leg.counted_until > now_.wall && !climate_.jumps) {
          return Fail("a window of " + specs_[leg.spec].name + " is forgotten");
        }
      }
    }
    for (const auto& [cell, invoice] : invoices) {
      // In quantile mode an open call may cost its bound; the gap is 0 in strict mode.
      Amount counted = cell->totals.own() + cell->totals.gap + cell->totals.excess;
      if (invoice <= counted) continue;
      const budget::Budget& spec = guard().books().at(cell->account).spec;
      return Fail("the invoice of " + spec.name + ", " +
                  budget::FormatAmount(spec.measure, invoice) + ", is above what is counted, " +
                  budget::FormatAmount(spec.measure, counted));
    }
    for (size_t i = 0; i < specs_.size(); ++i) CheckBooks(i);
    for (uint32_t id = 0; id < guard().books().size(); ++id) {
      const Account& account = guard().books().at(id);
      if (!account.in_use || account.spec.counts_ledger) continue;
      if (account.now.external != 0 || account.unguarded_peak != 0) {
        Fail("charges of the ledger count in " + account.spec.name);
      }
    }
    if (twice_) Fail("a call was settled twice");
  }

  // settled + held <= hard budget.
  void CheckBooks(size_t i) {
    if (edited_[i] || !specs_[i].hard) return;
    for (uint32_t id = 0; id < guard().books().size(); ++id) {
      const Account& account = guard().books().at(id);
      if (!account.in_use || account.spec.name != specs_[i].name) continue;
      // After a clock has gone back, a rolling window of then counts what came later as well.
      bool both = account.spec.window.rolling && climate_.jumps;
      if (!both && account.now.own() + account.now.gap > account.spec.limit + account.overrun()) {
        Fail("the books of " + specs_[i].name + " are above its limit");
      }
      for (uint32_t c : account.cells) {
        const Totals& totals = guard().books().cell(c).totals;
        if (totals.own() + totals.gap > account.spec.limit + account.overrun()) {
          Fail("a window of " + specs_[i].name + " is above its limit");
        }
      }
    }
  }

  // All evidence comes in: where nothing was lost, the books are the invoice to the last unit.
  void Settle() {
    disk_.SetFailuresPerMillion(0);
    climate_.bad_disk = false;
    if (failed_ || cut_armed_ || files_.dead() || guard().stopped()) {
      Close("at the end");
      LosePower();
      Open();
    }
    files_.Revive();
    now_.mono_us += kHoldMaxUs;
    FinishSync();
    (void)wal_->Tick(now_);
    failed_ = false;
    for (SimCall& call : calls_) {
      if (call.phase == Phase::kHeld) call.phase = Phase::kNeverLeft;
      if (!HasLeft(call)) continue;
      call.phase = Phase::kUnknown;
      TellCost(&call);
    }
    if (guard().open_calls() != 0) Fail("a hold is open at the end");
    Check();
    if (!wrong_.empty() || !exact_) return;
    if (uint32_t slot = guard().calls().oldest_unknown(); slot != kNoIndex) {
      Fail("evidence came, and call " + std::to_string(guard().calls().at(slot).id.value()) +
           " is unknown");
    }
    std::map<const Cell*, Amount> invoices;
    for (const SimCall& call : calls_) {
      for (const SimLeg& leg : call.legs) {
        const Cell* cell = HasLeft(call) && leg.generation != kNoIndex ? CellOf(leg) : nullptr;
        if (cell == nullptr) continue;
        bool tokens = IsTokens(leg.spec);
        invoices[cell] += std::min(In(leg, tokens, call.cost, call.cost_tokens), leg.bound);
      }
    }
    for (const auto& [cell, invoice] : invoices) {
      if (climate_.edits || cell->totals.lost > 0 || cell->totals.own() == invoice) continue;
      Fail("the books of " + guard().books().at(cell->account).spec.name +
           " are not the invoice at the end: " + FormatDecimal(cell->totals.own(), 12) + " for " +
           FormatDecimal(invoice, 12));
    }
  }

  Random random_;
  Faults faults_;
  bool tells_;
  Climate climate_{};
  os::SimFiles disk_;
  DyingFiles files_;
  int boot_ = 1;
  std::unique_ptr<Wal> wal_;
  Moment now_{kTestStart, 1'000'000};
  std::vector<budget::Budget> specs_;
  std::vector<bool> edited_;
  std::vector<std::string> names_before_;  // that budgets had until they were renamed last
  std::vector<bool> set_;
  Money chf_ = Money::FromUnits(1'234'567'891'000);
  std::vector<SimCall> calls_;
  std::map<std::pair<size_t, std::string>, ExternalSum> externals_;  // by budget and value
  uint64_t last_call_ = 0;
  Tally tally_;
  bool cut_armed_ = false;
  bool failed_ = false;
  bool twice_ = false;
  bool exact_ = true;
  std::string wrong_;
};

}  // namespace flyball::guard
