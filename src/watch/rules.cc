#include "watch/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace flyball::watch {
namespace {

constexpr int64_t kRecentLagMin = 5, kSlowLagMin = 60;
constexpr double kRecentMemoryMin = 120, kSlowMemoryMin = 1440;
// Values that a baseline needs to be one.
constexpr double kRecentLeast = 3, kSlowLeast = 23 * 60;
constexpr double kPeakKept = 0.99984;  // a minute; 0.5 in three days
constexpr double kPeakMargin = 1.5;
constexpr double kCalmFactor = 1.5;
// Of new series. The last seconds are what is asked about, those before what is known; a series
// that takes twice what all others spend together is looked at, whatever it did before.
constexpr int64_t kAskedS = 5, kKnownLeastS = 3;
constexpr double kOthersFactor = 2;
// A volley of calls is no pace.
constexpr int64_t kLastsLeastUs = kMicrosPerSecond / 2;
// The first minute of a new installation says nothing of what is usual.
constexpr int64_t kFirstS = 60;
// How many times its even pace empties a budget too soon: a month's within the hour, in 20 hours,
// in two days.
constexpr struct {
  int64_t short_s, long_s;
  double factor;
} kBudgetRules[] = {{5, 60, 720}, {60, 300, 36}, {300, 3600, 14.4}};
// A few calls make no pace.
constexpr int64_t CallsLeast(int64_t long_s) { return long_s <= 5 ? 20 : long_s <= 60 ? 10 : 3; }

constexpr int64_t kRegularMin = 60;   // of calls in each minute, then
constexpr int64_t kSilentMin = 2;     // of none are looked at,
constexpr double kSilentCalls = 30;   // once so many calls are missed
constexpr int64_t kSilentFactor = 3;  // times the longest silence that there ever was
// Who pauses for longer has nights or weekends: its silence says nothing.
constexpr int64_t kPauseMaxMin = 120;
constexpr int64_t kEqualMin = 15, kChangesLeast = 30;

struct WindowSum {
  double spent = 0;
  int64_t calls = 0;
};

// The last `window_s` up to now, and up to `back_s` before.
WindowSum Look(const Series& series, Instant now, int64_t window_s, int64_t back_s = 0) {
  if (window_s <= 60) {
    const int64_t last = SecondOf(now) - back_s;
    return {ToUnits(series.seconds.Spent(last, window_s)), series.seconds.Calls(last, window_s)};
  }
  const int64_t last = MinuteOf(now) - back_s / 60;
  return {ToUnits(series.minutes.Spent(last, window_s / 60)),
          series.minutes.Calls(last, window_s / 60)};
}

// The same of a short window, with the second that runs, which is not over.
WindowSum LookShort(const Series& series, Instant now, int64_t window_s) {
  return Look(series, now, window_s < 60 ? window_s + 1 : window_s);
}

// When the pace left what was expected: the first slot of the window that is well above it.
Instant Beginning(const Series& series, Instant now, int64_t window_s, double expected_per_s) {
  const bool seconds = window_s <= 60;
  const int64_t step_s = seconds ? 1 : 60;
  const SpendRing& ring = seconds ? series.seconds : series.minutes;
  const int64_t last = seconds ? SecondOf(now) : MinuteOf(now);
  const double least = 2 * expected_per_s * static_cast<double>(step_s);
  for (int64_t slot = last - window_s / step_s + 1; slot <= last; ++slot) {
    if (ToUnits(ring.Spent(slot, 1)) > least) {
      return std::max(Instant{slot * step_s * kMicrosPerSecond}, series.first);
    }
  }
  return now;
}

// Whether the money matters: so much is lost, or will be soon at this pace.
bool IsWorth(double excess, int64_t window_s, const WatchSettings& settings, double raise) {
  const double least = ToUnits(settings.min_amount.units()) * raise;
  const double soon =
      static_cast<double>(kWorthWithinS) / static_cast<double>(std::min(window_s, kWorthWithinS));
  return excess > 0 && excess * soon >= least;
}

double ConfidenceOf(double ratio, double threshold) {
  return std::clamp(1 - 0.5 * threshold / std::max(ratio, 1e-9), 0.5, 0.99);
}

// The pace before the last seconds, over as many as are known; nothing when that is too few.
std::optional<double> PaceBefore(const Series& series, Instant now) {
  const int64_t known = std::min(SecondOf(now) - SecondOf(series.first) + 1, SpendRing::kSlots);
  if (known < kAskedS + kKnownLeastS) return std::nullopt;
  const double spent = ToUnits(series.seconds.Spent(SecondOf(now) - kAskedS, known - kAskedS));
  return std::max(spent, 0.0) / static_cast<double>(known - kAskedS);
}

// The most that a new series may spend in a second by a rule of `factor`; none: nobody can tell
// yet.
std::optional<double> AllowedOfNew(const Series& series, const Surroundings& around,
                                   const WatchSettings& settings, double factor, Instant now) {
  const double floor = ToUnits(settings.min_amount.units()) / 3600;
  std::optional<double> allowed;
  if (const auto own = PaceBefore(series, now); own && *own > 0) allowed = *own * factor;
  if (around.total != nullptr) {
    if (const auto all = PaceBefore(*around.total, now)) {
      const double others = *all - PaceBefore(series, now).value_or(0);
      if (others > 0) allowed = std::max(allowed.value_or(0), others * kOthersFactor);
    }
  }
  const bool is_first = now.us - around.since.us < kFirstS * kMicrosPerSecond;
  if (!allowed && is_first) return std::nullopt;
  return std::max(allowed.value_or(0), floor * factor);
}

Finding MakeFinding(const Series& series, const BurnRule& rule, Instant now,
                    const Expectation& expected, double pace, double allowed) {
  Finding found;
  found.kind = rule.long_s >= 1800 ? Kind::kRamp : Kind::kBurn;
  found.rule = fmt::format("{} s and {} s", rule.short_s, rule.long_s);
  found.expected = expected;
  found.began = Beginning(series, now, rule.long_s, expected.per_s);
  found.ratio = expected.per_s > 0 ? pace / expected.per_s : pace / std::max(allowed, 1e-15);
  found.confidence = ConfidenceOf(pace, allowed);
  return found;
}

std::optional<Finding> FindBurnOfNew(const Series& series, const Surroundings& around,
                                     const BurnRule& rule, const WatchSettings& settings,
                                     double raise, Instant now) {
  const auto allowed = AllowedOfNew(series, around, settings, rule.factor * raise, now);
  if (!allowed) return std::nullopt;
  const int64_t age_s = SecondOf(now) - SecondOf(around.since) + 1;
  const auto long_s = static_cast<double>(std::min(rule.long_s, std::max(age_s, kAskedS)));
  const WindowSum in_short = LookShort(series, now, rule.short_s);
  const WindowSum in_long = Look(series, now, rule.long_s);
  if (in_short.spent <= *allowed * static_cast<double>(rule.short_s)) return std::nullopt;
  if (in_long.spent <= *allowed * long_s) return std::nullopt;
  const std::optional<double> own = PaceBefore(series, now);
  const Expectation expected = own && *own > 0 ? Expectation{*own, Basis::kOwnPace} : Expectation{};
  const double excess = in_long.spent - expected.per_s * long_s;
  if (!IsWorth(excess, rule.long_s, settings, raise)) return std::nullopt;
  Finding found = MakeFinding(series, rule, now, expected, in_long.spent / long_s, *allowed);
  if (now.us - found.began.us < kLastsLeastUs) return std::nullopt;
  return found;
}

std::optional<Finding> FindBurnOfKnown(const Series& series, size_t rule_at,
                                       const WatchSettings& settings, double raise, Instant now) {
  const BurnRule& rule = settings.burn[rule_at];
  if (rule.long_s > 600 && series.slow.count < kSlowLeast) return std::nullopt;
  const Expectation expected = Expect(series, now, rule.long_s);
  const double floor = ToUnits(settings.min_amount.units()) / 3600;
  const double allowed = std::max(expected.per_s, floor) * rule.factor * raise;
  const auto long_s = static_cast<double>(rule.long_s);
  const WindowSum in_long = Look(series, now, rule.long_s);
  if (in_long.spent <= allowed * long_s) return std::nullopt;
  if (in_long.spent <= kPeakMargin * raise * series.peaks[rule_at]) return std::nullopt;
  const WindowSum in_short = LookShort(series, now, rule.short_s);
  if (in_short.spent <= allowed * static_cast<double>(rule.short_s)) return std::nullopt;
  const double excess = in_long.spent - expected.per_s * long_s;
  if (!IsWorth(excess, rule.long_s, settings, raise)) return std::nullopt;
  return MakeFinding(series, rule, now, expected, in_long.spent / long_s, allowed);
}

std::optional<Finding> FindBurnOfBudget(const Series& series, const EvenPace& even,
                                        const WatchSettings& settings, double raise, Instant now) {
  for (const auto& rule : kBudgetRules) {
    const double allowed = even.per_s * rule.factor * raise;
    const WindowSum in_long = Look(series, now, rule.long_s);
    const WindowSum in_short = LookShort(series, now, rule.short_s);
    if (in_long.calls < CallsLeast(rule.long_s)) continue;
    if (in_long.spent <= allowed * static_cast<double>(rule.long_s)) continue;
    if (in_short.spent <= allowed * static_cast<double>(rule.short_s)) continue;
    if (!IsWorth(in_long.spent, rule.long_s, settings, raise)) continue;
    const double pace = in_long.spent / static_cast<double>(rule.long_s);
    Finding found = MakeFinding(series, {rule.short_s, rule.long_s, rule.factor}, now,
                                {even.per_s, Basis::kNothing}, pace, allowed);
    found.kind = Kind::kBurn;
    found.against = "budget " + even.budget;
    return found;
  }
  return std::nullopt;
}

void LearnRegularity(Series* series, const Attention& attention, int64_t minute) {
  const int64_t calls = series->minutes.Calls(minute, 1);
  if (calls > 0) {
    series->calls.Learn(static_cast<double>(calls), kRecentMemoryMin);
    if (series->quiet > 0) series->regular = 0;
    series->longest_silence = std::max(series->longest_silence, series->quiet);
    series->silent = series->quiet = 0;
    ++series->regular;
  } else if (!attention.is_away(minute)) {
    ++series->quiet;
    const bool alone = attention.total != nullptr ? attention.total->minutes.Calls(minute, 1) > 0
                                                  : !attention.learning;
    if (alone) ++series->silent;
  }
  const int128 spent = series->minutes.Spent(minute, 1);
  if (spent != 0 && spent == series->last_minute) {
    ++series->equal;
  } else {
    if (series->equal < kEqualMin) ++series->changes;
    series->equal = 0;
  }
  series->last_minute = spent;
}

void LearnUsual(Series* series, const Attention& attention, int64_t minute) {
  const int64_t first = MinuteOf(series->first);
  const auto learn = [&](int64_t lag, double memory, Baseline* baseline) {
    const int64_t at = minute - lag;
    if (at < first || series->is_odd(at, at) || attention.is_away(at)) return;
    baseline->Learn(ToUnits(series->minutes.Spent(at, 1)), memory);
  };
  learn(kRecentLagMin, kRecentMemoryMin, &series->recent);
  learn(kSlowLagMin, kSlowMemoryMin, &series->slow);
  const auto hour = static_cast<size_t>(minute / 60 % 24);
  if (!series->is_odd(minute, minute) && !attention.is_away(minute)) {
    series->hour.Learn(ToUnits(series->minutes.Spent(minute, 1)), 60);
  }
  if (minute % 60 != 59) return;
  if (series->hour.count >= 30) {
    const auto value = static_cast<float>(series->hour.mean);
    float& usual = series->hours[hour];
    usual = series->hours_seen[hour] == 0 ? value : usual + (value - usual) / 3;
    series->hours_seen[hour] = static_cast<uint8_t>(std::min(series->hours_seen[hour] + 1, 255));
  }
  series->hour = {};
}

}  // namespace

