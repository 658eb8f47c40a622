// Timeline: from rows with timestamps to values at even steps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace flyball::forecast {

struct Observation {
  int64_t at = 0;        // microseconds since 1970, or a plain number where the file counts steps
  double value = 0;      // NaN: missing
  int64_t line = 0;      // of the file
  bool local = false;    // a time without zone: what comes twice may be the hour that comes twice
  bool counted = false;  // `at` is a plain number
};

enum class StepUnit : uint8_t { kNone, kMicros, kMonths, kCount };
struct Step {
  StepUnit unit = StepUnit::kNone;  // kNone: not known
  int64_t size = 0;                 // how many of the unit
};
// "1 hour", "3 months"; empty for kNone.
std::string StepText(const Step& step);
// The seasons, in steps, that a step of this length is known to have: an hour 24 and 168, a day 7,
// a week 52, a month 12, a quarter 4; less than an hour a day and a week of them; otherwise none.
std::vector<size_t> SeasonsOf(const Step& step);
// How far one looks ahead: hours 48, days 28, weeks 13, months 12, quarters 8, years 6, others 12.
size_t HorizonOf(const Step& step);

struct Timeline {
  Step step;
  std::vector<double> values;  // NaN: no observation
  std::string refusal;         // not evenly spaced, and how; the rest is then empty
};
// Of one series, in any order. Months, quarters and years are steps of the calendar. Days and
// longer may be off by an hour or two (a change of daylight-saving time). INVALID_ARGUMENT with the
// line when two observations are of one instant.
Result<Timeline> MakeTimeline(std::vector<Observation> observations);

// Steps that are not there may be so many times those that are.
inline constexpr size_t kGapFactorMax = 20;

}  // namespace flyball::forecast
