#include "reconcile/whole.h"

#include <algorithm>

#include "base/assert.h"

namespace flyball::reconcile {

Whole::Whole(int128 value) {
  for (uint32_t& limb : limbs_) {
    limb = static_cast<uint32_t>(value);
    value >>= 32;  // of a negative number: all ones
  }
}

Whole operator+(const Whole& a, const Whole& b) {
  Whole sum;
  uint64_t carry = 0;
  for (size_t i = 0; i < sum.limbs_.size(); ++i) {
    carry += uint64_t{a.limbs_[i]} + b.limbs_[i];
    sum.limbs_[i] = static_cast<uint32_t>(carry);
    carry >>= 32;
  }
  return sum;
}

Whole operator*(const Whole& a, const Whole& b) {
  Whole product;  // the low bits are those of the signed product, too
  for (size_t i = 0; i < a.limbs_.size(); ++i) {
    if (a.limbs_[i] == 0) continue;
    uint64_t carry = 0;
    for (size_t j = 0; i + j < b.limbs_.size(); ++j) {
      carry += uint64_t{a.limbs_[i]} * b.limbs_[j] + product.limbs_[i + j];
      product.limbs_[i + j] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
  }
  return product;
}

Whole Whole::operator-() const {
  Whole flipped;
  for (size_t i = 0; i < limbs_.size(); ++i) flipped.limbs_[i] = ~limbs_[i];
  return flipped + Whole(1);
}

std::strong_ordering Whole::operator<=>(const Whole& other) const {
  if (negative() != other.negative()) return other.negative() <=> negative();
  return std::lexicographical_compare_three_way(limbs_.rbegin(), limbs_.rend(),
                                                other.limbs_.rbegin(), other.limbs_.rend());
}

std::optional<int128> Whole::ToInt128() const {
  uint128 low = 0;
  for (size_t i = 4; i-- > 0;) low = (low << 32) | limbs_[i];
  const auto value = static_cast<int128>(low);
  return Whole(value) == *this ? std::optional(value) : std::nullopt;
}

Whole FloorOf(const Whole& above, const Whole& below) {
  FB_ASSERT(below > Whole(0));
  const Whole size = SizeOf(above);
  Whole quotient;
  Whole rest;
  size_t limb = size.limbs_.size();
  while (limb > 0 && size.limbs_[limb - 1] == 0) --limb;
  while (limb-- > 0) {
    for (int bit = 31; bit >= 0; --bit) {
      rest = rest + rest + Whole((size.limbs_[limb] >> bit) & 1);
      if (rest < below) continue;
      rest = rest - below;
      quotient.limbs_[limb] |= uint32_t{1} << bit;
    }
  }
  if (!above.negative()) return quotient;
  return -quotient - Whole(rest == Whole(0) ? 0 : 1);
}

std::optional<Money> SimplestIn(const RatioSpan& span, const Ratio& to, int digits) {
  int128 step = 1;
  for (int i = digits; i < Money::scale(); ++i) step *= 10;
  for (; step > 0; step /= 10) {
    const Whole least = std::max(CeilOf(span.low.above, span.low.below * step), Whole(0));
    const Whole most = FloorOf(span.high.above, span.high.below * step);
    if (most < least) continue;
    const Whole near = FloorOf(to.above * 2 + to.below * step, to.below * step * 2);
    const auto units = (std::clamp(near, least, most) * step).ToInt128();
    if (!units) return std::nullopt;
    return Money::FromUnits(*units);
  }
  return std::nullopt;
}

}  // namespace flyball::reconcile
