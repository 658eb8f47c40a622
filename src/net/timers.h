// Timers for one thread: a hashed wheel with slots of a millisecond.
//
// A deadline of a connection moves with nearly every byte, and nearly never comes. So moving it
// later only stores the new time: the timer stays where it is in the wheel, and when its slot comes
// round too early it is put where it belongs. Stopping works the same way. A timer never fires
// before its time, and at most a slot after it. What is to be done once for all events of a batch
// is set for the end of the turn.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>

namespace flyball::net {

inline constexpr int64_t kNeverUs = std::numeric_limits<int64_t>::max();

struct TimerLink {
  TimerLink* before = this;
  TimerLink* after = this;
  void Unlink() {
    before->after = after;
    after->before = before;
    before = after = this;
  }
};

class TimerWheel;

// Belongs to its owner; may be dropped at any time, in its own call too.
class Timer : private TimerLink {
 public:
  Timer(TimerWheel& wheel, std::function<void()> fire) : wheel_(wheel), fire_(std::move(fire)) {}
  ~Timer() { Unlink(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void SetAt(int64_t at_us);
  void SetAfter(int64_t us);
  // At the end of the turn: of the Advance that follows the events of now.
  void SetAtTurnEnd();
  void Stop() { at_us_ = kNeverUs; }
  int64_t at_us() const { return at_us_; }  // kNeverUs: not running

 private:
  friend class TimerWheel;
  TimerWheel& wheel_;
  std::function<void()> fire_;
  int64_t at_us_ = kNeverUs;
  int64_t tick_ = 0;  // of the slot that it lies in
};

class TimerWheel {
 public:
  explicit TimerWheel(int64_t now_us) : now_us_(now_us), tick_(now_us / kTickUs) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // The time as of the last SetNow or Advance: one reading of the clock serves a batch of events.
  int64_t now_us() const { return now_us_; }
  void SetNow(int64_t now_us) { now_us_ = now_us; }
  // Fires what is due, then what is set for the end of the turn.
  void Advance(int64_t now_us);
  // The first time at which Advance may have something to do.
  int64_t NextUs() const { return HasTurnEnd() ? now_us_ : NextSlotUs(); }

 private:
  friend class Timer;
  static constexpr int64_t kTickUs = 1000;
  static constexpr size_t kSlots = 4096;

  void Link(Timer& timer);
  void RunSlot(size_t slot);
  void RunDue(TimerLink& head);
  int64_t NextSlotUs() const;
  bool HasTurnEnd() const { return turn_end_.after != &turn_end_; }

  int64_t now_us_;
  int64_t tick_;  // all slots up to this one have been looked at
  std::array<TimerLink, kSlots> slots_;
  TimerLink turn_end_;
  std::array<uint64_t, kSlots / 64> used_{};  // a bit a slot; may be set for an empty one
};

inline void Timer::SetAfter(int64_t us) { SetAt(wheel_.now_us() + us); }

}  // namespace flyball::net
