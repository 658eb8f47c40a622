// Supervisor: ends statements that run longer than they may, or all of them when the program stops.
//
// One thread of its own interrupts the connection of whatever is over its time, again and again
// until it has let go: an interrupt that comes between two statements is lost. Thread-safe. It
// outlives its watches, and a connection outlives the watch over it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "engine/engine.h"

namespace flyball::engine {

class Supervisor {
  enum class Ended : uint8_t { kNo, kTime, kStop };
  struct Watched {
    Connection* connection;
    int64_t until_us;  // monotonic
    Ended ended = Ended::kNo;
  };

 public:
  // limit_us 0: no limit, only Stop ends statements.
  Supervisor(Clock& clock, int64_t limit_us);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Over one connection, from now until it is let go or destroyed. Let go of it before a
  // transaction ends, so that its end is not interrupted.
  class Watch {
   public:
    Watch(Watch&& other) noexcept;
    Watch& operator=(Watch&&) = delete;
    ~Watch() { LetGo(); }
    // Why it was interrupted: DEADLINE_EXCEEDED over time, UNAVAILABLE when the program stops; Ok
    // when it was not.
    Status LetGo();

   private:
    friend class Supervisor;
    Watch(Supervisor& supervisor, std::list<Watched>::iterator at)
        : supervisor_(&supervisor), at_(at) {}
    Supervisor* supervisor_;  // nullptr: let go
    std::list<Watched>::iterator at_;
  };
  // UNAVAILABLE after Stop.
  Result<Watch> Over(Connection& connection);
  // Ends all that is watched; nothing more is taken.
  void Stop();

 private:
  void Loop();
  Status Why(Ended ended) const;

  Clock& clock_;
  const int64_t limit_us_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Watched> watched_;
  bool stopping_ = false, closing_ = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace flyball::engine
