// Clock and Random as interfaces: logic takes them, only app/ makes the real ones, tests pass the
// simulated ones.
#pragma once

#include <cstdint>
#include <memory>

#include "base/time.h"

namespace flyball {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant Now() = 0;          // wall clock, UTC
  virtual int64_t MonotonicUs() = 0;  // never goes back
};
std::unique_ptr<Clock> MakeSystemClock();

// Moves only when told to. Wall time may jump (AdvanceWall with a negative step); monotonic time
// never goes back.
class SimClock : public Clock {
 public:
  explicit SimClock(Instant start) : now_(start) {}
  Instant Now() override { return now_; }
  int64_t MonotonicUs() override { return monotonic_us_; }
  void Advance(int64_t us) {
    now_.us += us;
    monotonic_us_ += us;
  }
  void JumpWall(int64_t us) { now_.us += us; }

 private:
  Instant now_;
  int64_t monotonic_us_ = 0;
};

// splitmix64 seeded xoshiro256**: the same seed gives the same numbers on every machine and
// compiler.
class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t Next();
  uint64_t Below(uint64_t bound);              // uniform in [0, bound), bound > 0
  int64_t Between(int64_t low, int64_t high);  // uniform, both ends included
  bool Chance(uint64_t numerator, uint64_t denominator);

 private:
  uint64_t state_[4];
};
// From the operating system, for tokens and ids.
void SecureRandomBytes(uint8_t* out, size_t size);

}  // namespace flyball
