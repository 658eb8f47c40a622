#include "watch/tail.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace flyball::watch {
namespace {

constexpr uint32_t kFitMin = 3;           // excesses before their moments are believed
constexpr uint32_t kOutlierMin = 10;      // and before one of them is called an outlier,
constexpr double kOutlier = 10;           // which is learned as so many times the mean
constexpr double kStartRate = 0.1;        // the threshold's step shrinks as 1 / (1 + rate * seen)
constexpr double kUnfittedDecades = 0.3;  // beyond the threshold, with no moments yet

}  // namespace

TailRates::TailRates(const TailSettings& what)
    : settings(what),
      up(std::exp(what.threshold_rate * (1 - what.share))),
      down(std::exp(-what.threshold_rate * what.share)),
      share_decades(-std::log10(what.share)) {}

double LogSurvival(double mean, double square, double excess) {
  const double variance = std::max(square - mean * mean, 1e-6 * mean * mean);
  const double shape = std::clamp(0.5 * (1 - mean * mean / variance), kShapeMin, kShapeMax);
  const double scale = mean * (1 - shape);
  if (std::fabs(shape) < 1e-3) return -excess / scale;
  const double inside = 1 + shape * excess / scale;
  // A negative shape has an end, and this lies beyond it.
  if (inside <= 0) return -kDecadesMax * std::numbers::ln10;
  return -std::log(inside) / shape;
}

double Tail::Step(const TailRates& rates, double value, double floor) {
  if (seen == 0) threshold = std::max(value, floor);
  const bool beyond = value > threshold;
  double decades = 0;
  if (beyond) {
    const double excess = value - threshold;
    decades = rates.share_decades;
    decades += exceeded >= kFitMin && mean > 0
                   ? -LogSurvival(mean, square, excess) / std::numbers::ln10
                   : kUnfittedDecades;
    // One outlier must not make the next of its size ordinary.
    const double learned = exceeded >= kOutlierMin ? std::min(excess, kOutlier * mean) : excess;
    const double rate = std::max(1.0 / (exceeded + 1.0), rates.settings.excess_rate);
    mean += rate * (learned - mean);
    square += rate * (learned * learned - square);
    ++exceeded;
  }
  const double start = 1 / (1 + kStartRate * seen);
  if (start > rates.settings.threshold_rate) {
    threshold *= std::exp(start * ((beyond ? 1.0 : 0.0) - rates.settings.share));
  } else {
    threshold *= beyond ? rates.up : rates.down;
  }
  threshold = std::max(threshold, floor);
  ++seen;
  return std::min(decades, kDecadesMax);
}

}  // namespace flyball::watch
