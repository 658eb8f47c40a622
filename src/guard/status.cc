// What people and the gateway's answers are told.
#include <algorithm>
#include <string>

#include "guard/guard.h"

namespace flyball::guard {
namespace {

// In 100 calls, five may cost more than their hold, each by its gap at most (docs/GUARD.md).
constexpr int kOverrunOdds = 20;

Overspend MaxOverspend(const Account& account) {
  const Totals& now = account.now;
  Overspend most;
  most.amount = std::max<Amount>(now.worst() - account.spec.limit, 0);
  if (account.spec.mode == budget::Mode::kQuantile || now.gap > 0) {
    most.expected = (now.gap + (kOverrunOdds - 1)) / kOverrunOdds;
    if (!account.spec.frozen) most.amount = std::max(most.amount, account.overrun());
    most.why = "quantile";
  }
  if (most.amount > 0 && now.excess > 0) {
    most.why = "fault";
  } else if (most.amount > 0 && most.why.empty()) {
    most.why = now.external > 0 ? "unguarded" : "edited";
  }
  if (account.unguarded_peak > 0) {
    // The ledger's charges don't ask. What came in one window may come again in this one.
    most.amount += account.unguarded_peak;
    most.bounded = false;
    most.why = "unguarded";
  }
  if (!account.spec.hard && !account.spec.frozen) {
    most.bounded = false;
    most.why = "soft";
  }
  return most;
}

}  // namespace

std::string_view ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "none";
    case Reason::kOverLimit:
      return "over_limit";
    case Reason::kFrozen:
      return "frozen";
    case Reason::kStopped:
      return "stopped";
    case Reason::kInvalid:
      return "invalid";
    case Reason::kDuplicate:
      return "duplicate";
    case Reason::kTooMany:
      return "too_many";
    case Reason::kNoRate:
      return "no_rate";
    case Reason::kNotOpen:
      return "not_open";
  }
  return "none";
}

StatusRow Guard::RowOf(uint32_t id, Moment now) {
  books_.RollTo(id, now.wall);
  const Account& account = books_.at(id);
  StatusRow row;
  row.name = account.spec.name;
  row.scope = budget::FormatScope(account.spec.scope);
  row.window = budget::FormatWindow(account.spec.window);
  row.zone = account.spec.window.zone;
  row.measure = account.spec.measure;
  if (row.measure == budget::Measure::kMoney) row.currency = account.spec.currency;
  row.limit = account.spec.limit;
  row.totals = account.now;
  row.settled = account.now.spent();
  row.held = account.now.held;
  row.remaining = std::max<Amount>(row.limit - account.now.used(), 0);
  if (!account.spec.window.rolling) row.began_at = account.current.start;
  row.resets_at = ResetsAt(account);
  row.max_overspend = MaxOverspend(account);
  row.hard = account.spec.hard;
  row.frozen = account.spec.frozen;
  row.counts_ledger = account.spec.counts_ledger;
  row.mode = account.spec.mode;
  row.warn_percent = account.spec.warn_percent;
  if (const size_t reached = account.LevelsReached(); reached > 0) {
    row.warned_percent = account.spec.warn_percent[reached - 1];
  }
  row.faults = account.faults;
  row.refused = account.refused;
  row.values = account.values;
  return row;
}

std::vector<StatusRow> Guard::Statuses(Moment now) {
  std::vector<StatusRow> rows;
  // By the "*" budget that they come from; its limit is theirs, so what is used tells the share.
  std::unordered_map<uint32_t, std::vector<uint32_t>> values;
  for (uint32_t id = 0; id < books_.size(); ++id) {
    if (!books_.Has(id) || books_.at(id).removed) continue;
    if (books_.at(id).template_of == kNoIndex) {
      rows.push_back(RowOf(id, now));
    } else {
      books_.RollTo(id, now.wall);
      values[books_.at(id).template_of].push_back(id);
    }
  }
  for (auto& [of, ids] : values) {
    const size_t shown = std::min(ids.size(), kValuesShownMax);
    std::partial_sort(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(shown), ids.end(),
                      [this](uint32_t a, uint32_t b) {
                        const Amount used_a = books_.at(a).now.used();
                        const Amount used_b = books_.at(b).now.used();
                        return std::tie(used_b, a) < std::tie(used_a, b);
                      });
    for (size_t i = 0; i < shown; ++i) rows.push_back(RowOf(ids[i], now));
  }
  std::sort(rows.begin(), rows.end(), [](const StatusRow& a, const StatusRow& b) {
    return std::tie(a.name, a.scope) < std::tie(b.name, b.scope);
  });
  return rows;
}

std::optional<StatusRow> Guard::StatusOf(std::string_view name, Moment now) {
  auto found = by_name_.find(std::string(name));
  if (found == by_name_.end() || books_.at(found->second).removed) return std::nullopt;
  return RowOf(found->second, now);
}

std::optional<budget::Budget> Guard::BudgetOf(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  if (found == by_name_.end() || books_.at(found->second).removed) return std::nullopt;
  return books_.at(found->second).spec;
}

std::string Guard::Describe(const Admission& admission) const {
  auto reason = [&]() -> std::string {
    switch (admission.reason) {
      case Reason::kNone:
        return "";
      case Reason::kStopped:
        return "no call is admitted, because the guard's journal can't be written";
      case Reason::kInvalid:
        return "the call's bound, deadline, currency or attributes are absurd";
      case Reason::kDuplicate:
        return "a call of this id is known already";
      case Reason::kTooMany:
        return "there are more open calls, or more budgets, than can be kept count of";
      case Reason::kNotOpen:
        return "no call of this id is open";
      default:
        return "";
    }
  };
  if (admission.account == kNoIndex || !books_.Has(admission.account)) return reason();
  const budget::Budget& spec = books_.at(admission.account).spec;
  std::string unit = spec.measure == budget::Measure::kMoney ? " " + spec.currency : " tokens";
  std::string what = "the budget of " + budget::FormatScope(spec.scope);
  auto amount = [&](Amount a) { return budget::FormatAmount(spec.measure, a) + unit; };
  if (admission.reason == Reason::kFrozen) {
    const uint64_t faults = books_.at(admission.account).faults;
    return what + " is frozen" +
           (faults == 0 ? std::string()
                        : "; its vendors have charged " + std::to_string(faults) +
                              (faults == 1 ? " call" : " calls") + " above the bound");
  }
  if (admission.reason == Reason::kTooMany) {
    return what + " keeps count of as many values as it can (" + std::to_string(kValuesMax) +
           "), and the call brings another";
  }
  if (admission.reason == Reason::kNoRate) {
    return what + " is in " + spec.currency +
           ", and estate.yaml has no exchange rate into it from the currency of the call's prices";
  }
  return what + " has " + amount(admission.left) + " left of " + amount(spec.limit) + " in its " +
         budget::FormatWindow(spec.window) + ", the call may need " + amount(admission.needed) +
         "; more comes at " + FormatInstant(admission.resets_at);
}

}  // namespace flyball::guard