Money MoneyOf(double units) {
  constexpr double kMost = 9e6;
  if (std::abs(units) < kMost) return Money::FromUnits(std::llround(units * 1e12));
  return Money::FromUnits(int128{std::llround(std::clamp(units, -1e15, 1e15))} * 1'000'000'000'000);
}

std::string_view LevelName(Level level) {
  constexpr std::string_view kNames[] = {"total", "team", "key", "model", "service", "account"};
  return kNames[static_cast<size_t>(level)];
}

std::string_view KindName(Kind kind) {
  constexpr std::string_view kNames[] = {"burn", "spike", "ramp", "missing", "stuck", "price"};
  return kNames[static_cast<size_t>(kind)];
}

bool ParseKind(std::string_view name, Kind* kind) {
  for (size_t i = 0; i < kKinds; ++i) {
    if (KindName(static_cast<Kind>(i)) != name) continue;
    *kind = static_cast<Kind>(i);
    return true;
  }
  return false;
}

std::string_view BasisWord(Basis basis) {
  constexpr std::string_view kWords[] = {"nothing: it is new", "its pace before", "what is usual"};
  return kWords[static_cast<size_t>(basis)];
}

void AddSpend(Series* series, Instant at, int128 units, uint32_t calls) {
  if (series->first.us == 0) {
    series->first = at;
    series->closed_minute = MinuteOf(at) - 1;
  }
  series->last = std::max(series->last, at);
  series->seconds.Add(SecondOf(at), units, calls);
  series->minutes.Add(MinuteOf(at), units, calls);
}

