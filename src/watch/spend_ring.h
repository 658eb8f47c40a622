// SpendRing: what was spent in each of the last kSlots seconds (or minutes), exactly, and by how
// many calls.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/money.h"

namespace flyball::watch {

class SpendRing {
 public:
  // The longest window is an hour of minutes, and the one before it is looked at too.
  static constexpr int64_t kSlots = 128;

  // Slots up to this one are there from now on; those between are empty.
  void Advance(int64_t slot) {
    if (slot <= newest_) return;
    for (int64_t at = std::max(newest_ + 1, slot - kSlots + 1); at <= slot; ++at) {
      units_[Place(at)] = 0;
      calls_[Place(at)] = 0;
    }
    newest_ = slot;
  }
  // What came too late for the ring is not kept. `units` of Money.
  void Add(int64_t slot, int128 units, uint32_t calls) {
    Advance(slot);
    if (slot <= newest_ - kSlots) return;
    units_[Place(slot)] += units;
    calls_[Place(slot)] += calls;
  }
  // Of the `count` slots up to and with `last`, as far as they are kept.
  int128 Spent(int64_t last, int64_t count) const {
    int128 sum = 0;
    for (int64_t at = First(last, count); at <= std::min(last, newest_); ++at) {
      sum += units_[Place(at)];
    }
    return sum;
  }
  int64_t Calls(int64_t last, int64_t count) const {
    int64_t sum = 0;
    for (int64_t at = First(last, count); at <= std::min(last, newest_); ++at) {
      sum += calls_[Place(at)];
    }
    return sum;
  }

 private:
  static size_t Place(int64_t slot) { return static_cast<size_t>(slot % kSlots); }
  int64_t First(int64_t last, int64_t count) const {
    return std::max({last - count + 1, newest_ - kSlots + 1, int64_t{0}});
  }

  std::array<int128, kSlots> units_{};
  std::array<uint32_t, kSlots> calls_{};
  int64_t newest_ = -1;
};

}  // namespace flyball::watch
