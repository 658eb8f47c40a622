// Money and Quantity: exact decimals in 128 bits. No floating point touches either.
//
// Money is a count of 1e-12 of the currency unit, bit for bit DuckDB's and Parquet's
// DECIMAL(38,12). Quantity is a count of 1e-15 of its unit, bit for bit DECIMAL(38,15) (bills state
// tokens and hours to fifteen digits). Arithmetic is checked: what leaves 38 digits is an error
// (OUT_OF_RANGE), never a wrap. Currencies are not mixed here: who adds Money of two currencies has
// lost before the addition.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace flyball {

using int128 = __int128;
using uint128 = unsigned __int128;

// Largest magnitude of DECIMAL(38, s): 10^38 - 1 units.
inline constexpr int128 kDecimalMaxUnits =
    (static_cast<int128>(9999999999999999999ULL)) * 10000000000000000000ULL +
    9999999999999999999ULL;

// What a decimal text says, read without floating point: plain ("-12.50", ".5", "5.") or E-notation
// ("1.2E-7"). No thousands separators, no "+" sign before the number, no blanks. `units` counts
// 10^-scale; digits beyond the scale are rounded half to even, and `exact` says whether any that
// was not zero was cut. "-0" is zero. Digits may be as many as they like, and exponents as large:
// "0e999999999" is 0, "1e-400" is 0 and inexact, "1e400" is out of range.
struct ParsedDecimal {
  int128 units = 0;
  bool exact = true;  // false: digits beyond the scale were rounded away
};
// Errors: INVALID_ARGUMENT when the text is no number, OUT_OF_RANGE when it leaves 38 digits.
Result<ParsedDecimal> ParseDecimal(std::string_view text, int scale);
// The same without building an Error or allocating (for the row loop). `out` is written only when
// it answers kNone.
enum class DecimalFault : uint8_t { kNone = 0, kNotANumber = 1, kOutOfRange = 2 };
DecimalFault ParseDecimalFast(std::string_view text, int scale, ParsedDecimal* out);
// Plain notation, no exponent, no trailing zeros after the point, "-0" never: "0.0000008", "12.5",
// "-3".
std::string FormatDecimal(int128 units, int scale);

template <int kScale, typename Tag>
class Fixed {
 public:
  static constexpr int scale() { return kScale; }
  constexpr Fixed() = default;
  static constexpr Fixed FromUnits(int128 units) {
    Fixed value;
    value.units_ = units;
    return value;
  }
  // Exact or an error: digits beyond the scale are refused. Use ParseDecimal to round and count
  // them.
  static Result<Fixed> Parse(std::string_view text) {
    ParsedDecimal parsed = FB_TRY(ParseDecimal(text, kScale));
    if (!parsed.exact) {
      return Fail(Code::kOutOfRange,
                  "'" + std::string(text) + "' has more digits than can be kept");
    }
    return FromUnits(parsed.units);
  }
  constexpr int128 units() const { return units_; }
  constexpr bool is_zero() const { return units_ == 0; }
  constexpr auto operator<=>(const Fixed&) const = default;
  std::string ToString() const { return FormatDecimal(units_, kScale); }

  // Checked: OUT_OF_RANGE beyond 38 digits.
  Result<Fixed> Plus(Fixed other) const {
    int128 sum = 0;
    if (__builtin_add_overflow(units_, other.units_, &sum) || sum > kDecimalMaxUnits ||
        sum < -kDecimalMaxUnits) {
      return Fail(Code::kOutOfRange, "the sum leaves 38 digits");
    }
    return FromUnits(sum);
  }
  Result<Fixed> Minus(Fixed other) const { return Plus(other.Negated()); }
  constexpr Fixed Negated() const { return FromUnits(-units_); }

 private:
  int128 units_ = 0;
};

struct MoneyTag;
struct QuantityTag;
using Money = Fixed<12, MoneyTag>;
using Quantity = Fixed<15, QuantityTag>;

// Exact sum of any number of values; OUT_OF_RANGE when the total leaves 38 digits (partial sums may
// leave it and return).
Result<Money> Sum(std::span<const Money> values);

// price x quantity, computed in 256 bits and rounded once, half to even, to 1e-12. OUT_OF_RANGE
// beyond 38 digits.
Result<Money> Multiply(Money price, Quantity quantity);

// Splits `total` in proportion to non-negative integer weights by the largest remainder: the parts
// always sum to the total exactly; equal remainders go to the lower index. All weights zero or none
// given is INVALID_ARGUMENT.
Result<std::vector<Money>> Split(Money total, std::span<const uint64_t> weights);

}  // namespace flyball