void Series::SetOdd(int64_t from, int64_t to) {
  const auto known = std::ranges::find(odd, from, &Odd::from);
  if (known != odd.end()) {
    known->to = to;
    return;
  }
  if (odd.size() >= kOddMax) odd.erase(odd.begin());
  odd.push_back({from, to});
}

bool IsNew(const Series& series) { return series.recent.count < kRecentLeast; }

Expectation Expect(const Series& series, Instant now, int64_t window_s) {
  if (IsNew(series)) {
    const std::optional<double> own = PaceBefore(series, now);
    return own && *own > 0 ? Expectation{*own, Basis::kOwnPace} : Expectation{};
  }
  double minute =
      window_s > 600 && series.slow.count >= kSlowLeast ? series.slow.mean : series.recent.mean;
  const auto hour = static_cast<size_t>(now.us / kMicrosPerHour % 24);
  if (series.hours_seen[hour] > 0) {
    minute = std::max(minute, static_cast<double>(series.hours[hour]));
  }
  return {minute / 60, Basis::kUsual};
}

void LearnSecond(Series* series, const WatchSettings& settings, Instant now) {
  const int64_t minute = MinuteOf(now);
  for (size_t i = 0; i < settings.burn.size(); ++i) {
    const int64_t long_s = settings.burn[i].long_s;
    if (long_s > 60 && SecondOf(now) % 60 != 0) continue;
    if (series->is_odd(minute - (2 * long_s + 59) / 60, minute - long_s / 60)) continue;
    series->peaks[i] = std::max(series->peaks[i], Look(*series, now, long_s, long_s).spent);
  }
}

