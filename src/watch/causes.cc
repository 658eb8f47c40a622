#include "watch/causes.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "watch/leaf_table.h"
#include "watch/root_cause.h"
#include "watch/rules.h"

namespace flyball::watch {
namespace {

constexpr int kUnitsToQuantity = 1000;  // 1e-12 in 1e-15
constexpr size_t kCausesTold = 5;

// What was spent since then; seconds as far as they are kept, whole minutes before that.
int128 SpentSince(const Series& series, Instant from, Instant now) {
  const int64_t seconds = SecondOf(now) - SecondOf(from) + 1;
  if (seconds <= SpendRing::kSlots) return series.seconds.Spent(SecondOf(now), seconds);
  return series.minutes.Spent(MinuteOf(now), MinuteOf(now) - MinuteOf(from) + 1);
}

// What was usual before it began.
double ExpectedSince(const Series& series, Instant from, Instant now) {
  if (series.first >= from) return 0;
  const double elapsed_s = static_cast<double>(now.us - from.us) / kMicrosPerSecond;
  if (!IsNew(series)) return Expect(series, now, 60).per_s * elapsed_s;
  const int64_t known = std::min(SecondOf(from) - SecondOf(series.first), SpendRing::kSlots);
  if (known <= 0) return 0;
  const double before = ToUnits(series.seconds.Spent(SecondOf(from) - 1, known));
  return std::max(before, 0.0) / static_cast<double>(known) * elapsed_s;
}

bool IsOf(const Leaf& leaf, const SeriesName& series) {
  if (leaf.spend.name.currency != series.currency) return false;
  return series.level == Level::kTotal || leaf.value_of(series.level) == series.value;
}

void FindPath(std::span<const std::string_view> dimensions, std::span<const CauseLeaf> leaves,
              Anomaly* anomaly) {
  double beyond = 0;
  for (const CauseLeaf& leaf : leaves) {
    beyond += std::max(ToUnits(leaf.actual) - leaf.expected, 0.0);
  }
  anomaly->path.clear();
  anomaly->suspect = ElementOf(anomaly->series);
  if (beyond <= 0) return;
  bool found = false;
  for (size_t dimension = 0; dimension < dimensions.size(); ++dimension) {
    std::map<std::string_view, double> by_value;
    for (const CauseLeaf& leaf : leaves) {
      by_value[leaf.values[dimension]] += std::max(ToUnits(leaf.actual) - leaf.expected, 0.0);
    }
    const auto most =
        std::ranges::max_element(by_value, {}, [](const auto& each) { return each.second; });
    const std::string_view value = most->first;
    const bool is_nobody = value.empty() || value.starts_with('(');  // "(unallocated)"
    if (is_nobody || most->second < kNearlyAll * beyond) continue;
    Element element{std::string(dimensions[dimension]), std::string(value)};
    // All is of one provider in many an estate: that says nothing of who it was.
    if (!found && element.dimension != "provider") {
      anomaly->suspect = element;
      found = true;
    }
    anomaly->path.push_back(std::move(element));
  }
}

}  // namespace

const std::string& Leaf::value_of(Level level) const {
  static const std::string kNone;
  switch (level) {
    case Level::kKey:
      return values[0];
    case Level::kTeam:
      return values[2];
    case Level::kModel:
      return values[3];
    default:
      return kNone;
  }
}

Status SetCauses(std::span<const std::string_view> dimensions, std::span<const CauseLeaf> leaves,
                 Anomaly* anomaly) {
  FindPath(dimensions, leaves, anomaly);
  anomaly->causes.clear();
  LeafTable table = FB_TRY(LeafTable::Make({dimensions.begin(), dimensions.end()}));
  for (const CauseLeaf& leaf : leaves) {
    const auto expected = static_cast<int128>(std::llround(leaf.expected * 1e9));
    FB_CHECK(table.Add(leaf.values, Quantity::FromUnits(leaf.actual * kUnitsToQuantity),
                       Quantity::FromUnits(expected * 1'000'000)));
  }
  if (table.leaves() == 0) return {};
  for (const RootCause& found : FB_TRY(FindRootCauses(table))) {
    if (anomaly->causes.size() == kCausesTold) break;
    Cause cause;
    for (const auto& [dimension, value] : found.elements) {
      cause.elements.push_back({dimension, value});
    }
    cause.score = found.score;
    cause.share = found.share;
    cause.actual = Money::FromUnits(found.actual.units() / kUnitsToQuantity);
    cause.expected = Money::FromUnits(found.predicted.units() / kUnitsToQuantity);
    anomaly->causes.push_back(std::move(cause));
  }
  return {};
}

Status FindCauses(std::span<const Leaf* const> leaves, Instant now, Anomaly* anomaly) {
  const Instant from =
      std::max(anomaly->began, Instant{now.us - (SpendRing::kSlots - 8) * kMicrosPerMinute});
  std::vector<CauseLeaf> parts;
  for (const Leaf* leaf : leaves) {
    if (!IsOf(*leaf, anomaly->series)) continue;
    CauseLeaf part{{leaf->values.begin(), leaf->values.end()},
                   SpentSince(leaf->spend, from, now),
                   ExpectedSince(leaf->spend, from, now)};
    if (part.actual != 0 || part.expected > 0) parts.push_back(std::move(part));
  }
  return SetCauses(kCallDimensions, parts, anomaly);
}

}  // namespace flyball::watch
