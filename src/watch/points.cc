#include "watch/points.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string>

#include "base/text.h"
#include "watch/detector.h"

namespace flyball::watch {
namespace {

constexpr size_t kShownMax = 40;

bool IsMissing(std::string_view text) {
  for (const std::string_view word : {"", "nan", "na", "n/a", "null", "none"}) {
    if (EqualsIgnoreCase(text, word)) return true;
  }
  return false;
}

}  // namespace

std::string Shown(std::string_view text) {
  std::string_view start = text.substr(0, kShownMax);
  start = start.substr(0, ValidUtf8Prefix(start));
  return fmt::format("'{}{}'", start, start.size() < text.size() ? "..." : "");
}

std::optional<Instant> ReadInstant(std::string_view text) {
  text = Trim(text);
  ParsedInstant parsed;
  if (ParseInstant(text, &parsed)) return parsed.instant;
  // Seconds that were written as a decimal.
  const size_t point = text.find('.');
  if (point != text.npos && text.find_first_not_of('0', point + 1) == text.npos) {
    text = text.substr(0, point);
  }
  int64_t seconds = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr int64_t kSecondsMax = 253'402'300'799;  // the end of the year 9999
  if (fault != std::errc() || end != text.data() + text.size() || seconds < -kSecondsMax ||
      seconds > kSecondsMax) {
    return std::nullopt;
  }
  return Instant{seconds * kMicrosPerSecond};
}

Result<std::optional<double>> ReadValue(std::string_view written) {
  const std::string_view text = Trim(written);
  if (IsMissing(text)) return std::nullopt;
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = end == text.data() + text.size();
  if (whole && (fault == std::errc::result_out_of_range ||
                (fault == std::errc() && std::fabs(value) > kValueMax))) {
    return Fail(Code::kOutOfRange, fmt::format("the value {} cannot be scored", Shown(written)),
                "values lie between -1e100 and 1e100; leave the field empty where one is missing");
  }
  if (fault != std::errc() || !whole || std::isnan(value)) {
    return Fail(Code::kInvalidArgument, fmt::format("the value {} is no number", Shown(written)),
                "write 1234.5 or 1e-3; leave the field empty where a value is missing");
  }
  return value;
}

Result<bool> PointReader::ReadHeader(std::span<const std::string_view> fields) {
  std::optional<size_t> at, value;
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string_view name = Trim(fields[i]);
    if (!at && EqualsIgnoreCase(name, "timestamp")) at = i;
    if (!value && EqualsIgnoreCase(name, "value")) value = i;
  }
  if (at && value) {
    at_column_ = *at;
    value_column_ = *value;
    columns_ = fields.size();
    return true;
  }
  if (fields.size() == 2 && ReadInstant(fields[0])) return false;
  return Fail(Code::kInvalidArgument,
              "the first line is neither a header with the columns timestamp and value nor a point",
              "write `timestamp,value`, separated by a comma; unpack what comes by standard input");
}

Result<std::optional<Point>> PointReader::Read(std::span<const std::string_view> fields) {
  if (!begun_) {
    begun_ = true;
    if (FB_TRY(ReadHeader(fields))) return std::nullopt;
  }
  if (fields.size() != columns_) {
    return Fail(Code::kInvalidArgument,
                fmt::format("the line has {} fields, and {} are expected", fields.size(), columns_),
                "put quotes around fields that have a comma in them");
  }
  Point point;
  point.at_text = fields[at_column_];
  point.value_text = fields[value_column_];
  const std::optional<Instant> at = ReadInstant(point.at_text);
  if (!at) {
    return Fail(Code::kInvalidArgument,
                fmt::format("the timestamp {} is no date", Shown(point.at_text)),
                "write 2026-10-31T23:00:00Z, 2026-10-31 23:00:00 or seconds since 1970");
  }
  point.at = *at;
  point.value = FB_TRY(ReadValue(point.value_text));
  Note(point);
  return point;
}

void PointReader::Note(const Point& point) {
  ++notes_.points;
  if (!point.value) ++notes_.missing;
  if (last_) {
    const int64_t step = point.at.us - last_->us;
    if (step == 0) ++notes_.repeated;
    if (step < 0) ++notes_.backwards;
    if (step > 0 && step_us_ > 0 && step / kGapSteps > step_us_) ++notes_.gaps;
    step_us_ = step;
  }
  last_ = point.at;
  if (!point.value) return;
  if (!first_value_) first_value_ = point.value;
  if (*point.value != *first_value_) notes_.constant = false;
}

}  // namespace flyball::watch
