#include "forecast/intermittent.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flyball::forecast {
namespace {

// The last level of simple exponential smoothing, the parameter from a grid by squared errors.
double SmoothedLevel(Values values) {
  double best = std::numeric_limits<double>::infinity(), best_level = 0;
  for (int tenth = 1; tenth <= 9; ++tenth) {
    const double alpha = 0.05 * tenth;
    double level = values[0], squares = 0;
    for (const double value : values) {
      squares += (value - level) * (value - level);
      level += alpha * (value - level);
    }
    if (squares < best) {
      best = squares;
      best_level = level;
    }
  }
  return best_level;
}

}  // namespace

Path Sba(Values past, size_t horizon) {
  constexpr double kAlpha = 0.1;
  double size = 0, interval = 0, since = 1;
  bool seen = false;
  for (const double value : past) {
    if (value == 0) {
      ++since;
      continue;
    }
    size = seen ? size + kAlpha * (value - size) : value;
    interval = seen ? interval + kAlpha * (since - interval) : since;
    seen = true;
    since = 1;
  }
  return Path(horizon, seen ? (1 - kAlpha / 2) * size / interval : 0.0);
}

Path Tsb(Values past, size_t horizon) {
  constexpr double kProbabilityAlpha = 0.1, kSizeAlpha = 0.2;
  double demands = 0;
  for (const double value : past) demands += value != 0 ? 1 : 0;
  if (demands == 0) return Path(horizon, 0.0);
  double probability = demands / static_cast<double>(past.size());
  double size = 0;
  bool seen = false;
  for (const double value : past) {
    probability += kProbabilityAlpha * ((value != 0 ? 1.0 : 0.0) - probability);
    if (value == 0) continue;
    size = seen ? size + kSizeAlpha * (value - size) : value;
    seen = true;
  }
  return Path(horizon, probability * size);
}

Path Imapa(Values past, size_t horizon) {
  size_t demands = 0;
  for (const double value : past) demands += value != 0 ? 1 : 0;
  if (demands == 0) return Path(horizon, 0.0);
  const size_t levels = std::clamp<size_t>(past.size() / demands, 1, past.size());
  double sum = 0;
  std::vector<double> buckets;
  for (size_t level = 1; level <= levels; ++level) {
    buckets.clear();
    for (size_t at = past.size() % level; at < past.size(); at += level) {
      double bucket = 0;
      for (size_t i = at; i < at + level; ++i) bucket += past[i];
      buckets.push_back(bucket);
    }
    sum += SmoothedLevel(buckets) / static_cast<double>(level);
  }
  return Path(horizon, sum / static_cast<double>(levels));
}

}  // namespace flyball::forecast
