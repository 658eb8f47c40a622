// Time: UTC instants in microseconds, half-open periods, and the tolerant reading of dates that
// bills write.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace flyball {

// Microseconds since 1970-01-01T00:00:00Z, bit for bit DuckDB's and Parquet's TIMESTAMP (UTC).
// Never a local time.
struct Instant {
  int64_t us = 0;
  constexpr auto operator<=>(const Instant&) const = default;
};

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerHour = 3600 * kMicrosPerSecond;
inline constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

struct CivilDate {
  int year = 1970;
  int month = 1;  // 1..12
  int day = 1;    // 1..31
  constexpr auto operator<=>(const CivilDate&) const = default;
};

// Proleptic Gregorian calendar; exact for all years 1..9999.
Instant ToInstant(CivilDate date);
CivilDate ToCivilDate(Instant instant);
Instant FloorHour(Instant instant);
Instant FloorDay(Instant instant);
Instant FloorWeek(Instant instant);  // ISO 8601: weeks begin on Monday
Instant FloorMonth(Instant instant);
Instant AddMonths(Instant month_start, int months);

// [start, end)
struct Period {
  Instant start;
  Instant end;
  constexpr auto operator<=>(const Period&) const = default;
  constexpr bool Contains(Instant t) const { return start <= t && t < end; }
};

// "2026-10-31T23:00:00Z"; fractions of a second only when there are some.
std::string FormatInstant(Instant instant);
std::string FormatDate(Instant instant);  // "2026-10-31"

// How a date was written. Everything but kIso8601Utc is a defect of the source that reading
// repairs.
enum class TimeForm : uint8_t {
  kIso8601Utc,   // 2024-09-18T22:00:00Z (FOCUS)
  kSpaceNoZone,  // 2024-09-18 22:00:00[.fff], "+00:00" or " UTC" may follow; taken as UTC
  kIsoNoZone,    // 2024-09-18T22:00:00
  kDateOnly,     // 2024-09-18
  kOffset,       // 2024-09-18T22:00:00+02:00, converted
  kUsDate,       // 9/18/24, 9/18/2024, with optional hh:mm[:ss] (month first)
};
struct ParsedInstant {
  Instant instant;
  TimeForm form = TimeForm::kIso8601Utc;
};
// False: no date in any of the forms above (or out of years 1..9999). No allocation: it runs in the
// row loop.
bool ParseInstant(std::string_view text, ParsedInstant* out);
// What the user types for --from, --to and --as-of: a date, an instant or a month "2026-10".
Result<Instant> ParseUserInstant(std::string_view text);

}  // namespace flyball
