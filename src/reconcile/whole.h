// Whole: whole numbers of up to a thousand bits, so that a few equations between counts and costs
// are solved without rounding. A ratio of two of them is what a price may be before it is written
// as a decimal.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>

#include "base/money.h"

namespace flyball::reconcile {

// Two's complement. What would leave its bits is a bug of the caller, who bounds the parts.
class Whole {
 public:
  constexpr Whole() = default;
  Whole(int128 value);  // NOLINT(google-explicit-constructor): a number is a number

  friend Whole operator+(const Whole& a, const Whole& b);
  friend Whole operator-(const Whole& a, const Whole& b) { return a + -b; }
  friend Whole operator*(const Whole& a, const Whole& b);
  Whole operator-() const;
  std::strong_ordering operator<=>(const Whole& other) const;
  bool operator==(const Whole& other) const = default;
  bool negative() const { return (limbs_.back() >> 31) != 0; }
  // Nothing: it does not fit.
  std::optional<int128> ToInt128() const;

 private:
  friend Whole FloorOf(const Whole& above, const Whole& below);
  std::array<uint32_t, 32> limbs_{};  // the lowest first
};

Whole FloorOf(const Whole& above, const Whole& below);  // below > 0
inline Whole CeilOf(const Whole& above, const Whole& below) { return -FloorOf(-above, below); }
inline Whole SizeOf(const Whole& value) { return value.negative() ? -value : value; }

struct Ratio {
  Whole above;
  Whole below = 1;  // more than 0
  std::strong_ordering operator<=>(const Ratio& other) const {
    return above * other.below <=> other.above * below;
  }
  bool operator==(const Ratio& other) const { return (*this <=> other) == 0; }
};

// From `low` to `high`, both of which are in it.
struct RatioSpan {
  Ratio low, high;
  bool empty() const { return low > high; }
  bool Contains(const Ratio& value) const { return low <= value && value <= high; }
  RatioSpan And(const RatioSpan& other) const {
    return {low < other.low ? other.low : low, high < other.high ? high : other.high};
  }
};

// Of the decimals in the span, in units of 1e-12 as Money has them, the nearest to `to` of those
// with the fewest digits after the point, `digits` at least; none is negative. Nothing: there is
// none.
std::optional<Money> SimplestIn(const RatioSpan& span, const Ratio& to, int digits = 0);

}  // namespace flyball::reconcile
