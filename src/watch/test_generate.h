// Generated cases of root causes: tables with anomalies in known combinations, made as RiskLoc
// (Kalander 2022, section on synthetic data) describes its sets S, L and H.
//
// Leaf values are Weibull distributed, a share of them zero; the prediction has a relative normal
// error, and actual and predicted change places in half of the leaves. Then a few anomalies are
// put in, each in one cuboid and one to some elements: every leaf loses a share of its value
// around one severity, on the side that already is the smaller in total.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/assert.h"
#include "watch/root_cause.h"

namespace flyball::watch::generate {

struct Spec {
  const char* name;
  std::vector<size_t> sizes;  // of each dimension
  double noise_max;           // of the relative error, a standard deviation
  double severity_min, severity_max;
  double deviation_max;  // of the severity within an anomaly
  size_t anomalies_max, elements_max;
  bool last_layer_only;  // anomalies are single leaves
};
inline Spec SetS() { return {"S", {10, 12, 10, 8, 5}, 0.25, 0.2, 1, 0.1, 3, 3, false}; }
inline Spec SetL() { return {"L", {10, 24, 10, 15}, 0.1, 0.5, 1, 0, 5, 1, true}; }
inline Spec SetH() { return {"H", {10, 5, 250, 20, 8, 12}, 0.25, 0.2, 1, 0.1, 3, 3, false}; }

using Elements = std::vector<std::pair<std::string, std::string>>;
struct Case {
  std::vector<std::string> dimensions;
  std::vector<std::vector<std::string>> rows;  // the values of each leaf
  std::vector<double> actual, predicted;
  std::set<Elements> causes;
};

// Only what the standard fixes: the numbers are the same on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  double Uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) * 0x1p-53; }
  double Uniform(double low, double high) { return low + (high - low) * Uniform(); }
  size_t Below(size_t bound) { return engine_() % bound; }
  double Normal() {
    return std::sqrt(-2 * std::log(Uniform())) * std::cos(2 * std::numbers::pi * Uniform());
  }

 private:
  std::mt19937_64 engine_;
};

namespace detail {

struct Anomaly {
  std::vector<size_t> dimensions;             // ascending
  std::vector<std::vector<size_t>> elements;  // a value of each of the dimensions
};

// Values of a dimension that no anomaly has taken yet, so that anomalies of a dimension are apart.
inline std::vector<size_t> FreeValues(size_t dimension, size_t size,
                                      const std::vector<Anomaly>& others) {
  std::vector<bool> used(size, false);
  for (const Anomaly& other : others) {
    for (size_t i = 0; i < other.dimensions.size(); ++i) {
      if (other.dimensions[i] != dimension) continue;
      for (const auto& element : other.elements) used[element[i]] = true;
    }
  }
  std::vector<size_t> free;
  for (size_t value = 0; value < size; ++value) {
    if (!used[value]) free.push_back(value);
  }
  return free;
}

// No elements: this draw will not do, draw again.
inline Anomaly Draw(const Spec& spec, size_t layer, size_t count,
                    const std::vector<Anomaly>& others, Random* random) {
  std::vector<size_t> order(spec.sizes.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random->Below(i + 1)]);
  Anomaly anomaly{{order.begin(), order.begin() + static_cast<std::ptrdiff_t>(layer)}, {}};
  std::sort(anomaly.dimensions.begin(), anomaly.dimensions.end());
  for (const Anomaly& other : others) {
    if (layer < order.size() && other.dimensions == anomaly.dimensions) return {};
  }
  std::vector<std::vector<size_t>> elements(count, std::vector<size_t>(layer));
  for (size_t i = 0; i < layer; ++i) {
    const size_t dimension = anomaly.dimensions[i];
    const std::vector<size_t> free = FreeValues(dimension, spec.sizes[dimension], others);
    if (free.empty()) return {};
    for (auto& element : elements) element[i] = free[random->Below(free.size())];
  }
  std::sort(elements.begin(), elements.end());
  if (std::adjacent_find(elements.begin(), elements.end()) != elements.end()) return {};
  anomaly.elements = std::move(elements);
  return anomaly;
}

inline std::vector<size_t> ValuesOfLeaf(const Spec& spec, size_t leaf) {
  std::vector<size_t> values(spec.sizes.size());
  for (size_t d = values.size(); d-- > 0;) {
    values[d] = leaf % spec.sizes[d];
    leaf /= spec.sizes[d];
  }
  return values;
}

inline bool Has(const Anomaly& anomaly, const std::vector<size_t>& leaf) {
  return std::any_of(anomaly.elements.begin(), anomaly.elements.end(), [&](const auto& element) {
    for (size_t i = 0; i < element.size(); ++i) {
      if (leaf[anomaly.dimensions[i]] != element[i]) return false;
    }
    return true;
  });
}

}  // namespace detail

inline std::string ValueName(size_t dimension, size_t value) {
  return std::string(1, static_cast<char>('a' + dimension)) + std::to_string(value + 1);
}

