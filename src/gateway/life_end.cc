// The end of a life: faults stop, what runs comes to its end, the vendors' bills are reconciled.
#include <fmt/format.h>

#include <limits>
#include <map>
#include <set>

#include "gateway/life_world.h"
#include "gateway/recovery.h"
#include "reconcile/bill.h"
#include "reconcile/calls.h"
#include "reconcile/match.h"

namespace flyball::gateway {
namespace {

constexpr Period kEver{Instant{0}, Instant{int64_t{200} * 366 * kMicrosPerDay}};

using reconcile::CallFact;

Result<reconcile::Bill> BillOf(const LifeVendors& vendors, const rates::PriceBook& prices,
                               std::span<const CallFact> calls) {
  reconcile::Bill bill;
  bill.name = "bill";
  for (size_t i = 0; i < kLifeVendors; ++i) {
    const std::string vendor = LifeVendors::Provider(i);
    bill.days[vendor] = {kEver};
    for (reconcile::BillLine& line : FB_TRY(reconcile::ReadInvoice(
             vendors.invoice(i).ToJson(true), vendor, vendor, prices, calls))) {
      bill.lines.push_back(std::move(line));
    }
  }
  return bill;
}

Result<reconcile::EvidenceByKey> Known(os::Files& files, std::span<const CallFact> calls,
                                       const reconcile::Bill& bill) {
  std::set<std::string> months;
  for (const CallFact& call : calls) months.insert(FormatDate(call.dispatch.at).substr(0, 7));
  for (const auto& line : bill.lines) months.insert(FormatDate(line.at).substr(0, 7));
  reconcile::EvidenceByKey known;
  for (const std::string& month : months) {
    known.merge(FB_TRY(reconcile::ReadEvidence(files, LifeCalls(), month)));
  }
  return known;
}

}  // namespace

void Life::Finish() {
  Tell("--- the end");
  vendors_.BeKind();
  disk_was_bad_ = climate_.bad_disk;
  climate_.bad_disk = climate_.deaths = climate_.cuts = false;
  machine_.disk.SetFailuresPerMillion(0);
  if (cut_at_ != std::numeric_limits<uint64_t>::max()) {
    Kill("the power goes");
    LosePower();
    Start();
  }
  machine_.files.Revive();
  if (!wrong_.empty()) return;
  RunFor(20 * kMicrosPerSecond);
  for (LifeClient& client : clients_) client.end.Leave();
  // What is drained, what vendors generate for nobody, what is past its deadline.
  RunFor(ProxyOptions{}.drain_max_us + 30 * kMicrosPerSecond);
  if (!wrong_.empty()) return;
  if (process_->proxy().stats().draining > 0) return Fail("an answer is drained for ever");
  if (random_.Chance(1, 2)) StopWell();
  CheckRecovery();
  if (!wrong_.empty()) return;
  if (process_->wal().guard().open_calls() > 0) return Fail("a hold is open at the end");
  if (process_->wal().guard().stopped()) return Fail("the guard stands still at the end");
  CheckCalls();
  Reconcile();
}

// Each attempt that left is in the log, at no less than its vendor bills for it.
void Life::CheckCalls() {
  const auto calls = reconcile::ReadCalls(machine_.files, LifeCalls(), "", kEver);
  if (!calls) return Fail(calls.error().ToString());
  std::map<uint64_t, const CallFact*> by_id;
  for (const CallFact& call : *calls) by_id[call.dispatch.id] = &call;
  tally_.streams_cut = book_.streams_cut();
  for (const auto& attempt : book_.attempts()) {
    ++tally_.attempts;
    const auto found = by_id.find(attempt->id.value());
    const bool left = attempt->phase == LifeAttempt::Phase::kLeft;
    if (found == by_id.end()) {
      if (left && !lost_tail_) Fail(attempt->request + " has left and is not in the log");
      continue;
    }
    const CallFact& call = *found->second;
    if (!call.ended) {
      // A failed sync may have thrown its end away, which only a power cut shows, long after: in
      // the ledger it counts at its bound after a day.
      if (!lost_tail_ || !disk_was_bad_) {
        Fail(attempt->request + " has no end after a recovery");
      }
      continue;
    }
    const bool is_exact = call.end.basis == metered::Basis::kExact;
    attempt->is_told_apart =
        call.end.basis != metered::Basis::kBound || !call.end.answer_id.empty();
    tally_.exact += is_exact ? 1 : 0;
    tally_.at_bound += call.end.basis == metered::Basis::kBound ? 1 : 0;
    tally_.retries += call.dispatch.attempt > 1 ? 1 : 0;
    Tell(fmt::format("{} at {} is call {:x} of {}: {}, {}, status {}, answer '{}'; billed {}",
                     attempt->request, LifeVendors::Provider(attempt->vendor), call.dispatch.id,
                     FormatInstant(call.dispatch.at), metered::BasisName(call.end.basis),
                     call.end.cost.ToString(), call.end.status, call.end.answer_id,
                     attempt->billed.ToString()));
    const bool faulty = attempt->billed > call.dispatch.bound;
    tally_.faults += faulty ? 1 : 0;
    if (faulty && !climate_.hostile) Fail(attempt->request + " costs more than its bound");
    if (is_exact && call.end.cost != attempt->billed) {
      Fail(fmt::format("{} is settled to {}, and its vendor bills {}", attempt->request,
                       call.end.cost.ToString(), attempt->billed.ToString()));
    }
    if (!attempt->is_refused() && !faulty && call.end.cost < attempt->billed) {
      Fail(fmt::format("{} is charged {}, and its vendor bills {}", attempt->request,
                       call.end.cost.ToString(), attempt->billed.ToString()));
    }
  }
}

// The vendors' bills come, and are applied as `flyball reconcile --apply` does.
void Life::Reconcile() {
  machine_.clock.JumpWall(latest_.us - machine_.clock.Now().us + 3 * kMicrosPerDay);
  os::Files& files = machine_.files;
  const Instant now = machine_.clock.Now();
  const auto apply = [&](bool again) -> Status {
    std::vector<CallFact> calls = FB_TRY(reconcile::ReadCalls(files, LifeCalls(), "", kEver));
    reconcile::EndOldCalls(now, &calls);
    const reconcile::Bill bill = FB_TRY(BillOf(vendors_, *config_.prices, calls));
    const auto known = FB_TRY(Known(files, calls, bill));
    std::vector<reconcile::Evidence> evidence;
    std::map<std::string, int128> left;
    for (const reconcile::Group& group : FB_TRY(reconcile::Match(calls, bill, known, now))) {
      if (group.evidence) evidence.push_back(*group.evidence);
      left[group.key.vendor] += group.left().units();
    }
    for (const auto& [vendor, units] : left) {
      if (!again || units == 0) continue;
      Fail("after reconciliation " + Money::FromUnits(units).ToString() + " of " + vendor +
           " is left");
    }
    return again ? Status() : reconcile::WriteEvidence(files, LifeCalls(), evidence);
  };
  for (const bool again : {false, true}) {
    if (const Status applied = apply(again); !applied) return Fail(applied.error().ToString());
  }
  const Result<Money> charged = charges_(files, LifeCalls(), Instant{now.us + kMicrosPerDay});
  if (!charged) return Fail("charges: " + charged.error().ToString());
  if (*charged != book_.invoice()) {
    Fail("the ledger charges " + charged->ToString() + ", and vendors bill " +
         book_.invoice().ToString());
  }
  const auto evidence = ReadLateEvidence(files, LifeCalls(), now);
  if (!evidence) return Fail(evidence.error().ToString());
  const auto settled = SettleByEvidence(*evidence, process_->wal(), machine_.Now());
  if (!settled) return Fail(settled.error().ToString());
  book_.CheckSettled(process_->wal().guard(), !climate_.jumps && !lost_tail_);
  Tell(fmt::format("{} calls settled by bills; the invoice is {}", *settled,
                   book_.invoice().ToString()));
}

}  // namespace flyball::gateway
