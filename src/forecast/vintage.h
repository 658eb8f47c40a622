// Vintages: forecasts that were made, kept to be compared with what came.
//
// One file a question and end of the past, home/forecasts/<day>-<hash>.json: asking again on the
// same day replaces it, so that a page that is looked at often makes no more of them. Bounded: of a
// question all days of the last five weeks are kept, then one a week for half a year and one a
// month, always the oldest, as it tells most. New questions are kept up to a number a day, and
// where there is no room those that were asked on one day alone go first, so that questions which
// are not asked again do not push out those that are.
#pragma once

#include <string>
#include <vector>

#include "forecast/ledger_forecast.h"
#include "os/files.h"

namespace flyball::forecast {

inline constexpr size_t kVintagesMax = 400;
inline constexpr size_t kVintagesDayMax = 50;                 // of one last day
inline constexpr int64_t kDailyDays = 35, kWeeklyDays = 182;  // before the newest of its question
inline constexpr size_t kVintageBytesMax = 4u << 20;          // of one; larger ones are not kept
inline constexpr uint64_t kVintagesBytesMax = 128u << 20;     // of all

// What was said of one node.
struct VintageNode {
  std::vector<std::string> values;  // of the dimensions; empty where it is summed over
  uint32_t dimensions = 0;
  std::vector<double> mean;
  std::vector<Range> ranges;  // a level each
  std::vector<double> month_mean;
  std::vector<Range> month_ranges;
};
struct VintageAnswer {
  std::string currency, unit;
  std::vector<VintageNode> nodes;
};
struct Vintage {
  std::string id;  // the file's name without its ending
  Question question;
  Instant made, to, end;
  std::string commit, query_hash;
  std::vector<VintageAnswer> answers;
};

Vintage VintageOf(const LedgerAnswer& answer, Instant now);
std::string VintageJson(const Vintage& vintage);
// DATA_LOSS for what is none of ours.
Result<Vintage> ReadVintage(const std::string& id, std::string_view json);

// Keeps it below `home`, and removes what is beyond the limits; else why it is not kept.
Result<std::string> KeepVintage(os::Files& files, const std::string& home, const Vintage& vintage);
// All that are kept, oldest first. What cannot be read is left out.
Result<std::vector<Vintage>> ReadVintages(os::Files& files, const std::string& home);

}  // namespace flyball::forecast
