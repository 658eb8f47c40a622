// History: what the ledger tells of the past, as series for a forecast.
//
// The last days of bills are not whole: sources lag by hours or days, and the day that runs is a
// part of one. So the past ends with the last day that every source which charges daily has told
// whole (ledger/days.h); later days are left out and forecast over, and that is said.
#pragma once

#include <string>
#include <vector>

#include "forecast/question.h"

namespace flyball::forecast {

struct History {
  std::string currency;  // of costs
  std::string unit;      // of usage
  std::vector<std::string> dimensions;
  std::vector<std::vector<std::string>> leaves;  // values of the dimensions
  Instant from;                                  // of the first value
  std::vector<std::vector<double>> values;       // a leaf, a step; NaN where data is missing
};

struct Past {
  std::vector<History> histories;  // a currency, or a unit of usage, each
  Instant to;                      // where the past ends and the forecast begins
  std::string commit, query_hash;
  std::vector<std::string> left_off;  // days that are not whole, and why
};

inline constexpr size_t kLeavesMax = 5000;
inline constexpr int kDaysOfPastMax = 800;
inline constexpr int kHourlyDaysMax = 70;
// A source that told nothing for so many days has ended; others wait for it.
inline constexpr int kLagDaysMax = 10;

// `dimensions`: those of the question, and what else tells leaves apart. Days from `now` on are
// never whole. NOT_FOUND when nothing was charged; RESOURCE_EXHAUSTED beyond kLeavesMax.
Result<Past> ReadPast(const Ask& ask, const Question& question,
                      const std::vector<std::string>& dimensions, Instant now);

}  // namespace flyball::forecast
