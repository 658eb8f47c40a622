// Budget: how much may be spent on what, in which time.
//
// A budget limits money in one currency, or tokens, over a window of time, for one scope. Scopes
// overlap: a call of a key falls under the budgets of the key, its team, its project, the
// organisation, the model and more, and has to fit into every one of them. Plain values; who keeps
// count of them is the guard (guard/guard.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"

namespace flyball::budget {

enum class ScopeKind : uint8_t {
  kOrganisation,  // every call
  kTeam,
  kProject,
  kUseCase,
  kKey,
  kModel,
  kProvider,
  kEndCustomer,
  kTag,  // the value is "name=value"
};
inline constexpr size_t kScopeKindCount = 9;

struct Scope {
  ScopeKind kind = ScopeKind::kOrganisation;
  std::string value;  // empty for the organisation; "*": each value has a budget of its own
  auto operator<=>(const Scope&) const = default;
  bool is_each() const { return value == "*"; }
};
inline constexpr size_t kScopeValueMaxBytes = 256;

// "organisation", "team=search", "end_customer=*", "tag:env=prod".
Result<Scope> ParseScope(std::string_view text);
std::string FormatScope(const Scope& scope);
// The dimension of the ledger that a scope is about, "" of the organisation; nullopt: the ledger
// has none (key, end customer).
std::optional<std::string> LedgerDimension(const Scope& scope);

enum class Measure : uint8_t { kMoney, kTokens };

// A count of 1e-12 of the currency unit (as Money) or of tokens, by the measure of its budget.
using Amount = int128;

enum class Unit : uint8_t { kMinute, kHour, kDay, kWeek, kMonth, kQuarter, kYear };

// Calendar windows begin where the unit begins in the zone. Rolling windows are the last `count`
// units at any moment; months, quarters and years count as 31, 92 and 366 days then, so that
// nothing is forgotten early.
struct Window {
  Unit unit = Unit::kMonth;
  bool rolling = false;
  int count = 1;  // of a rolling window; a calendar window is one unit
  std::string zone = "UTC";
  auto operator<=>(const Window&) const = default;
};
inline constexpr int kRollingCountMax = 1000;

// "month", "rolling 24 hours"; the zone is written beside it.
Result<Window> ParseWindow(std::string_view text, std::string_view zone = "UTC");
std::string FormatWindow(const Window& window);

enum class Mode : uint8_t {
  kStrict,    // holds are the most that a call can cost: a hard limit never breaks
  kQuantile,  // holds are what 95 of 100 such calls stay under; overspend is bounded, not 0
};

struct Budget {
  std::string name;  // names it for good, whatever else of it is edited
  Scope scope;
  Measure measure = Measure::kMoney;
  std::string currency = "USD";  // of money
  Amount limit = 0;
  Window window;
  std::vector<int> warn_percent;  // ascending, of the limit
  bool hard = true;               // false: what exceeds it is told, not refused
  Mode mode = Mode::kStrict;
  int quantile_overrun_percent = 5;  // of the limit: the most that quantile mode may overspend
  bool frozen = false;               // refuses every call under it
  // False: the ledger's other charges don't count in it.
  bool counts_ledger = true;
  bool operator==(const Budget&) const = default;
};
// A limit of money is at most 1e15 units of the currency, one of tokens at most 1e18.
inline constexpr Amount kLimitMax = static_cast<Amount>(1'000'000'000'000'000) * 1'000'000'000'000;
inline constexpr Amount kTokenLimitMax = 1'000'000'000'000'000'000;
inline constexpr size_t kWarnLevelsMax = 8;
inline constexpr size_t kNameMaxBytes = 256;

// What a budget is called that nobody has named: by its scope, what it limits and its window.
std::string DefaultName(const Budget& budget);
// INVALID_ARGUMENT with the field that is wrong. Whether the zone exists is the guard's to ask.
Status Validate(const Budget& budget);

std::string_view MeasureName(Measure measure);
std::string_view ModeName(Mode mode);
// An amount as people read it: "12.5" of money, "1200" of tokens.
std::string FormatAmount(Measure measure, Amount amount);

}  // namespace flyball::budget
