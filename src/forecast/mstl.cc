#include "forecast/mstl.h"

#include <algorithm>
#include <cmath>

#include "forecast/ets.h"
#include "forecast/loess.h"

namespace flyball::forecast {
namespace {

constexpr int kRounds = 2;  // through all seasons
constexpr int kInner = 2;   // of STL

size_t NextOdd(double value) {
  const auto whole = static_cast<size_t>(std::ceil(value));
  return whole % 2 == 1 ? whole : whole + 1;
}

size_t JumpOf(size_t window) { return (window + 9) / 10; }

std::vector<double> MovingAverage(Values values, size_t length) {
  std::vector<double> average(values.size() - length + 1);
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    sum += values[i];
    if (i >= length) sum -= values[i - length];
    if (i + 1 >= length) average[i + 1 - length] = sum / static_cast<double>(length);
  }
  return average;
}

// Each phase smoothed over the cycles, one cycle longer than the values on both sides.
std::vector<double> SmoothPhases(Values values, size_t period, size_t window) {
  std::vector<double> smooth(values.size() + 2 * period);
  std::vector<double> phase_values;
  for (size_t phase = 0; phase < period; ++phase) {
    phase_values.clear();
    for (size_t i = phase; i < values.size(); i += period) phase_values.push_back(values[i]);
    const std::vector<double> phase_smooth =
        Loess(phase_values, window, -1, phase_values.size() + 2, JumpOf(window));
    for (size_t cycle = 0; cycle < phase_smooth.size(); ++cycle) {
      smooth[phase + cycle * period] = phase_smooth[cycle];
    }
  }
  return smooth;
}

// The season by the inner loop of STL.
std::vector<double> StlSeason(Values values, size_t period, size_t window) {
  const size_t n = values.size();
  const size_t trend_window =
      NextOdd(1.5 * static_cast<double>(period) / (1 - 1.5 / static_cast<double>(window)));
  const size_t low_window = NextOdd(static_cast<double>(period));
  std::vector<double> trend(n, 0.0), season(n), detrended(n);
  for (int pass = 0; pass < kInner; ++pass) {
    for (size_t i = 0; i < n; ++i) detrended[i] = values[i] - trend[i];
    const std::vector<double> phases = SmoothPhases(detrended, period, window);
    const std::vector<double> average =
        MovingAverage(MovingAverage(MovingAverage(phases, period), period), 3);
    const std::vector<double> low = Loess(average, low_window, 0, n, JumpOf(low_window));
    for (size_t i = 0; i < n; ++i) season[i] = phases[i + period] - low[i];
    for (size_t i = 0; i < n; ++i) detrended[i] = values[i] - season[i];
    trend = Loess(detrended, trend_window, 0, n, JumpOf(trend_window));
  }
  return season;
}

}  // namespace

Decomposition Decompose(Values past, std::span<const size_t> periods) {
  Decomposition parts;
  parts.rest.assign(past.begin(), past.end());
  std::vector<size_t> used;
  for (const size_t period : periods) {
    if (period >= 2 && past.size() >= 2 * period) used.push_back(period);
  }
  parts.seasons.assign(used.size(), std::vector<double>(past.size(), 0.0));
  const int rounds = used.size() > 1 ? kRounds : 1;
  for (int round = 0; round < rounds; ++round) {
    for (size_t s = 0; s < used.size(); ++s) {
      std::vector<double>& season = parts.seasons[s];
      for (size_t i = 0; i < past.size(); ++i) parts.rest[i] += season[i];
      season = StlSeason(parts.rest, used[s], 7 + 4 * (s + 1));
      for (size_t i = 0; i < past.size(); ++i) parts.rest[i] -= season[i];
    }
  }
  return parts;
}

Path Mstl(Values past, std::span<const size_t> periods, size_t horizon, Fit& fit) {
  const Decomposition parts = Decompose(past, periods);
  Path path = Ets(parts.rest, 1, horizon, fit, true);
  size_t s = 0;
  for (const size_t period : periods) {
    if (period < 2 || past.size() < 2 * period) continue;
    const std::vector<double>& season = parts.seasons[s++];
    for (size_t step = 0; step < horizon; ++step) {
      path[step] += season[past.size() - period + step % period];
    }
  }
  return path;
}

}  // namespace flyball::forecast
