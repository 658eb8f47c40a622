// Hierarchy: leaves of several dimensions, and what they sum up to: the whole, each value of each
// dimension, each combination. Dimensions cross (teams x models), so this is no tree.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace flyball::forecast {

inline constexpr size_t kHierarchyDimensionsMax = 4;

struct Node {
  // Which dimensions it is of, a bit each from the first on; the whole has none.
  uint32_t dimensions = 0;
  std::vector<std::string> values;  // a dimension each; empty where it is summed over
  std::vector<uint32_t> leaves;     // by their order; of a leaf itself alone
};

class Hierarchy {
 public:
  // `leaves`: values of `dimensions` dimensions each, no two alike. Sums are made over the first
  // `shown` of them; others only tell leaves apart. INVALID_ARGUMENT beyond
  // kHierarchyDimensionsMax.
  static Result<Hierarchy> Make(const std::vector<std::vector<std::string>>& leaves,
                                size_t dimensions, size_t shown);

  // The sums (the whole first, then by fewer to more dimensions and by values), then the leaves.
  const std::vector<Node>& nodes() const { return nodes_; }
  size_t sums() const { return sums_; }
  size_t leaves() const { return nodes_.size() - sums_; }
  // The sums that a leaf is part of.
  std::span<const uint32_t> SumsOf(size_t leaf) const {
    return std::span(sums_of_).subspan(leaf * levels_, levels_);
  }
  // `values` has `width` columns of one value a node, a node after the other; those of the sums
  // are computed of those of the leaves.
  void SumUp(std::span<double> values, size_t width) const;

 private:
  std::vector<Node> nodes_;
  size_t sums_ = 0;
  size_t levels_ = 0;
  std::vector<uint32_t> sums_of_;
};

}  // namespace flyball::forecast
