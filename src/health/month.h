// Month: a billing period of the ledger beside its invoices, as `flyball reconcile --period` and
// the page tell it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "health/health.h"
#include "reconcile/ladder.h"
#include "reconcile/statement.h"

namespace flyball::health {

struct Month {
  std::string name;  // "2026-10"
  Instant start, end;
};
// INVALID_ARGUMENT when it is no month.
Result<Month> ParseMonth(const std::string& text);

struct MonthLook {
  Month month;
  reconcile::Statement statement;
  reconcile::Ladders ladders;
  std::string commit;  // all figures were read at
  // By issuer: days on which one that charges on most days charged nothing.
  std::map<std::string, std::vector<std::string>> days_without;
  std::optional<bool> equal;  // not known while no invoice is
};

// `commits`: the ledger's, as a JSON array, newest first. FAILED_PRECONDITION when there is none.
Result<MonthLook> LookAtMonth(const Month& month, reconcile::Statement statement,
                              const std::string& commits, const Ask& ask, Instant now);

// The issuer's word on the billing period, as its FOCUS BillingPeriod has it; empty: none.
std::string StatusOf(const MonthLook& look, const std::string& issuer);
// For how many whole days a difference is known; 0 of one that was never noted.
int64_t AgeDays(const MonthLook& look, const reconcile::Ladder& ladder, const reconcile::Step& step,
                Instant now);
// The contract of `flyball reconcile --period --format json`.
std::string MonthJson(const MonthLook& look, Instant now);

}  // namespace flyball::health
