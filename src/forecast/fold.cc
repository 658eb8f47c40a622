#include "forecast/fold.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "forecast/naive.h"

namespace flyball::forecast {
namespace {

constexpr size_t kFeatures = 3;  // beside the intercept
constexpr int kAlphas = 16;
constexpr double kTrendDamping = 0.95;
// So many cycles of the same context, and of all contexts, make a shape; the latter count like one
// more of the former.
constexpr size_t kShapeRounds = 3;
constexpr double kBaseWeight = 1;

using Row = std::array<double, kFeatures>;
using Matrix = std::array<Row, kFeatures>;

// The inverse of a symmetric positive definite matrix, by Gauss-Jordan without pivots.
Matrix Invert(Matrix a) {
  Matrix inverse{};
  for (size_t i = 0; i < kFeatures; ++i) inverse[i][i] = 1;
  for (size_t i = 0; i < kFeatures; ++i) {
    const double pivot = a[i][i];
    for (size_t j = 0; j < kFeatures; ++j) {
      a[i][j] /= pivot;
      inverse[i][j] /= pivot;
    }
    for (size_t k = 0; k < kFeatures; ++k) {
      if (k == i) continue;
      const double factor = a[k][i];
      for (size_t j = 0; j < kFeatures; ++j) {
        a[k][j] -= factor * a[i][j];
        inverse[k][j] -= factor * inverse[i][j];
      }
    }
  }
  return inverse;
}

double DampedTrend(size_t cycle) { return 1 - std::pow(kTrendDamping, static_cast<double>(cycle)); }

// Ridge regression of levels on their past.
class LevelModel {
 public:
  LevelModel(const std::vector<double>& levels, size_t lag) : levels_(levels), lag_(lag) {
    const size_t rows = levels.size() - lag;
    for (size_t i = 0; i < rows; ++i) x_.push_back(Features(levels, lag + i));
    Standardise();
    Solve();
  }

  // The level that follows after `levels`.
  double Next(const std::vector<double>& levels) const {
    const Row row = Features(levels, levels.size());
    double value = mean_y_;
    for (size_t f = 0; f < kFeatures; ++f)
      value += coefficients_[f] * (row[f] - mean_[f]) / scale_[f];
    return value;
  }

 private:
  Row Features(const std::vector<double>& levels, size_t at) const {
    return {DampedTrend(at), levels[at - 1], levels[at - lag_]};
  }

  void Standardise() {
    const double n = static_cast<double>(x_.size());
    for (size_t f = 0; f < kFeatures; ++f) {
      double sum = 0, squares = 0;
      for (const Row& row : x_) sum += row[f];
      mean_[f] = sum / n;
      for (const Row& row : x_) squares += (row[f] - mean_[f]) * (row[f] - mean_[f]);
      scale_[f] = std::sqrt(squares / n);
      if (!(scale_[f] > 1e-12 * (std::abs(mean_[f]) + 1e-300))) scale_[f] = 1;
      for (Row& row : x_) row[f] = (row[f] - mean_[f]) / scale_[f];
    }
    mean_y_ =
        std::accumulate(levels_.begin() + static_cast<std::ptrdiff_t>(lag_), levels_.end(), 0.0) /
        n;
  }

  // For one penalty: its coefficients, and the sum of squared leave-one-out errors.
  double LeaveOneOut(const Matrix& gram, const Row& moments, double alpha,
                     Row& coefficients) const {
    Matrix penalised = gram;
    for (size_t f = 0; f < kFeatures; ++f) penalised[f][f] += alpha;
    const Matrix inverse = Invert(penalised);
    for (size_t f = 0; f < kFeatures; ++f) {
      coefficients[f] =
          std::inner_product(inverse[f].begin(), inverse[f].end(), moments.begin(), 0.0);
    }
    double squares = 0;
    const double n = static_cast<double>(x_.size());
    for (size_t i = 0; i < x_.size(); ++i) {
      double fitted = mean_y_, leverage = 1 / n;
      for (size_t f = 0; f < kFeatures; ++f) {
        fitted += coefficients[f] * x_[i][f];
        for (size_t g = 0; g < kFeatures; ++g) leverage += x_[i][f] * inverse[f][g] * x_[i][g];
      }
      const double error = (levels_[lag_ + i] - fitted) / std::max(1 - leverage, 0.05);
      squares += error * error;
    }
    return squares;
  }

