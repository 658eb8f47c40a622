// Admission: every budget of a call is asked first, then all are held or none.
#include <algorithm>
#include <limits>

#include "guard/guard.h"
#include "guard/rates.h"
#include "guard/window.h"

namespace flyball::guard {
namespace {

constexpr uint32_t kQuantilePercent = 95;

bool IsSound(const hold::Bound& bound) {
  auto money = [](Money m) { return m.units() >= 0 && m.units() <= hold::kCallMoneyMax / 2; };
  auto tokens = [](int64_t t) { return t >= 0 && t <= hold::kCallTokensMax / 2; };
  return money(bound.fixed) && money(bound.output) && tokens(bound.tokens_fixed) &&
         tokens(bound.tokens_output);
}

// What 95 of 100 such calls stay under, given that their answers stay under `quantile` tokens.
Amount PartOf(Amount output, int64_t quantile, int64_t tokens_output) {
  if (quantile < 0 || quantile >= tokens_output) return output;
  return (output * quantile + (tokens_output - 1)) / tokens_output;
}

std::string_view ValueOf(std::span<const hold::Attribute> attributes, budget::ScopeKind kind) {
  for (const hold::Attribute& attribute : attributes) {
    if (attribute.kind == kind) return attribute.value;
  }
  return {};
}

}  // namespace

bool Guard::FindRate(uint32_t from, std::string_view to, int64_t* rate) const {
  uint32_t code = CurrencyCode(to);
  *rate = 0;
  if (from == code) return true;
  for (const Rate& known : rates_) {
    if (known.from != from || known.to != code) continue;
    *rate = known.rate;
    return true;
  }
  return false;
}

Reason Guard::AddNeeds(const std::vector<uint32_t>& accounts) {
  for (uint32_t id : accounts) {
    // The same attribute may come twice; it is one budget all the same.
    bool known = std::any_of(needs_.begin(), needs_.end(),
                             [id](const Need& need) { return need.account == id; });
    if (known) continue;
    if (needs_.size() == kLegsMax) return Reason::kTooMany;
    needs_.push_back({id, kNoIndex, 0, 0, 0});
  }
  return Reason::kNone;
}

// Adds the accounts of one attribute to needs_; a value that is new to a "*" budget gets one.
Admission Guard::AddAttribute(const hold::Attribute& attribute, Moment now) {
  Admission answer;
  if (attribute.kind == budget::ScopeKind::kOrganisation || attribute.value.empty()) return answer;
  if (attribute.value.size() > budget::kScopeValueMaxBytes || attribute.value == "*") {
    answer.reason = Reason::kInvalid;
    return answer;
  }
  ScopeIndex::Entry* entry = index_.Find(attribute.kind, attribute.value);
  const bool each = !templates_[static_cast<size_t>(attribute.kind)].empty();
  if (each && (entry == nullptr || entry->templates_seen != templates_version_)) {
    // Asked before anything is made: what is refused leaves nothing behind.
    answer.account = FullTemplate(entry, attribute.kind);
    if (answer.account == kNoIndex) {
      entry = &index_.FindOrMake(attribute.kind, attribute.value);
      if (MakeInstances(entry, now)) {
        answer.reason = AddNeeds(entry->accounts);
        return answer;
      }
    }
    answer.reason = Reason::kTooMany;
    wants_room_ |= now.mono_us - forgot_us_ >= kForgetEveryUs;
    return answer;
  }
  if (entry != nullptr) answer.reason = AddNeeds(entry->accounts);
  return answer;
}

// Fills needs_ with the accounts that the attributes fall under; a reason other than kNone refuses.
Admission Guard::FindAccounts(std::span<const hold::Attribute> attributes, Moment now) {
  needs_.clear();
  Admission answer;
  if (attributes.size() > hold::kAttributesMax) answer.reason = Reason::kTooMany;
  if (auto* entry = index_.Find(budget::ScopeKind::kOrganisation, "")) {
    if (answer.reason == Reason::kNone) answer.reason = AddNeeds(entry->accounts);
  }
  for (const hold::Attribute& attribute : attributes) {
    if (answer.reason != Reason::kNone) return answer;
    answer = AddAttribute(attribute, now);
  }
  if (answer.reason != Reason::kNone) return answer;
  for (const Need& need : needs_) books_.RollTo(need.account, now.wall);
  return answer;
}

Instant Guard::ResetsAt(const Account& account) const {
  if (!account.spec.window.rolling) return account.current.end;
  // A rolling window has more room as soon as its oldest bucket is out of it.
  Instant first{std::numeric_limits<int64_t>::max()};
  for (uint32_t c : account.cells) {
    const Cell& cell = books_.cell(c);
    if (cell.counts && cell.totals.used() > 0) first = std::min(first, cell.counted_until);
  }
  return first.us == std::numeric_limits<int64_t>::max() ? account.current.end : first;
}

Admission Guard::CheckNeed(const Need& need) const {
  const Account& account = books_.at(need.account);
  Admission refusal{Verdict::kRefused, Reason::kFrozen, need.account, need.held, 0, Instant{}};
  // In a window that is over, its own cell is what the limit is about.
  bool elsewhere = need.cell != kNoIndex && !books_.cell(need.cell).counts;
  const Totals& totals = elsewhere ? books_.cell(need.cell).totals : account.now;
  refusal.left = std::max<Amount>(account.spec.limit - totals.used(), 0);
  if (account.spec.frozen) {
    refusal.resets_at = ResetsAt(account);
    return refusal;
  }
  bool fits = !account.spec.hard || (need.held == 0 && need.bound == 0) ||
              (totals.used() + need.held <= account.spec.limit &&
               totals.worst() + need.bound <= account.spec.limit + account.overrun());
  if (fits) return {Verdict::kAdmitted, Reason::kNone, kNoIndex, 0, 0, Instant{}};
  refusal.reason = Reason::kOverLimit;
  refusal.resets_at = ResetsAt(account);
  return refusal;
}

// Fills in the amounts of needs_ and asks every limit, then every lease.
Admission Guard::Check(const hold::Bound& bound, uint64_t sketch_key, uint32_t currency) {
  Admission refusal;
  int64_t quantile = sketch_key == 0 ? -1
                                     : sketches_.Quantile(sketch_key, kQuantilePercent,
                                                          options_.quantile_samples_min);
  int64_t covered = bound.tokens_output;
  for (Need& need : needs_) {
    const Account& account = books_.at(need.account);
    bool money = account.spec.measure == budget::Measure::kMoney;
    if (money && !FindRate(currency, account.spec.currency, &need.rate)) {
      refusal.reason = Reason::kNoRate;
      refusal.account = need.account;
      return refusal;
    }
    Amount fixed = money ? bound.fixed.units() : bound.tokens_fixed;
    Amount output = money ? bound.output.units() : bound.tokens_output;
    need.bound = Convert(fixed + output, need.rate);
    need.held = need.bound;
    if (account.spec.mode == budget::Mode::kQuantile) {
      need.held = Convert(fixed + PartOf(output, quantile, bound.tokens_output), need.rate);
      if (quantile >= 0) covered = std::min(covered, quantile);
    }
    Admission answer = CheckNeed(need);
    if (answer.verdict != Verdict::kAdmitted) return answer;
  }
  Admission answer{Verdict::kAdmitted, Reason::kNone, kNoIndex, 0, 0, Instant{}, covered};
  bool leased =
      std::all_of(needs_.begin(), needs_.end(), [this](const Need& need) { return Leased(need); });
  if (!leased) {
    AskForLeases();
    answer.verdict = Verdict::kWait;
  }
  return answer;
}

// --- leases

bool Guard::Leased(const Need& need) const {
  if (!options_.durable) return true;
  const Account& account = books_.at(need.account);
  if (account.ticket > synced_ticket_) return false;
  if (need.bound == 0) return true;
  uint32_t c = need.cell != kNoIndex ? need.cell : account.current_cell;
  if (c == kNoIndex) return false;
  const Cell& cell = books_.cell(c);
  return cell.totals.own() + cell.totals.gap + need.bound <= cell.lease;
}

Amount Guard::LeaseCap(const Account& account) const {
  if (!account.spec.hard) return 2 * budget::kLimitMax;
  return account.spec.limit + account.overrun() - account.now.excess - account.now.external;
}

void Guard::AskForLeases() {
  LeaseRecord record;
  for (const Need& need : needs_) {
    if (need.bound != 0 && !Leased(need)) AskForLease(need, false, &record);
  }
  if (record.leases.empty()) return;
  StartControl();
  Write(record, &outbox_.control);
}

// For the accounts of an admission that was granted: what comes next shall not wait.
void Guard::AskAhead() {
  LeaseRecord record;
  for (Need& need : needs_) {
    if (need.bound == 0) continue;
    const Account& account = books_.at(need.account);
    need.bound = account.spec.limit / std::max(options_.lease_parts, 1) / 2;
    if (!Leased(need)) AskForLease(need, true, &record);
  }
  if (record.leases.empty()) return;
  StartControl();
  Write(record, &outbox_.control);
}

// The promises of all buckets of a rolling window together stay under the limit: those of the
// others are taken back to what is used of them. Answers what is left of `cap`.
Amount Guard::TakeBackOthers(uint32_t c, Amount cap, LeaseRecord* record) {
  for (uint32_t other : books_.at(books_.cell(c).account).cells) {
    if (other == c || !books_.cell(other).counts) continue;
    Cell& past = books_.cell(other);
    Amount used = past.totals.own() + past.totals.gap;
    cap -= used;
    if (record == nullptr) continue;
    bool under_way = DropPending(other);
    if (past.lease == used && !under_way) continue;
    past.lease = used;
    outbox_.sync_calls_first = true;
    record->leases.push_back({NameOf(other), used});
  }
  return cap;
}

void Guard::AskForLease(const Need& need, bool ahead, LeaseRecord* record) {
  uint32_t c = need.cell != kNoIndex ? need.cell : books_.CurrentCell(need.account);
  const Account& account = books_.at(need.account);
  const Cell& cell = books_.cell(c);
  Amount wanted = cell.totals.own() + cell.totals.gap + need.bound;
  for (const PendingLease& pending : pending_) {
    if (pending.cell == c && (ahead || pending.lease >= wanted)) return;  // under way
  }
  if (wanted <= cell.lease) return;  // the account itself waits to be synced
  Amount cap = LeaseCap(account);
  if (account.spec.window.rolling && cell.counts) {
    if (ahead && TakeBackOthers(c, cap, nullptr) < wanted) return;
    cap = TakeBackOthers(c, cap, record);
  }
  if (ahead && cap < wanted) return;
  Amount step = account.spec.limit / std::max(options_.lease_parts, 1);
  Amount lease = std::max(wanted, std::min(cap, wanted + step));
  record->leases.push_back({NameOf(c), lease});
  pending_.push_back({StartControl(), c, lease});
  books_.Pin(c);
}

void Guard::ControlSynced(uint64_t ticket) {
  synced_ticket_ = std::max(synced_ticket_, ticket);
  std::erase_if(pending_, [&](const PendingLease& pending) {
    if (pending.ticket > ticket) return false;
    Cell& cell = books_.cell(pending.cell);
    cell.lease = std::max(cell.lease, pending.lease);
    books_.Unpin(pending.cell);
    return true;
  });
}

// --- the events

Admission Guard::CountRefusal(Admission answer) {
  if (answer.verdict == Verdict::kRefused && answer.account != kNoIndex) {
    ++books_.at(answer.account).refused;
  }
  return answer;
}

Admission Guard::Admit(const Call& call, Moment now) {
  Admission refusal;
  auto refuse = [&refusal](Reason reason) {
    refusal.reason = reason;
    return refusal;
  };
  if (stopped_) return refuse(Reason::kStopped);
  uint32_t currency = CurrencyCode(call.currency);
  if (!IsSound(call.bound) || currency == 0 || call.deadline_us <= now.mono_us ||
      call.deadline_us - now.mono_us > kHoldMaxUs) {
    return refuse(Reason::kInvalid);
  }
  if (calls_.Find(call.id) != kNoIndex) return refuse(Reason::kDuplicate);
  if (calls_.open_count() >= kOpenCallsMax) return refuse(Reason::kTooMany);
  if (Admission found = FindAccounts(call.attributes, now); found.reason != Reason::kNone) {
    return CountRefusal(found);
  }
  uint64_t sketch_key = call.bound.tokens_output == 0
                            ? 0
                            : Sketches::KeyOf(ValueOf(call.attributes, budget::ScopeKind::kKey),
                                              ValueOf(call.attributes, budget::ScopeKind::kModel),
                                              call.bound.tokens_output);
  Admission answer = Check(call.bound, sketch_key, currency);
  if (answer.verdict != Verdict::kAdmitted) return CountRefusal(answer);

  uint32_t slot = calls_.Make(call.id, call.deadline_us);
  HeldCall& held = calls_.at(slot);
  held.sketch_key = sketch_key;
  for (const Need& need : needs_) {
    uint32_t c = books_.CurrentCell(need.account);
    held.legs.push_back({need.account, c, need.held, need.bound, need.rate});
    books_.Pin(c);
    if (options_.mutation_for_tests == Mutation::kSkipHold) continue;
    books_.Add(c, &Totals::held, need.held);
    if (need.bound != need.held) books_.Add(c, &Totals::gap, need.bound - need.held);
  }
  if (options_.syncs_elsewhere) AskAhead();
  return answer;
}

Admission Guard::Grow(hold::CallId id, const hold::Bound& more, Growth growth, Moment now) {
  Admission refusal;
  uint32_t slot = calls_.Find(id);
  if (stopped_ || !IsSound(more) || slot == kNoIndex ||
      calls_.at(slot).state == CallState::kUnknown) {
    refusal.reason = stopped_         ? Reason::kStopped
                     : !IsSound(more) ? Reason::kInvalid
                                      : Reason::kNotOpen;
    return refusal;
  }
  HeldCall& call = calls_.at(slot);
  needs_.clear();
  for (const Leg& leg : call.legs) {
    books_.RollTo(leg.account, now.wall);
    bool money = books_.at(leg.account).spec.measure == budget::Measure::kMoney;
    Amount held = money ? Convert(more.fixed.units() + more.output.units(), leg.rate)
                        : Amount{more.tokens_fixed} + more.tokens_output;
    Amount bound = held;
    if (growth == Growth::kHold) {
      held = std::min(held, leg.bound - leg.held);
      bound = 0;
    }
    needs_.push_back({leg.account, leg.cell, held, bound, leg.rate});
    if (leg.bound + bound > 2 * hold::kCallMoneyMax * kRateMax / kRateOne) {
      refusal.reason = Reason::kInvalid;
      return refusal;
    }
    // A frozen budget stops what runs, too.
    Admission answer = CheckNeed(needs_.back());
    if (answer.verdict != Verdict::kAdmitted) return CountRefusal(answer);
  }
  Admission answer{Verdict::kAdmitted, Reason::kNone, kNoIndex, 0, 0, Instant{}};
  for (const Need& need : needs_) {
    if (!Leased(need)) answer.verdict = Verdict::kWait;
  }
  if (answer.verdict == Verdict::kWait) {
    AskForLeases();
    return answer;
  }
  GrowRecord record{id, {}, {}};
  for (size_t i = 0; i < needs_.size(); ++i) {
    Leg& leg = call.legs[i];
    leg.held += needs_[i].held;
    leg.bound += needs_[i].bound;
    books_.Add(leg.cell, &Totals::held, needs_[i].held);
    books_.Add(leg.cell, &Totals::gap, needs_[i].bound - needs_[i].held);
    record.held.push_back(needs_[i].held);
    record.bound.push_back(needs_[i].bound);
  }
  if (options_.durable && call.state == CallState::kDispatched) Write(record, &outbox_.calls);
  return answer;
}

Admission Guard::FrozenOf(hold::CallId id) const {
  Admission answer{Verdict::kAdmitted, Reason::kNone, kNoIndex, 0, 0, Instant{}};
  const uint32_t slot = calls_.Find(id);
  if (slot == kNoIndex) return answer;
  for (const Leg& leg : calls_.at(slot).legs) {
    const Account& account = books_.at(leg.account);
    if (!account.spec.frozen) continue;
    return {Verdict::kRefused, Reason::kFrozen, leg.account, 0, 0, ResetsAt(account)};
  }
  return answer;
}

}  // namespace flyball::guard
