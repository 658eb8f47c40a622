// Watcher: the live watch of the gateway's spend. It takes what calls leave and end (model/
// metered_call.h), keeps the last seconds and minutes of each key, team, model and the whole, and
// tells anomalies and incidents as effects. No I/O, no clock: who calls it says what time it is.
//
//   watcher.Take(record, now);   // as the gateway's log of calls says it
//   watcher.Tick(now);           // a few times a second
//   watcher.TakeEffects();       // to the journal, to events and notifications
//
// A call on its way counts with what such calls have cost of their bounds, and exactly once it has
// ended. What is found, and how: docs/WATCH.md. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "model/metered_call.h"
#include "watch/book.h"
#include "watch/causes.h"
#include "watch/detector.h"
#include "watch/price_watch.h"
#include "watch/rules.h"
#include "watch/series.h"
#include "watch/watch_settings.h"

namespace flyball::watch {

// Named limits. Beyond them the least recently used make room, which is counted.
inline constexpr size_t kSeriesMax = 4096;
inline constexpr size_t kLiveLeavesMax = 2048;
inline constexpr size_t kOpenCallsMax =
    200'000;                                // more are counted when they end, without an owner
inline constexpr size_t kModelsMax = 1024;  // whose part of the bound is learned
inline constexpr int64_t kAgainUs =
    10 * 60 * kMicrosPerSecond;  // the same rule of a series, after an end
inline constexpr int64_t kRampAgainUs = 2 * kMicrosPerHour;
inline constexpr int kLittle = 10;  // times the least amount: a burst below it is learned
inline constexpr int64_t kNewLevelUs = kMicrosPerDay;  // what lasts so long is the new usual
inline constexpr int64_t kToldEveryUs = 2 * kMicrosPerSecond;   // what lasts, in events,
inline constexpr int64_t kKeptEveryUs = 60 * kMicrosPerSecond;  // and in the journal
// The same of what costs nothing: a series that is silent, or stuck.
inline constexpr int64_t kStillToldEveryUs = 60 * kMicrosPerSecond;
inline constexpr int64_t kStillKeptEveryUs = kMicrosPerHour;
// Series whose last calls lie so near to each other have fallen silent together.
inline constexpr int64_t kTogetherUs = 2 * 60 * kMicrosPerSecond;
// A clock that goes back by less is waited for; by more, and all recent is begun anew.
inline constexpr int64_t kClockBackUs = 5 * kMicrosPerSecond;
// Three times the pace of what has just ended is told at once.
inline constexpr double kLouder = 3;
// A time without a tick that is longer than this was not watched.
inline constexpr int64_t kAwayUs = 10 * kMicrosPerSecond;

struct WatchCounts {
  size_t series = 0, leaves = 0, open_calls = 0;
  uint64_t series_dropped = 0, leaves_dropped = 0, calls_unplaced = 0, silenced = 0,
           clock_set_back = 0;
};

class Watcher {
 public:
  explicit Watcher(WatchSettings settings = {});
  ~Watcher();
  Watcher(Watcher&&) noexcept;
  Watcher& operator=(Watcher&&) noexcept;

  void Configure(WatchSettings settings);
  const WatchSettings& settings() const { return settings_; }
  // Before the first record: anomalies that last go on being watched.
  Status Restore(std::string_view record);

  // A call of before the start, `now` being its own time: what is usual is learned of it, and
  // nothing is opened or ended.
  void Learn(const metered::Record& record, Instant now);
  // A call of a time in which nobody watched, `at` its own: what it was unlike is told now, with
  // its times. After what is learned, in the order of time.
  void Replay(const metered::Record& record, Instant at);
  // Up to when the anomalies that were restored show that somebody watched.
  Instant WatchedTo() const;
  void Take(const metered::Record& record, Instant now);
  void Tick(Instant now);
  std::vector<Effect> TakeEffects() { return book_.TakeEffects(); }

  // As the book's; what is not expected any more is not usual either, however often it came.
  Result<std::string> SayOfAnomaly(std::string_view id, Feedback feedback, std::string_view author,
                                   Instant now);

  Book& book() { return book_; }
  const Book& book() const { return book_; }
  WatchCounts counts() const;

 private:
  struct Slot;
  struct OpenCall;
  struct Active;
  void TakeEnd(const metered::End& end, Instant now);
  int128 EstimateOf(const metered::Dispatch& dispatch) const;
  void LearnPart(const OpenCall& call, const metered::End& end);
  void Add(const metered::Dispatch& who, Instant at, int128 units, uint32_t calls);
  Slot& SlotOf(const SeriesName& name);
  Leaf& LeafOf(const metered::Dispatch& who);
  void Resume();
  void DropSeries();
  void DropLeaves();
  void LearnTo(Instant now);
  void BeginAnew(Instant now);
  bool IsLouder(const Slot& slot, Instant now) const;
  void FillPath(Anomaly* anomaly) const;
  void Look(Slot* slot, Instant now);
  bool IsFree(const Slot& slot, Kind kind, Instant now) const;
  void LookForSilence(Instant now);
  void ForgetSilence(const Series& ended);
  const Series* TotalOf(const SeriesName& name) const;
  void OpenOne(Slot* slot, Finding finding, Instant now);
  void OpenPriceRise(const PriceRise& rise, Instant now);
  void Follow(Slot* slot, Instant now);
  void End(Slot* slot, const Active& active, Anomaly* anomaly, Instant now);
  bool IsOver(const Slot& slot, const Anomaly& anomaly, Instant now) const;
  void Measure(const Slot& slot, Instant now, Anomaly* anomaly) const;
  Status FindCausesOf(Instant now, Anomaly* anomaly) const;

  WatchSettings settings_;
  Detector detector_;
  bool learning_ = false;
  bool resumed_ = false;
  Instant since_;  // the first call
  Instant learned_to_;
  int64_t away_from_ = 0, away_to_ = -1;  // minutes that were last not watched
  Book book_;
  PriceWatch prices_;
  std::unordered_map<std::string, std::unique_ptr<Slot>> slots_;
  std::unordered_map<std::string, std::unique_ptr<Leaf>> leaves_;
  std::unordered_map<uint64_t, OpenCall> open_;
  std::unordered_map<std::string, Baseline> parts_;  // of the bound that calls of a model cost
  WatchCounts counts_;
};

}  // namespace flyball::watch
