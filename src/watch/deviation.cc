#include "watch/deviation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/median.h"

namespace flyball::watch {
namespace {

constexpr double kVarianceMin = 1e-4;  // leaves are never known better than to 1 %
constexpr double kStraysMin = 1e-12;
constexpr double kStraysUnknown = 0.01;        // when no leaf moves against the total
constexpr size_t kSampleMin = 8;               // leaves that are needed to tell a variance
constexpr double kMedianOfChiSquare = 0.4549;  // with one degree of freedom

struct Against {
  double magnitude, square;
};

// The median variance and the median of 1/magnitude of a run of leaves.
std::pair<double, double> Summarise(std::vector<Against>::const_iterator begin,
                                    std::vector<Against>::const_iterator end) {
  std::vector<double> squares, inverses;
  for (auto leaf = begin; leaf != end; ++leaf) {
    squares.push_back(leaf->square);
    inverses.push_back(1 / leaf->magnitude);
  }
  return {Median(std::move(squares)) / kMedianOfChiSquare, Median(std::move(inverses))};
}

}  // namespace

Deviations MeasureDeviations(const LeafTable& table) {
  Deviations result;
  double total = 0;
  for (size_t i = 0; i < table.leaves(); ++i) {
    const auto actual = static_cast<double>(table.actual()[i].units());
    const auto predicted = static_cast<double>(table.predicted()[i].units());
    const double magnitude = std::max(std::fabs(actual), std::fabs(predicted));
    total += predicted - actual;
    result.magnitude.push_back(magnitude);
    const double relative = magnitude > 0 ? (predicted - actual) / magnitude : 0;
    result.relative.push_back(std::clamp(relative, -1.0, 1.0));
  }
  if (total <= 0) {
    for (double& relative : result.relative) relative = -relative;
  }
  return result;
}

Noise EstimateNoise(const Deviations& deviations) {
  std::vector<Against> against;
  for (size_t i = 0; i < deviations.relative.size(); ++i) {
    const double relative = deviations.relative[i];
    if (relative < 0) against.push_back({deviations.magnitude[i], relative * relative});
  }
  Noise noise{.relative = kVarianceMin, .counting = 0, .strays = kStraysUnknown};
  if (against.empty()) return noise;
  // Two unknowns from the small leaves and from the large.
  if (against.size() >= kSampleMin) {
    std::sort(against.begin(), against.end(), [](const Against& a, const Against& b) {
      return std::pair(a.magnitude, a.square) < std::pair(b.magnitude, b.square);
    });
    const auto half = against.begin() + static_cast<std::ptrdiff_t>(against.size() / 2);
    const auto [small_variance, small_inverse] = Summarise(against.begin(), half);
    const auto [large_variance, large_inverse] = Summarise(half, against.end());
    if (small_inverse > large_inverse) {
      noise.counting =
          std::max(0.0, (small_variance - large_variance) / (small_inverse - large_inverse));
    }
    noise.relative = std::max(kVarianceMin, large_variance - noise.counting * large_inverse);
  }
  const auto strays = std::count_if(against.begin(), against.end(), [&](const Against& leaf) {
    return leaf.square > 25 * noise.Variance(leaf.magnitude);
  });
  noise.strays =
      std::max(kStraysMin, static_cast<double>(strays) / static_cast<double>(against.size()));
  return noise;
}

}  // namespace flyball::watch