// The leaves before anything happens.
inline Case MakeLeaves(const Spec& spec, double noise, Random* random) {
  Case made;
  size_t leaves = 1;
  for (size_t d = 0; d < spec.sizes.size(); ++d) {
    made.dimensions.emplace_back(1, static_cast<char>('a' + d));
    leaves *= spec.sizes[d];
  }
  const double zeros = random->Uniform(0, 0.25);
  const double shape = random->Uniform(0.5, 1);
  for (size_t leaf = 0; leaf < leaves; ++leaf) {
    double actual = 100 * std::pow(-std::log(random->Uniform()), 1 / shape);
    if (random->Uniform() < zeros) actual = 0;
    double predicted = std::max(0.0, actual * (1 + noise * random->Normal()));
    if (random->Below(2) == 0) std::swap(actual, predicted);
    made.actual.push_back(actual);
    made.predicted.push_back(predicted);
    const std::vector<size_t> values = detail::ValuesOfLeaf(spec, leaf);
    std::vector<std::string>& row = made.rows.emplace_back();
    for (size_t d = 0; d < values.size(); ++d) row.push_back(ValueName(d, values[d]));
  }
  return made;
}

inline Case Make(const Spec& spec, uint64_t seed) {
  Random random(seed);
  const double noise = random.Uniform(0, spec.noise_max);
  Case made = MakeLeaves(spec, noise, &random);
  double change = 0;
  for (size_t i = 0; i < made.actual.size(); ++i) change += made.actual[i] - made.predicted[i];
  std::vector<double>& smaller = change > 0 ? made.predicted : made.actual;
  const std::vector<double>& larger = change > 0 ? made.actual : made.predicted;
  std::vector<detail::Anomaly> anomalies;
  const size_t count = 1 + random.Below(spec.anomalies_max);
  for (int draws = 0; anomalies.size() < count && draws < 1000; ++draws) {
    const size_t layer =
        spec.last_layer_only ? spec.sizes.size() : 1 + random.Below(spec.sizes.size());
    const size_t elements = 1 + random.Below(spec.elements_max);
    const double severity = random.Uniform(spec.severity_min, spec.severity_max) + noise;
    const double deviation = random.Uniform(0, spec.deviation_max);
    detail::Anomaly anomaly = detail::Draw(spec, layer, elements, anomalies, &random);
    if (anomaly.elements.empty()) continue;
    std::vector<size_t> hit;
    for (size_t leaf = 0; leaf < smaller.size(); ++leaf) {
      if (detail::Has(anomaly, detail::ValuesOfLeaf(spec, leaf))) hit.push_back(leaf);
    }
    // A single leaf of nothing cannot be an anomaly.
    const bool nothing =
        layer == spec.sizes.size() &&
        std::any_of(hit.begin(), hit.end(), [&](size_t leaf) { return larger[leaf] == 0; });
    if (nothing) continue;
    for (const size_t leaf : hit) {
      const double lost = severity + deviation * random.Normal();
      smaller[leaf] = std::max(0.0, larger[leaf] * (1 - lost));
    }
    for (const auto& element : anomaly.elements) {
      Elements cause;
      for (size_t i = 0; i < element.size(); ++i) {
        const size_t dimension = anomaly.dimensions[i];
        cause.emplace_back(made.dimensions[dimension], ValueName(dimension, element[i]));
      }
      made.causes.insert(cause);
    }
    anomalies.push_back(std::move(anomaly));
  }
  return made;
}

inline LeafTable ToTable(const Case& made) {
  Result<LeafTable> table = LeafTable::Make(made.dimensions);
  FB_ASSERT(table.has_value());
  // To nine digits behind the point, which is far below what the noise is.
  const auto exact = [](double value) {
    return Quantity::FromUnits(static_cast<int128>(std::llround(value * 1e9)) * 1'000'000);
  };
  std::vector<std::string_view> values;
  for (size_t i = 0; i < made.rows.size(); ++i) {
    values.assign(made.rows[i].begin(), made.rows[i].end());
    FB_ASSERT(table->Add(values, exact(made.actual[i]), exact(made.predicted[i])).has_value());
  }
  return std::move(*table);
}

// Exact sets of elements, counted over all cases.
struct Tally {
  int right = 0, wrong = 0, missed = 0;
  void Add(const std::set<Elements>& found, const std::set<Elements>& causes) {
    int hits = 0;
    for (const Elements& cause : causes) hits += found.contains(cause) ? 1 : 0;
    right += hits;
    wrong += static_cast<int>(found.size()) - hits;
    missed += static_cast<int>(causes.size()) - hits;
  }
  double F1() const {
    const int all = 2 * right + wrong + missed;
    return all == 0 ? 0 : 2.0 * right / all;
  }
};

inline std::set<Elements> ElementSets(const std::vector<RootCause>& causes) {
  std::set<Elements> sets;
  for (const RootCause& cause : causes) {
    Elements elements = cause.elements;
    std::sort(elements.begin(), elements.end());
    sets.insert(std::move(elements));
  }
  return sets;
}

}  // namespace flyball::watch::generate
