#include "forecast/detect_season.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "forecast/prepare.h"
#include "forecast/season.h"

namespace flyball::forecast {
namespace {

constexpr std::array<size_t, 6> kCandidates{4, 7, 12, 24, 52, 168};
constexpr double kShareMin = 0.3;
constexpr double kNearlyAsMany = 0.8;
constexpr size_t kLengthMax = 2000;

double AutocorrelationOfChanges(Values values, size_t lag) {
  // Of first differences, so that a trend does not make every lag look alike.
  const size_t n = values.size() - 1;
  const auto change = [&](size_t i) { return values[i + 1] - values[i]; };
  const double mean = (values.back() - values.front()) / static_cast<double>(n);
  double variance = 0, covariance = 0;
  for (size_t i = 0; i < n; ++i) {
    variance += (change(i) - mean) * (change(i) - mean);
    if (i >= lag) covariance += (change(i) - mean) * (change(i - lag) - mean);
  }
  return variance > 0 ? covariance / variance : 0;
}

bool StandsOut(Values values, size_t period) {
  if (values.size() < 3 * period + 2) return false;
  const double at = AutocorrelationOfChanges(values, period);
  const double limit = 2 / std::sqrt(static_cast<double>(values.size()));
  return at > limit && at > AutocorrelationOfChanges(values, period - 1) &&
         at > AutocorrelationOfChanges(values, period + 1);
}

}  // namespace

std::vector<size_t> DetectSeasons(const std::vector<Values>& series) {
  if (series.empty()) return {};
  std::array<double, kCandidates.size()> share{};
  const size_t looked_at = std::min(series.size(), kDetectSeriesMax);
  for (size_t i = 0; i < looked_at; ++i) {
    const Values whole = series[i * series.size() / looked_at];
    const Prepared prepared = Prepare(whole.last(std::min(whole.size(), kLengthMax)), {});
    for (size_t c = 0; c < kCandidates.size(); ++c) {
      if (StandsOut(prepared.values, kCandidates[c])) {
        share[c] += 1 / static_cast<double>(looked_at);
      }
    }
  }
  const double most = *std::ranges::max_element(share);
  if (most < kShareMin) return {};
  for (size_t c = 0; c < kCandidates.size(); ++c) {
    if (share[c] < kNearlyAsMany * most) continue;
    if (kCandidates[c] == 24 && share[5] >= kShareMin) return {24, 168};
    if (kCandidates[c] == 168) return {24, 168};
    return {kCandidates[c]};
  }
  return {};
}

}  // namespace flyball::forecast
