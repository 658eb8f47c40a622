// Causes: who is behind an anomaly of spend, by the calls of its time beside what was expected of
// them.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

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

// Sets suspect, path and causes of an anomaly of money from the leaves of its series: of the time
// since it began, two hours at most.
Status FindCauses(std::span<const Leaf* const> leaves, Instant now, Anomaly* anomaly);

// Without anything to compare: the series itself.
Element ElementOf(const SeriesName& series);

}  // namespace flyball::watch
