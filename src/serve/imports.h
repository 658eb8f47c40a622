// ImportQueue: imports run one after the other on one thread, because commits are made one at a
// time; who asks may wait for the report or come back for it. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/result.h"
#include "serve/service.h"

namespace flyball::serve {

class ImportQueue {
 public:
  using Run = std::function<Result<std::string>(const ImportJob&, const ImportProgress&,
                                                const std::stop_token&)>;
  using Done = std::function<void(const Result<std::string>& report)>;
  enum class State : uint8_t { kWaiting, kRunning, kDone, kFailed };
  struct View {
    std::string id;
    State state = State::kWaiting;
    std::string source;
    uint64_t bytes_done = 0;
    uint64_t bytes_total = 0;
    std::optional<Result<std::string>> report;  // when it is over
  };

  explicit ImportQueue(Run run);
  ~ImportQueue();
  // The id of the job. `holds` is let go when the job is over (uploaded files); `done` is called
  // once, from the queue's thread or from Stop. RESOURCE_EXHAUSTED when too many wait.
  Result<std::string> Submit(ImportJob job, std::shared_ptr<void> holds, Done done);
  std::optional<View> Find(const std::string& id);
  void Stop();

 private:
  struct Entry {
    View view;
    ImportJob job;
    std::shared_ptr<void> holds;
    Done done;
  };
  void Work();
  void Finish(const std::shared_ptr<Entry>& entry, Result<std::string> report);

  Run run_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::stop_source stop_;
  std::deque<std::shared_ptr<Entry>> waiting_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;
  std::deque<std::string> finished_;  // oldest first
  std::thread thread_;
};

std::string_view ImportStateName(ImportQueue::State state);

}  // namespace flyball::serve
