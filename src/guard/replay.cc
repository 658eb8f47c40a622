// Recovery: what was written, played again.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "guard/guard.h"
#include "guard/window.h"

namespace flyball::guard {

std::string Guard::Snapshot() {
  std::string out;
  Write(StateRecord{external_commit_, faults_}, &out);
  for (uint32_t id = 0; id < books_.size(); ++id) {
    if (!books_.Has(id)) continue;
    WriteBudget(id, {}, &out);
    for (uint32_t c : books_.at(id).cells) {
      const Cell& cell = books_.cell(c);
      const Totals& t = cell.totals;
      Write(CellRecord{NameOf(c), t.settled, t.lost, t.excess, t.external, cell.lease}, &out);
    }
  }
  // Unknown calls in the order in which they are given up.
  for (uint32_t slot = calls_.oldest_unknown(); slot != kNoIndex; slot = calls_.at(slot).next) {
    WriteDispatch(calls_.at(slot), &out);
  }
  for (uint32_t slot = 0; slot < calls_.slot_count(); ++slot) {
    if (calls_.at(slot).state == CallState::kDispatched) WriteDispatch(calls_.at(slot), &out);
  }
  return out;
}

Status Guard::Replay(std::string_view records) {
  FB_CHECK(ForEachRecord(records, [this](Record&& record) {
    if (replay_error_) return;
    std::visit([this](const auto& one) { Apply(one); }, record);
  }));
  if (replay_error_) return Fail(*replay_error_);
  return {};
}

uint32_t Guard::CellOf(const CellName& name) {
  if (!books_.Has(name.account)) {
    replay_error_ = Error{Code::kDataLoss,
                          "the guard's records name a budget that was never made",
                          "restore the journal from a copy",
                          {}};
    return kNoIndex;
  }
  uint32_t c = books_.FindCell(name.account, name.generation, name.period.start);
  return c != kNoIndex ? c : books_.MakeCell(name.account, name.generation, name.period);
}

void Guard::Apply(const BudgetRecord& record) {
  const Zone* zone = options_.find_zone(record.budget.window.zone);
  if (record.account >= kAccountsMax || zone == nullptr) {
    replay_error_ = Error{Code::kDataLoss,
                          "the budget '" + record.budget.name + "' is in the time zone '" +
                              record.budget.window.zone + "', which this system does not know",
                          "install the package tzdata",
                          {}};
    return;
  }
  Account& account = books_.Make(record.account);
  if (record.template_of == kNoIndex) {
    const auto before = by_name_.find(account.spec.name);  // it may have been renamed
    if (before != by_name_.end() && before->second == record.account) by_name_.erase(before);
    by_name_[record.budget.name] = record.account;
  }
  account.spec = record.budget;
  account.zone = zone;
  account.generation = record.generation;
  account.template_of = record.template_of;
  account.removed = record.removed;
  account.floor = record.floor;
  account.faults = std::max(account.faults, record.faults);
  account.unguarded_peak = std::max(account.unguarded_peak, record.unguarded_peak);
  if (record.merged.empty()) return;
  uint32_t into = CellOf({record.account, record.generation, record.merged_into});
  for (const BudgetRecord::Merged& merged : record.merged) {
    // Made where it is absent, so that calls which are still to be replayed find their way.
    uint32_t c = CellOf({record.account, merged.generation, {merged.start, merged.start}});
    if (c == into) continue;
    MoveLegs(c, into);
    books_.MergeCell(c, into);
  }
}

void Guard::Apply(const GatewayOnlyRecord& record) {
  if (books_.Has(record.account)) {
    books_.at(record.account).spec.counts_ledger = false;
    books_.at(record.account).unguarded_peak = 0;
    return;
  }
  replay_error_ = Error{
      Code::kDataLoss,
      fmt::format("a record is about the account {}, which no record has made", record.account),
      "put the folder back from a backup",
      {}};
}

void Guard::Apply(const LeaseRecord& record) {
  for (const LeaseRecord::Lease& lease : record.leases) {
    uint32_t c = CellOf(lease.cell);
    if (c != kNoIndex) books_.cell(c).lease = lease.amount;
  }
}

void Guard::Apply(const ExcessRecord& record) {
  ++faults_;
  excess_told_.insert(record.call.value());
  for (const ExcessRecord::Leg& leg : record.legs) {
    uint32_t c = CellOf(leg.cell);
    if (c != kNoIndex) CountExcess(c, leg.excess, leg.freezes);
  }
}

void Guard::Apply(const LostRecord& record) {
  uint32_t c = CellOf(record.cell);
  if (c == kNoIndex) return;
  books_.Add(c, &Totals::lost, record.lost - books_.cell(c).totals.lost);
  books_.Add(c, &Totals::settled, record.settled);
}

void Guard::Apply(const DispatchRecord& record) {
  if (calls_.Find(record.call) != kNoIndex) return;
  uint32_t slot = calls_.Make(record.call, 0);
  calls_.at(slot).state = CallState::kDispatched;
  for (const DispatchRecord::Leg& leg : record.legs) {
    uint32_t c = CellOf(leg.cell);
    if (c == kNoIndex) return;
    calls_.at(slot).legs.push_back({leg.cell.account, c, leg.held, leg.bound, leg.rate});
    books_.Pin(c);
    books_.Add(c, &Totals::held, leg.held);
    books_.Add(c, &Totals::gap, leg.bound - leg.held);
  }
  calls_.at(slot).suspect = record.suspect;
  if (record.unknown) MakeUnknown(slot);
}

void Guard::Apply(const GrowRecord& record) {
  uint32_t slot = calls_.Find(record.call);
  if (slot == kNoIndex || calls_.at(slot).state != CallState::kDispatched) return;
  std::vector<Leg>& legs = calls_.at(slot).legs;
  if (record.held.size() != legs.size() || record.bound.size() != legs.size()) return;
  for (size_t i = 0; i < legs.size(); ++i) {
    legs[i].held += record.held[i];
    legs[i].bound += record.bound[i];
    books_.Add(legs[i].cell, &Totals::held, record.held[i]);
    books_.Add(legs[i].cell, &Totals::gap, record.bound[i] - record.held[i]);
  }
}

void Guard::Apply(const SettleRecord& record) {
  uint32_t slot = calls_.Find(record.call);
  if (slot == kNoIndex || record.costs.size() != calls_.at(slot).legs.size()) return;
  if (!excess_told_.contains(record.call.value())) CountUntoldExcess(slot, record.costs);
  SettleLegs(slot, record.costs);
  RemoveCall(slot);
}

// The process died before it could write the ExcessRecord.
void Guard::CountUntoldExcess(uint32_t slot, std::span<const Amount> costs) {
  const std::vector<Leg>& legs = calls_.at(slot).legs;
  bool exceeds = false;
  for (size_t i = 0; i < legs.size(); ++i) {
    if (costs[i] <= legs[i].bound) continue;
    CountExcess(legs[i].cell, costs[i] - legs[i].bound, books_.at(legs[i].account).spec.hard);
    exceeds = true;
  }
  faults_ += exceeds ? 1 : 0;
}

// Calls whose excess is counted, and whose settlement a power cut has taken: they stay at their
// bounds, or the same evidence would count it again.
void Guard::SettleExceeded() {
  for (const uint64_t id : excess_told_) {
    const uint32_t slot = calls_.Find(hold::CallId(id));
    if (slot == kNoIndex) continue;
    std::vector<Amount> bounds;
    for (const Leg& leg : calls_.at(slot).legs) bounds.push_back(leg.bound);
    SettleLegs(slot, bounds);
    RemoveCall(slot);
  }
  excess_told_.clear();
}

void Guard::Apply(const EndRecord& record) {
  uint32_t slot = calls_.Find(record.call);
  if (slot == kNoIndex || calls_.at(slot).state != CallState::kDispatched) return;
  if (record.released) {
    ReleaseCall(slot);
  } else {
    MakeUnknown(slot);
  }
}

void Guard::Apply(const ExternalRecord& record) {
  external_commit_ = record.commit;
  for (const ExternalRecord::Leg& leg : record.legs) {
    uint32_t c = CellOf(leg.cell);
    if (c != kNoIndex) CountExternal(c, leg.amount);
  }
}

void Guard::Apply(const CellRecord& record) {
  uint32_t c = CellOf(record.name);
  if (c == kNoIndex) return;
  books_.Add(c, &Totals::settled, record.settled);
  books_.Add(c, &Totals::lost, record.lost);
  books_.Add(c, &Totals::excess, record.excess);
  CountExternal(c, record.external);
  books_.cell(c).lease = record.lease;
}

void Guard::Apply(const StateRecord& record) {
  external_commit_ = record.external_commit;
  faults_ = record.faults;
}

void Guard::TrimLeases() {
  for (uint32_t id = 0; id < books_.size(); ++id) {
    for (uint32_t c : books_.at(id).cells) {
      Cell& cell = books_.cell(c);
      cell.lease = AddChecked(cell.totals.own(), cell.totals.gap);
    }
  }
}

void Guard::FinishRecovery(bool tail_lost) {
  for (uint32_t slot = 0; slot < calls_.slot_count(); ++slot) {
    // Evidence about it makes no room: calls that are not known any more may have used it.
    calls_.at(slot).suspect |= tail_lost;
    if (calls_.at(slot).state != CallState::kDispatched) continue;
    if (options_.mutation_for_tests == Mutation::kForgetDispatched) {
      ReleaseCall(slot);
    } else {
      MakeUnknown(slot);
    }
  }
  SettleExceeded();
  for (uint32_t id = 0; id < books_.size(); ++id) {
    // An older version kept what the ledger had said of a budget that takes no such word any more.
    const bool forgets = books_.Has(id) && !books_.at(id).spec.counts_ledger;
    for (uint32_t c : books_.at(id).cells) {
      if (forgets) CountExternal(c, 0);
      Cell& cell = books_.cell(c);
      Amount own = cell.totals.own();
      bool unaccounted =
          tail_lost && cell.lease > own && options_.mutation_for_tests != Mutation::kIgnoreLostTail;
      if (unaccounted) books_.Add(c, &Totals::lost, cell.lease - own);
      cell.lease = cell.totals.own();
    }
    if (books_.Has(id)) books_.Recount(id);  // its window may have been edited after its cells
  }
  // Nothing that a record could name is older than the snapshot that follows.
  books_.ForgetAliases();
  Reindex();
}

}  // namespace flyball::guard
