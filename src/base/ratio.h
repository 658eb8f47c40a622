// Amounts times a ratio of two whole numbers, as when one currency is said in another.
#pragma once

#include "base/money.h"
#include "base/result.h"

namespace flyball {

// amount x numerator / denominator, computed in 256 bits and rounded once, half to even, to 1e-12.
// Numerator and denominator are above zero and at most 10^36. OUT_OF_RANGE beyond 38 digits.
Result<Money> TimesRatio(Money amount, int128 numerator, int128 denominator);
inline constexpr int128 kRatioMax =
    static_cast<int128>(1'000'000'000'000'000'000) * 1'000'000'000'000'000'000;

}  // namespace flyball
