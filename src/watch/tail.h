// Tail: how unlikely a value of a stream is, from nothing but the values before it, in 32 bytes.
//
// Peaks over a threshold (Pickands 1975; streaming as SPOT, Siffer et al., KDD 2017): a threshold
// follows the upper quantile of the stream, and the excesses beyond it are fitted with a
// generalised Pareto distribution by the method of moments (Hosking and Wallis 1987). The threshold
// is moved by factors, so a tail scaled by a power of two behaves in exactly the same way.
#pragma once

#include <cstdint>

namespace flyball::watch {

struct TailSettings {
  double share = 0.02;           // of the values, that shall lie beyond the threshold
  double threshold_rate = 0.01;  // least step of the threshold's logarithm
  double excess_rate = 0.004;    // least weight of a new excess in the moments
};

// What does not change from value to value, computed once.
struct TailRates {
  explicit TailRates(const TailSettings& settings);
  TailSettings settings;
  double up, down;       // the least factors of the threshold
  double share_decades;  // -log10 of the share
};

// Zero everywhere is a tail that has seen nothing.
struct Tail {
  double threshold = 0;
  double mean = 0;    // of the excesses
  double square = 0;  // of the excesses, mean
  uint32_t seen = 0;
  uint32_t exceeded = 0;

  // -log10 of the probability of a value this large or larger, judged by what came before; 0 for
  // all that is not beyond the threshold, kDecadesMax at most. Then learns the value. `value` is
  // not negative; `floor` is the least threshold, some 1e-12 of the scale of the data.
  double Step(const TailRates& rates, double value, double floor);
};

inline constexpr double kDecadesMax = 30;

// log of the survival function of the generalised Pareto distribution with these moments of its
// excesses at `excess`; the shape is kept within kShapeMin..kShapeMax. The moments are positive.
double LogSurvival(double mean, double square, double excess);
inline constexpr double kShapeMin = -0.2;
inline constexpr double kShapeMax = 0.4;

}  // namespace flyball::watch
