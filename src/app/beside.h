// Beside: one thread for what waits for the disk, and tells the loop its answer.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "base/result.h"
#include "net/loop.h"

namespace flyball::app {

class Beside {
 public:
  explicit Beside(net::Loop& loop) : loop_(loop), thread_([this] { Work(); }) {}
  ~Beside() { (void)Finish(); }
  // From the loop's thread, as Finish. `done` runs in the loop.
  void Run(std::function<Status()> job, std::function<void(const Status&)> done) {
    {
      std::lock_guard lock(mutex_);
      jobs_.emplace_back(std::move(job), std::move(done));
    }
    changed_.notify_one();
  }
  // Once the loop has stopped: waits until every job is done, and ends the thread. The loop hears
  // no answer any more, so the first failure of any job is told here.
  Status Finish() {
    {
      std::lock_guard lock(mutex_);
      ends_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
    return first_failure_;
  }

 private:
  void Work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return ends_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      const auto next = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      const Status answer = next.first();
      if (!answer && first_failure_) first_failure_ = answer;
      loop_.Post([done = next.second, answer] { done(answer); });
      lock.lock();
    }
  }

  net::Loop& loop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<std::function<Status()>, std::function<void(const Status&)>>> jobs_;
  bool ends_ = false;
  Status first_failure_;  // the thread's own until it has ended
  std::thread thread_;    // last: it uses all of the above
};

}  // namespace flyball::app
