// DayWatch: after each change of the ledger the newest days of its bills are held against the days
// before (watch/daily.h), and odd ones are told to the live watch, which keeps and announces them.
//
// The gateway's own charges are left out: the live watch has seen them as they were made.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "app/command.h"
#include "base/log.h"
#include "base/result.h"
#include "ledger/ledger.h"
#include "watch/daily.h"

namespace flyball::app {

inline constexpr int kDaySeriesMax = 500;  // of one dimension: the dearest
// Bills whose newest day is older tell of no anomalies: they are history.
inline constexpr int64_t kDaysOldMost = 35;

// Odd days of the ledger's newest, with their causes: of the whole, and by service, account, team,
// model.
Result<std::vector<watch::Anomaly>> FindOddDaysOfBills(ledger::Ledger& ledger,
                                                       const watch::WatchSettings& settings,
                                                       Instant now);

// Does so whenever the ledger has changed, from a thread of its own.
class DayWatch {
 public:
  using Settings = std::function<watch::WatchSettings()>;
  using Sink = std::function<void(std::vector<watch::Anomaly>)>;
  DayWatch(const Environment& environment, ledger::Ledger& ledger, Settings settings, Sink sink);
  ~DayWatch();

 private:
  void Run(const std::stop_token& stop);

  const Environment& environment_;
  ledger::Ledger& ledger_;
  Settings settings_;
  Sink sink_;
  log::LastingFault fault_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace flyball::app
