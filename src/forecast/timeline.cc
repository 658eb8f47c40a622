#include "forecast/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace flyball::forecast {
namespace {

constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
constexpr int64_t kMicrosPerWeek = 7 * kMicrosPerDay;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
// Steps that fit no whole number of the common one, a share of all: more are no even spacing.
constexpr double kOddShareMax = 0.02;
// How far from its place an instant may be: a change of the clocks on days and longer.
constexpr int64_t kClockChange = 2 * kMicrosPerHour;

int64_t MonthOf(int64_t micros) {
  const CivilDate date = ToCivilDate(Instant{micros});
  return int64_t{date.year} * 12 + date.month - 1;
}

// The most common difference; of equally common ones the smallest.
int64_t CommonDifference(const std::vector<Observation>& sorted) {
  std::map<int64_t, size_t> counts;
  for (size_t i = 1; i < sorted.size(); ++i) ++counts[sorted[i].at - sorted[i - 1].at];
  int64_t common = 0;
  size_t most = 0;
  for (const auto& [difference, count] : counts) {
    if (count > most) {
      most = count;
      common = difference;
    }
  }
  return common;
}

Step FindStep(const std::vector<Observation>& sorted) {
  if (sorted.size() < 2) return {};
  const int64_t common = CommonDifference(sorted);
  if (sorted.back().counted) return {StepUnit::kCount, common};
  const int64_t days = (common + kMicrosPerHour * 12) / kMicrosPerDay;
  if (days >= 28 && days <= 31) return {StepUnit::kMonths, 1};
  if (days >= 89 && days <= 92) return {StepUnit::kMonths, 3};
  if (days >= 364 && days <= 366) return {StepUnit::kMonths, 12};
  return {StepUnit::kMicros, common};
}

// Which step after the first this is, and whether it stands where it should.
struct Slot {
  int64_t index = 0;
  bool odd = false;
};

Slot SlotOf(const Step& step, int64_t first, int64_t at) {
  if (step.unit == StepUnit::kMonths) {
    const int64_t months = MonthOf(at) - MonthOf(first);
    return {months / step.size, months % step.size != 0};
  }
  const int64_t index = (at - first + step.size / 2) / step.size;
  const int64_t off = std::abs(at - first - index * step.size);
  const bool day = step.unit == StepUnit::kMicros && step.size >= kMicrosPerDay;
  return {index, off > (day ? kClockChange : 0)};
}

Error SameInstant(const Observation& earlier, const Observation& later) {
  Error error{Code::kInvalidArgument,
              fmt::format("the series has this timestamp already in line {}",
                          std::min(earlier.line, later.line)),
              "a series has one value an instant: add them up, or name the series in a column 'id'",
              {}};
  if (later.local) {
    error.hint +=
        "; where it is the hour that comes twice when summer time ends, write times with their "
        "offset or in UTC";
  }
  error.At(Place{{}, std::max(earlier.line, later.line), 0, 0});
  return error;
}

}  // namespace

std::string StepText(const Step& step) {
  const auto text = [](int64_t count, std::string_view unit) {
    return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
  };
  switch (step.unit) {
    case StepUnit::kNone:
      return "";
    case StepUnit::kMonths:
      return text(step.size, "month");
    case StepUnit::kCount:
      return text(step.size, "count");
    case StepUnit::kMicros:
      break;
  }
  if (step.size % kMicrosPerDay == 0) return text(step.size / kMicrosPerDay, "day");
  if (step.size % kMicrosPerHour == 0) return text(step.size / kMicrosPerHour, "hour");
  if (step.size % kMicrosPerMinute == 0) return text(step.size / kMicrosPerMinute, "minute");
  return fmt::format("{} seconds",
                     static_cast<double>(step.size) / static_cast<double>(kMicrosPerSecond));
}

std::vector<size_t> SeasonsOf(const Step& step) {
  if (step.unit == StepUnit::kMonths) {
    if (step.size >= 12) return {};
    return {static_cast<size_t>(12 / step.size)};
  }
  if (step.unit != StepUnit::kMicros) return {};
  if (step.size == kMicrosPerWeek) return {52};
  std::vector<size_t> seasons;
  for (const int64_t length : {kMicrosPerDay, kMicrosPerWeek}) {
    if (length % step.size == 0 && length >= 2 * step.size) {
      seasons.push_back(static_cast<size_t>(length / step.size));
    }
  }
  return seasons;
}

size_t HorizonOf(const Step& step) {
  constexpr size_t kOther = 12;
  if (step.unit == StepUnit::kMonths) {
    if (step.size == 1) return 12;
    return step.size == 3 ? 8 : 6;
  }
  if (step.unit != StepUnit::kMicros) return kOther;
  if (step.size == kMicrosPerWeek) return 13;
  if (step.size == kMicrosPerDay) return 28;
  if (step.size == kMicrosPerHour) return 48;
  if (step.size > kMicrosPerHour || step.size < kMicrosPerMinute) return kOther;
  return static_cast<size_t>(kMicrosPerDay / step.size);
}

Result<Timeline> MakeTimeline(std::vector<Observation> observations) {
  Timeline timeline;
  if (observations.empty()) return timeline;
  std::ranges::sort(observations, {}, [](const Observation& o) { return std::pair(o.at, o.line); });
  for (size_t i = 1; i < observations.size(); ++i) {
    if (observations[i].at == observations[i - 1].at) {
      return Fail(SameInstant(observations[i - 1], observations[i]));
    }
  }
  timeline.step = FindStep(observations);
  if (observations.size() == 1) {
    timeline.values = {observations[0].value};
    return timeline;
  }
  const int64_t first = observations.front().at;
  size_t odd = 0;
  std::vector<int64_t> slots;
  for (const Observation& observation : observations) {
    const Slot slot = SlotOf(timeline.step, first, observation.at);
    odd += slot.odd ? 1 : 0;
    slots.push_back(slot.index);
  }
  const size_t count = observations.size();
  if (static_cast<double>(odd) > kOddShareMax * static_cast<double>(count)) {
    timeline.refusal = fmt::format(
        "its {} timestamps are not evenly spaced: {} are no whole number of steps of {} after the "
        "first; add them up by hour or day",
        count, odd, StepText(timeline.step));
    return timeline;
  }
  const auto length = static_cast<size_t>(slots.back()) + 1;
  if (length > kGapFactorMax * count + kGapFactorMax) {
    timeline.refusal = fmt::format("of {} steps of {} only {} have a value", length,
                                   StepText(timeline.step), count);
    return timeline;
  }
  timeline.values.assign(length, kMissing);
  for (size_t i = 0; i < count; ++i) {
    double& value = timeline.values[static_cast<size_t>(slots[i])];
    if (!std::isnan(value)) {
      timeline.refusal = fmt::format("two of its timestamps fall into one step of {} (line {})",
                                     StepText(timeline.step), observations[i].line);
      timeline.values.clear();
      return timeline;
    }
    value = observations[i].value;
  }
  return timeline;
}

}  // namespace flyball::forecast
