// Points: rows of a CSV of one series, `timestamp,value`, taken for what they say and no more.
//
// A header names the columns, in any order among others; without one, a row has the two fields. A
// timestamp is a date in any form that ParseInstant reads (UTC unless it says otherwise) or whole
// seconds since 1970 (`1692608400`, `1692608400.0`). A value that is empty, NaN, NA or null is
// missing: it is kept, scored 0 and counted. Anything else is refused with its line: never guessed
// at, never dropped.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace flyball::watch {

// What was written, in quotes and short enough for a message.
std::string Shown(std::string_view text);
std::optional<Instant> ReadInstant(std::string_view text);
// Nothing: missing. INVALID_ARGUMENT for what is no number, OUT_OF_RANGE beyond 1e100.
Result<std::optional<double>> ReadValue(std::string_view text);

struct Point {
  Instant at;
  std::optional<double> value;           // nothing: missing
  std::string_view at_text, value_text;  // as written
};

// What there was to say of the rows so far.
struct PointNotes {
  int64_t points = 0;
  int64_t missing = 0;
  int64_t repeated = 0;   // timestamps equal to the one before
  int64_t backwards = 0;  // timestamps earlier than the one before
  int64_t gaps = 0;       // more than kGapSteps times the step of the two points before
  bool constant = true;   // all values are equal
};
inline constexpr int64_t kGapSteps = 3;

class PointReader {
 public:
  // The next record. Nothing: it was the header, which only the first can be. INVALID_ARGUMENT and
  // OUT_OF_RANGE name what is wrong; the caller knows the line.
  Result<std::optional<Point>> Read(std::span<const std::string_view> fields);
  const PointNotes& notes() const { return notes_; }

 private:
  Result<bool> ReadHeader(std::span<const std::string_view> fields);
  void Note(const Point& point);

  bool begun_ = false;
  size_t at_column_ = 0, value_column_ = 1;
  size_t columns_ = 2;
  PointNotes notes_;
  std::optional<Instant> last_;
  int64_t step_us_ = 0;
  std::optional<double> first_value_;
};

}  // namespace flyball::watch
