// Outlook: whether a budget will hold, and if not, when it breaks.
//
// What was spent of its window so far, and sample paths to the window's end: the share of the paths
// that exceed the limit is the probability of an overrun, the days on which they do give its date.
// What the guard has counted already is at least what each path has spent by now.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "forecast/ledger_forecast.h"
#include "model/budget.h"

namespace flyball::forecast {

struct BudgetNow {
  std::string name;
  budget::Scope scope;
  budget::Measure measure = budget::Measure::kMoney;
  std::string currency;
  budget::Window window;
  double limit = 0;
  double settled = 0;                        // of the window, as the guard counts it
  std::optional<Instant> began_at, ends_at;  // of a calendar window
  bool counts_ledger = true;
  bool hard = true;
};

// The rows of `flyball budgets --format json`. What cannot be read of them is an error.
Result<std::vector<BudgetNow>> ReadBudgets(std::string_view json);

struct BudgetOutlook {
  std::string name, scope, value, currency, window;  // `value`: of a "*" budget, which of them
  double limit = 0;
  bool hard = true;
  std::string refusal;  // why there is none; the rest is then empty
  Instant began_at, ends_at, known_to;
  double spent = 0;                  // so far
  double mean = 0;                   // expected at the end
  std::vector<double> lower, upper;  // a level each
  double overrun = 0;                // probability
  double overrun_amount = 0;         // expected beyond the limit, over all paths
  // When it broke; else of the paths that overrun: the days by which a tenth, half and nine tenths
  // of them have. Only where one in twenty does.
  std::optional<Instant> overrun_at, overrun_from, overrun_to;
  std::vector<std::string> notes;
};

struct OutlookAnswer {
  std::vector<double> levels;
  std::string commit;
  std::vector<BudgetOutlook> budgets;
  std::vector<std::string> left_off;
};

// Values of "*" budgets that are looked at, the dearest first, and budgets.
inline constexpr size_t kOutlookValuesMax = 50;
inline constexpr size_t kOutlookBudgetsMax = 200;

Result<OutlookAnswer> LookAhead(const std::vector<BudgetNow>& budgets,
                                const std::vector<double>& levels, const LedgerContext& context);

std::string OutlookJson(const OutlookAnswer& answer);

}  // namespace flyball::forecast
