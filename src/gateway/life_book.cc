#include "gateway/life_book.h"

#include <algorithm>
#include <set>

#include "guard/rates.h"

namespace flyball::gateway {

using guard::Amount;
using Phase = LifeAttempt::Phase;

namespace {

constexpr std::string_view kRequestHeader = "x-client-request-id";

Amount In(const LifeLeg& leg, Money money, int64_t tokens) {
  return leg.tokens ? Amount{tokens} : guard::Convert(money.units(), leg.rate);
}

// The open call that was held last.
const guard::HeldCall* NewestHeld(const guard::Guard& guard) {
  const guard::HeldCall* newest = nullptr;
  for (uint32_t slot = 0; slot < guard.calls().slot_count(); ++slot) {
    const guard::HeldCall& call = guard.calls().at(slot);
    if (call.state != guard::CallState::kHeld) continue;
    if (newest == nullptr || call.id.value() > newest->id.value()) newest = &call;
  }
  return newest;
}

}  // namespace

void LifeBook::Fail(const std::string& what) {
  if (wrong_->empty()) *wrong_ = what;
}

int LifeBook::KeyOf(const guard::Account& account) {
  const std::string name = account.spec.name + "|" + account.spec.scope.value;
  const auto [found, is_new] = keys_.emplace(name, static_cast<int>(accounts_.size()));
  if (is_new) {
    accounts_.push_back({name, 0, true, false, account.spec.window});
  }
  return found->second;
}

// What budgets are by now: the most that their limits ever were.
void LifeBook::Look(const guard::Guard& guard) {
  for (uint32_t id = 0; id < guard.books().size(); ++id) {
    if (!guard.books().Has(id)) continue;
    const guard::Account& account = guard.books().at(id);
    Account& known = accounts_[static_cast<size_t>(KeyOf(account))];
    known.cap = std::max(known.cap, account.spec.limit + account.overrun());
    known.is_reshaped |= known.window != account.spec.window;
    known.is_bounded &= account.spec.hard && !account.removed && !known.is_reshaped;
  }
}

// ---- what the watch saw

LifeAttempt* LifeBook::Held(const std::string& request, size_t vendor, const guard::Guard& guard) {
  const guard::HeldCall* call = NewestHeld(guard);
  const bool known = call != nullptr && std::ranges::any_of(attempts_, [&](const auto& each) {
                       return each->id == call->id && each->phase == Phase::kHeld;
                     });
  if (call == nullptr || known) {
    Fail("an attempt of " + request + " goes on without a hold");
    return nullptr;
  }
  LifeAttempt& attempt = *attempts_.emplace_back(std::make_unique<LifeAttempt>());
  attempt.request = request;
  attempt.vendor = vendor;
  attempt.id = call->id;
  for (const guard::Leg& leg : call->legs) {
    const guard::Account& account = guard.books().at(leg.account);
    const guard::Cell& cell = guard.books().cell(leg.cell);
    attempt.legs.push_back({{KeyOf(account), cell.generation, cell.period.start.us},
                            leg.bound,
                            leg.rate,
                            account.spec.measure == budget::Measure::kTokens});
  }
  if (!by_request_.emplace(std::pair(request, vendor), &attempt).second) {
    Fail("a vendor is tried twice for " + request);
  }
  CheckAdmitted(attempt, *call, guard);
  return &attempt;
}

// Right after an admission all that vendors can still bill fits under every hard limit.
void LifeBook::CheckAdmitted(const LifeAttempt& attempt, const guard::HeldCall& call,
                             const guard::Guard& guard) {
  for (const guard::Leg& leg : call.legs) {
    const guard::Account& account = guard.books().at(leg.account);
    if (account.spec.frozen) Fail("a frozen budget admits " + attempt.request);
    if (!account.spec.hard || leg.bound == 0) continue;
    const bool counts = guard.books().cell(leg.cell).counts;
    const guard::Totals& totals = counts ? account.now : guard.books().cell(leg.cell).totals;
    if (totals.worst() > account.spec.limit + account.overrun() ||
        totals.used() > account.spec.limit) {
      Fail("calls under " + account.spec.name + " may cost more than its limit when " +
           attempt.request + " is admitted");
    }
  }
}

void LifeBook::Committed(bool recorded) {
  for (const auto& attempt : attempts_) {
    if (attempt->phase != Phase::kDispatched) continue;
    attempt->phase = recorded ? Phase::kLeft : Phase::kNeverLeft;
  }
}

void LifeBook::StatusCame(LifeAttempt* attempt, int status) {
  if (!attempt->is_refused() && status / 100 == 4 && attempt->is_billed) Add(*attempt, -1);
  attempt->status = status;
}

void LifeBook::NeverLeft(LifeAttempt* attempt) {
  if (attempt->phase != Phase::kLeft) attempt->phase = Phase::kNeverLeft;
}

void LifeBook::Died() {
  for (const auto& attempt : attempts_) {
    if (attempt->phase != Phase::kLeft) attempt->phase = Phase::kNeverLeft;
  }
}

void LifeBook::Add(const LifeAttempt& attempt, int sign) {
  for (const LifeLeg& leg : attempt.legs) {
    invoices_[leg.cell] +=
        sign * std::min(leg.bound, In(leg, attempt.billed, attempt.billed_tokens));
  }
}

void LifeBook::Bill(const LifeBill& bill) {
  invoice_ = Money::FromUnits(invoice_.units() + bill.cost.units());
  const auto found = by_request_.find({bill.client_id, bill.vendor});
  if (found == by_request_.end()) {
    return Fail("a vendor bills " + bill.client_id + ", which was never held");
  }
  LifeAttempt& attempt = *found->second;
  if (attempt.phase != Phase::kLeft) {
    Fail("a vendor bills " + bill.client_id + ", whose attempt was not recorded");
  }
  if (attempt.is_billed) Fail("a vendor was asked twice by one attempt of " + bill.client_id);
  attempt.is_billed = true;
  attempt.billed = bill.cost;
  attempt.billed_tokens = bill.tokens;
  if (!attempt.is_refused()) Add(attempt, 1);
}

// ---- what must hold

void LifeBook::Check(guard::Guard& guard, int64_t late_us) {
  Look(guard);
  if (const std::string wrong = audits_ ? guard.Audit() : ""; !wrong.empty()) {
    Fail("audit: " + wrong);
  }
  if (guard.bugs() > 0) Fail("the gateway told the guard what a correct caller never does");
  CheckLimits(guard);
  CheckDeadlines(guard, late_us);
  CheckInvoices(guard);
}

// settled + held <= hard budget, in every window.
void LifeBook::CheckLimits(const guard::Guard& guard) {
  for (uint32_t id = 0; id < guard.books().size(); ++id) {
    if (!guard.books().Has(id)) continue;
    const guard::Account& account = guard.books().at(id);
    const Account& known = accounts_[static_cast<size_t>(KeyOf(account))];
    if (account.spec.hard && account.faults > 0 && !account.spec.frozen && !pardons_) {
      Fail("a vendor broke " + known.name + ", and it is not frozen");
    }
    if (!known.is_bounded) continue;
    for (const uint32_t c : account.cells) {
      const guard::Totals& totals = guard.books().cell(c).totals;
      if (totals.own() + totals.gap > known.cap) {
        Fail("a window of " + known.name + " counts " +
             budget::FormatAmount(account.spec.measure, totals.own() + totals.gap) +
             ", above its limit");
      }
    }
  }
}

void LifeBook::CheckDeadlines(const guard::Guard& guard, int64_t late_us) {
  if (guard.open_calls() == 0) return;
  for (uint32_t slot = 0; slot < guard.calls().slot_count(); ++slot) {
    const guard::HeldCall& call = guard.calls().at(slot);
    const bool is_open =
        call.state == guard::CallState::kHeld || call.state == guard::CallState::kDispatched;
    if (is_open && call.deadline_us + late_us < clock_.MonotonicUs()) {
      Fail("call " + std::to_string(call.id.value()) + " is open after its deadline");
    }
  }
}

void LifeBook::VisitCells(
    const guard::Guard& guard,
    const std::function<void(const guard::Account& account, const LifeCellKey& key,
                             const guard::Totals& totals)>& visit) {
  for (uint32_t id = 0; id < guard.books().size(); ++id) {
    if (!guard.books().Has(id)) continue;
    const guard::Account& account = guard.books().at(id);
    const int key = KeyOf(account);
    if (accounts_[static_cast<size_t>(key)].is_reshaped) continue;
    for (const uint32_t c : account.cells) {
      const guard::Cell& cell = guard.books().cell(c);
      visit(account, {key, cell.generation, cell.period.start.us}, cell.totals);
    }
  }
}

// Every vendor's invoice is counted, in the window that its call was held in.
void LifeBook::CheckInvoices(const guard::Guard& guard) {
  VisitCells(guard, [this](const guard::Account& account, const LifeCellKey& key,
                           const guard::Totals& totals) {
    const auto found = invoices_.find(key);
    if (found == invoices_.end()) return;
    const Amount counted = totals.own() + totals.gap + totals.excess;
    if (found->second <= counted) return;
    Fail("the invoice of " + account.spec.name + ", " +
         budget::FormatAmount(account.spec.measure, found->second) +
         ", is above what is counted, " + budget::FormatAmount(account.spec.measure, counted));
  });
}

void LifeBook::CheckSettled(guard::Guard& guard, bool exact) {
  if (!exact) return;
  for (const uint32_t slot : guard.calls().unknown()) {
    const hold::CallId id = guard.calls().at(slot).id;
    const auto of_id = [id](const auto& each) { return each->id == id; };
    const auto found = std::ranges::find_if(attempts_, of_id);
    Fail("evidence came, and the call of " +
         (found == attempts_.end() ? std::string("nobody") : (*found)->request) + " is unknown");
  }
  std::map<LifeCellKey, Amount> whole;
  std::set<LifeCellKey> mixed;  // a bill's lines are paired with calls of no id by time alone
  for (const auto& attempt : attempts_) {
    for (const LifeLeg& leg : attempt->legs) {
      if (!attempt->is_told_apart) mixed.insert(leg.cell);
      if (attempt->is_refused()) continue;
      whole[leg.cell] += In(leg, attempt->billed, attempt->billed_tokens);
    }
  }
  VisitCells(guard, [&](const guard::Account& account, const LifeCellKey& key,
                        const guard::Totals& totals) {
    if (mixed.contains(key)) return;
    const auto found = whole.find(key);
    const Amount invoice = found == whole.end() ? 0 : found->second;
    const Amount counted = totals.own() + totals.excess;
    if (totals.lost > 0 || counted == invoice) return;
    Fail("the books of " + account.spec.name +
         " are not the invoice at the end: " + budget::FormatAmount(account.spec.measure, counted) +
         " for " + budget::FormatAmount(account.spec.measure, invoice));
  });
}

// ---- the watch

class LifeWatch::Watched final : public Call {
 public:
  Watched(LifeWatch& watch, std::unique_ptr<Call> call, std::string request)
      : watch_(watch), call_(std::move(call)), request_(std::move(request)) {}

