// Days: which days of a source have charges, and which look as if something were missing. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/time.h"

namespace flyball::ledger {

struct DayFacts {
  int64_t charges = 0;
  std::map<std::string, Money> billed;  // by currency
};

enum class DayState : uint8_t {
  kFull,
  kThin,    // an estimate: far below what this weekday usually has
  kGap,     // none, and days before and after have some
  kNone,    // none, of a source that charges on fewer than half of the days: nothing is missing
  kBefore,  // than the source's first charge
  kAfter,   // than its last one: not there yet
};
std::string_view DayStateName(DayState state);  // "full", "thin", ...

struct Day {
  Instant day;
  DayState state = DayState::kAfter;
  DayFacts facts;
};

// What is needed of a weekday to say what is usual, and how far below it a day is thin.
inline constexpr size_t kUsualDaysMin = 3;
inline constexpr int64_t kThinPart = 2;  // fewer than 1/2 of the median

// Every day of [from, to). `began_before`: the source has charges before `from`. `now` tells the
// day that runs, which is never thin.
std::vector<Day> JudgeDays(const std::map<Instant, DayFacts>& facts, Instant from, Instant to,
                           bool began_before, Instant now);

}  // namespace flyball::ledger
