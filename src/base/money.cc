#include "base/money.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/assert.h"
#include "base/ratio.h"

namespace flyball {
namespace {

constexpr int kMaxDigits = 38;      // of DECIMAL(38, s)
constexpr size_t kFastDigits = 19;  // as many nines fit 64 bits

constexpr std::array<uint128, kMaxDigits + 1> MakePowers() {
  std::array<uint128, kMaxDigits + 1> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}
constexpr std::array<uint128, kMaxDigits + 1> kPowers = MakePowers();

constexpr std::array<uint64_t, kFastDigits + 1> MakeSmallPowers() {
  std::array<uint64_t, kFastDigits + 1> powers{};
  for (size_t i = 0; i < powers.size(); ++i) powers[i] = static_cast<uint64_t>(kPowers[i]);
  return powers;
}
constexpr std::array<uint64_t, kFastDigits + 1> kSmallPowers = MakeSmallPowers();

constexpr uint128 Magnitude(int128 value) {
  return value < 0 ? uint128{0} - static_cast<uint128>(value) : static_cast<uint128>(value);
}

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
unsigned DigitOf(char c) { return static_cast<unsigned char>(c - '0'); }

// Whether a quotient is rounded up, half to even, from what its division left.
template <typename T>
bool RoundsUp(T quotient, T remainder, T divisor) {
  T rest = divisor - remainder;
  return remainder > rest || (remainder == rest && (quotient & 1) != 0);
}

DecimalFault Finish(uint128 magnitude, bool negative, bool exact, ParsedDecimal* out) {
  if (magnitude > static_cast<uint128>(kDecimalMaxUnits)) return DecimalFault::kOutOfRange;
  auto units = static_cast<int128>(magnitude);
  out->units = negative ? -units : units;
  out->exact = exact;
  return DecimalFault::kNone;
}

// mantissa x 10^power, for a mantissa of at most 19 digits.
DecimalFault ScaleSmall(uint64_t mantissa, int64_t power, bool negative, ParsedDecimal* out) {
  if (mantissa == 0) return Finish(0, false, true, out);
  if (power >= 0) {
    if (power > kMaxDigits) return DecimalFault::kOutOfRange;
    uint128 factor = kPowers[static_cast<size_t>(power)];
    if (power > static_cast<int64_t>(kFastDigits) &&
        mantissa > static_cast<uint128>(kDecimalMaxUnits) / factor) {
      return DecimalFault::kOutOfRange;
    }
    return Finish(factor * mantissa, negative, true, out);
  }
  // Below half of the last kept digit when more digits are cut than a mantissa has.
  if (power < -static_cast<int64_t>(kFastDigits)) return Finish(0, false, false, out);
  uint64_t divisor = kSmallPowers[static_cast<size_t>(-power)];
  uint64_t quotient = mantissa / divisor;
  uint64_t remainder = mantissa % divisor;
  if (RoundsUp(quotient, remainder, divisor)) ++quotient;
  return Finish(quotient, negative, remainder == 0, out);
}

// The exponent after an 'e', saturated far beyond what any length of digits can bring back; false:
// not a number.
bool ParseExponent(const char* at, const char* end, int64_t* exponent) {
  constexpr int64_t kSaturated = int64_t{1} << 50;
  bool negative = false;
  if (at != end && (*at == '-' || *at == '+')) negative = *at++ == '-';
  if (at == end) return false;
  int64_t value = 0;
  for (; at != end; ++at) {
    if (!IsDigit(*at)) return false;
    value = std::min(kSaturated, value * 10 + DigitOf(*at));
  }
  *exponent = negative ? -value : value;
  return true;
}

// Digits of a number of any length: `whole` digits, then `fraction` digits, read as one run without
// the point.
struct DigitRun {
  std::string_view whole;
  std::string_view fraction;

