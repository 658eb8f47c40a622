// What the tests of the guard share: short ways to make budgets, calls and moments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/zone.h"
#include "guard/guard.h"

namespace flyball::guard {

inline Amount Usd(std::string_view text) { return Money::Parse(text).value().units(); }

// 2026-11-25T12:00:00Z.
inline constexpr Instant kTestStart{1'795'608'000'000'000};

// Besides UTC a zone whose clocks go forward two hours after the tests begin, and back a day later.
inline const Zone* FindTestZone(std::string_view name) {
  static const Zone utc;
  static const Zone changing("Test/Changing",
                             {{Instant{0}, 0},
                              {Instant{kTestStart.us + 2 * kMicrosPerHour}, kMicrosPerHour},
                              {Instant{kTestStart.us + 26 * kMicrosPerHour}, 0}});
  if (name == "UTC") return &utc;
  if (name == "Test/Changing") return &changing;
  return nullptr;
}

inline Options TestOptions(bool durable) {
  Options options;
  options.find_zone = FindTestZone;
  options.durable = durable;
  return options;
}

inline budget::Budget MakeBudget(std::string name, std::string_view scope, Amount limit,
                                 std::string_view window = "month") {
  budget::Budget budget;
  budget.name = std::move(name);
  budget.scope = budget::ParseScope(scope).value();
  budget.limit = limit;
  budget.window = budget::ParseWindow(window).value();
  return budget;
}

inline hold::Bound MakeBound(std::string_view fixed, std::string_view output,
                             int64_t tokens_fixed = 0, int64_t tokens_output = 0) {
  return {Money::Parse(fixed).value(), Money::Parse(output).value(), tokens_fixed, tokens_output};
}

inline hold::Cost MakeCost(std::string_view money, int64_t tokens = 0) {
  return {Money::Parse(money).value(), tokens};
}

}  // namespace flyball::guard
