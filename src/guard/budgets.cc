// Budgets made, edited and removed, and the accounts that keep count of them.
#include <algorithm>
#include <map>
#include <utility>

#include "guard/guard.h"
#include "guard/window.h"

namespace flyball::guard {
namespace {

std::unexpected<Error> FailNoBudget(std::string_view name) {
  return Fail(Code::kNotFound, "there is no budget '" + std::string(name.substr(0, 64)) + "'",
              "`flyball budgets` lists them");
}

}  // namespace

uint64_t Guard::StartControl() {
  if (outbox_.control.empty()) outbox_.ticket = ++tickets_;
  return outbox_.ticket;
}

BudgetRecord Guard::RecordOf(uint32_t id, BudgetRecord record) const {
  const Account& account = books_.at(id);
  record.account = id;
  record.template_of = account.template_of;
  record.generation = account.generation;
  record.removed = account.removed;
  record.budget = account.spec;
  record.floor = account.floor;
  record.faults = account.faults;
  record.unguarded_peak = account.unguarded_peak;
  return record;
}

void Guard::WriteBudget(uint32_t id, BudgetRecord record, std::string* batch) const {
  Write(RecordOf(id, std::move(record)), batch);
  if (!books_.at(id).spec.counts_ledger) Write(GatewayOnlyRecord{id}, batch);
}

void Guard::WriteBudget(uint32_t id, BudgetRecord record) {
  if (!options_.durable) return;
  StartControl();
  WriteBudget(id, std::move(record), &outbox_.control);
}

// --- the index

void Guard::IndexAccount(uint32_t id) {
  const Account& account = books_.at(id);
  if (account.removed) return;
  const budget::Scope& scope = account.spec.scope;
  if (scope.is_each()) {
    templates_[static_cast<size_t>(scope.kind)].push_back(id);
    ++templates_version_;
  } else {
    index_.FindOrMake(scope.kind, scope.value).accounts.push_back(id);
  }
}

void Guard::Reindex() {
  index_.Clear();
  for (auto& templates : templates_) templates.clear();
  ++templates_version_;
  for (uint32_t id = 0; id < books_.size(); ++id) books_.at(id).values = 0;
  for (uint32_t id = 0; id < books_.size(); ++id) {
    if (!books_.Has(id)) continue;
    IndexAccount(id);
    const uint32_t of = books_.at(id).template_of;
    if (of != kNoIndex && books_.Has(of)) ++books_.at(of).values;
  }
}

uint32_t Guard::MakeAccount(const budget::Budget& budget, uint32_t template_of) {
  uint32_t id = books_.NextId();
  Account& account = books_.Make(id);
  account.spec = budget;
  account.zone = options_.find_zone(budget.window.zone);
  account.template_of = template_of;
  if (template_of != kNoIndex) {
    account.floor = books_.at(template_of).floor;
  } else {
    by_name_[budget.name] = id;
  }
  if (options_.durable) account.ticket = StartControl();
  return id;
}

bool Guard::IsFull(uint32_t account) const {
  return books_.Has(account) && !books_.at(account).removed &&
         (books_.at(account).values >= kValuesMax || books_.NextId() >= kAccountsMax);
}

// The "*" budget that would have to make an account for the entry's value and may make no more.
uint32_t Guard::FullTemplate(const ScopeIndex::Entry* entry, budget::ScopeKind kind) const {
  for (uint32_t of : templates_[static_cast<size_t>(kind)]) {
    const bool known = entry != nullptr &&
                       std::any_of(entry->accounts.begin(), entry->accounts.end(),
                                   [&](uint32_t id) { return books_.at(id).template_of == of; });
    if (!known && IsFull(of)) return of;
  }
  return kNoIndex;
}

// Each value of a "*" budget gets its own account before the first call of that value is admitted.
bool Guard::MakeInstances(ScopeIndex::Entry* entry, Moment now) {
  for (uint32_t of : templates_[static_cast<size_t>(entry->kind)]) {
    bool known = std::any_of(entry->accounts.begin(), entry->accounts.end(),
                             [&](uint32_t id) { return books_.at(id).template_of == of; });
    if (known) continue;
    if (books_.NextId() >= kAccountsMax) return false;
    budget::Budget budget = books_.at(of).spec;
    budget.scope.value = entry->value;
    uint32_t id = MakeAccount(budget, of);
    ++books_.at(of).values;
    entry->accounts.push_back(id);
    WriteBudget(id, {});
    books_.RollTo(id, now.wall);
  }
  entry->templates_seen = templates_version_;
  return true;
}

// --- edits

Status Guard::CheckBudget(const budget::Budget& budget) const {
  FB_CHECK(budget::Validate(budget));
  if (options_.find_zone(budget.window.zone) == nullptr) {
    return Fail(Code::kInvalidArgument,
                "the budget '" + budget.name + "' is in a time zone that this system does not know",
                "name it as in Europe/Zurich");
  }
  auto found = by_name_.find(budget.name);
  if (found == by_name_.end()) {
    if (books_.NextId() < kAccountsMax) return {};
    return Fail(Code::kResourceExhausted, "there are as many budgets as can be kept count of");
  }
  const budget::Budget& before = books_.at(found->second).spec;
  if (before.measure != budget.measure || before.currency != budget.currency) {
    return Fail(Code::kInvalidArgument,
                "what is counted in '" + budget.name + "' can't be changed into another measure",
                "make another budget, and remove this one");
  }
  bool each = before.scope.is_each() || budget.scope.is_each();
  if (each && before.scope != budget.scope) {
    return Fail(Code::kInvalidArgument,
                "the scope of '" + budget.name + "' can't be changed: each value has its own count",
                "make another budget, and remove this one");
  }
  return {};
}

Status Guard::SetBudget(const budget::Budget& budget, Moment now) {
  FB_CHECK(CheckBudget(budget));
  auto found = by_name_.find(budget.name);
  if (found == by_name_.end()) {
    uint32_t id = MakeAccount(budget, kNoIndex);
    IndexAccount(id);
    WriteBudget(id, {});
    books_.RollTo(id, now.wall);
    return {};
  }
  FB_CHECK(Edit(found->second, budget, now));
  if (budget.scope.is_each()) {
    for (uint32_t id = 0; id < books_.size(); ++id) {
      if (!books_.Has(id) || books_.at(id).template_of != found->second) continue;
      budget::Budget own = budget;
      own.scope.value = books_.at(id).spec.scope.value;
      FB_CHECK(Edit(id, own, now));
    }
  }
  Reindex();
  return {};
}

Status Guard::Edit(uint32_t id, const budget::Budget& budget, Moment now) {
  Account& account = books_.at(id);
  BudgetRecord record;
  books_.RollTo(id, now.wall);
  bool window = account.spec.window != budget.window;
  bool frozen = account.spec.frozen;  // an edit of the limit is no pardon: SetFrozen is
  account.spec = budget;
  account.spec.frozen = frozen;
  account.removed = false;
  uint32_t merged = kNoIndex;
  if (window) merged = ChangeWindow(id, budget.window, now, &record);
  WriteBudget(id, std::move(record));
  if (merged != kNoIndex) WriteLease(merged);
  if (!account.spec.counts_ledger) ForgetExternal(id);
  // A lower limit takes back what was promised beyond it; what is spent or held stays promised.
  for (uint32_t c : account.cells) {
    const Cell& cell = books_.cell(c);
    if (cell.counts) TrimLease(c, std::min(cell.lease, LeaseCap(account)));
  }
  Warn(id, false);
  return {};
}

// A budget of the gateway's calls alone has no more of what the ledger said.
void Guard::ForgetExternal(uint32_t id) {
  ExternalRecord record{external_commit_, {}};
  for (const uint32_t c : books_.at(id).cells) {
    if (books_.cell(c).totals.external == 0) continue;
    CountExternal(c, 0);
    record.legs.push_back({NameOf(c), 0});
  }
  books_.at(id).unguarded_peak = 0;  // also of windows that are no more
  if (record.legs.empty() || !options_.durable) return;
  StartControl();
  Write(record, &outbox_.control);
}

// The cell that holds what was spent in the windows that the new one reaches back to, kNoIndex when
// nothing was.
uint32_t Guard::ChangeWindow(uint32_t id, const budget::Window& window, Moment now,
                             BudgetRecord* record) {
  std::vector<uint32_t> from =
      books_.ChangeWindow(id, window, options_.find_zone(window.zone), now.wall);
  if (from.empty()) return kNoIndex;
  uint32_t into = books_.CurrentCell(id);
  record->merged_into = books_.cell(into).period;
  for (uint32_t c : from) {
    record->merged.push_back({books_.cell(c).generation, books_.cell(c).period.start});
    DropPending(c);
    MoveLegs(c, into);
    books_.MergeCell(c, into);
  }
  const Totals& totals = books_.cell(into).totals;
  books_.cell(into).lease = AddChecked(totals.own(), totals.gap);
  return into;
}

bool Guard::DropPending(uint32_t c) {
  return std::erase_if(pending_, [&](const PendingLease& pending) {
           if (pending.cell == c) books_.Unpin(c);
           return pending.cell == c;
         }) > 0;
}

void Guard::MoveLegs(uint32_t from, uint32_t into) {
  for (uint32_t slot = 0; slot < calls_.slot_count(); ++slot) {
    HeldCall& call = calls_.at(slot);
    if (call.state == CallState::kFree) continue;
    for (Leg& leg : call.legs) {
      if (leg.cell != from) continue;
      leg.cell = into;
      leg.account = books_.cell(into).account;
    }
  }
}

// Takes back a part of a lease, never below what is used of it. In memory at once; on the disk the
// larger number is on the safe side until the record is there.
void Guard::TrimLease(uint32_t c, Amount lease) {
  Cell& cell = books_.cell(c);
  lease = std::max(lease, AddChecked(cell.totals.own(), cell.totals.gap));
  // One that is under way may be found on the disk: it is taken back as well.
  bool under_way = DropPending(c);
  if (lease >= cell.lease && !under_way) return;
  cell.lease = std::min(lease, cell.lease);
  WriteLease(c);
}

void Guard::WriteLease(uint32_t c) {
  if (!options_.durable) return;
  const Cell& cell = books_.cell(c);
  StartControl();
  // The calls that made room must not be forgotten while the smaller promise stands.
  outbox_.sync_calls_first = true;
  Write(LeaseRecord{{{{cell.account, cell.generation, cell.period}, cell.lease}}},
        &outbox_.control);
}

Status Guard::RenameBudget(std::string_view name, const std::string& to, Moment now) {
  auto found = by_name_.find(std::string(name));
  if (found == by_name_.end() || books_.at(found->second).removed) return FailNoBudget(name);
  if (by_name_.contains(to)) {
    return Fail(Code::kAlreadyExists, "a budget '" + to + "' has a count of its own",
                "choose another name");
  }
  const uint32_t renamed = found->second;
  budget::Budget budget = books_.at(renamed).spec;
  budget.name = to;
  FB_CHECK(budget::Validate(budget));
  by_name_.erase(found);
  by_name_[to] = renamed;
  for (uint32_t id = 0; id < books_.size(); ++id) {
    if (!books_.Has(id)) continue;
    if (id != renamed && books_.at(id).template_of != renamed) continue;
    books_.RollTo(id, now.wall);
    books_.at(id).spec.name = to;
    WriteBudget(id, {});
  }
  return {};
}

void Guard::RespellScopes() {
  if (!options_.spell) return;
  // Of each "*" budget the account of each value, those first that are spelled well.
  std::map<std::pair<uint32_t, std::string>, uint32_t> values;
  std::vector<uint32_t> others;
  for (uint32_t id = 0; id < books_.size(); ++id) {
    if (!books_.Has(id)) continue;
    const Account& account = books_.at(id);
    budget::Scope scope = account.spec.scope;
    options_.spell(&scope);
    if (scope != account.spec.scope) {
      others.push_back(id);
    } else if (account.template_of != kNoIndex) {
      values.emplace(std::pair(account.template_of, scope.value), id);
    }
  }
  for (const uint32_t id : others) {
    Account& account = books_.at(id);
    options_.spell(&account.spec.scope);
    if (account.template_of == kNoIndex) continue;
    const auto [there, is_new] =
        values.emplace(std::pair(account.template_of, account.spec.scope.value), id);
    if (!is_new) MergeAccount(id, there->second);
  }
  Reindex();
}

// Both come from one "*" budget, so that they are the same but for what they count.
void Guard::MergeAccount(uint32_t from, uint32_t into) {
  Account& account = books_.at(into);
  Account& source = books_.at(from);
  while (!source.cells.empty()) {
    const uint32_t c = source.cells.back();
    DropPending(c);
    const uint32_t to = books_.MoveCell(c, into);
    MoveLegs(c, to);
    const Totals& totals = books_.cell(to).totals;
    books_.cell(to).lease = AddChecked(totals.own(), totals.gap);
  }
  account.floor = std::max(account.floor, source.floor);
  account.unguarded_peak = std::max(account.unguarded_peak, source.unguarded_peak);
  account.spec.frozen |= source.spec.frozen;
  account.faults += source.faults;
  account.refused += source.refused;
  account.warned = std::max(account.warned, source.warned);
  books_.Forget(from);
  books_.Recount(into);
}

Status Guard::RemoveBudget(std::string_view name, Moment now) {
  auto found = by_name_.find(std::string(name));
  if (found == by_name_.end() || books_.at(found->second).removed) return FailNoBudget(name);
  for (uint32_t id = 0; id < books_.size(); ++id) {
    if (!books_.Has(id)) continue;
    Account& account = books_.at(id);
    if (id != found->second && account.template_of != found->second) continue;
    books_.RollTo(id, now.wall);
    account.removed = true;
    account.spec.counts_ledger = true;  // it counts nothing; an older version reads no other word
    WriteBudget(id, {});
  }
  Reindex();
  return {};
}

Status Guard::SetFrozen(std::string_view name, bool frozen, Moment now) {
  auto found = by_name_.find(std::string(name));
  if (found == by_name_.end() || books_.at(found->second).removed) return FailNoBudget(name);
  for (uint32_t id = 0; id < books_.size(); ++id) {
    if (!books_.Has(id)) continue;
    Account& account = books_.at(id);
    if (id != found->second && account.template_of != found->second) continue;
    books_.RollTo(id, now.wall);
    account.spec.frozen = frozen;
    WriteBudget(id, {});
  }
  return {};
}

Status Guard::ResolveLost(std::string_view name, Instant window_start, Amount exact, Moment now) {
  auto found = by_name_.find(std::string(name));
  if (found == by_name_.end()) return FailNoBudget(name);
  uint32_t id = found->second;
  books_.RollTo(id, now.wall);
  uint32_t c = books_.FindCell(id, books_.at(id).generation, window_start);
  if (c == kNoIndex || books_.cell(c).totals.lost == 0) {
    return Fail(Code::kNotFound, "nothing of '" + std::string(name) + "' was lost in that window");
  }
  const Cell& cell = books_.cell(c);
  if (exact < 0 || exact > cell.totals.lost) {
    return Fail(Code::kOutOfRange, "no more than what was lost can have been spent of it",
                "give what exceeds it as an external charge");
  }
  if (options_.durable) {
    StartControl();
    Write(LostRecord{{id, cell.generation, cell.period}, 0, exact}, &outbox_.control);
  }
  books_.Add(c, &Totals::lost, -cell.totals.lost);
  books_.Add(c, &Totals::settled, exact);
  TrimLease(c, 0);
  return {};
}

void Guard::ForgetIdle(Moment now) {
  wants_room_ = false;
  forgot_us_ = now.mono_us;
  for (uint32_t id = 0; id < books_.size(); ++id) {
    if (!books_.Has(id)) continue;
    Account& account = books_.at(id);
    bool each = account.spec.scope.is_each();
    if ((account.template_of == kNoIndex && !account.removed) || each || account.spec.frozen)
      continue;
    books_.RollTo(id, now.wall);
    bool idle = std::all_of(account.cells.begin(), account.cells.end(), [&](uint32_t c) {
      return books_.cell(c).pins == 0 &&
             books_.cell(c).counted_until.us <= now.wall.us - kForgetAfterUs;
    });
    if (!idle) continue;
    if (account.template_of != kNoIndex && books_.Has(account.template_of)) {
      Instant& floor = books_.at(account.template_of).floor;
      floor = std::max(floor, account.floor);
      for (uint32_t c : account.cells) floor = std::max(floor, books_.cell(c).counted_until);
    }
    if (account.template_of == kNoIndex) by_name_.erase(account.spec.name);
    books_.Forget(id);
  }
  Reindex();
}

}  // namespace flyball::guard