  std::variant<Attempt, Reply> Next(Outcome before) override {
    if (attempt_ != nullptr &&
        (before == Outcome::kNotConnected || before == Outcome::kNotRecorded)) {
      watch_.book_.NeverLeft(attempt_);
    }
    attempt_ = nullptr;
    std::variant<Attempt, Reply> next = call_->Next(before);
    if (const Attempt* attempt = std::get_if<Attempt>(&next)) {
      attempt_ = watch_.book_.Held(request_, attempt->upstream, watch_.wal_.guard());
    }
    return next;
  }
  bool Dispatched() override {
    const bool may = call_->Dispatched();
    if (attempt_ == nullptr) return may;
    if (may) attempt_->phase = Phase::kDispatched;
    if (watch_.mutation_ == LifeMutation::kUnloggedDispatch) {
      watch_.log_.Withdraw(attempt_->id.value());
    }
    return may;
  }
  HeadVerdict Head(int status, std::span<const HeaderView> headers) override {
    if (attempt_ != nullptr) watch_.book_.StatusCame(attempt_, status);
    const bool is_free = watch_.mutation_ == LifeMutation::kFailuresAreFree && status >= 500;
    return call_->Head(is_free ? 400 : status, headers);
  }
  std::vector<std::pair<std::string, std::string>> ExtraHeaders() override {
    return call_->ExtraHeaders();
  }
  bool KeepsLength() override { return call_->KeepsLength(); }
  BodyVerdict Body(std::string_view piece, std::string* out) override {
    return call_->Body(piece, out);
  }
  std::string Tail() override { return call_->Tail(); }
  void Ended(End how) override {
    if (how == End::kNeverSent && attempt_ != nullptr) watch_.book_.NeverLeft(attempt_);
    if (how == End::kCut) watch_.book_.StreamCut();
    const bool forgets = watch_.mutation_ == LifeMutation::kForgottenEnd &&
                         (how == End::kClientGone || how == End::kBroken);
    call_->Ended(forgets ? End::kNeverSent : how);
  }

 private:
  LifeWatch& watch_;
  std::unique_ptr<Call> call_;
  std::string request_;
  LifeAttempt* attempt_ = nullptr;
};

std::unique_ptr<Call> LifeWatch::Begin(const RequestView& request) {
  return std::make_unique<Watched>(*this, gateway_.Begin(request),
                                   std::string(HeaderOf(request.headers, kRequestHeader)));
}

bool LifeWatch::Commit() {
  const bool recorded = gateway_.Commit() || mutation_ == LifeMutation::kUnrecordedLeaves;
  book_.Committed(recorded);
  return recorded;
}

}  // namespace flyball::gateway
