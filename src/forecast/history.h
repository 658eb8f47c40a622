// History: what the ledger tells of the past, as series for a forecast.
//
// The last days of bills are not whole: sources lag by hours or days, and the day that runs is a
// part of one. So the past ends with the last day that every source which charges daily has told
// whole (sources.h); later days are left out and forecast over, and that is said. Days of the past
// that a source has not told are estimated in the series that it charges to.
#pragma once

#include <string>
#include <vector>

#include "forecast/question.h"
#include "forecast/sources.h"

namespace flyball::forecast {

struct History {
  std::string currency;  // of costs
  std::string unit;      // of usage
  std::vector<std::string> dimensions;
  std::vector<std::vector<std::string>> leaves;  // values of the dimensions
  Instant from;                                  // of the first value
  std::vector<std::vector<double>> values;       // a leaf, a step; estimates where it is missing
  std::vector<std::vector<bool>> missing;        // a leaf, a step; empty: nothing is

  bool Missing(size_t leaf, size_t step) const {
    return leaf < missing.size() && step < missing[leaf].size() && missing[leaf][step];
  }
};

struct Past {
  std::vector<History> histories;  // a currency, or a unit of usage, each
  Instant from;                    // what was before is not asked for
  Instant to;                      // where the past ends and the forecast begins
  std::string commit, query_hash;
  std::vector<std::string> left_off;  // days that are not whole or missing, and why
};

inline constexpr size_t kLeavesMax = 5000;
inline constexpr int kDaysOfPastMax = 800;
inline constexpr int kHourlyDaysMax = 70;

// `dimensions`: those of the question, and what else tells leaves apart. Days from `now` on are
// never whole. NOT_FOUND when nothing was charged; RESOURCE_EXHAUSTED beyond kLeavesMax;
// UNAVAILABLE when the ledger changed while it was read in parts.
Result<Past> ReadPast(const Ask& ask, const Question& question,
                      const std::vector<std::string>& dimensions, Instant now);

// Estimates the missing steps of a leaf by the told ones of the same phase of the week, up to four
// before and four after. What is told in part is the least.
void FillMissing(const std::vector<bool>& missing, size_t week, std::vector<double>* values);

}  // namespace flyball::forecast
