// Fold and ridge: the series folded by its shortest season into cycles, each a level times a
// shape. The levels, few and smooth, are forecast by ridge regression; the shape is the mean of the
// last cycles. The idea is that of FLAIR (Honda, "FLAIR", 2026, arXiv 2605.07222); this is a
// variant of our own, written from the idea and not from its code.
#pragma once

#include "forecast/member.h"

namespace flyball::forecast {

// `periods` ascend. Cycles are of the first period; a second one that is a multiple of it gives the
// context of a cycle (the day of the week): its shape leans on those of the same context, and its
// level on the level of one such period ago. Costs O(n).
//
// Ridge: intercept, damped trend, lag 1, seasonal lag; the penalty is averaged over a grid,
// weighted by the likelihood of the errors of leave-one-out cross-validation.
Path Fold(Values past, std::span<const size_t> periods, size_t horizon);

// Cycles that Fold needs to forecast levels; with fewer it repeats the last level.
inline constexpr size_t kFoldCyclesMin = 5;

}  // namespace flyball::forecast