void LearnMinutes(Series* series, const Detector& detector, const Attention& attention,
                  Instant now) {
  const int64_t last = MinuteOf(now) - 1;
  series->verdict = {};
  if (last <= series->closed_minute) return;
  series->seconds.Advance(SecondOf(now));
  series->minutes.Advance(MinuteOf(now));
  // What the ring has lost was silence, or the watch was away.
  int64_t minute = std::max(series->closed_minute + 1, last - SpendRing::kSlots / 2);
  if (attention.learning) series->quiet += minute - series->closed_minute - 1;
  const int64_t first = MinuteOf(series->first);
  for (; minute <= last; ++minute) {
    const double spent = ToUnits(series->minutes.Spent(minute, 1));
    if (!attention.is_away(minute)) {
      series->verdict =
          detector.Step(&series->detector, {Instant{minute * kMicrosPerMinute}, spent});
    }
    LearnRegularity(series, attention, minute);
    LearnUsual(series, attention, minute);
    for (double& peak : series->peaks) peak *= kPeakKept;
    series->minute_peak *= kPeakKept;
    if (minute > first && !series->is_odd(minute - 1, minute - 1)) {
      const double before = ToUnits(series->minutes.Spent(minute - 1, 1));
      series->minute_peak = std::max(series->minute_peak, before);
    }
  }
  series->closed_minute = last;
  // No rule looks farther back.
  std::erase_if(series->odd,
                [&](const Series::Odd& each) { return each.to < last - 2 * SpendRing::kSlots; });
}

