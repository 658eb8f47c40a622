// Cost change: why what was spent in one period differs from what was spent in another, split per
// leaf into parts that add up to the difference to the last unit.
//
// Of leaves that cost something in both periods and are counted in the same unit, with Laspeyres
// weights (the prices and the mix of the period before; von der Lippe, Index Theory and Price
// Statistics, 2007, chapter 2):
//
//   quantity  what the leaf would have cost more, had all leaves of the unit grown alike
//   mix       what it cost more because it grew faster or slower than they did, at its old price
//   price     the rest: the new quantity at the new price less that at the old price
//
// What is only there after is new, what was only there before has ended; what has no quantity is
// not split. Exact: each part is rounded once, half to even, and the last is what remains.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/result.h"

namespace flyball::cost_change {

struct Leaf {
  std::string unit;  // of its quantities; leaves of different units have no mix
  Money cost_before, cost_after;
  Quantity quantity_before, quantity_after;
};

struct Parts {
  Money price, quantity, mix;
  Money fresh;    // new
  Money ended;    // what it cost before, negative
  Money unsplit;  // without quantities
  bool operator==(const Parts&) const = default;
};

// One a leaf. INVALID_ARGUMENT for a negative quantity; OUT_OF_RANGE beyond 38 digits.
Result<std::vector<Parts>> Split(std::span<const Leaf> leaves);
Result<Parts> Total(std::span<const Parts> parts);
// cost_after - cost_before of what the parts are of.
Result<Money> Difference(const Parts& parts);

}  // namespace flyball::cost_change
