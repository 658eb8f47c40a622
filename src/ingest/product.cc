#include "ingest/product.h"

#include "base/assert.h"

namespace flyball::ingest {
namespace {

struct Wide {
  uint128 high = 0;
  uint128 low = 0;
};

uint128 Magnitude(int128 value) {
  return value < 0 ? uint128{0} - static_cast<uint128>(value) : static_cast<uint128>(value);
}

Wide Times(uint128 a, uint128 b) {
  const uint128 mask = ~uint64_t{0};
  const uint128 low = (a & mask) * (b & mask);
  const uint128 cross1 = (a >> 64) * (b & mask) + (low >> 64);
  const uint128 cross2 = (a & mask) * (b >> 64) + (cross1 & mask);
  return {(a >> 64) * (b >> 64) + (cross1 >> 64) + (cross2 >> 64), (cross2 << 64) | (low & mask)};
}

Wide Plus(Wide a, Wide b) {
  Wide sum{a.high + b.high, a.low + b.low};
  if (sum.low < a.low) ++sum.high;
  return sum;
}

Wide Minus(Wide a, Wide b) { return {a.high - b.high - (a.low < b.low ? 1 : 0), a.low - b.low}; }

bool Less(Wide a, Wide b) { return a.high != b.high ? a.high < b.high : a.low < b.low; }

constexpr int128 kUnits18 = 1'000'000'000'000'000'000;  // 1e-30 in 1e-12
constexpr int128 kTolerance30 = kProductToleranceUnits * kUnits18;

bool Fits64(int128 value) { return value == static_cast<int64_t>(value); }

}  // namespace

bool ProductDiffers(int128 price, int128 quantity, int128 cost) {
  // Everyday sizes: the product of two 64-bit numbers, and a cost below 5e7 units of currency.
  constexpr int128 kSmallCost = static_cast<int128>(50'000'000) * 1'000'000'000'000;
  if (Fits64(price) && Fits64(quantity) && cost < kSmallCost && cost > -kSmallCost) {
    int128 difference = price * quantity - cost * kUnits18;
    return difference > kTolerance30 || difference < -kTolerance30;
  }
  Wide product = Times(Magnitude(price), Magnitude(quantity));
  Wide stated = Times(Magnitude(cost), static_cast<uint128>(kUnits18));
  bool product_negative = (price < 0) != (quantity < 0);
  Wide difference = product_negative != (cost < 0) ? Plus(product, stated)
                    : Less(product, stated)        ? Minus(stated, product)
                                                   : Minus(product, stated);
  return Less({0, static_cast<uint128>(kTolerance30)}, difference);
}

bool ProductOf(int128 price, int128 quantity, int128* cost) {
  const auto divisor = static_cast<uint64_t>(kUnits18);
  Wide product = Times(Magnitude(price), Magnitude(quantity));
  uint64_t limbs[4] = {
      static_cast<uint64_t>(product.high >> 64), static_cast<uint64_t>(product.high),
      static_cast<uint64_t>(product.low >> 64), static_cast<uint64_t>(product.low)};
  uint128 rest = 0;
  for (uint64_t& limb : limbs) {
    uint128 part = (rest << 64) | limb;
    limb = static_cast<uint64_t>(part / divisor);
    rest = part % divisor;
  }
  if (limbs[0] != 0 || limbs[1] != 0) return false;
  uint128 magnitude = (static_cast<uint128>(limbs[2]) << 64) | limbs[3];
  uint128 half = divisor / 2;
  if (rest > half || (rest == half && (magnitude & 1) != 0)) ++magnitude;
  if (magnitude > static_cast<uint128>(kDecimalMaxUnits)) return false;
  auto units = static_cast<int128>(magnitude);
  *cost = (price < 0) != (quantity < 0) ? -units : units;
  return true;
}

}  // namespace flyball::ingest
