#include "forecast/loess.h"

#include <algorithm>
#include <cmath>

namespace flyball::forecast {
namespace {

double LineAt(Values values, size_t window, double place, Values weights) {
  const double n = static_cast<double>(values.size());
  const size_t taken = std::min(window, values.size());
  // The `taken` nearest places.
  const double ideal = std::floor(place) - std::floor(static_cast<double>(taken - 1) / 2);
  const size_t first = static_cast<size_t>(std::clamp(ideal, 0.0, n - static_cast<double>(taken)));
  double reach =
      std::max(place - static_cast<double>(first), static_cast<double>(first + taken - 1) - place);
  // A window beyond all values is as much smoother.
  if (window > values.size()) reach += std::floor(static_cast<double>(window - taken) / 2);
  double sum = 0, sum_x = 0, sum_xx = 0, sum_y = 0, sum_xy = 0;
  for (size_t i = first; i < first + taken; ++i) {
    const double x = static_cast<double>(i) - place;
    const double distance = std::abs(x);
    if (distance > 0.999 * reach && reach > 0) continue;
    double weight = 1;
    if (distance > 0.001 * reach) {
      const double share = distance / reach;
      const double rest = 1 - share * share * share;
      weight = rest * rest * rest;
    }
    if (!weights.empty()) weight *= weights[i];
    const double wx = weight * x;
    sum += weight;
    sum_x += wx;
    sum_xx += wx * x;
    sum_y += weight * values[i];
    sum_xy += wx * values[i];
  }
  if (sum <= 0) {
    return values[static_cast<size_t>(std::clamp(std::round(place), 0.0, n - 1))];
  }
  const double mean_x = sum_x / sum, mean_y = sum_y / sum;
  const double spread = sum_xx / sum - mean_x * mean_x;
  // Too few places for a line: their mean.
  if (spread <= 1e-12 * n * n) return mean_y;
  const double slope = (sum_xy / sum - mean_x * mean_y) / spread;
  return mean_y - slope * mean_x;
}

}  // namespace

std::vector<double> Loess(Values values, size_t window, std::ptrdiff_t begin, size_t count,
                          size_t jump, Values weights) {
  std::vector<double> smooth(count, 0.0);
  if (values.empty() || count == 0) return smooth;
  const auto at = [&](size_t i) {
    return LineAt(values, window, static_cast<double>(begin + static_cast<std::ptrdiff_t>(i)),
                  weights);
  };
  smooth[0] = at(0);
  for (size_t from = 0; from + 1 < count;) {
    const size_t to = std::min(from + jump, count - 1);
    smooth[to] = at(to);
    const double slope = (smooth[to] - smooth[from]) / static_cast<double>(to - from);
    for (size_t i = from + 1; i < to; ++i) {
      smooth[i] = smooth[from] + slope * static_cast<double>(i - from);
    }
    from = to;
  }
  return smooth;
}

}  // namespace flyball::forecast
