// Dearest: how dear an answer of a bill may have been, of a call that counts at its bound, where
// neither the bill nor the answer has told at which tier and place it was served.
#pragma once

#include <optional>
#include <vector>

#include "base/money.h"
#include "reconcile/match.h"

namespace flyball::reconcile {

// What the lines of one answer cost at the one tier and place at which they are dearest, of those
// that the bound of the call has counted and has room for: what a line tells stays. Nothing where
// that is no more than `cost`.
std::optional<BillLine::Rating> DearestHeld(const CallFact& call,
                                            const std::vector<const BillLine*>& lines, Money cost);

}  // namespace flyball::reconcile
