// Decimals: what ParseDecimal reads from any text is held against RawDecimalSum, which shares no
// code with it and never rounds, and what FormatDecimal writes is read back. The first byte chooses
// the scale.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/money.h"
#include "base/raw_sum.h"

namespace flyball {
namespace {

// Whether a - b >= 0.
bool AtLeast(const RawDecimalSum& a, const RawDecimalSum& b) {
  return !a.Minus(b).ToString().starts_with('-');
}

RawDecimalSum Of(std::string_view text) {
  RawDecimalSum sum;
  FB_ASSERT(sum.Add(text));
  return sum;
}

RawDecimalSum MagnitudeOf(const RawDecimalSum& sum) {
  return sum.ToString().starts_with('-') ? RawDecimalSum().Minus(sum) : sum;
}

void CheckValue(const RawDecimalSum& raw, const ParsedDecimal& parsed, int scale) {
  std::string text = FormatDecimal(parsed.units, scale);
  RawDecimalSum error = MagnitudeOf(raw.Minus(Of(text)));
  FB_ASSERT(parsed.exact == error.IsZero());
  RawDecimalSum doubled = error;
  doubled.Merge(error);
  RawDecimalSum unit = Of("1e-" + std::to_string(scale));
  FB_ASSERT(AtLeast(unit, doubled));
  if (doubled == unit) FB_ASSERT(parsed.units % 2 == 0);

  ParsedDecimal again;
  FB_ASSERT(ParseDecimalFast(text, scale, &again) == DecimalFault::kNone);
  FB_ASSERT(again.units == parsed.units && again.exact);
  FB_ASSERT(text == raw.ToString() || !parsed.exact);
}

void CheckDecimal(std::string_view text, int scale) {
  ParsedDecimal parsed;
  DecimalFault fault = ParseDecimalFast(text, scale, &parsed);
  RawDecimalSum raw;
  if (!raw.Add(text)) {
    // Either no number for both, or digits beyond what the raw sum keeps: far out of range, or far
    // below the last digit.
    bool tiny = fault == DecimalFault::kNone && parsed.units == 0 && !parsed.exact;
    FB_ASSERT(fault != DecimalFault::kNone || tiny);
    return;
  }
  FB_ASSERT(fault != DecimalFault::kNotANumber);
  if (fault == DecimalFault::kNone) {
    CheckValue(raw, parsed, scale);
  } else {
    RawDecimalSum limit = Of("99999999999999999999999999999999999999.5e-" + std::to_string(scale));
    FB_ASSERT(AtLeast(MagnitudeOf(raw), limit));
  }
}

}  // namespace
}  // namespace flyball

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  flyball::CheckDecimal(text, data[0] % 39);
  return 0;
}
