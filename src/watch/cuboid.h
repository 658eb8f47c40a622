// Cuboids: the ways to combine dimensions, as bit masks, and the elements of each.
#pragma once

#include <cstdint>
#include <vector>

#include "watch/leaf_table.h"

namespace flyball::watch {

using CuboidMask = uint32_t;  // bit i: the i-th dimension is named

// The element that each of the given leaves belongs to: below `slots`, of which some may be empty.
struct CuboidElements {
  std::vector<uint32_t> of_leaf;
  uint32_t slots = 0;
};
CuboidElements ElementsOf(const LeafTable& table, CuboidMask mask,
                          const std::vector<uint32_t>& leaves);

// Whether two leaves are in the same element of a cuboid.
bool SameElement(const LeafTable& table, CuboidMask mask, uint32_t a, uint32_t b);

}  // namespace flyball::watch
