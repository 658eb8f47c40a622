// What the ledger has in a budget beside the gateway's calls, as the server tells it to whoever has
// the guard: the body of POST /flyball/v1/budgets/ledger.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "guard/wal.h"
#include "model/budget.h"

namespace flyball::gateway {

inline constexpr std::string_view kDeskLedgerPath = "/flyball/v1/budgets/ledger";
inline constexpr size_t kExternalMaxBytes = 8u << 20;

// Of one budget, whole: what is not in it, is not.
struct External {
  struct Sum {
    Instant at;                 // in the window, or bucket of a rolling one, that it counts in
    budget::Amount amount = 0;  // 1e-12 of the currency, or tokens; a credit is negative
    std::string currency;       // "" for tokens
    bool operator==(const Sum&) const = default;
  };
  struct Value {
    std::string value;  // of a "*" budget; else ""
    std::vector<Sum> sums;
    bool operator==(const Value&) const = default;
  };
  std::string budget;   // by name
  uint64_t commit = 0;  // of the ledger, that it was read at
  std::vector<Value> values;
  bool operator==(const External&) const = default;
};

// {"budget":"all","commit":12,"values":[{"value":"","sums":[["2026-11-01T00:00:00Z","12500","USD"]]}]},
// amounts in 1e-12 of the currency or tokens.
std::string ExternalJson(const External& external);
Result<External> ReadExternal(std::string_view json);
// Counts it, in place of what was said before, and has it written. NOT_FOUND: no such budget. The
// rest is counted where one value can't be; the first reason is the answer's error.
Status CountExternal(const External& external, guard::Wal& wal, guard::Moment now);

}  // namespace flyball::gateway
