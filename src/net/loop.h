// Loop: one thread, one epoll, timers, and closures from other threads.
//
// Descriptors are watched edge by edge and for both directions at once, so that the kernel is told
// of each exactly once: who is called reads and writes until it would block, and remembers what it
// has left unread. Events of a descriptor that was removed in the same batch are dropped.
// All but Post and Stop belong to the thread that runs the loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/socket.h"
#include "net/timers.h"

namespace flyball::net {

inline constexpr uint32_t kReadable = 1;  // bytes, the end, or an error can be read
inline constexpr uint32_t kWritable = 2;
inline constexpr uint32_t kHungUp = 4;  // the other side sends no more

class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void OnReady(uint32_t what) = 0;
};

class Loop {
 public:
  explicit Loop(Clock& clock);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Watches a descriptor until it is removed, which must come before it is closed. With `level` it
  // is for reading only, and told again as long as there is something. 0: the kernel refused.
  uint64_t Add(int fd, Watcher* watcher, bool level = false);
  void Remove(uint64_t token, int fd);

  // From any thread; runs on the loop's. What is posted after Stop may never run.
  void Post(std::function<void()> job);
  void Stop();

  void Run();
  // One batch of events, waiting at most so long (-1: until there is one, or a timer).
  void RunOnce(int wait_ms);

  TimerWheel& timers() { return timers_; }
  Clock& clock() { return clock_; }

 private:
  struct Slot {
    Watcher* watcher = nullptr;
    uint32_t generation = 0;
  };
  int WaitMs(int most_ms) const;
  void Dispatch(uint64_t token, uint32_t events);
  void RunPosted();

  Clock& clock_;
  TimerWheel timers_;
  Fd epoll_;
  Fd wake_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  std::atomic<bool> stopped_ = false;
};

// Accepts connections while there are descriptors for them; without, it rests for kAcceptPauseMs.
class Acceptor final : private Watcher {
 public:
  using OnAccept = std::function<void(Fd fd, std::string peer)>;
  Acceptor(Loop& loop, Fd listener, OnAccept on_accept);
  ~Acceptor() override;
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  int port() const { return PortOf(listener_.get()); }
  uint64_t pauses() const { return pauses_; }

 private:
  void OnReady(uint32_t what) override;
  void Pause();

  Loop& loop_;
  Fd listener_;
  OnAccept on_accept_;
  uint64_t token_ = 0;
  uint64_t pauses_ = 0;
  Timer again_;
};

inline constexpr int kAcceptPauseMs = 100;

}  // namespace flyball::net
