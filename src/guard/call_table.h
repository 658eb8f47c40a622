// CallTable: the calls that have a hold, by id and by deadline.
//
// Slots and their legs are used again, so that after a while nothing is allocated. Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "base/money.h"
#include "guard/books.h"
#include "model/hold.h"

namespace flyball::guard {

// What one call holds in one account.
struct Leg {
  uint32_t account = kNoIndex;
  uint32_t cell = kNoIndex;
  Amount held = 0;
  Amount bound = 0;  // the most that it can cost; more than `held` in quantile mode only
  // Units of the budget's currency for 1e9 units of the call's, as it was when the hold was taken;
  // 0: the same currency, or tokens.
  int64_t rate = 0;
};

enum class CallState : uint8_t {
  kFree,
  kHeld,        // admitted; nothing has left yet
  kDispatched,  // bytes may have left
  kUnknown,     // over, without exact usage: charged at its bound until evidence comes
};

struct HeldCall {
  hold::CallId id;
  CallState state = CallState::kFree;
  int64_t deadline_us = 0;  // monotonic
  std::vector<Leg> legs;
  // Found after a power cut: later calls may be missing, in the room that its settlement had made.
  bool suspect = false;
  // For the sketch of output sizes; 0: none.
  uint64_t sketch_key = 0;
  // Links of the wheel of deadlines (open calls) or of the queue of unknown ones.
  uint32_t next = kNoIndex;
  uint32_t previous = kNoIndex;
};

inline constexpr size_t kOpenCallsMax = 65'536;
inline constexpr size_t kUnknownCallsMax = 10'000;
// No hold lives longer; a deadline beyond is refused.
inline constexpr int64_t kHoldMaxUs = 2 * kMicrosPerHour;

class CallTable {
 public:
  CallTable();
  // kNoIndex when there is no such call.
  uint32_t Find(hold::CallId id) const;
  HeldCall& at(uint32_t slot) { return calls_[slot]; }
  const HeldCall& at(uint32_t slot) const { return calls_[slot]; }
  uint32_t slot_count() const { return static_cast<uint32_t>(calls_.size()); }

  // The id must not be known. The call is kHeld and has no legs; the caller fills them in.
  uint32_t Make(hold::CallId id, int64_t deadline_us);
  void MakeUnknown(uint32_t slot);
  void Remove(uint32_t slot);
  size_t open_count() const { return open_count_; }
  size_t unknown_count() const { return unknown_count_; }
  uint32_t oldest_unknown() const { return unknown_.first; }
  std::vector<uint32_t> unknown() const;  // slots, oldest first
  // The open calls whose deadline is at or before `now_us`, appended to `out`.
  void CollectDue(int64_t now_us, std::vector<uint32_t>* out);

 private:
  struct List {
    uint32_t first = kNoIndex;
    uint32_t last = kNoIndex;
  };
  List& WheelOf(int64_t deadline_us);
  void Link(List* list, uint32_t slot);
  void Unlink(List* list, uint32_t slot);
  size_t IndexOf(hold::CallId id) const;
  void Grow();

  std::vector<HeldCall> calls_;
  std::vector<uint32_t> free_;
  std::vector<uint32_t> index_;  // slot + 1; 0: free. A power of two, at most half full
  size_t indexed_ = 0;
  std::vector<List> wheel_;  // by second
  int64_t looked_at_us_ = 0;
  List unknown_;  // oldest first
  size_t open_count_ = 0;
  size_t unknown_count_ = 0;
};

}  // namespace flyball::guard
