// Series: what the live watch keeps of the spend of one key, team or model: the last seconds and
// minutes exactly, and what has been usual.
//
// About 6 KiB, and 2 KiB of odd minutes at most.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/estimate.h"
#include "base/time.h"
#include "watch/detector.h"
#include "watch/spend_ring.h"
#include "watch/watch_settings.h"

namespace flyball::watch {

// A mean that forgets: of the last `memory` values or so, of fewer in the beginning.
struct Baseline {
  double mean = 0, count = 0;
  void Learn(double value, double memory) {
    count = std::min(count + 1, memory);
    mean += (value - mean) / count;
  }
};

inline constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
inline double ToUnits(int128 money_units) { return EstimateOf(Money::FromUnits(money_units)); }
// An estimate as money, to 1e-12 as far as it is that exact.
Money MoneyOf(double units);
inline int64_t SecondOf(Instant at) { return at.us / kMicrosPerSecond; }
inline int64_t MinuteOf(Instant at) { return at.us / kMicrosPerMinute; }

inline constexpr size_t kOddMax = 128;

struct Series {
  SeriesName name;
  Instant first;  // call
  Instant last;
  SpendRing seconds, minutes;
  int64_t closed_minute = 0;  // the last that was learned from

  // Money a minute: of the time up to five minutes ago, and up to an hour ago, so that what begins
  // now does not pass for usual. Short and long memory.
  Baseline recent, slow;
  std::array<float, 24> hours{};  // a minute of this hour of the day (UTC), over days
  std::array<uint8_t, 24> hours_seen{};
  Baseline hour;  // that runs
  // The greatest sum of a rule's long window that was seen; half of it is forgotten in three days.
  std::array<double, kBurnRulesMax> peaks{};
  double minute_peak = 0;  // the same of single minutes
  // Minutes of anomalies: nothing is learned of them. Oldest first, kOddMax at most.
  struct Odd {
    int64_t from = 0, to = 0;
  };
  std::vector<Odd> odd;

  SeriesState detector;
  Verdict verdict;  // of the last minute
  Baseline calls;   // a minute, over minutes with calls
  // Minutes without a call: up to now while the watch ran and others called (silent), all of them
  // (quiet), and the most there ever were.
  int64_t silent = 0, quiet = 0, longest_silence = 0;
  int64_t regular = 0;  // minutes with calls in a row, before the silence
  int128 last_minute = 0;
  int64_t equal = 0;    // minutes in a row with the same value that is not zero
  int64_t changes = 0;  // minutes that differed from the one before

  bool is_odd(int64_t from, int64_t to) const {
    return std::ranges::any_of(odd,
                               [&](const Odd& each) { return from <= each.to && to >= each.from; });
  }
  // What began in `from` was odd up to `to`.
  void SetOdd(int64_t from, int64_t to);
};

void AddSpend(Series* series, Instant at, int128 units, uint32_t calls);

// What a series is expected to spend in a second.
enum class Basis : uint8_t {
  kNothing,  // it is new: nothing was expected
  kOwnPace,  // its own pace in the minutes before
  kUsual,    // what has been usual
};
std::string_view BasisWord(Basis basis);
struct Expectation {
  double per_s = 0;
  Basis basis = Basis::kNothing;
};

// What a rule has found.
struct Finding {
  Kind kind = Kind::kBurn;
  std::string rule;  // "5 s and 60 s", for people
  Instant began;
  Expectation expected;
  double ratio = 0;       // to what was expected or allowed
  double confidence = 0;  // an estimate in [0, 1]
  std::string against;    // "budget NAME"; "" the expectation
};

}  // namespace flyball::watch
