// IncidentNews: what the live watch finds, told to people.
//
//   LiveWatch ──effects──► ids that have changed ──thread──► the incident as it is now ──► Notifier
//
// At the start every incident that is remembered is told once more: what a crash has cut off
// between the watch's journal and the notifier's comes through, and what is known already is no
// news.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/live_watch.h"
#include "app/notifier.h"
#include "base/log.h"
#include "base/result.h"
#include "model/notice.h"

namespace flyball::app {

// From the JSON of an incident and of its first anomaly (may be empty), as the API shows them. An
// incident is critical from an estimated loss of 100 an hour on, or 100 in all, in its currency.
Result<notice::Notice> NoticeOf(std::string_view incident, std::string_view anomaly);

class IncidentNews {
 public:
  IncidentNews(LiveWatch& watch, Notifier& notifier) : watch_(watch), notifier_(notifier) {}
  void Start();
  void Stop();
  // From any thread; waits for nothing.
  void Changed(const watch::Effect& effect);

 private:
  struct Change {
    std::string id;
    std::string incident;  // as it was told last; the watch may have forgotten it meanwhile
  };
  void Run(const std::stop_token& stop);
  Status Tell(const Change& change);
  Result<std::vector<std::string>> Remembered();  // ids, the newest first

  LiveWatch& watch_;
  Notifier& notifier_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Change> changed_;
  log::LastingFault fault_;
  std::jthread thread_;
};

}  // namespace flyball::app
