#include "guard/call_table.h"

#include <algorithm>

#include "base/assert.h"

namespace flyball::guard {
namespace {

constexpr size_t kFirstIndex = 256;
constexpr int64_t kWheelSlotUs = kMicrosPerSecond;
// More seconds than the longest hold, so that a slot holds deadlines of one turn only.
constexpr size_t kWheelSlots = 8192;
static_assert(static_cast<int64_t>(kWheelSlots - 2) * kWheelSlotUs > kHoldMaxUs);

}  // namespace

CallTable::CallTable() : index_(kFirstIndex, 0), wheel_(kWheelSlots) {}

CallTable::List& CallTable::WheelOf(int64_t deadline_us) {
  return wheel_[static_cast<size_t>(deadline_us / kWheelSlotUs) % kWheelSlots];
}

void CallTable::Link(List* list, uint32_t slot) {
  HeldCall& call = calls_[slot];
  call.previous = list->last;
  call.next = kNoIndex;
  (list->last == kNoIndex ? list->first : calls_[list->last].next) = slot;
  list->last = slot;
}

void CallTable::Unlink(List* list, uint32_t slot) {
  HeldCall& call = calls_[slot];
  (call.previous == kNoIndex ? list->first : calls_[call.previous].next) = call.next;
  (call.next == kNoIndex ? list->last : calls_[call.next].previous) = call.previous;
}

size_t CallTable::IndexOf(hold::CallId id) const {
  size_t mask = index_.size() - 1;
  auto at = static_cast<size_t>((id.value() * 0x9e3779b97f4a7c15ULL) >> 24) & mask;
  while (index_[at] != 0 && calls_[index_[at] - 1].id != id) at = (at + 1) & mask;
  return at;
}

uint32_t CallTable::Find(hold::CallId id) const {
  uint32_t found = index_[IndexOf(id)];
  return found == 0 ? kNoIndex : found - 1;
}

void CallTable::Grow() {
  std::vector<uint32_t> old(index_.size() * 2, 0);
  old.swap(index_);
  for (uint32_t found : old) {
    if (found != 0) index_[IndexOf(calls_[found - 1].id)] = found;
  }
}

uint32_t CallTable::Make(hold::CallId id, int64_t deadline_us) {
  uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<uint32_t>(calls_.size());
    calls_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  HeldCall& call = calls_[slot];
  call.id = id;
  call.state = CallState::kHeld;
  call.deadline_us = std::max<int64_t>(deadline_us, 0);
  call.legs.clear();
  call.sketch_key = 0;
  call.suspect = false;
  size_t at = IndexOf(id);
  FB_ASSERT(index_[at] == 0);
  index_[at] = slot + 1;
  if (++indexed_ * 2 > index_.size()) Grow();
  Link(&WheelOf(call.deadline_us), slot);
  ++open_count_;
  return slot;
}

void CallTable::MakeUnknown(uint32_t slot) {
  HeldCall& call = calls_[slot];
  FB_ASSERT(call.state == CallState::kDispatched);
  Unlink(&WheelOf(call.deadline_us), slot);
  Link(&unknown_, slot);
  call.state = CallState::kUnknown;
  --open_count_;
  ++unknown_count_;
}

void CallTable::Remove(uint32_t slot) {
  HeldCall& call = calls_[slot];
  if (call.state == CallState::kUnknown) {
    Unlink(&unknown_, slot);
    --unknown_count_;
  } else {
    Unlink(&WheelOf(call.deadline_us), slot);
    --open_count_;
  }
  // Out of the index by moving back what was pushed on by it (no tombstones).
  size_t mask = index_.size() - 1;
  size_t hole = IndexOf(call.id);
  FB_ASSERT(index_[hole] == slot + 1);
  index_[hole] = 0;
  --indexed_;
  for (size_t at = (hole + 1) & mask; index_[at] != 0; at = (at + 1) & mask) {
    uint32_t moved = index_[at];
    index_[at] = 0;
    index_[IndexOf(calls_[moved - 1].id)] = moved;
  }
  call.state = CallState::kFree;
  free_.push_back(slot);
}

void CallTable::CollectDue(int64_t now_us, std::vector<uint32_t>* out) {
  if (now_us < looked_at_us_) return;
  int64_t first = looked_at_us_ / kWheelSlotUs;
  int64_t last = now_us / kWheelSlotUs;
  if (last - first >= static_cast<int64_t>(kWheelSlots)) {
    first = last - static_cast<int64_t>(kWheelSlots) + 1;
  }
  for (int64_t second = first; second <= last; ++second) {
    for (uint32_t slot = wheel_[static_cast<size_t>(second) % kWheelSlots].first; slot != kNoIndex;
         slot = calls_[slot].next) {
      if (calls_[slot].deadline_us <= now_us) out->push_back(slot);
    }
  }
  looked_at_us_ = now_us;
}

std::vector<uint32_t> CallTable::unknown() const {
  std::vector<uint32_t> slots;
  for (uint32_t slot = unknown_.first; slot != kNoIndex; slot = calls_[slot].next) {
    slots.push_back(slot);
  }
  return slots;
}

}  // namespace flyball::guard
