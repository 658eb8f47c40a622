// Causes: who is behind an anomaly of spend, by the calls of its time beside what was expected of
// them.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "watch/anomaly.h"
#include "watch/series.h"

namespace flyball::watch {

// In the order in which the narrowest is looked for.
inline constexpr std::array<std::string_view, 5> kCallDimensions = {"key", "project", "team",
                                                                    "model", "provider"};

// The spend of calls that are equal in all dimensions.
struct Leaf {
  std::array<std::string, kCallDimensions.size()> values;
  Series spend;
  const std::string& value_of(Level level) const;
};
// Of a value that holds so much of what was spent beyond the expectation, it is said.
inline constexpr double kNearlyAll = 0.8;

// What a combination of values spent, and what it was expected to spend.
struct CauseLeaf {
  std::vector<std::string_view> values;  // one a dimension; they must outlive the call
  int128 actual = 0;                     // units of Money
  double expected = 0;                   // money
};
// Sets suspect, path and causes of an anomaly. The dimensions come in the order in which a suspect
// is looked for; the provider is none.
Status SetCauses(std::span<const std::string_view> dimensions, std::span<const CauseLeaf> leaves,
                 Anomaly* anomaly);

// The same of live spend, from the leaves of its series: of the time
// since it began, two hours at most.
Status FindCauses(std::span<const Leaf* const> leaves, Instant now, Anomaly* anomaly);

}  // namespace flyball::watch
