// Quantiles of a handful of timings, by nearest rank: a p95 that was really seen.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace flyball::bench {

// `part` in percent, from 1 to 100. Of nothing: 0.
inline double Quantile(std::vector<double> values, size_t part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t rank = (values.size() * part + 99) / 100;
  return values[std::max<size_t>(rank, 1) - 1];
}

}  // namespace flyball::bench
