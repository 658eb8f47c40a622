// Solve: the prices that explain what a bill asks for on each of several days, where they can be
// told from it. Pure and exact.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/money.h"
#include "reconcile/whole.h"

namespace flyball::reconcile {

inline constexpr size_t kPricesMax = 5;  // told from one equation a day

// What one day says: counts at each price, their cost, and how far that may be rounded. A count and
// a cost are multiplied alike where a price is for several counts.
struct CostRow {
  std::vector<int128> counts;
  Whole cost;
  Whole rounding;
};

// Whether the prices make the cost of the day, within its rounding.
bool Reproduces(const CostRow& row, std::span<const Money> prices);
// What the factor on all these prices may be, that makes the cost of the day. Nothing where they
// make none.
std::optional<RatioSpan> FactorOf(const CostRow& row, std::span<const Money> prices);

struct Solution {
  // Enough days, of different mixes. False: many prices explain them as well.
  bool determined = false;
  // Explain every day; those of the book wherever they may be right, the others with the fewest
  // digits. Empty: none do, so that no price is at fault, or the price has more than twelve
  // decimals.
  std::vector<Money> prices;
};
// `book`: the prices that do not explain the days. 1 to kPricesMax. As many prices as days would
// explain any costs: there must be more days than prices that are not the book's.
Solution Solve(std::span<const CostRow> rows, std::span<const Money> book);

// Whether any prices at all make the costs of all days within their rounding, where they are not
// determined: prices of meters that always go together count as one. By what least squares leave
// over: false of days that no prices explain, and of days that are too few to tell or have more
// than kPricesMax different meters.
bool MayExplain(std::span<const CostRow> rows);

}  // namespace flyball::reconcile
