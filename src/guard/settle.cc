// What becomes of a call: dispatched, settled, released, or charged at its bound.
#include <algorithm>
#include <map>

#include "guard/guard.h"
#include "guard/rates.h"
#include "guard/window.h"

namespace flyball::guard {
namespace {

std::unexpected<Error> FailNoCall(hold::CallId id) {
  return Fail(Code::kNotFound, "no call " + std::to_string(id.value()) + " has a hold",
              "it was settled or released before, or never admitted");
}

}  // namespace

CellName Guard::NameOf(uint32_t c) const {
  const Cell& cell = books_.cell(c);
  return {cell.account, cell.generation, cell.period};
}

void Guard::WriteDispatch(const HeldCall& call, std::string* batch) {
  dispatch_.call = call.id;
  dispatch_.unknown = call.state == CallState::kUnknown;
  dispatch_.suspect = call.suspect;
  dispatch_.legs.clear();
  for (const Leg& leg : call.legs) {
    dispatch_.legs.push_back({NameOf(leg.cell), leg.held, leg.bound, leg.rate});
  }
  Write(dispatch_, batch);
}

Status Guard::Dispatched(hold::CallId id, Moment) {
  uint32_t slot = calls_.Find(id);
  if (slot == kNoIndex) return FailNoCall(id);  // its deadline may have given it back
  if (calls_.at(slot).state != CallState::kHeld) {
    ++bugs_;
    return FailNoCall(id);
  }
  HeldCall& call = calls_.at(slot);
  call.state = CallState::kDispatched;
  if (options_.durable) WriteDispatch(call, &outbox_.calls);
  return {};
}

// Takes off what the leg holds, or what was charged in its place.
void Guard::LiftLeg(const HeldCall& call, const Leg& leg) {
  if (call.state == CallState::kUnknown) {
    books_.Add(leg.cell, &Totals::unknown, -leg.bound);
  } else {
    books_.Add(leg.cell, &Totals::held, -leg.held);
    if (leg.bound != leg.held) books_.Add(leg.cell, &Totals::gap, leg.held - leg.bound);
  }
}

void Guard::RemoveCall(uint32_t slot) {
  for (const Leg& leg : calls_.at(slot).legs) books_.Unpin(leg.cell);
  calls_.Remove(slot);
}

// Costs are those up to the bound; excess is counted apart.
void Guard::SettleLegs(uint32_t slot, std::span<const Amount> costs) {
  const HeldCall& call = calls_.at(slot);
  for (size_t i = 0; i < call.legs.size(); ++i) {
    const Leg& leg = call.legs[i];
    Amount cost = std::min(costs[i], leg.bound);
    LiftLeg(call, leg);
    books_.Add(leg.cell, &Totals::settled, cost);
    if (call.suspect) books_.Add(leg.cell, &Totals::lost, leg.bound - cost);
  }
}

void Guard::CountExcess(uint32_t c, Amount excess, bool freezes) {
  Account& account = books_.at(books_.cell(c).account);
  books_.Add(c, &Totals::excess, excess);
  ++account.faults;
  account.spec.frozen |= freezes;
}

// Of the costs in costs_, what is above the bounds: charged, written, and a reason to stop.
void Guard::SettleExcess(const HeldCall& call) {
  ExcessRecord record{call.id, {}};
  for (size_t i = 0; i < call.legs.size(); ++i) {
    const Leg& leg = call.legs[i];
    Amount excess = costs_[i] - leg.bound;
    if (excess <= 0) continue;
    bool freezes = books_.at(leg.account).spec.hard;
    record.legs.push_back({NameOf(leg.cell), excess, freezes});
    CountExcess(leg.cell, excess, freezes);
    Notify({leg.account, 0});
  }
  ++faults_;
  if (!options_.durable) return;
  StartControl();
  Write(record, &outbox_.control);
}

Result<bool> Guard::Settle(hold::CallId id, const hold::Cost& cost, int64_t tokens_output,
                           Moment now) {
  uint32_t slot = calls_.Find(id);
  if (slot == kNoIndex) return FailNoCall(id);
  if (cost.money.units() < 0 || cost.money.units() > hold::kCallMoneyMax || cost.tokens < 0 ||
      cost.tokens > hold::kCallTokensMax) {
    return Fail(Code::kOutOfRange, "the cost of call " + std::to_string(id.value()) + " is absurd",
                "the call stays charged at its bound");
  }
  HeldCall& call = calls_.at(slot);
  if (call.state == CallState::kHeld) {  // nobody said that it left; charge it all the same
    ++bugs_;
    FB_CHECK(Dispatched(id, now));
  }
  costs_.clear();
  bool exceeds = false;
  for (const Leg& leg : call.legs) {
    books_.RollTo(leg.account, now.wall);
    bool money = books_.at(leg.account).spec.measure == budget::Measure::kMoney;
    costs_.push_back(money ? Convert(cost.money.units(), leg.rate) : Amount{cost.tokens});
    exceeds |= costs_.back() > leg.bound;
  }
  if (exceeds) SettleExcess(call);
  SettleLegs(slot, costs_);
  if (options_.durable) {
    settle_.call = id;
    settle_.costs.assign(costs_.begin(), costs_.end());
    Write(settle_, &outbox_.calls);
  }
  if (call.sketch_key != 0 && tokens_output >= 0) sketches_.Add(call.sketch_key, tokens_output);
  for (const Leg& leg : call.legs) Warn(leg.account, true);
  if (options_.mutation_for_tests != Mutation::kDoubleSettle) RemoveCall(slot);
  return exceeds;
}

void Guard::MakeUnknown(uint32_t slot) {
  HeldCall& call = calls_.at(slot);
  for (const Leg& leg : call.legs) {
    LiftLeg(call, leg);
    books_.Add(leg.cell, &Totals::unknown, leg.bound);
  }
  calls_.MakeUnknown(slot);
  if (calls_.unknown_count() <= kUnknownCallsMax) return;
  // The oldest stays charged at its bound for good.
  uint32_t oldest = calls_.oldest_unknown();
  std::vector<Amount> bounds;
  for (const Leg& leg : calls_.at(oldest).legs) bounds.push_back(leg.bound);
  SettleLegs(oldest, bounds);
  RemoveCall(oldest);
}

Status Guard::SettleUnknown(hold::CallId id, Moment now) {
  uint32_t slot = calls_.Find(id);
  if (slot == kNoIndex || calls_.at(slot).state == CallState::kUnknown) return FailNoCall(id);
  if (calls_.at(slot).state == CallState::kHeld) {
    ++bugs_;
    FB_CHECK(Dispatched(id, now));
  }
  if (options_.durable) Write(EndRecord{id, false}, &outbox_.calls);
  for (const Leg& leg : calls_.at(slot).legs) books_.RollTo(leg.account, now.wall);
  MakeUnknown(slot);
  for (const Leg& leg : calls_.at(slot).legs) Warn(leg.account, true);
  return {};
}

void Guard::ReleaseCall(uint32_t slot) {
  HeldCall& call = calls_.at(slot);
  for (const Leg& leg : call.legs) LiftLeg(call, leg);
  RemoveCall(slot);
}

Status Guard::Release(hold::CallId id, Moment) {
  uint32_t slot = calls_.Find(id);
  if (slot == kNoIndex || calls_.at(slot).state == CallState::kUnknown) return FailNoCall(id);
  if (options_.durable && calls_.at(slot).state == CallState::kDispatched) {
    Write(EndRecord{id, true}, &outbox_.calls);
  }
  ReleaseCall(slot);
  return {};
}

void Guard::Tick(Moment now) {
  due_.clear();
  calls_.CollectDue(now.mono_us, &due_);
  for (uint32_t slot : due_) {
    hold::CallId id = calls_.at(slot).id;
    Status ended =
        calls_.at(slot).state == CallState::kHeld ? Release(id, now) : SettleUnknown(id, now);
    if (!ended) ++bugs_;
  }
}

// --- spend that did not pass the gateway

// The account that a budget keeps for a value, made when absent; of a plain budget its own.
Result<uint32_t> Guard::AccountOf(std::string_view name, std::string_view value, Moment now) {
  const auto found = by_name_.find(std::string(name));
  if (found == by_name_.end() || books_.at(found->second).removed) {
    return Fail(Code::kNotFound, "there is no budget '" + std::string(name) + "'");
  }
  const uint32_t id = found->second;
  const budget::Scope& scope = books_.at(id).spec.scope;
  if (scope.is_each() == value.empty()) {
    return Fail(Code::kInvalidArgument,
                "a value belongs to a budget of each value, and to no other");
  }
  if (value.empty()) return id;
  needs_.clear();
  const hold::Attribute attribute{scope.kind, value};
  const Admission added = AddAttribute(attribute, now);
  for (const Need& need : needs_) {
    if (books_.at(need.account).template_of == id) return need.account;
  }
  return Fail(Code::kResourceExhausted, "no account can be made of '" + std::string(name) +
                                            "': " + std::string(ReasonName(added.reason)));
}

Result<Amount> Guard::ExternalAmount(const Account& account, const ExternalSum& sum) const {
  if (sum.amount < -budget::kLimitMax || sum.amount > budget::kLimitMax) {
    return Fail(Code::kOutOfRange, "an external sum is absurd");
  }
  if (account.spec.measure == budget::Measure::kTokens) return sum.amount;
  int64_t rate = 0;
  if (!FindRate(CurrencyCode(sum.currency), account.spec.currency, &rate)) {
    return Fail(Code::kFailedPrecondition,
                "there is no rate from " + std::string(sum.currency.substr(0, 3)) + " to " +
                    account.spec.currency,
                "write one under exchange_rates, so that the ledger's charges count in '" +
                    account.spec.name + "'");
  }
  return sum.amount < 0 ? -ConvertSum(-sum.amount, rate) : ConvertSum(sum.amount, rate);
}

Result<bool> Guard::SetExternal(std::string_view name, std::string_view value,
                                std::span<const ExternalSum> sums, uint64_t commit, Moment now) {
  if (stopped_) {
    return Fail(Code::kUnavailable, "the guard's journal can't be written", "say it again later");
  }
  if (sums.size() > kExternalSumsMax) return Fail(Code::kOutOfRange, "too many external sums");
  const auto found = by_name_.find(std::string(name));
  if (found != by_name_.end() && !books_.at(found->second).removed &&
      !books_.at(found->second).spec.counts_ledger) {
    return true;  // whatever is said of it
  }
  const uint32_t id = FB_TRY(AccountOf(name, value, now));
  if (options_.durable && books_.at(id).ticket > synced_ticket_) return false;
  books_.RollTo(id, now.wall);
  const Account& account = books_.at(id);
  std::map<Period, Amount> said;  // by window, or bucket of a rolling one
  for (const ExternalSum& sum : sums) {
    const Period period = WindowAt(account.spec.window, *account.zone, sum.at);
    // A window that is over, or has not begun, is not what the budget limits now.
    if (CountedUntil(account.spec.window, period) <= account.current.start) continue;
    if (period.start >= account.current.end) continue;
    said[period] += FB_TRY(ExternalAmount(account, sum));
  }
  std::map<uint32_t, Amount> by_cell;
  for (const auto& [period, amount] : said) {
    uint32_t c = books_.FindCell(id, account.generation, period.start);
    if (c == kNoIndex && amount <= 0) continue;
    if (c == kNoIndex) c = books_.MakeCell(id, account.generation, period);
    by_cell[c] += amount;
  }
  for (const uint32_t c : account.cells) {  // of which nothing is said, nothing is
    if (books_.cell(c).counts) by_cell.try_emplace(c, 0);
  }
  ExternalRecord record{commit, {}};
  for (const auto& [c, sum] : by_cell) {
    const Amount amount = std::max<Amount>(sum, 0);
    if (books_.cell(c).totals.external == amount) continue;
    CountExternal(c, amount);
    record.legs.push_back({NameOf(c), amount});
  }
  external_commit_ = commit;
  if (record.legs.empty()) return true;
  Warn(id, true);
  // Beside the edits of windows, which it follows, and on the disk: no lease covers it.
  if (options_.durable) {
    StartControl();
    Write(record, &outbox_.control);
  }
  return true;
}

void Guard::CountExternal(uint32_t c, Amount amount) {
  const Amount before = books_.cell(c).totals.external;
  books_.Add(c, &Totals::external, amount - before);
  Account& account = books_.at(books_.cell(c).account);
  if (amount < before && before == account.unguarded_peak) {  // it was restated: never so much came
    account.unguarded_peak = 0;
    for (const uint32_t other : account.cells) {
      account.unguarded_peak = std::max(account.unguarded_peak, books_.cell(other).totals.external);
    }
  }
  account.unguarded_peak = std::max(account.unguarded_peak, amount);
}

void Guard::Warn(uint32_t id, bool tell) {
  Account& account = books_.at(id);
  const size_t reached = account.LevelsReached();
  for (size_t i = account.warned; tell && i < reached; ++i) {
    Notify({id, account.spec.warn_percent[i]});
  }
  account.warned = tell ? std::max(account.warned, reached) : reached;
}

void Guard::Notify(Notice notice) {
  if (notices_.size() < kNoticesMax) notices_.push_back(notice);
}

std::vector<Notice> Guard::TakeNotices() { return std::exchange(notices_, {}); }

}  // namespace flyball::guard
