// Children of a server: other commands of this binary that it keeps going or runs now and then.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/command.h"
#include "os/process.h"

namespace flyball::app {

// Runs a command again and again on a thread of its own, until it is dropped: then the child that
// runs is told to stop and waited for. Its lines on standard error become lines of the log.
class Child {
 public:
  struct Plan {
    std::string name;                    // in the log
    std::vector<std::string> arguments;  // of this program
    int64_t pause_us = 0;                // after an end, before the next start
    bool log_end = true;                 // of every run; else only of those that fail
    // Asked before each start, from the child's thread; none: always.
    std::function<bool()> wanted = {};
  };
  Child(const Environment& environment, Plan plan);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

 private:
  void Keep();
  void RunOnce();
  bool Pause();

  std::string program_;
  Plan plan_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  os::Child* running_ = nullptr;
  std::thread thread_;
};

}  // namespace flyball::app
