// Detector: an anomaly score for every update of a series, in one pass and constant memory.
//
//   SeriesState state;                        // one a series, kSeriesBytes
//   Verdict verdict = detector.Step(&state, {at, value});
//
// Step is pure: the verdict depends on the state and the event, the state on the events before.
// There is no look ahead, no randomness, no clock, and one setting for all series; the scale of the
// values does not matter.
//
// Each update is held against what the series was expected to be. Seven features measure the
// difference, each is turned into the tail probability of a value so large (tail.h), and the
// logarithms are added up with fixed weights: the surprise, in decades. A surprise of `alarm` or
// more opens an anomaly (score 0.5 and above); for a refractory time after it no other is opened.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "watch/tail.h"

namespace flyball::watch {

struct Event {
  Instant at;
  double value = 0;
};

// The ways in which an update can be unlike the series.
enum class Feature : uint8_t {
  kResidual,    // far from the expected value, an exponentially weighted mean
  kDifference,  // far from the last value
  kRange,       // outside all that was seen, by its distance and by how much was seen
  kLevel,       // the short mean has left the long one
  kQuiet,       // the residuals have become small: a stuck meter, a flat line
  kSeasonal,    // far from what this hour of a weekday, Saturday or Sunday is like
  kDrift,       // the mean of that distance has left zero
};
inline constexpr int kFeatures = 7;
std::string_view FeatureName(Feature feature);

struct DetectorSettings {
  TailSettings tail;
  // Weights of a new value in the running means.
  double expected = 0, fast = 0, slow = 0, variance_fast = 0, variance_slow = 0, profile = 0;
  double drift = 0;
  std::array<double, kFeatures> weights{};
  double range_weight = 0;       // of the number of values seen, in kRange
  double alarm = 0;              // surprise that opens an anomaly
  double refractory = 0;         // updates after one without another,
  double refractory_growth = 0;  // and so many more for each update seen before,
  double refractory_most = 500;  // but not more than this
  uint32_t warm_up = 50;         // updates before the first anomaly
};
// The one setting that is used everywhere; how it was found stands in docs/WATCH.md.
DetectorSettings StandardSettings();

// Hours of a weekday, of a Saturday, of a Sunday (UTC).
inline constexpr int kPhases = 72;

struct SeriesState {
  std::array<Tail, kFeatures> tails{};  // that of kRange is not used: its probability is a count
  double last = 0, expected = 0, fast = 0, slow = 0, variance_fast = 0, variance_slow = 0;
  double least = 0, greatest = 0, drift = 0;
  std::array<float, kPhases> profile{};  // of the values divided by `unit`
  double unit = 0;                       // a power of two near the first value that is not zero
  std::array<uint8_t, kPhases> phase_seen{};
  uint32_t seen = 0;
  uint32_t quiet_left = 0;  // updates for which no anomaly is opened
};
inline constexpr size_t kSeriesBytes = sizeof(SeriesState);
static_assert(kSeriesBytes <= 720, "a million series shall fit in a gigabyte with room for names");

// Values beyond it are refused: their squares would not be numbers.
inline constexpr double kValueMax = 1e100;

struct Verdict {
  double score = 0;  // in [0, 1]; 0.5 and above opens an anomaly
  bool opens = false;
  bool refused = false;  // no number, or beyond kValueMax: scored 0, and the state is as it was
  double expected = 0;   // what the value was expected to be
  double surprise = 0;   // in decades
  Feature strongest = Feature::kResidual;  // which feature adds most; where surprise > 0
};

class Detector {
 public:
  explicit Detector(const DetectorSettings& settings = StandardSettings());
  Verdict Step(SeriesState* state, Event event) const;

 private:
  using Decades = std::array<double, kFeatures>;  // weighted
  Decades Measure(SeriesState* state, double value, int phase) const;
  double RangeDecades(const SeriesState& state, double value) const;
  void Learn(SeriesState* state, double value, int phase) const;

  DetectorSettings settings_;
  TailRates rates_;
};

}  // namespace flyball::watch
