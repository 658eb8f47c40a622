#include "forecast/theta.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "forecast/minimise.h"
#include "forecast/naive.h"
#include "forecast/season.h"

namespace flyball::forecast {
namespace {

constexpr int kEvaluationsMax = 240;
constexpr size_t kLengthMin = 4;

struct Smoothed {
  double level = 0;
  double squares = 0;  // of the errors of one step
};

Smoothed Smooth(Values values, double alpha, double level) {
  Smoothed smoothed{level, 0};
  for (const double value : values) {
    const double error = value - smoothed.level;
    smoothed.squares += error * error;
    smoothed.level += alpha * error;
  }
  return smoothed;
}

double Slope(Values values) {
  const double n = static_cast<double>(values.size());
  const double middle = (n - 1) / 2;
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) sum += (static_cast<double>(i) - middle) * values[i];
  return sum * 12 / (n * (n * n - 1));
}

// The model as it goes through the values; afterwards it is fed with its own forecasts.
class ThetaState {
 public:
  ThetaState(double level, double alpha, double theta)
      : level_(level), alpha_(alpha), weight_(1 - 1 / theta) {}

  // The forecast of the next value.
  double Next() const {
    if (count_ == 0) return level_;
    const double rest = fading_;  // (1 - alpha)^t
    const double sum = (1 - rest * (1 - alpha_)) / alpha_;
    return level_ + weight_ * (rest * intercept_ + sum * slope_);
  }

  void Take(double value) {
    const double t = ++count_;
    level_ += alpha_ * (value - level_);
    fading_ *= 1 - alpha_;
    if (count_ == 1) {
      intercept_ = value;
      mean_ = value;
      return;
    }
    // The regression line through the values 1..t, from that of 1..t-1.
    slope_ = ((t - 2) * slope_ + 6 / t * (value - mean_)) / (t + 1);
    mean_ += (value - mean_) / t;
    intercept_ = mean_ - (t + 1) / 2 * slope_;
  }

 private:
  double level_, alpha_, weight_;
  double count_ = 0, fading_ = 1, mean_ = 0, slope_ = 0, intercept_ = 0;
};

double SquaresOf(Values values, const std::vector<double>& p) {
  ThetaState state(p[0], p[1], p[2]);
  double squares = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double error = values[i] - state.Next();
    if (i >= 2) squares += error * error;
    state.Take(values[i]);
  }
  return squares;
}

}  // namespace

Path Theta(Values past, size_t period, size_t horizon, Fit& fit) {
  if (past.size() < kLengthMin) return Drift(past, horizon);
  const Deseasonalised plain(past, period);
  const Values values = plain.values();
  if (fit.empty()) {
    const Box box{{0.01}, {0.999}};
    const Minimum minimum = Minimise(
        [&](const std::vector<double>& p) { return Smooth(values, p[0], values[0]).squares; },
        {0.5}, box, 60, 1e-5);
    fit = {0, minimum.at};
  }
  const double alpha = fit.parameters[0];
  const Smoothed smoothed = Smooth(values, alpha, values[0]);
  const double drift = Slope(values) / 2;
  const double lag = (1 - std::pow(1 - alpha, static_cast<double>(values.size()))) / alpha;
  Path path(horizon);
  for (size_t step = 0; step < horizon; ++step) {
    path[step] = smoothed.level + drift * (static_cast<double>(step) + lag);
  }
  plain.Reseason(path);
  return path;
}

Path DynamicTheta(Values past, size_t period, size_t horizon, Fit& fit) {
  if (past.size() < kLengthMin) return Drift(past, horizon);
  const Deseasonalised plain(past, period);
  const Values values = plain.values();
  if (fit.empty()) {
    const auto [low, high] = std::ranges::minmax(values);
    const double room = std::max(high - low, 1e-9);
    const Box box{{low - room, 0.1, 1.0}, {high + room, 0.99, 8.34}};
    const Minimum minimum =
        Minimise([&](const std::vector<double>& p) { return SquaresOf(values, p); },
                 {values[0] / 2, 0.5, 2.0}, box, kEvaluationsMax, 1e-5);
    fit = {0, minimum.at};
  }
  ThetaState state(fit.parameters[0], fit.parameters[1], fit.parameters[2]);
  for (const double value : values) state.Take(value);
  Path path(horizon);
  for (double& value : path) {
    value = state.Next();
    state.Take(value);
  }
  plain.Reseason(path);
  return path;
}

}  // namespace flyball::forecast