  void Solve() {
    Matrix gram{};
    Row moments{};
    for (size_t i = 0; i < x_.size(); ++i) {
      for (size_t f = 0; f < kFeatures; ++f) {
        moments[f] += x_[i][f] * (levels_[lag_ + i] - mean_y_);
        for (size_t g = 0; g < kFeatures; ++g) gram[f][g] += x_[i][f] * x_[i][g];
      }
    }
    const double n = static_cast<double>(x_.size());
    std::array<Row, kAlphas> candidates{};
    std::array<double, kAlphas> logs{};
    for (int a = 0; a < kAlphas; ++a) {
      // From 1e-3 to 1e2 rows' worth of a feature.
      const double alpha = n * std::pow(10.0, -3 + 5.0 * a / (kAlphas - 1));
      const auto index = static_cast<size_t>(a);
      const double squares = LeaveOneOut(gram, moments, alpha, candidates[index]);
      logs[index] = -n / 2 * std::log(std::max(squares, 1e-300));
    }
    const double best = std::ranges::max(logs);
    double weights = 0;
    for (size_t a = 0; a < candidates.size(); ++a) {
      const double weight = std::exp(logs[a] - best);
      weights += weight;
      for (size_t f = 0; f < kFeatures; ++f) coefficients_[f] += weight * candidates[a][f];
    }
    for (double& coefficient : coefficients_) coefficient /= weights;
  }

  const std::vector<double>& levels_;
  size_t lag_;
  std::vector<Row> x_;
  Row mean_{}, scale_{}, coefficients_{};
  double mean_y_ = 0;
};

std::vector<double> ForecastLevels(std::vector<double> levels, size_t context, size_t count) {
  const size_t size = levels.size();
  size_t lag = context;
  if (lag < 2 || size < 2 * lag + kFoldCyclesMin) lag = std::min<size_t>(2, size - 1);
  if (size < kFoldCyclesMin) return std::vector<double>(count, levels.back());
  // Levels grow in proportion; in logarithms an outlier weighs less, too.
  const bool logs = std::ranges::all_of(levels, [](double level) { return level > 0; });
  if (logs)
    std::ranges::transform(levels, levels.begin(), [](double level) { return std::log(level); });
  const std::vector<double> known = levels;
  const LevelModel model(known, lag);
  for (size_t i = 0; i < count; ++i) levels.push_back(model.Next(levels));
  std::vector<double> next(levels.end() - static_cast<std::ptrdiff_t>(count), levels.end());
  if (logs)
    std::ranges::transform(next, next.begin(), [](double level) { return std::exp(level); });
  return next;
}

}  // namespace

Path Fold(Values past, std::span<const size_t> periods, size_t horizon) {
  if (periods.empty() || past.size() < 2 * periods[0]) return SeasonalNaive(past, 1, horizon);
  const size_t period = periods[0];
  const size_t cycles = past.size() / period;
  size_t context = 1;
  if (periods.size() > 1 && periods[1] % period == 0 && cycles >= 2 * (periods[1] / period)) {
    context = periods[1] / period;
  }
  const Values folded = past.last(cycles * period);
  std::vector<double> levels(cycles);
  for (size_t c = 0; c < cycles; ++c) {
    const Values cycle = folded.subspan(c * period, period);
    levels[c] = std::accumulate(cycle.begin(), cycle.end(), 0.0) / static_cast<double>(period);
  }
  const bool ratio = std::ranges::min(folded) >= 0 && std::ranges::min(levels) > 0;
  const auto shape_at = [&](size_t cycle, size_t phase) {
    const double value = folded[cycle * period + phase];
    return ratio ? value / levels[cycle] : value - levels[cycle];
  };
  // The base: the mean shape of the last cycles of every context alike.
  const size_t last = std::min(cycles, kShapeRounds * context);
  std::vector<double> base(period, 0.0);
  for (size_t c = cycles - last; c < cycles; ++c) {
    for (size_t phase = 0; phase < period; ++phase) base[phase] += shape_at(c, phase);
  }
  for (double& value : base) value /= static_cast<double>(last);
  const size_t count = (horizon + period - 1) / period;
  const std::vector<double> next = ForecastLevels(levels, context, count);
  Path path(horizon);
  for (size_t step = 0; step < horizon; ++step) {
    const size_t ahead = step / period, phase = step % period;
    double shape = kBaseWeight * base[phase], weight = kBaseWeight;
    if (context > 1) {
      // The cycles of the same context, the last first.
      size_t at = cycles + ahead % context;
      for (size_t round = 0; round < kShapeRounds && at >= context; ++round) {
        at -= context;
        if (at >= cycles) continue;
        shape += shape_at(at, phase);
        ++weight;
      }
    }
    shape /= weight;
    path[step] = ratio ? next[ahead] * shape : next[ahead] + shape;
  }
  return path;
}

}  // namespace flyball::forecast
