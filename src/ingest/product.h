// Product: unit price x quantity against the cost that a bill states, exactly, in 256 bits.
#pragma once

#include "base/money.h"

namespace flyball::ingest {

// Prices and quantities of real bills are themselves rounded to ten or so decimals, so their
// product misses the stated cost by up to half a digit of that even where nothing is wrong. A
// difference of more than one millionth of the currency unit is no such rounding. (On FOCUS's
// official sample this tells 25 wrong list costs and 17 wrong contracted costs from 490 and 38 that
// are not equal to the last digit.)
inline constexpr int128 kProductToleranceUnits = 1'000'000;  // of 1e-12: one millionth

// |price x quantity - cost| > tolerance. Price and quantity in units of 1e-15, cost in units of
// 1e-12.
bool ProductDiffers(int128 price, int128 quantity, int128 cost);
// price x quantity in units of 1e-12, rounded once, half to even; false when it leaves 38 digits.
bool ProductOf(int128 price, int128 quantity, int128* cost);

}  // namespace flyball::ingest
