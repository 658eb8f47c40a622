#include "forecast/ces.h"

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

enum Form : int { kNone, kSimple, kPartial, kFull, kForms };

constexpr int kEvaluationsMax = 200;
constexpr double kInfinite = std::numeric_limits<double>::infinity();
// How often the past is gone through there and back for the first states.
constexpr int kPassesBack = 1;

struct Complex {
  double level = 0, potential = 0;
};

// All states: of the form without season and of the full form the first complex one alone, of each
// phase one behind it.
struct States {
  Complex plain;
  std::vector<Complex> seasonal;  // partial: only `level` is used
  size_t phase = 0;
};

void Turn(Complex& state, double error, double real, double imaginary) {
  const Complex before = state;
  state.level = before.level - (1 - imaginary) * before.potential + (real - imaginary) * error;
  state.potential = before.level + (1 - real) * before.potential + (real + imaginary) * error;
}

template <Form kForm>
double Next(const States& states) {
  if constexpr (kForm == kNone) return states.plain.level;
  const double season = states.seasonal[states.phase].level;
  if constexpr (kForm == kSimple) return season;
  return states.plain.level + season;
}

template <Form kForm>
void Take(States& states, double error, const std::vector<double>& p) {
  if constexpr (kForm != kSimple) Turn(states.plain, error, p[0], p[1]);
  if constexpr (kForm == kNone) return;
  Complex& season = states.seasonal[states.phase];
  if constexpr (kForm == kSimple) Turn(season, error, p[0], p[1]);
  if constexpr (kForm == kPartial) season.level += p[2] * error;
  if constexpr (kForm == kFull) Turn(season, error, p[2], p[3]);
  if (++states.phase == states.seasonal.size()) states.phase = 0;
}

template <Form kForm, typename Iterator>
double Pass(Iterator begin, Iterator end, const std::vector<double>& p, States& states) {
  double squares = 0;
  for (Iterator at = begin; at != end; ++at) {
    const double error = *at - Next<kForm>(states);
    squares += error * error;
    Take<kForm>(states, error, p);
  }
  return squares;
}

// Phases run backwards when time does.
template <Form kForm>
void Reverse(States& states) {
  if constexpr (kForm == kNone) return;
  std::vector<Complex> reversed(states.seasonal.size());
  for (size_t i = 0; i < reversed.size(); ++i) {
    reversed[i] = states.seasonal[(states.phase + reversed.size() - 1 - i) % reversed.size()];
  }
  states = {states.plain, std::move(reversed), 0};
}

template <Form kForm>
States FirstStates(Values past, size_t period, const std::vector<double>& p) {
  States states;
  const size_t count = std::min(past.size(), std::max<size_t>(period, 10));
  const double mean =
      std::accumulate(past.begin(), past.begin() + static_cast<std::ptrdiff_t>(count), 0.0) /
      static_cast<double>(count);
  states.plain = {mean, mean / 1.1};
  if constexpr (kForm == kSimple) {
    for (size_t i = 0; i < period; ++i) states.seasonal.push_back({past[i], past[i] / 1.1});
  } else if constexpr (kForm != kNone) {
    for (const double index : SeasonalIndices(past, period, false)) {
      states.seasonal.push_back({index, index / 1.1});
    }
  }
  for (int pass = 0; pass < kPassesBack; ++pass) {
    Pass<kForm>(past.begin(), past.end(), p, states);
    Reverse<kForm>(states);
    Pass<kForm>(past.rbegin(), past.rend(), p, states);
    Reverse<kForm>(states);
  }
  return states;
}

// Whether old errors fade: both eigenvalues of the matrix that takes one state to the next, less
// what its error explains, lie within the unit circle (trace and determinant, after Jury).
bool IsStable(double real, double imaginary) {
  const double trace = (1 - real + imaginary) + (1 - real);
  const double determinant =
      (1 - real + imaginary) * (1 - real) - (imaginary - 1) * (1 - real - imaginary);
  return std::abs(determinant) < 1 && std::abs(trace) < 1 + determinant;
}

struct Start {
  std::vector<double> at;
  Box box;
  size_t states;  // for AICc
};

template <Form kForm>
Start StartOf(size_t period) {
  if constexpr (kForm == kNone) return {{1.3, 1.0}, {{0.01, 0.01}, {1.8, 1.9}}, 2};
  if constexpr (kForm == kSimple) return {{1.3, 1.0}, {{0.01, 0.01}, {1.8, 1.9}}, 2 * period};
  if constexpr (kForm == kPartial) {
    return {{1.3, 1.0, 0.1}, {{0.01, 0.01, 0.0}, {1.8, 1.9, 1.0}}, 2 + period};
  }
  return {{1.3, 1.0, 1.3, 1.0}, {{0.01, 0.01, 0.01, 0.01}, {1.8, 1.9, 1.8, 1.9}}, 2 + 2 * period};
}

template <Form kForm>
void Search(Values past, size_t period, double& best, Fit& fit) {
  const Start start = StartOf<kForm>(period);
  const double n = static_cast<double>(past.size());
  const double k = static_cast<double>(start.at.size() + start.states + 1);
  if (n <= k + 1) return;
  States states;
  const Minimum minimum = Minimise(
      [&](const std::vector<double>& p) {
        if (!IsStable(p[0], p[1]) || (kForm == kFull && !IsStable(p[2], p[3]))) return kInfinite;
        states = FirstStates<kForm>(past, period, p);
        return std::log(std::max(Pass<kForm>(past.begin(), past.end(), p, states), 1e-30));
      },
      start.at, start.box, kEvaluationsMax, 1e-5);
  if (minimum.value == std::numeric_limits<double>::max()) return;
  const double aicc = n * minimum.value + 2 * k + 2 * k * (k + 1) / (n - k - 1);
  if (aicc < best) {
    best = aicc;
    fit = {kForm, minimum.at};
  }
}

template <Form kForm>
Path PathOf(Values past, size_t period, size_t horizon, const std::vector<double>& p) {
  States states = FirstStates<kForm>(past, period, p);
  Pass<kForm>(past.begin(), past.end(), p, states);
  Path path(horizon);
  for (double& value : path) {
    value = Next<kForm>(states);
    Take<kForm>(states, 0, p);
  }
  return path;
}

}  // namespace

Path Ces(Values past, size_t period, size_t horizon, Fit& fit) {
  const bool season = period >= 2 && period <= kCesPeriodMax && past.size() >= 2 * period;
  if (past.size() < 3) return SeasonalNaive(past, 1, horizon);
  if (fit.empty()) {
    double best = kInfinite;
    Search<kNone>(past, 1, best, fit);
    if (season) {
      Search<kSimple>(past, period, best, fit);
      Search<kPartial>(past, period, best, fit);
      Search<kFull>(past, period, best, fit);
    }
  }
  switch (fit.form) {
    case kNone:
      return PathOf<kNone>(past, 1, horizon, fit.parameters);
    case kSimple:
      return PathOf<kSimple>(past, period, horizon, fit.parameters);
    case kPartial:
      return PathOf<kPartial>(past, period, horizon, fit.parameters);
    case kFull:
      return PathOf<kFull>(past, period, horizon, fit.parameters);
    default:
      return SeasonalNaive(past, 1, horizon);
  }
}

}  // namespace flyball::forecast
