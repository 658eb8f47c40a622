// Members: the methods that the portfolio combines. Each is a plain function from the past of one
// series, evenly spaced and without gaps, to a path of the next `horizon` values.
//
// What is costly in a member is finding its parameters. It keeps them in a Fit, so that the same
// series with a few more values at its end can be forecast again without another search: this is
// how rolling origins are affordable. A Fit may only be used again with a longer past of the same
// series; members that search nothing take none.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace flyball::forecast {

using Values = std::span<const double>;
using Path = std::vector<double>;

// What was found for a series; empty when nothing was searched yet.
struct Fit {
  int form = -1;                   // which model of the member's family; -1: none yet
  std::vector<double> parameters;  // of that model, the member's own order
  bool empty() const { return form < 0; }
};

}  // namespace flyball::forecast
