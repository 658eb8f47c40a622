#include "forecast/ets.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "forecast/minimise.h"
#include "forecast/naive.h"
#include "forecast/season.h"

namespace flyball::forecast {
namespace {

using Trend = EtsForm::Trend;
using Season = EtsForm::Season;

constexpr int kForms = 18;
constexpr int kEvaluationsMax = 300;
constexpr double kInfinite = std::numeric_limits<double>::infinity();

int Index(const EtsForm& form) {
  return (form.multiplicative_error ? 9 : 0) + 3 * static_cast<int>(form.trend) +
         static_cast<int>(form.season);
}

EtsForm FormOf(int index) {
  return {index >= 9, static_cast<Trend>(index % 9 / 3), static_cast<Season>(index % 3)};
}

// Parameters in the order in which they are searched: level, slope at the start; alpha, and beta
// and gamma as shares of what alpha leaves them (the usual region: beta < alpha, gamma < 1 -
// alpha); damping. The first seasonal indices follow behind them.
enum Parameter : size_t { kLevel, kSlope, kAlpha, kBeta, kGamma, kPhi, kSearched };

struct Model {
  EtsForm form;
  size_t period = 1;
};

// The recursion over the past, then over the future with errors of 0 (table 2.2 and 2.3). Returns
// minus twice the log likelihood without its constants.
template <Trend kTrend, Season kSeason>
double Run(bool multiplicative_error, size_t period, Values past, const std::vector<double>& p,
           Path* path) {
  double level = p[kLevel];
  double slope = kTrend == Trend::kNone ? 0 : p[kSlope];
  const double alpha = p[kAlpha];
  const double beta = kTrend == Trend::kNone ? 0 : p[kBeta] * alpha;
  const double gamma = kSeason == Season::kNone ? 0 : p[kGamma] * (1 - alpha);
  const double phi = kTrend == Trend::kDamped ? p[kPhi] : 1;
  std::array<double, kEtsPeriodMax> season{};
  if (kSeason != Season::kNone) {
    std::copy_n(p.begin() + kSearched, static_cast<std::ptrdiff_t>(period), season.begin());
  }
  double squares = 0, logs = 0;
  size_t phase = 0;
  const auto fitted = [&](double base) {
    if constexpr (kSeason == Season::kAdditive) return base + season[phase];
    if constexpr (kSeason == Season::kMultiplicative) return base * season[phase];
    return base;
  };
  for (const double value : past) {
    const double base = level + phi * slope;
    const double mean = fitted(base);
    const double error = value - mean;
    if (multiplicative_error) {
      if (!(mean > 0)) return kInfinite;
      squares += (error / mean) * (error / mean);
      logs += std::log(mean);
    } else {
      squares += error * error;
    }
    // What the level is off by: the error, without the factor of the season.
    double off = error, season_off = error;
    if constexpr (kSeason == Season::kMultiplicative) {
      off = multiplicative_error ? base * error / mean : error / season[phase];
      season_off = multiplicative_error ? season[phase] * error / mean : error / base;
    }
    level = base + alpha * off;
    slope = phi * slope + beta * off;
    if constexpr (kSeason != Season::kNone) {
      season[phase] += gamma * season_off;
      if (++phase == period) phase = 0;
    }
  }
  if (path != nullptr) {
    double damping = 0, power = 1;
    for (double& value : *path) {
      power *= phi;
      damping += power;
      value = fitted(level + damping * slope);
      if (kSeason != Season::kNone && ++phase == period) phase = 0;
    }
  }
  const double n = static_cast<double>(past.size());
  return n * std::log(std::max(squares, 1e-30)) + 2 * logs;
}

double Run(const Model& model, Values past, const std::vector<double>& p, Path* path) {
  const bool m = model.form.multiplicative_error;
  switch (Index(model.form) % 9) {
    case 0:
      return Run<Trend::kNone, Season::kNone>(m, model.period, past, p, path);
    case 1:
      return Run<Trend::kNone, Season::kAdditive>(m, model.period, past, p, path);
    case 2:
      return Run<Trend::kNone, Season::kMultiplicative>(m, model.period, past, p, path);
    case 3:
      return Run<Trend::kAdditive, Season::kNone>(m, model.period, past, p, path);
    case 4:
      return Run<Trend::kAdditive, Season::kAdditive>(m, model.period, past, p, path);
    case 5:
      return Run<Trend::kAdditive, Season::kMultiplicative>(m, model.period, past, p, path);
    case 6:
      return Run<Trend::kDamped, Season::kNone>(m, model.period, past, p, path);
    case 7:
      return Run<Trend::kDamped, Season::kAdditive>(m, model.period, past, p, path);
    default:
      return Run<Trend::kDamped, Season::kMultiplicative>(m, model.period, past, p, path);
  }
}

// Level and slope of the line through the first values without their season.
std::vector<double> FirstStates(const Model& model, Values past) {
  std::vector<double> p{0, 0, 0.3, 0.1, 0.1, 0.95};
  const Season season = model.form.season;
  std::vector<double> indices;
  if (season != Season::kNone) {
    indices = SeasonalIndices(past, model.period, season == Season::kMultiplicative);
  }
  const size_t count = std::min(past.size(), std::max<size_t>(10, 2 * model.period));
  std::vector<double> first(past.begin(), past.begin() + static_cast<std::ptrdiff_t>(count));
  for (size_t i = 0; i < count && !indices.empty(); ++i) {
    const double index = indices[i % model.period];
    first[i] = season == Season::kMultiplicative ? first[i] / index : first[i] - index;
  }
  const double n = static_cast<double>(count), middle = (n + 1) / 2;
  const double mean = std::accumulate(first.begin(), first.end(), 0.0) / n;
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += (static_cast<double>(i + 1) - middle) * first[i];
  p[kSlope] = n > 1 ? sum * 12 / (n * (n * n - 1)) : 0;
  p[kLevel] = model.form.trend == Trend::kNone ? mean : mean - middle * p[kSlope];
  p.insert(p.end(), indices.begin(), indices.end());
  return p;
}

// Which parameters are free in this form.
std::vector<size_t> FreeParameters(const EtsForm& form) {
  std::vector<size_t> free{kLevel, kAlpha};
  if (form.trend != Trend::kNone) free.insert(free.end(), {kSlope, kBeta});
  if (form.season != Season::kNone) free.push_back(kGamma);
  if (form.trend == Trend::kDamped) free.push_back(kPhi);
  return free;
}

Box BoxOf(const std::vector<size_t>& free, Values past, const std::vector<double>& start) {
  const auto [low, high] = std::ranges::minmax(past);
  const double room = std::max(high - low, 1e-9);
  Box box;
  for (const size_t parameter : free) {
    switch (parameter) {
      case kLevel:
        box.lower.push_back(std::min(low - room / 2, start[kLevel]));
        box.upper.push_back(std::max(high + room / 2, start[kLevel]));
        break;
      case kSlope:
        box.lower.push_back(start[kSlope] - room / 4);
        box.upper.push_back(start[kSlope] + room / 4);
        break;
      case kPhi:
        box.lower.push_back(0.8);
        box.upper.push_back(0.98);
        break;
      default:
        box.lower.push_back(1e-4);
        box.upper.push_back(0.9999);
    }
  }
  return box;
}

size_t CountParameters(const EtsForm& form, size_t period) {
  return FreeParameters(form).size() + (form.season == Season::kNone ? 0 : period - 1) + 1;
}

bool IsAdmissible(const EtsForm& form, bool positive, size_t period, size_t length) {
  if (form.multiplicative_error && !positive) return false;
  if (form.season == Season::kMultiplicative && !form.multiplicative_error) return false;
  if (form.season != Season::kNone &&
      (period < 2 || period > kEtsPeriodMax || length < 2 * period + 1)) {
    return false;
  }
  return length > CountParameters(form, period) + 1;
}

}  // namespace

EtsResult FitEts(Values past, size_t period, const EtsForm& form) {
  const bool positive = std::ranges::all_of(past, [](double value) { return value > 0; });
  EtsResult result{kInfinite, {}};
  if (!IsAdmissible(form, positive, period, past.size())) return result;
  const Model model{form, form.season == Season::kNone ? 1 : period};
  std::vector<double> all = FirstStates(model, past);
  const std::vector<size_t> free = FreeParameters(form);
  std::vector<double> start;
  for (const size_t parameter : free) start.push_back(all[parameter]);
  const Box box = BoxOf(free, past, all);
  const Minimum minimum = Minimise(
      [&](const std::vector<double>& p) {
        for (size_t i = 0; i < free.size(); ++i) all[free[i]] = p[i];
        return Run(model, past, all, nullptr);
      },
      start, box, kEvaluationsMax, 1e-6);
  for (size_t i = 0; i < free.size(); ++i) all[free[i]] = minimum.at[i];
  if (minimum.value == std::numeric_limits<double>::max()) return result;
  const double k = static_cast<double>(CountParameters(form, period));
  const double n = static_cast<double>(past.size());
  result.aicc = minimum.value + 2 * k + 2 * k * (k + 1) / (n - k - 1);
  result.fit = {Index(form), std::move(all)};
  return result;
}

Path Ets(Values past, size_t period, size_t horizon, Fit& fit, bool trend_only) {
  if (fit.empty()) {
    double best = kInfinite;
    for (int index = 0; index < kForms; ++index) {
      const EtsForm form = FormOf(index);
      if (trend_only && (form.season != Season::kNone || form.multiplicative_error)) continue;
      EtsResult result = FitEts(past, period, form);
      if (result.aicc < best) {
        best = result.aicc;
        fit = std::move(result.fit);
      }
    }
  }
  if (fit.empty()) return SeasonalNaive(past, 1, horizon);
  const EtsForm form = FormOf(fit.form);
  Path path(horizon);
  Run({form, form.season == Season::kNone ? 1 : period}, past, fit.parameters, &path);
  return path;
}

const char* EtsName(const Fit& fit) {
  static constexpr std::array<const char*, kForms> kNames{
      "ETS(A,N,N)",  "ETS(A,N,A)",  "ETS(A,N,M)",  "ETS(A,A,N)",  "ETS(A,A,A)",  "ETS(A,A,M)",
      "ETS(A,Ad,N)", "ETS(A,Ad,A)", "ETS(A,Ad,M)", "ETS(M,N,N)",  "ETS(M,N,A)",  "ETS(M,N,M)",
      "ETS(M,A,N)",  "ETS(M,A,A)",  "ETS(M,A,M)",  "ETS(M,Ad,N)", "ETS(M,Ad,A)", "ETS(M,Ad,M)"};
  return fit.empty() ? "none" : kNames[static_cast<size_t>(fit.form)];
}

}  // namespace flyball::forecast
