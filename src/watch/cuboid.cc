#include "watch/cuboid.h"

#include <unordered_map>

namespace flyball::watch {
namespace {

// Slots that may be empty for each leaf, before elements are numbered anew.
constexpr uint64_t kSlotsPerLeaf = 4;

// Numbers the combinations in the order of their appearance.
uint32_t Renumber(std::vector<uint64_t>* combined) {
  std::unordered_map<uint64_t, uint32_t> numbers;
  for (uint64_t& element : *combined) {
    element = numbers.try_emplace(element, static_cast<uint32_t>(numbers.size())).first->second;
  }
  return static_cast<uint32_t>(numbers.size());
}

}  // namespace

CuboidElements ElementsOf(const LeafTable& table, CuboidMask mask,
                          const std::vector<uint32_t>& leaves) {
  std::vector<uint64_t> combined(leaves.size(), 0);
  uint64_t slots = 1;
  for (size_t d = 0; d < table.dimensions().size(); ++d) {
    if ((mask >> d & 1u) == 0) continue;
    const uint64_t size = table.values(d).size();
    const std::vector<uint32_t>& codes = table.codes(d);
    for (size_t i = 0; i < leaves.size(); ++i) {
      combined[i] = combined[i] * size + codes[leaves[i]];
    }
    slots *= size;
    if (slots > kSlotsPerLeaf * leaves.size()) slots = Renumber(&combined);
  }
  CuboidElements elements{{combined.begin(), combined.end()}, static_cast<uint32_t>(slots)};
  return elements;
}

bool SameElement(const LeafTable& table, CuboidMask mask, uint32_t a, uint32_t b) {
  for (size_t d = 0; d < table.dimensions().size(); ++d) {
    if ((mask >> d & 1u) != 0 && table.codes(d)[a] != table.codes(d)[b]) return false;
  }
  return true;
}

}  // namespace flyball::watch
