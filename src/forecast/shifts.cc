#include "forecast/shifts.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/median.h"
#include "forecast/portfolio.h"
#include "forecast/season.h"

namespace flyball::forecast {
namespace {

constexpr double kScoreMin = 6;
constexpr double kLeastChange = 0.2;  // of the level
constexpr size_t kPlainWindow = 7;    // values a window of a series without season, half of it
constexpr size_t kSeasonsMin = 6;
constexpr double kMadToSigma = 1.4826;
// Medians of a window differ by this share of the level without anything having happened.
constexpr double kQuiet = 0.01;

double MedianOf(Values values) { return Median({values.begin(), values.end()}); }

double Spread(const std::vector<double>& values, double centre) {
  std::vector<double> off;
  for (const double value : values) off.push_back(std::abs(value - centre));
  return kMadToSigma * Median(std::move(off));
}

double DistanceFromMedian(Values values) {
  const double median = MedianOf(values);
  double sum = 0;
  for (const double value : values) sum += std::abs(value - median);
  return sum;
}

// Without season, and in logarithms where `logs`.
std::vector<double> LevelsOf(Values past, size_t period, bool logs) {
  const std::vector<double> season = SeasonalIndices(past, period, logs);
  std::vector<double> levels(past.begin(), past.end());
  for (size_t i = 0; i < levels.size(); ++i) {
    if (period >= 2) {
      const double index = season[i % period];
      levels[i] = logs ? levels[i] / index : levels[i] - index;
    }
    if (logs) levels[i] = std::log(levels[i]);
  }
  return levels;
}

struct Windows {
  Values levels;
  size_t before, after;  // their longest and the shortest of the one after
  size_t first() const { return before; }
  size_t last() const { return levels.size() - after; }
  double Jump(size_t at, size_t begin, size_t end) const {
    const size_t from = std::max(begin, at - std::min(at, before));
    const size_t to = std::min(end, at + before);
    return MedianOf(levels.subspan(at, to - at)) - MedianOf(levels.subspan(from, at - from));
  }
};

// The place near `at` where two levels fit best.
size_t Refine(const Windows& windows, size_t at) {
  const size_t begin = at - windows.before;
  const size_t end = std::min(windows.levels.size(), at + windows.before);
  const size_t least = std::max<size_t>(1, windows.after / 2);
  size_t best = at;
  double lowest = std::numeric_limits<double>::infinity();
  for (size_t split = begin + least; split + least <= end; ++split) {
    const double cost = DistanceFromMedian(windows.levels.subspan(begin, split - begin)) +
                        DistanceFromMedian(windows.levels.subspan(split, end - split));
    if (cost < lowest) {
      lowest = cost;
      best = split;
    }
  }
  return best;
}

std::vector<size_t> FindPlaces(const Windows& windows, double quiet, double least) {
  std::vector<double> jumps;
  for (size_t at = windows.first(); at <= windows.last(); ++at) {
    jumps.push_back(windows.Jump(at, 0, windows.levels.size()));
  }
  std::vector<size_t> places;
  if (jumps.empty()) return places;
  const double usual = MedianOf(jumps);
  const double scale = std::max(Spread(jumps, usual), quiet);
  std::vector<bool> taken(jumps.size(), false);
  while (places.size() < kShiftsMax) {
    size_t best = jumps.size();
    for (size_t i = 0; i < jumps.size(); ++i) {
      const double off = std::abs(jumps[i] - usual);
      if (taken[i] || off < kScoreMin * scale || std::abs(jumps[i]) < least) continue;
      if (best == jumps.size() || off > std::abs(jumps[best] - usual)) best = i;
    }
    if (best == jumps.size()) break;
    const size_t from = best - std::min(best, windows.before);
    const size_t to = std::min(jumps.size(), best + windows.before);
    for (size_t i = from; i < to; ++i) taken[i] = true;
    places.push_back(Refine(windows, windows.first() + best));
  }
  std::ranges::sort(places);
  places.erase(std::ranges::unique(places).begin(), places.end());
  return places;
}

}  // namespace

std::vector<Shift> FindShifts(Values past, size_t period) {
  const size_t window = period >= 2 ? period : kPlainWindow;
  if (past.size() < kSeasonsMin * window) return {};
  const bool odd = std::ranges::any_of(past, [](double v) { return !std::isfinite(v); });
  const size_t periods[] = {period};
  const Regime regime = odd ? Regime::kShort : RegimeOf(past, periods);
  if (regime == Regime::kShort || regime == Regime::kConstant || regime == Regime::kIntermittent) {
    return {};
  }
  const bool logs = std::ranges::min(past) > 0;
  const std::vector<double> levels = LevelsOf(past, period, logs);
  std::vector<double> sizes;
  for (const double value : past) sizes.push_back(std::abs(value));
  const double size = Median(std::move(sizes));
  const Windows windows{levels, 2 * window, window};
  const double quiet = logs ? kQuiet : kQuiet * size;
  const double least = logs ? std::log1p(kLeastChange) : kLeastChange * size;
  if (!(quiet > 0)) return {};
  const std::vector<size_t> places = FindPlaces(windows, quiet, least);
  std::vector<Shift> shifts;
  for (size_t i = 0; i < places.size(); ++i) {
    const size_t begin = i > 0 ? places[i - 1] : 0;
    const size_t end = i + 1 < places.size() ? places[i + 1] : past.size();
    const double jump = windows.Jump(places[i], begin, end);
    shifts.push_back({places[i], logs, logs ? std::exp(jump) : jump});
  }
  return shifts;
}

std::vector<double> LevelOut(Values past, const std::vector<Shift>& shifts) {
  std::vector<double> levelled(past.begin(), past.end());
  for (const Shift& shift : shifts) {
    for (size_t i = 0; i < shift.at; ++i) {
      levelled[i] = shift.multiplicative ? levelled[i] * shift.change : levelled[i] + shift.change;
    }
  }
  return levelled;
}

}  // namespace flyball::forecast
