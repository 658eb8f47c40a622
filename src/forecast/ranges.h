// Ranges: how far off forecasts were before says how far off this one may be (conformal
// prediction: Vovk, Gammerman and Shafer, 2005; pooled over similar series as in Mondrian
// conformal prediction).
//
// A score is the error of a trial over what was expected of it: the series' own scale, times the
// profile of the horizon, times how well the series was forecast at its other trials. The bounds
// are quantiles of the scores of all series of a group, a bucket of steps each, so that they cover
// what they say they do whatever the errors' distribution.
#pragma once

#include "forecast/portfolio.h"

namespace flyball::forecast {

// A series of a group: same periods, same horizon.
struct Calibrated {
  std::span<const Trial> trials;
  double scale = 0;  // of its steps: mean absolute difference of neighbours, or of the season
};

// The yardstick for `scale`: the smallest of the naive differences that is not 0.
double StepScale(Values past, std::span<const size_t> periods);

class Ranges {
 public:
  // `horizon` of the forecasts. With few scores, quantiles of Student's t with 4 degrees of freedom
  // stand in: kPriorScores of them a bucket.
  Ranges(std::span<const Calibrated> series, size_t horizon);

  struct Offsets {
    double lower = 0, upper = 0;  // lower <= 0 <= upper
  };
  // For a series by its index, a step from 0, and a level such as 95. Wider with a higher level.
  Offsets At(size_t series, size_t step, double level_percent) const;
  // What a score of 1 is worth: the error that is expected of the series at the step.
  double Width(size_t series, size_t step) const;
  // How far the middle of what is likely lies from the forecast, where the trials were off to one
  // side again and again; 0 where that may be chance.
  double Centre(size_t series, size_t step) const;
  // The score that is not exceeded with `probability`.
  double Score(size_t step, double probability) const;

  static constexpr size_t kPriorScores = 40;

 private:
  size_t BucketOf(size_t step) const;
  void FindProfile(std::span<const Calibrated> series);
  void FindSkill(std::span<const Calibrated> series);
  void FindScores(std::span<const Calibrated> series);
  void FindLean(std::span<const Calibrated> series);
  double SkillWithout(size_t series, size_t trial) const;

  size_t horizon_;
  std::vector<double> profile_;              // a step: expected error over the series' scale
  std::vector<double> scales_;               // a series
  std::vector<std::vector<double>> ratios_;  // a series, a trial: error over scale and profile
  double lean_ = 0;                          // 0 to 1: how much of the median score to believe
  bool leans_up_ = false;
  double typical_ratio_ = 1;                 // over all series
  std::vector<std::vector<double>> scores_;  // a bucket, ascending
};

}  // namespace flyball::forecast
