#include "forecast/hierarchy.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>

namespace flyball::forecast {
namespace {

// Subsets of the dimensions that are summed to, fewer dimensions first. All of them together are
// the leaves themselves, unless others tell leaves apart.
std::vector<uint32_t> LevelsOf(size_t dimensions, size_t shown) {
  std::vector<uint32_t> levels;
  const uint32_t all = (1u << shown) - 1;
  for (uint32_t level = 0; level <= all; ++level) {
    if (level != all || shown < dimensions || dimensions == 0) levels.push_back(level);
  }
  std::ranges::sort(levels, {},
                    [](uint32_t level) { return std::pair(std::popcount(level), level); });
  return levels;
}

}  // namespace

Result<Hierarchy> Hierarchy::Make(const std::vector<std::vector<std::string>>& leaves,
                                  size_t dimensions, size_t shown) {
  if (dimensions > kHierarchyDimensionsMax) {
    return Fail(Code::kInvalidArgument,
                fmt::format("{} dimensions are more than the {} that can be summed over",
                            dimensions, kHierarchyDimensionsMax));
  }
  Hierarchy hierarchy;
  const std::vector<uint32_t> levels = LevelsOf(dimensions, shown);
  hierarchy.levels_ = levels.size();
  std::vector<std::map<std::vector<std::string>, uint32_t>> places(levels.size());
  for (size_t l = 0; l < levels.size(); ++l) {
    for (const std::vector<std::string>& leaf : leaves) {
      std::vector<std::string> key(dimensions);
      for (size_t d = 0; d < dimensions; ++d) {
        if ((levels[l] >> d & 1) != 0) key[d] = leaf[d];
      }
      places[l].try_emplace(std::move(key), 0);
    }
    for (auto& [key, place] : places[l]) {
      place = static_cast<uint32_t>(hierarchy.nodes_.size());
      hierarchy.nodes_.push_back({levels[l], key, {}});
    }
  }
  hierarchy.sums_ = hierarchy.nodes_.size();
  for (uint32_t leaf = 0; leaf < leaves.size(); ++leaf) {
    for (size_t l = 0; l < levels.size(); ++l) {
      std::vector<std::string> key(dimensions);
      for (size_t d = 0; d < dimensions; ++d) {
        if ((levels[l] >> d & 1) != 0) key[d] = leaves[leaf][d];
      }
      const uint32_t place = places[l].at(key);
      hierarchy.nodes_[place].leaves.push_back(leaf);
      hierarchy.sums_of_.push_back(place);
    }
  }
  for (uint32_t leaf = 0; leaf < leaves.size(); ++leaf) {
    hierarchy.nodes_.push_back({(1u << dimensions) - 1, leaves[leaf], {leaf}});
  }
  return hierarchy;
}

void Hierarchy::SumUp(std::span<double> values, size_t width) const {
  for (size_t n = 0; n < sums_; ++n) {
    const std::span<double> sum = values.subspan(n * width, width);
    std::ranges::fill(sum, 0);
    for (const uint32_t leaf : nodes_[n].leaves) {
      const std::span<const double> part = values.subspan((sums_ + leaf) * width, width);
      for (size_t i = 0; i < width; ++i) sum[i] += part[i];
    }
  }
}

}  // namespace flyball::forecast