std::optional<Finding> FindBurn(const Series& series, const Surroundings& around,
                                const WatchSettings& settings, double raise, Instant now) {
  const bool is_new = IsNew(series);
  for (size_t i = 0; i < settings.burn.size(); ++i) {
    const BurnRule& rule = settings.burn[i];
    if (is_new && rule.long_s > 60) continue;
    if (Look(series, now, rule.long_s).calls < CallsLeast(rule.long_s)) continue;
    auto found = is_new ? FindBurnOfNew(series, around, rule, settings, raise, now)
                        : FindBurnOfKnown(series, i, settings, raise, now);
    if (found) return found;
  }
  if (!is_new) return std::nullopt;
  for (const EvenPace& even : around.budgets) {
    if (auto found = FindBurnOfBudget(series, even, settings, raise, now)) return found;
  }
  return std::nullopt;
}

std::optional<Finding> FindSpike(const Series& series, const WatchSettings& settings, double raise,
                                 Instant now) {
  if (!series.verdict.opens || IsNew(series)) return std::nullopt;
  const Expectation expected = Expect(series, now, 60);
  const double spent = ToUnits(series.minutes.Spent(MinuteOf(now) - 1, 1));
  const double excess = spent - std::max(expected.per_s * 60, series.verdict.expected);
  if (excess < ToUnits(settings.min_amount.units()) * raise) return std::nullopt;
  if (spent < 2 * raise * expected.per_s * 60) return std::nullopt;
  if (spent < kPeakMargin * raise * series.minute_peak) return std::nullopt;
  Finding found;
  found.kind = Kind::kSpike;
  found.rule = fmt::format("a minute, by its {}", FeatureName(series.verdict.strongest));
  found.began = Instant{(MinuteOf(now) - 1) * kMicrosPerMinute};
  found.expected = expected;
  found.ratio = expected.per_s > 0 ? spent / 60 / expected.per_s : 0;
  found.confidence = series.verdict.score;
  return found;
}

std::optional<Finding> FindMissing(const Series& series, const WatchSettings& settings,
                                   Instant now) {
  if (series.regular < kRegularMin || series.silent < kSilentMin) return std::nullopt;
  if (series.longest_silence > kPauseMaxMin) return std::nullopt;
  if (series.silent <= kSilentFactor * series.longest_silence) return std::nullopt;
  const double missed = series.calls.mean * static_cast<double>(series.silent);
  if (missed < kSilentCalls) return std::nullopt;
  const Expectation expected = Expect(series, now, 60);
  if (expected.per_s * 3600 < ToUnits(settings.min_amount.units())) return std::nullopt;
  Finding found;
  found.kind = Kind::kMissing;
  found.rule = fmt::format("{} minutes without a call", series.silent);
  found.began = Instant{series.last.us};
  found.expected = expected;
  // That as many calls of independent callers all stay away by chance, with room for bursts.
  found.confidence = 1 - std::exp(-missed / 20);
  return found;
}

std::optional<Finding> FindStuck(const Series& series, const WatchSettings& settings, Instant now) {
  if (series.equal < kEqualMin || series.changes < kChangesLeast) return std::nullopt;
  const Expectation expected = Expect(series, now, 60);
  if (expected.per_s * 3600 < ToUnits(settings.min_amount.units())) return std::nullopt;
  Finding found;
  found.kind = Kind::kStuck;
  found.rule = fmt::format("{} minutes with the same value", series.equal + 1);
  found.began = Instant{(series.closed_minute - series.equal) * kMicrosPerMinute};
  found.expected = expected;
  found.confidence = 0.9;
  return found;
}

bool IsCalm(const Series& series, const Expectation& expected, const WatchSettings& settings,
            int64_t window_s, Instant now) {
  const double floor = ToUnits(settings.min_amount.units()) / 3600;
  return SpentIn(series, now, window_s) <=
         kCalmFactor * static_cast<double>(window_s) * std::max(expected.per_s, floor);
}

double SpentIn(const Series& series, Instant now, int64_t window_s) {
  return Look(series, now, window_s).spent;
}

}  // namespace flyball::watch
