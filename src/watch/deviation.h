// Deviations: how far each leaf is from its expectation, and how far noise alone carries a leaf.
#pragma once

#include <cstddef>
#include <vector>

#include "watch/leaf_table.h"

namespace flyball::watch {

// The relative deviation of a leaf is (predicted - actual) / max(|actual|, |predicted|), in [-1,
// 1], with the sign of the total difference made positive. It is the same whichever of the two is
// called the expected one, but for the sign.
struct Deviations {
  std::vector<double> relative;
  std::vector<double> magnitude;  // max(|actual|, |predicted|); 0: the leaf says nothing
};
Deviations MeasureDeviations(const LeafTable& table);

// What the leaves that deviate against the total tell of the noise: its variance is
// `relative` + `counting` / magnitude (relative errors, and those of counts), and a share `strays`
// of the leaves lies beyond five standard deviations.
struct Noise {
  double relative = 0;
  double counting = 0;
  double strays = 0;
  double Variance(double magnitude) const { return relative + counting / magnitude; }
};
Noise EstimateNoise(const Deviations& deviations);

}  // namespace flyball::watch
