// The twin of net/tcp.h: pairs of streams without sockets, by seed. Bytes travel in pieces of
// random size, one pair and direction at a time, with random delays on a simulated clock; a pipe
// holds only so much; a pair can be broken at any moment. Single-threaded: Step moves one piece and
// calls who waits for it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/stream.h"
#include "net/timers.h"

namespace flyball::net {

struct SimNetPlan {
  size_t piece_max_bytes = 1u << 16;
  size_t pipe_max_bytes = 1u << 20;  // written and not yet read
  int64_t delay_max_us = 0;          // before a piece arrives
};

struct SimPipe {
  std::string flying;
  std::string here;
  bool end_written = false;
  bool end_here = false;
  uint64_t written = 0;
  uint64_t arrived = 0;
  bool writer_waits = false;
};

struct SimPair {
  SimPipe to[2];  // to side 0, to side 1
  StreamOwner* owner[2] = {nullptr, nullptr};
  bool open[2] = {true, true};
  bool broken = false;
};

class SimNet {
 public:
  SimNet(SimClock& clock, TimerWheel& timers, Random& random, const SimNetPlan& plan)
      : clock_(clock), timers_(timers), random_(random), plan_(plan) {}
  using Ends = std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>>;
  Ends Pair();
  // Both ends find it broken. By the order in which the pairs were made.
  void Break(size_t pair);
  size_t pairs() const { return pairs_.size(); }
  // False: nothing is on its way.
  bool Step();
  // Until nothing is on its way and no timer stands before the time.
  void RunUntil(int64_t until_us);
  const SimNetPlan& plan() const { return plan_; }

 private:
  struct Move {
    SimPair* pair;
    int side;
    bool arrival;  // else: room for a writer
  };
  void Carry(const Move& move);

  SimClock& clock_;
  TimerWheel& timers_;
  Random& random_;
  SimNetPlan plan_;
  std::vector<std::shared_ptr<SimPair>> pairs_;
};

}  // namespace flyball::net
