#include "forecast/naive.h"

#include <cmath>

namespace flyball::forecast {

Path SeasonalNaive(Values past, size_t period, size_t horizon) {
  if (past.empty()) return Path(horizon, 0.0);
  if (period == 0 || period > past.size()) period = 1;
  const Values cycle = past.last(period);
  Path path(horizon);
  for (size_t step = 0; step < horizon; ++step) path[step] = cycle[step % period];
  return path;
}

Path Drift(Values past, size_t horizon) {
  Path path = SeasonalNaive(past, 1, horizon);
  if (past.size() < 2) return path;
  const double slope = (past.back() - past.front()) / static_cast<double>(past.size() - 1);
  for (size_t step = 0; step < horizon; ++step) path[step] += slope * static_cast<double>(step + 1);
  return path;
}

double SeasonalNaiveScale(Values past, size_t period) {
  if (period == 0 || past.size() <= period) return 0;
  double sum = 0;
  for (size_t i = period; i < past.size(); ++i) sum += std::abs(past[i] - past[i - period]);
  return sum / static_cast<double>(past.size() - period);
}

}  // namespace flyball::forecast
