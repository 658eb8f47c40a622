#include "forecast/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace flyball::forecast {
namespace {

using Days = std::map<Instant, ledger::DayFacts>;

// A source's days are judged by this much of its past; what ended longer ago is not spoken of.
constexpr int kJudgedDays = 62;
// Weeks before and after a day that tell whether its day of the week usually has charges.
constexpr int kWeeksBeside = 4;
constexpr int64_t kMicrosPerWeek = 7 * kMicrosPerDay;

Instant After(Instant day) { return Instant{day.us + kMicrosPerDay}; }

// Whether the source usually charges on that day of the week, at that time.
bool Expects(const Days& days, Instant day) {
  const Instant first = days.begin()->first, last = days.rbegin()->first;
  int known = 0, there = 0;
  const auto look = [&](Instant at, int64_t step) {
    for (int week = 0; week < kWeeksBeside; ++week, at.us += step) {
      if (at < first || at > last) return;
      ++known;
      there += days.contains(at) ? 1 : 0;
    }
  };
  Instant before{day.us - kMicrosPerWeek}, after{day.us + kMicrosPerWeek};
  while (before > last) before.us -= kMicrosPerWeek;
  while (after < first) after.us += kMicrosPerWeek;
  look(before, -kMicrosPerWeek);
  look(after, kMicrosPerWeek);
  return 2 * there >= known;
}

// The end of the last day that the source has told whole; none: it does not charge daily.
std::optional<Instant> WholeTo(const Days& days, Instant newest, Instant now) {
  const Instant to = After(days.rbegin()->first);
  const Instant from{to.us - kJudgedDays * kMicrosPerDay};
  const bool began_before = days.begin()->first < from;
  const std::vector<ledger::Day> judged = ledger::JudgeDays(days, from, to, began_before, now);
  std::optional<Instant> full;
  for (const ledger::Day& day : judged) {
    if (day.state == ledger::DayState::kFull) full = After(day.day);
    if (day.state == ledger::DayState::kNone) return std::nullopt;
  }
  if (!full) return std::nullopt;
  Instant whole = to.us - full->us > kThinDaysMax * kMicrosPerDay ? to : *full;
  // Of days on which it does not charge nothing has to be waited for.
  while (whole < newest && !days.contains(whole) && !Expects(days, whole)) whole = After(whole);
  return whole;
}

std::string DaysText(int64_t count) {
  return fmt::format("{} {}", count, count == 1 ? "day" : "days");
}

class Judge {
 public:
  Judge(const SourceDays& sources, Instant now) : sources_(sources) {
    for (const auto& [name, days] : sources) {
      newest_ = std::max(newest_, After(days.rbegin()->first));
    }
    for (const auto& [name, days] : sources) {
      if (const auto whole = WholeTo(days, newest_, now)) whole_[name] = *whole;
    }
  }

  Reach Run() {
    Wait();
    for (const auto& [name, days] : sources_) {
      Source& source = reach_.sources[name];
      source.first = days.begin()->first;
      source.last = days.rbegin()->first;
      if (whole_.contains(name)) FindMissing(name, days, &source);
    }
    return std::move(reach_);
  }

 private:
  int64_t SilentDays(Instant whole) const { return (newest_.us - whole.us) / kMicrosPerDay; }

  void Wait() {
    reach_.to = newest_;
    std::string slowest;
    for (const auto& [name, whole] : whole_) {
      if (SilentDays(whole) > kLagDaysMax || whole >= reach_.to) continue;
      reach_.to = whole;
      slowest = name;
    }
    if (reach_.to == newest_) return;
    reach_.notes.push_back(fmt::format("{} to {}: not whole yet, as {} reaches to {}",
                                       FormatDate(reach_.to), FormatDate({newest_.us - 1}), slowest,
                                       FormatDate({reach_.to.us - 1})));
  }

  void FindMissing(const std::string& name, const Days& days, Source* source) {
    const Instant whole = whole_[name];
    const int64_t silent = SilentDays(whole);
    source->late = silent > kLagDaysMax && silent <= kLateDaysMax;
    const Instant end = source->late ? reach_.to : std::min(reach_.to, source->last);
    int64_t gaps = 0;
    for (Instant day = source->first; day < end; day = After(day)) {
      if (days.contains(day) || !Expects(days, day)) continue;
      source->missing.insert(day);
      gaps += day < source->last && day.us >= end.us - kJudgedDays * kMicrosPerDay ? 1 : 0;
    }
    const std::string last = FormatDate(source->last);
    if (source->late) {
      reach_.notes.push_back(fmt::format(
          "{} told nothing after {} and is not waited for: what it usually has is taken for the {} "
          "since; if it has ended, state so with an end of what it charged (forecast: events:)",
          name, last, DaysText((reach_.to.us - After(source->last).us) / kMicrosPerDay)));
    } else if (silent > kLateDaysMax && silent <= kJudgedDays) {
      reach_.notes.push_back(
          fmt::format("{} told nothing after {} and is taken for ended: 0 since", name, last));
    }
    if (gaps > 0) {
      const Instant newest = *std::prev(source->missing.lower_bound(source->last));
      reach_.notes.push_back(fmt::format(
          "{} told nothing on {} on which it usually does, the last of them {}: estimated", name,
          DaysText(gaps), FormatDate(newest)));
    }
  }

  const SourceDays& sources_;
  Instant newest_;
  std::map<std::string, Instant> whole_;  // of sources that charge daily
  Reach reach_;
};

}  // namespace

bool Reach::any_missing() const {
  return std::ranges::any_of(sources, [](const auto& one) { return !one.second.missing.empty(); });
}

Reach JudgeSources(const SourceDays& sources, Instant now) { return Judge(sources, now).Run(); }

}  // namespace flyball::forecast
