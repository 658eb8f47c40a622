// LiveWatch: while the server runs, the gateway's calls are watched as they are written
// (docs/WATCH.md).
//
//   log of calls ──CallTail, a few times a second──► Watcher ──effects──► journal, then the sink
//
// The sink is told each anomaly and incident that has changed, as the JSON that the API shows:
// events of the page, and notifications. It is called with the watch's lock held, so it must wait
// for nothing.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "app/call_tail.h"
#include "app/command.h"
#include "app/estate_now.h"
#include "app/watch_journal.h"
#include "base/log.h"
#include "base/result.h"
#include "estate/estate.h"
#include "serve/service.h"
#include "watch/watcher.h"

namespace flyball::app {

// How long a call that was written waits to be seen.
inline constexpr int kWatchEveryMs = 100;

// What an estate says of the watch. Budgets are not in it.
watch::WatchSettings WatchSettingsOf(const estate::Watch& watch);
// The even paces of budgets, as the desk lists them (gateway/desk.h): those of money over windows
// of an hour at least, of one team, key, model or all.
std::vector<watch::EvenPace> EvenPacesOf(const std::string& desk_json);

class LiveWatch {
 public:
  using Sink = std::function<void(const watch::Effect&)>;
  static Result<std::unique_ptr<LiveWatch>> Open(const Environment& environment, EstateNow& estate,
                                                 Sink sink);
  ~LiveWatch();
  LiveWatch(const LiveWatch&) = delete;
  LiveWatch& operator=(const LiveWatch&) = delete;

  // Begins to watch, on threads of its own.
  void Start();
  void Stop();
  // Odd days of bills (watch/daily.h). From any thread.
  void TellDays(std::vector<watch::Anomaly> days);
  watch::WatchSettings settings();
  // From any thread.
  Result<std::string> Ask(const serve::WatchQuestion& question);

 private:
  LiveWatch(const Environment& environment, EstateNow& estate, Sink sink);
  void Run(const std::stop_token& stop);
  void Configure(const std::stop_token& stop);
  Status Learn(const std::stop_token& stop);
  Status Look();
  void Deliver();  // with the mutex held
  bool Pause(const std::stop_token& stop, int ms);

  const Environment& environment_;
  EstateNow& estate_;
  Sink sink_;
  CallTail tail_;  // of the watching thread
  std::mutex mutex_;
  std::condition_variable_any wake_;
  watch::Watcher watcher_;
  std::optional<WatchJournal> journal_;
  log::LastingFault read_fault_, write_fault_;
  uint64_t clock_set_back_ = 0;  // times that were logged
  std::jthread watching_, configuring_;
};

}  // namespace flyball::app
