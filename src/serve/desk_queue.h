// DeskQueue: requests that may wait for another process, one at a time on a thread of their own, so
// that a gateway that does not answer holds none of the server's; or that take long, such as
// forecasts. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "net/worker_pool.h"

namespace flyball::serve {

class DeskQueue {
 public:
  using Work = std::function<Result<std::string>()>;
  using Done = std::function<void(Result<std::string>)>;
  // `what` is waited for: "the gateway's desk".
  explicit DeskQueue(std::string what);
  ~DeskQueue() { Stop(); }
  // `done` is called once, from another thread or from this one. RESOURCE_EXHAUSTED when
  // kDeskWaitingMax wait, UNAVAILABLE after Stop.
  void Submit(Work work, Done done);
  // Waits for the request that runs; those that wait are refused.
  void Stop();

 private:
  bool Leave();  // whether it may run

  const std::string what_;
  std::mutex mutex_;
  size_t waiting_ = 0;
  std::unique_ptr<net::WorkerPool> thread_;  // null: stopped
};

}  // namespace flyball::serve
