#include "forecast/season.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace flyball::forecast {
namespace {

// The centred moving average over a period; begins at period / 2 and is shorter by that on both
// sides.
std::vector<double> CentredAverage(Values past, size_t period) {
  const size_t half = period / 2;
  std::vector<double> average;
  if (past.size() < 2 * half + 1) return average;
  for (size_t at = half; at + half < past.size(); ++at) {
    double sum = 0;
    for (size_t i = at - half; i <= at + half; ++i) sum += past[i];
    if (period % 2 == 0) sum -= (past[at - half] + past[at + half]) / 2;
    average.push_back(sum / static_cast<double>(period));
  }
  return average;
}

double Mean(Values values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double Variance(Values values) {
  const double mean = Mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(values.size());
}

}  // namespace

std::vector<double> SeasonalIndices(Values past, size_t period, bool multiplicative) {
  std::vector<double> indices(period, multiplicative ? 1.0 : 0.0);
  if (period < 2 || past.size() < 2 * period) return indices;
  const std::vector<double> average = CentredAverage(past, period);
  std::vector<double> sums(period, 0.0);
  std::vector<size_t> counts(period, 0);
  for (size_t i = 0; i < average.size(); ++i) {
    const size_t at = i + period / 2;
    sums[at % period] += multiplicative ? past[at] / average[i] : past[at] - average[i];
    ++counts[at % period];
  }
  for (size_t phase = 0; phase < period; ++phase) {
    if (counts[phase] > 0) indices[phase] = sums[phase] / static_cast<double>(counts[phase]);
  }
  const double mean = Mean(indices);
  for (double& index : indices) index = multiplicative ? index / mean : index - mean;
  return indices;
}

bool IsSeasonal(Values past, size_t period) {
  if (period < 2 || past.size() < 3 * period) return false;
  const double mean = Mean(past);
  double variance = 0;
  for (const double value : past) variance += (value - mean) * (value - mean);
  if (variance <= 0) return false;
  double squares = 0, correlation = 0;
  for (size_t lag = 1; lag <= period; ++lag) {
    double sum = 0;
    for (size_t i = lag; i < past.size(); ++i) sum += (past[i] - mean) * (past[i - lag] - mean);
    correlation = sum / variance;
    if (lag < period) squares += correlation * correlation;
  }
  constexpr double kNormalAt95 = 1.6448536269514722;  // two-sided 90 %
  const double limit =
      kNormalAt95 * std::sqrt((1 + 2 * squares) / static_cast<double>(past.size()));
  return std::abs(correlation) > limit;
}

double SeasonalStrength(Values past, size_t period) {
  if (period < 2 || past.size() < 2 * period) return 0;
  const std::vector<double> average = CentredAverage(past, period);
  const std::vector<double> indices = SeasonalIndices(past, period, false);
  std::vector<double> detrended(average.size()), rest(average.size());
  for (size_t i = 0; i < average.size(); ++i) {
    const size_t at = i + period / 2;
    detrended[i] = past[at] - average[i];
    rest[i] = detrended[i] - indices[at % period];
  }
  if (detrended.empty()) return 0;
  const double whole = Variance(detrended);
  return whole > 0 ? std::max(0.0, 1 - Variance(rest) / whole) : 0;
}

Deseasonalised::Deseasonalised(Values past, size_t period) : values_(past.begin(), past.end()) {
  if (!IsSeasonal(past, period)) return;
  multiplicative_ = std::ranges::all_of(past, [](double value) { return value > 0; });
  std::vector<double> indices = SeasonalIndices(past, period, multiplicative_);
  // An index near 0 would make of a small value a huge one.
  if (multiplicative_ && std::ranges::min(indices) < 0.01) {
    multiplicative_ = false;
    indices = SeasonalIndices(past, period, false);
  }
  indices_ = std::move(indices);
  for (size_t i = 0; i < values_.size(); ++i) {
    const double index = indices_[i % period];
    values_[i] = multiplicative_ ? values_[i] / index : values_[i] - index;
  }
}

void Deseasonalised::Reseason(Path& path) const {
  if (!seasonal()) return;
  for (size_t step = 0; step < path.size(); ++step) {
    const double index = indices_[(values_.size() + step) % indices_.size()];
    path[step] = multiplicative_ ? path[step] * index : path[step] + index;
  }
}

}  // namespace flyball::forecast
