#include "net/timers.h"

#include <algorithm>
#include <bit>

namespace flyball::net {

void Timer::SetAt(int64_t at_us) {
  at_us_ = at_us;
  if (at_us == kNeverUs) {
    return;
  }
  const bool linked = after != this;
  if (linked && tick_ * TimerWheel::kTickUs <= at_us) {
    return;  // its slot comes first, and looks again
  }
  Unlink();
  wheel_.Link(*this);
}

void Timer::SetAtTurnEnd() {
  at_us_ = wheel_.now_us_;
  tick_ = 0;
  Unlink();
  TimerLink& head = wheel_.turn_end_;
  before = head.before;
  after = &head;
  head.before->after = this;
  head.before = this;
}

void TimerWheel::Link(Timer& timer) {
  const int64_t due = timer.at_us_ / kTickUs + (timer.at_us_ % kTickUs > 0 ? 1 : 0);
  timer.tick_ = std::clamp<int64_t>(due, tick_ + 1, tick_ + static_cast<int64_t>(kSlots) - 1);
  const size_t slot = static_cast<size_t>(timer.tick_) % kSlots;
  TimerLink& head = slots_[slot];
  timer.before = head.before;
  timer.after = &head;
  head.before->after = &timer;
  head.before = &timer;
  used_[slot / 64] |= uint64_t{1} << (slot % 64);
}

void TimerWheel::RunSlot(size_t slot) {
  used_[slot / 64] &= ~(uint64_t{1} << (slot % 64));
  RunDue(slots_[slot]);
}

void TimerWheel::RunDue(TimerLink& head) {
  // Taken off first: what fires may put itself, or others, into any slot.
  TimerLink due;
  if (head.after == &head) {
    return;
  }
  due.after = head.after;
  due.before = head.before;
  due.after->before = &due;
  due.before->after = &due;
  head.before = head.after = &head;
  while (due.after != &due) {
    auto& timer = static_cast<Timer&>(*due.after);
    timer.Unlink();
    if (timer.at_us_ == kNeverUs) {
      continue;
    }
    if (timer.at_us_ > now_us_) {
      Link(timer);
      continue;
    }
    timer.at_us_ = kNeverUs;
    const std::function<void()>& fire = timer.fire_;
    fire();
  }
}

void TimerWheel::Advance(int64_t now_us) {
  now_us_ = std::max(now_us_, now_us);
  const int64_t target = now_us_ / kTickUs;
  if (target - tick_ > static_cast<int64_t>(kSlots)) {
    tick_ = target - static_cast<int64_t>(kSlots);  // one round looks at every slot
  }
  while (tick_ < target) {
    tick_ = std::min(NextSlotUs() / kTickUs, target);
    RunSlot(static_cast<size_t>(tick_) % kSlots);
  }
  RunDue(turn_end_);  // once: what sets itself again comes after the next events
}

int64_t TimerWheel::NextSlotUs() const {
  const auto start = static_cast<size_t>(tick_ + 1);
  for (size_t step = 0; step < kSlots;) {
    const size_t slot = (start + step) % kSlots;
    const uint64_t rest = used_[slot / 64] >> (slot % 64);
    if (rest != 0) {
      const auto skip = static_cast<size_t>(std::countr_zero(rest));
      return (tick_ + 1 + static_cast<int64_t>(step + skip)) * kTickUs;
    }
    step += 64 - slot % 64;
  }
  return kNeverUs;
}

}  // namespace flyball::net
