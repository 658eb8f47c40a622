// Paths: possible futures of several series at once, so that sums over steps and over series have
// honest quantiles. Quantiles of single steps must not be added; paths may.
//
// Each value of a path is a quantile of its series' own conformal range (ranges.h); which one is
// drawn jointly. The dependence is that of the trials: a path mixes whole columns of trial errors,
// one column a rolling origin, with random weights that all series and all steps share (a
// multiplier bootstrap of columns; van der Vaart and Wellner, Weak Convergence and Empirical
// Processes, 1996, section 2.9, gives the idea). What went wrong together, in time and across
// series, goes wrong together again. As few columns say little, a part of each path is the
// series' own: a level error and noise, in the proportion that the trials of all series show.
// Beyond the length of a trial the columns repeat with weights that follow one another as those of
// a random walk do, as far as errors are errors of the level.
//
// Deterministic by the seed, whatever the order in which values are asked for.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "forecast/fits.h"

namespace flyball::forecast {

struct PathOptions {
  size_t paths = 1000;
  uint64_t seed = 1;
};
inline constexpr size_t kPathsMax = 10'000;

class Paths {
 public:
  // `series` and `fits` as FitAll had them; all series end at the same instant. Both must outlive
  // this.
  Paths(const std::vector<Series>& series, const Fits& fits, const PathOptions& options);

  size_t paths() const { return options_.paths; }
  // The values of a series at a step, counted from 0, one a path.
  void Fill(size_t series, size_t step, std::span<double> out) const;
  // 0: errors of neighbouring steps have nothing to do with one another; 1: all are errors of the
  // level.
  double level_share() const { return level_share_; }

 private:
  struct Column {
    size_t weights = 0;          // its place in weights_
    std::vector<double> errors;  // a step each, over what was expected
  };
  struct One {
    std::vector<Column> columns;
    size_t length = 0;  // of a column
  };

  void TakeColumns(size_t series, const Work& work);
  void FindLevelShare();
  size_t BlockOf(size_t length, size_t step) const;
  const double* Normals(uint64_t a, uint64_t b) const;
  void AddChained(uint64_t key, size_t block, double factor, std::span<double> out) const;

  const std::vector<Series>& series_;
  const Fits& fits_;
  PathOptions options_;
  double level_share_ = 0.5;
  std::vector<One> ones_;
  std::map<size_t, size_t> by_distance_;  // of an origin from the end, to its place in weights_
  // A column, a block, a path.
  std::vector<std::vector<std::vector<double>>> weights_;
  std::vector<double> normals_;
  // Scores by the normal deviate, a group and a step each.
  std::vector<std::vector<std::vector<double>>> tables_;
};

// At probabilities in [0, 1], of values in any order, at the place p (n - 1) of the ascending ones.
std::vector<double> QuantilesOf(std::vector<double> values, std::span<const double> probabilities);

}  // namespace flyball::forecast
