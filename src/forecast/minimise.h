// Minimise: the downhill simplex of Nelder and Mead (The Computer Journal 7, 1965, p. 308) inside a
// box, for functions of a few parameters without derivatives.
#pragma once

#include <functional>
#include <vector>

namespace flyball::forecast {

struct Box {
  std::vector<double> lower, upper;  // one a parameter
};

struct Minimum {
  std::vector<double> at;
  double value = 0;
};

// Begins at `start` (moved into the box) with steps of a tenth of the box. Ends when the values at
// the corners differ by less than `tolerance` relative to the best, or after `evaluations_max`. A
// function value that is not finite counts as worst. Deterministic.
Minimum Minimise(const std::function<double(const std::vector<double>&)>& function,
                 std::vector<double> start, const Box& box, int evaluations_max,
                 double tolerance = 1e-6);

}  // namespace flyball::forecast
