#include "ingest/native/texts.h"

#include <charconv>

#include "base/money.h"
#include "base/text.h"
#include "base/time.h"

namespace flyball::native {
namespace {

constexpr int kScale = 18;
constexpr std::string_view kTooLarge = "too large a product or sum";  // no number: it is refused

std::optional<int128> Units(std::string_view number, int scale) {
  if (number.empty()) return int128{0};
  ParsedDecimal parsed;
  if (ParseDecimalFast(number, scale, &parsed) != DecimalFault::kNone) return std::nullopt;
  return parsed.units;
}

// What stands in the place of a result that cannot be had from the text.
std::string Refused(std::string_view number, int scale) {
  ParsedDecimal parsed;
  const bool large = ParseDecimalFast(number, scale, &parsed) == DecimalFault::kOutOfRange;
  return std::string(large ? kTooLarge : number);
}

std::optional<Instant> Read(std::string_view text) {
  ParsedInstant parsed;
  if (!ParseInstant(text, &parsed)) return std::nullopt;
  return parsed.instant;
}

// "202610" and "2026-10" as well as whatever is a date.
std::optional<Instant> ReadMonth(std::string_view text) {
  std::string digits;
  for (char c : text) {
    if (c != '-') digits += c;
  }
  if (digits.size() == 6 && digits.find_first_not_of("0123456789") == std::string::npos) {
    const int year = std::stoi(digits.substr(0, 4)), month = std::stoi(digits.substr(4));
    if (year >= 1 && month >= 1 && month <= 12) return ToInstant({year, month, 1});
  }
  std::optional<Instant> instant = Read(text);
  if (!instant) return std::nullopt;
  return FloorMonth(*instant);
}

std::string Written(std::optional<Instant> instant, std::string_view otherwise) {
  return instant ? FormatInstant(*instant) : std::string(otherwise);
}

}  // namespace

bool IsZero(std::string_view number) { return Units(number, kScale) == int128{0}; }

bool IsNegative(std::string_view number) {
  const std::optional<int128> units = Units(number, kScale);
  return units && *units < 0;
}

std::string Plus(std::string_view a, std::string_view b) {
  const std::optional<int128> left = Units(a, kScale), right = Units(b, kScale);
  if (!left) return Refused(a, kScale);
  int128 sum = 0;
  if (!right) return Refused(b, kScale);
  if (__builtin_add_overflow(*left, *right, &sum)) return std::string(kTooLarge);
  return FormatDecimal(sum, kScale);
}

std::string Minus(std::string_view a, std::string_view b) {
  const std::optional<int128> right = Units(b, kScale);
  if (!right) return Refused(b, kScale);
  return Plus(a, FormatDecimal(-*right, kScale));
}

std::string Times(std::string_view price, std::string_view quantity) {
  const std::optional<int128> left = Units(price, Money::scale());
  const std::optional<int128> right = Units(quantity, Quantity::scale());
  if (!left) return Refused(price, Money::scale());
  if (!right) return Refused(quantity, Quantity::scale());
  const Result<Money> product = Multiply(Money::FromUnits(*left), Quantity::FromUnits(*right));
  return product ? product->ToString() : std::string(kTooLarge);
}

std::string Shifted(std::string_view number, int by) {
  if (number.empty() || by == 0) return std::string(number);
  const size_t e = number.find_first_of("eE");
  int exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view digits = number.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    const bool whole = end == digits.data() + digits.size();
    if (failed != std::errc() || !whole || exponent > 99'999 || exponent < -99'999) {
      return std::string(number);
    }
  }
  return std::string(number.substr(0, e)) + "E" + std::to_string(exponent + by);
}

std::string InstantOf(std::string_view text) { return Written(Read(text), text); }

std::string DayAfter(std::string_view text) {
  std::optional<Instant> instant = Read(text);
  if (instant) instant->us = FloorDay(*instant).us + kMicrosPerDay;
  return Written(instant, text);
}

std::string HourAfter(std::string_view text) {
  std::optional<Instant> instant = Read(text);
  if (instant) instant->us += kMicrosPerHour;
  return Written(instant, text);
}

std::string MonthOf(std::string_view text) { return Written(ReadMonth(text), text); }

std::string MonthAfter(std::string_view text) {
  std::optional<Instant> instant = ReadMonth(text);
  if (instant) instant = AddMonths(*instant, 1);
  return Written(instant, text);
}

std::string ExclusiveEnd(std::string_view text) {
  std::optional<Instant> instant = Read(text);
  constexpr int64_t kMinute = 60 * kMicrosPerSecond;
  if (instant && instant->us % kMinute == kMinute - kMicrosPerSecond)
    instant->us += kMicrosPerSecond;
  return Written(instant, text);
}

std::string OfEpoch(std::string_view seconds) {
  constexpr int64_t kMost = 253'402'300'799;  // the end of year 9999
  int64_t count = 0;
  const auto [end, failed] =
      std::from_chars(seconds.data(), seconds.data() + seconds.size(), count);
  const bool whole = end == seconds.data() + seconds.size();
  if (failed != std::errc() || !whole || count < 0 || count > kMost) return std::string(seconds);
  return FormatInstant({count * kMicrosPerSecond});
}

bool ContainsNoCase(std::string_view text, std::string_view lower) {
  return ToLower(text).find(lower) != std::string::npos;
}

}  // namespace flyball::native
