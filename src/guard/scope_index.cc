#include "guard/scope_index.h"

#include "base/hash.h"

namespace flyball::guard {
namespace {

constexpr size_t kFirstSlots = 64;

uint64_t HashOf(budget::ScopeKind kind, std::string_view value) {
  return (Hash64(value) ^ static_cast<uint64_t>(kind)) * 0x9e3779b97f4a7c15ULL;
}

}  // namespace

void ScopeIndex::Clear() {
  entries_.clear();
  slots_.assign(kFirstSlots, 0);
}

size_t ScopeIndex::SlotOf(uint64_t hash, budget::ScopeKind kind, std::string_view value) const {
  size_t mask = slots_.size() - 1;
  size_t slot = static_cast<size_t>(hash >> 20) & mask;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const Entry& entry = entries_[slots_[slot] - 1];
    if (entry.hash == hash && entry.kind == kind && entry.value == value) break;
  }
  return slot;
}

ScopeIndex::Entry* ScopeIndex::Find(budget::ScopeKind kind, std::string_view value) {
  uint32_t found = slots_[SlotOf(HashOf(kind, value), kind, value)];
  return found == 0 ? nullptr : &entries_[found - 1];
}

ScopeIndex::Entry& ScopeIndex::FindOrMake(budget::ScopeKind kind, std::string_view value) {
  uint64_t hash = HashOf(kind, value);
  size_t slot = SlotOf(hash, kind, value);
  if (slots_[slot] != 0) return entries_[slots_[slot] - 1];
  entries_.push_back({hash, kind, std::string(value), {}, 0});
  slots_[slot] = static_cast<uint32_t>(entries_.size());
  if (entries_.size() * 2 > slots_.size()) Grow();
  return entries_.back();
}

void ScopeIndex::Grow() {
  slots_.assign(slots_.size() * 2, 0);
  for (size_t i = 0; i < entries_.size(); ++i) {
    slots_[SlotOf(entries_[i].hash, entries_[i].kind, entries_[i].value)] =
        static_cast<uint32_t>(i + 1);
  }
}

}  // namespace flyball::guard
