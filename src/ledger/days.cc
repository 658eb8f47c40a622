#include "ledger/days.h"

#include <algorithm>
#include <array>
#include <optional>

namespace flyball::ledger {
namespace {

constexpr int64_t kDaysOfWeek = 7;

size_t WeekdayOf(Instant day) {
  return static_cast<size_t>((day.us - FloorWeek(day).us) / kMicrosPerDay);
}

// The lower of the two in the middle.
template <typename T>
std::optional<T> MedianOf(std::vector<T> values) {
  if (values.size() < kUsualDaysMin) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// What a weekday usually has: the median over its days with charges.
struct Usual {
  std::optional<int64_t> charges;
  std::map<std::string, Money> billed;  // of currencies in which it charges on most of them
};

Usual UsualOf(const std::vector<const DayFacts*>& days) {
  std::vector<int64_t> charges;
  std::map<std::string, std::vector<Money>> billed;
  for (const DayFacts* day : days) {
    charges.push_back(day->charges);
    for (const auto& [currency, sum] : day->billed) billed[currency].push_back(sum);
  }
  Usual usual{MedianOf(charges), {}};
  for (const auto& [currency, sums] : billed) {
    if (sums.size() * 2 <= days.size()) continue;
    if (const std::optional<Money> median = MedianOf(sums)) usual.billed[currency] = *median;
  }
  return usual;
}

bool IsThin(const DayFacts& day, const Usual& usual) {
  if (usual.charges && day.charges * kThinPart < *usual.charges) return true;
  return std::ranges::any_of(usual.billed, [&](const auto& entry) {
    const auto& [currency, median] = entry;
    const auto found = day.billed.find(currency);
    const Money sum = found == day.billed.end() ? Money() : found->second;
    // Divided rather than multiplied: it cannot leave the range. Of credits less is not missing.
    return median.units() > 0 && sum.units() < median.units() / kThinPart;
  });
}

}  // namespace

std::string_view DayStateName(DayState state) {
  switch (state) {
    case DayState::kFull:
      return "full";
    case DayState::kThin:
      return "thin";
    case DayState::kGap:
      return "gap";
    case DayState::kNone:
      return "none";
    case DayState::kBefore:
      return "before";
    case DayState::kAfter:
      return "after";
  }
  return "";
}

std::vector<Day> JudgeDays(const std::map<Instant, DayFacts>& facts, Instant from, Instant to,
                           bool began_before, Instant now) {
  const auto begin = facts.lower_bound(from);
  const auto end = facts.lower_bound(to);
  const auto there = std::distance(begin, end);
  const Instant first = began_before ? from : there > 0 ? begin->first : to;
  const Instant last = there > 0 ? std::prev(end)->first : from;
  const bool daily = there * 2 >= (last.us - first.us) / kMicrosPerDay + 1;
  std::array<std::vector<const DayFacts*>, kDaysOfWeek> weekdays;
  for (auto day = begin; day != end; ++day) {
    if (day->first < FloorDay(now)) weekdays[WeekdayOf(day->first)].push_back(&day->second);
  }
  std::array<Usual, kDaysOfWeek> usual;
  std::ranges::transform(weekdays, usual.begin(), UsualOf);

  std::vector<Day> days;
  for (Instant day = from; day < to; day.us += kMicrosPerDay) {
    const auto found = facts.find(day);
    Day& judged = days.emplace_back(Day{day, DayState::kFull, {}});
    if (found != facts.end()) {
      judged.facts = found->second;
      const bool runs = day >= FloorDay(now);
      if (daily && !runs && IsThin(found->second, usual[WeekdayOf(day)])) {
        judged.state = DayState::kThin;
      }
    } else if (day < first) {
      judged.state = DayState::kBefore;
    } else if (there == 0 || day > last) {
      judged.state = DayState::kAfter;
    } else {
      judged.state = daily ? DayState::kGap : DayState::kNone;
    }
  }
  return days;
}

}  // namespace flyball::ledger