  size_t size() const { return whole.size() + fraction.size(); }
  unsigned operator[](size_t i) const {
    return DigitOf(i < whole.size() ? whole[i] : fraction[i - whole.size()]);
  }
};

DecimalFault ScaleLong(const DigitRun& digits, int64_t power, bool negative, ParsedDecimal* out) {
  size_t first = 0;
  while (first < digits.size() && digits[first] == 0) ++first;
  if (first == digits.size()) return Finish(0, false, true, out);
  auto count = static_cast<int64_t>(digits.size() - first);
  int64_t kept =
      count + power;  // digits that stand before the cut, trailing zeros of 10^power included
  if (kept > kMaxDigits) return DecimalFault::kOutOfRange;
  if (kept < 0) return Finish(0, false, false, out);

  size_t at = first;
  size_t stop = first + static_cast<size_t>(std::min(kept, count));
  uint128 value = 0;
  for (; at < stop; ++at) value = value * 10 + digits[at];
  if (kept > count) value *= kPowers[static_cast<size_t>(kept - count)];
  if (at == digits.size()) return Finish(value, negative, true, out);

  unsigned next = digits[at++];
  bool rest = false;
  for (; at < digits.size() && !rest; ++at) rest = digits[at] != 0;
  if (next > 5 || (next == 5 && (rest || (value & 1) != 0))) ++value;
  return Finish(value, negative, next == 0 && !rest, out);
}

DecimalFault ParseLong(const char* at, const char* end, int scale, bool negative,
                       ParsedDecimal* out) {
  DigitRun digits;
  const char* start = at;
  while (at != end && IsDigit(*at)) ++at;
  digits.whole = std::string_view(start, static_cast<size_t>(at - start));
  if (at != end && *at == '.') {
    start = ++at;
    while (at != end && IsDigit(*at)) ++at;
    digits.fraction = std::string_view(start, static_cast<size_t>(at - start));
  }
  if (digits.size() == 0) return DecimalFault::kNotANumber;
  int64_t exponent = 0;
  if (at != end) {
    if ((*at != 'e' && *at != 'E') || !ParseExponent(at + 1, end, &exponent)) {
      return DecimalFault::kNotANumber;
    }
  }
  return ScaleLong(digits, exponent - static_cast<int64_t>(digits.fraction.size()) + scale,
                   negative, out);
}

// 256 bits as two halves, for the product of two 128-bit magnitudes.
struct Wide {
  uint128 high = 0;
  uint128 low = 0;
};

Wide MultiplyWide(uint128 a, uint128 b) {
  constexpr uint128 kLow64 = ~uint64_t{0};
  uint128 a0 = a & kLow64, a1 = a >> 64, b0 = b & kLow64, b1 = b >> 64;
  uint128 low = a0 * b0;
  uint128 middle1 = a1 * b0 + (low >> 64);  // fits: (2^64-1)^2 + 2^64-1 < 2^128
  uint128 middle2 = a0 * b1 + (middle1 & kLow64);
  return Wide{a1 * b1 + (middle1 >> 64) + (middle2 >> 64), (middle2 << 64) | (low & kLow64)};
}

// Divides in place by schoolbook long division in base 2^64; returns the remainder.
uint64_t DivideWide(Wide* value, uint64_t divisor) {
  uint64_t limbs[4] = {static_cast<uint64_t>(value->high >> 64), static_cast<uint64_t>(value->high),
                       static_cast<uint64_t>(value->low >> 64), static_cast<uint64_t>(value->low)};
  uint128 remainder = 0;
  for (uint64_t& limb : limbs) {
    uint128 part = (remainder << 64) | limb;
    limb = static_cast<uint64_t>(part / divisor);
    remainder = part % divisor;
  }
  value->high = (static_cast<uint128>(limbs[0]) << 64) | limbs[1];
  value->low = (static_cast<uint128>(limbs[2]) << 64) | limbs[3];
  return static_cast<uint64_t>(remainder);
}

// The same for a divisor below 2^127, bit by bit: only weights that add up beyond 64 bits and
// ratios come here.
uint128 DivideWideByWide(Wide* value, uint128 divisor) {
  uint128 remainder = 0;
  for (int i = 0; i < 256; ++i) {
    remainder = (remainder << 1) | (value->high >> 127);
    value->high = (value->high << 1) | (value->low >> 127);
    value->low <<= 1;
    if (remainder >= divisor) {
      remainder -= divisor;
      value->low |= 1;
    }
  }
  return remainder;
}

}  // namespace

DecimalFault ParseDecimalFast(std::string_view text, int scale, ParsedDecimal* out) {
  const char* at = text.data();
  const char* end = at + text.size();
  bool negative = at != end && *at == '-';
  if (negative) ++at;
  if (static_cast<size_t>(end - at) > kFastDigits) return ParseLong(at, end, scale, negative, out);

  uint64_t mantissa = 0;
  const char* start = at;
  while (at != end && IsDigit(*at)) mantissa = mantissa * 10 + DigitOf(*at++);
  auto digits = at - start;
  int64_t power = scale;
  if (at != end && *at == '.') {
    start = ++at;
    while (at != end && IsDigit(*at)) mantissa = mantissa * 10 + DigitOf(*at++);
    power -= at - start;
    digits += at - start;
  }
  if (digits == 0) return DecimalFault::kNotANumber;
  if (at != end) {
    int64_t exponent = 0;
    if ((*at != 'e' && *at != 'E') || !ParseExponent(at + 1, end, &exponent)) {
      return DecimalFault::kNotANumber;
    }
    power += exponent;
  }
  return ScaleSmall(mantissa, power, negative, out);
}

Result<ParsedDecimal> ParseDecimal(std::string_view text, int scale) {
  FB_ASSERT(scale >= 0 && scale <= kMaxDigits);
  ParsedDecimal parsed;
  switch (ParseDecimalFast(text, scale, &parsed)) {
    case DecimalFault::kNone:
      return parsed;
    case DecimalFault::kNotANumber:
      return Fail(Code::kInvalidArgument,
                  "'" + std::string(text.substr(0, 64)) + "' is not a decimal number",
                  "write it like -12.50 or 1.2E-7, without thousands separators or a currency");
    case DecimalFault::kOutOfRange:
      break;
  }
  return Fail(Code::kOutOfRange, "'" + std::string(text.substr(0, 64)) + "' is beyond " +
                                     std::to_string(kMaxDigits - scale) +
                                     " digits before the point");
}

std::string FormatDecimal(int128 units, int scale) {
  FB_ASSERT(scale >= 0 && scale <= kMaxDigits);
  // A division of 128 bits costs as much as the digits of a whole limb: one for each 18 of them.
  constexpr int kLimbDigits = 18;
  constexpr auto kLimb = static_cast<uint64_t>(kPowers[kLimbDigits]);
  char buffer[64];
  char* const end = buffer + sizeof(buffer);
  char* at = end;
  for (uint128 rest = Magnitude(units); rest != 0;) {
    const bool last = rest < kLimb;
    auto limb = static_cast<uint64_t>(last ? rest : rest % kLimb);
    rest = last ? 0 : rest / kLimb;
    for (int i = 0; last ? limb != 0 : i < kLimbDigits; ++i, limb /= 10) {
      *--at = static_cast<char>('0' + limb % 10);
    }
  }
  char* const point = end - scale;  // where the fraction starts
  while (at >= point) *--at = '0';
  char* fraction_end = end;
  while (fraction_end > point && fraction_end[-1] == '0') --fraction_end;
  std::string text;
  text.reserve(static_cast<size_t>(fraction_end - at) + 2);
  if (units < 0) text += '-';
  text.append(at, point);
  if (fraction_end > point) {
    text += '.';
    text.append(point, fraction_end);
  }
  return text;
}

Result<Money> Sum(std::span<const Money> values) {
  // Two columns of 64 bits, each summed in 128: partial sums cannot overflow whatever their order.
  int128 high = 0;
  uint128 low = 0;
  for (Money value : values) {
    high += value.units() >> 64;
    low += static_cast<uint64_t>(value.units());
  }
  high += static_cast<int128>(low >> 64);
  if (high > std::numeric_limits<int64_t>::max() || high < std::numeric_limits<int64_t>::min()) {
    return Fail(Code::kOutOfRange, "the sum leaves 38 digits");
  }
  auto total = static_cast<int128>((static_cast<uint128>(high) << 64) | static_cast<uint64_t>(low));
  if (Magnitude(total) > static_cast<uint128>(kDecimalMaxUnits)) {
    return Fail(Code::kOutOfRange, "the sum leaves 38 digits");
  }
  return Money::FromUnits(total);
}

Result<Money> Multiply(Money price, Quantity quantity) {
  constexpr auto kDivisor = static_cast<uint64_t>(kPowers[Quantity::scale()]);
  Wide product = MultiplyWide(Magnitude(price.units()), Magnitude(quantity.units()));
  uint64_t remainder = DivideWide(&product, kDivisor);
  if (product.high != 0 || product.low > static_cast<uint128>(kDecimalMaxUnits)) {
    return Fail(Code::kOutOfRange, "the product of price " + price.ToString() + " and quantity " +
                                       quantity.ToString() + " leaves 38 digits");
  }
  uint128 magnitude = product.low;
  if (RoundsUp<uint128>(magnitude, remainder, kDivisor)) ++magnitude;
  if (magnitude > static_cast<uint128>(kDecimalMaxUnits)) {
    return Fail(Code::kOutOfRange, "the product leaves 38 digits");
  }
  auto units = static_cast<int128>(magnitude);
  return Money::FromUnits((price.units() < 0) != (quantity.units() < 0) ? -units : units);
}

Result<Money> TimesRatio(Money amount, int128 numerator, int128 denominator) {
  FB_ASSERT(numerator > 0 && numerator <= kRatioMax);
  FB_ASSERT(denominator > 0 && denominator <= kRatioMax);
  Wide quotient = MultiplyWide(Magnitude(amount.units()), Magnitude(numerator));
  const uint128 remainder = DivideWideByWide(&quotient, Magnitude(denominator));
  uint128 magnitude = quotient.low;
  if (quotient.high == 0 && magnitude <= static_cast<uint128>(kDecimalMaxUnits) &&
      RoundsUp<uint128>(magnitude, remainder, Magnitude(denominator))) {
    ++magnitude;
  }
  if (quotient.high != 0 || magnitude > static_cast<uint128>(kDecimalMaxUnits)) {
    return Fail(Code::kOutOfRange,
                "what " + amount.ToString() + " comes to in that ratio leaves 38 digits");
  }
  const auto units = static_cast<int128>(magnitude);
  return Money::FromUnits(amount.units() < 0 ? -units : units);
}

Result<std::vector<Money>> Split(Money total, std::span<const uint64_t> weights) {
  uint128 weight_sum = 0;
  for (uint64_t weight : weights) weight_sum += weight;
  if (weight_sum == 0) {
    return Fail(Code::kInvalidArgument, "a split needs at least one weight above zero");
  }
  struct Share {
    uint128 units;
    uint128 remainder;
  };
  uint128 magnitude = Magnitude(total.units());
  uint128 left = magnitude;
  std::vector<Share> shares;
  shares.reserve(weights.size());
  for (uint64_t weight : weights) {
    Wide part = MultiplyWide(magnitude, weight);
    uint128 remainder = (weight_sum >> 64) == 0
                            ? DivideWide(&part, static_cast<uint64_t>(weight_sum))
                            : DivideWideByWide(&part, weight_sum);
    FB_ASSERT(part.high == 0 && part.low <= left);
    left -= part.low;
    shares.push_back({part.low, remainder});
  }
  if (left > 0) {
    FB_ASSERT(left < shares.size());
    std::vector<size_t> order(shares.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&shares](size_t a, size_t b) {
      if (shares[a].remainder != shares[b].remainder) {
        return shares[a].remainder > shares[b].remainder;
      }
      return a < b;
    });
    for (size_t i = 0; i < static_cast<size_t>(left); ++i) ++shares[order[i]].units;
  }
  std::vector<Money> parts;
  parts.reserve(shares.size());
  for (const Share& share : shares) {
    auto units = static_cast<int128>(share.units);
    parts.push_back(Money::FromUnits(total.units() < 0 ? -units : units));
  }
  return parts;
}

}  // namespace flyball
