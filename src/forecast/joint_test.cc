// Sample paths, hierarchies and their reconciliation, level shifts.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "forecast/hierarchy.h"
#include "forecast/paths.h"
#include "forecast/reconcile.h"
#include "forecast/shifts.h"
#include "forecast/test_series.h"

namespace flyball::forecast {
namespace {

std::vector<double> Days(size_t length, double level, double noise, uint64_t seed) {
  Noise source(seed);
  std::vector<double> values(length);
  for (size_t i = 0; i < length; ++i) {
    values[i] = level * (i % 7 >= 5 ? 0.6 : 1.16) * (1 + noise * source.Normal());
  }
  return values;
}

struct Made {
  std::vector<Series> series;
  Fits fits;
};

Made Fit(std::vector<std::vector<double>> pasts, size_t horizon, size_t trials = 8) {
  Made made;
  for (std::vector<double>& past : pasts) {
    made.series.push_back({std::to_string(made.series.size()), std::move(past), {7}, horizon});
  }
  Options options;
  options.fast = true;
  options.trials = trials;
  made.fits = *FitAll(made.series, options);
  return made;
}

std::vector<double> SumsOver(const Paths& paths, size_t series, size_t horizon) {
  std::vector<double> sums(paths.paths(), 0.0), step(paths.paths());
  for (size_t i = 0; i < horizon; ++i) {
    paths.Fill(series, i, step);
    for (size_t p = 0; p < step.size(); ++p) sums[p] += step[p];
  }
  return sums;
}

double Share(const std::vector<double>& values, double low, double high) {
  const auto inside =
      std::ranges::count_if(values, [&](double value) { return low <= value && value <= high; });
  return static_cast<double>(inside) / static_cast<double>(values.size());
}

TEST(Paths, EachStepHasTheRangesOfTheForecast) {
  const Made made = Fit({Days(200, 100, 0.1, 1), Days(200, 50, 0.2, 2)}, 14);
  const std::vector<double> levels{80};
  const std::vector<Forecast> forecasts = ForecastsOf(made.series, made.fits, levels);
  const Paths paths(made.series, made.fits, {4000, 7});
  std::vector<double> values(paths.paths());
  for (const size_t series : {0u, 1u}) {
    for (const size_t step : {0u, 6u, 13u}) {
      paths.Fill(series, step, values);
      const Range& range = forecasts[series].ranges[0];
      EXPECT_NEAR(Share(values, range.lower[step], range.upper[step]), 0.8, 0.03)
          << series << " " << step;
    }
  }
}

TEST(Paths, AreTheSameForASeedAndOthersForAnother) {
  const Made made = Fit({Days(150, 100, 0.1, 1)}, 28);
  const Paths one(made.series, made.fits, {100, 7}), same(made.series, made.fits, {100, 7}),
      other(made.series, made.fits, {100, 8});
  EXPECT_EQ(SumsOver(one, 0, 28), SumsOver(same, 0, 28));
  EXPECT_NE(SumsOver(one, 0, 28), SumsOver(other, 0, 28));
}

// Many series, what came after each known: how often do 80 % ranges of the sum of 28 days cover it?
double CoverageOfSums(const std::function<std::vector<double>(uint64_t)>& make, double level) {
  constexpr size_t kSeries = 120, kHorizon = 28;
  std::vector<std::vector<double>> pasts;
  std::vector<double> came;
  for (uint64_t s = 0; s < kSeries; ++s) {
    std::vector<double> whole = make(s + 1);
    came.push_back(std::accumulate(whole.end() - kHorizon, whole.end(), 0.0));
    whole.resize(whole.size() - kHorizon);
    pasts.push_back(std::move(whole));
  }
  const Made made = Fit(std::move(pasts), kHorizon);
  const Paths paths(made.series, made.fits, {400, 3});
  const double tail = (1 - level) / 2;
  double covered = 0;
  for (size_t s = 0; s < kSeries; ++s) {
    const std::vector<double> probabilities{tail, 1 - tail};
    const std::vector<double> bounds = QuantilesOf(SumsOver(paths, s, kHorizon), probabilities);
    covered += bounds[0] <= came[s] && came[s] <= bounds[1] ? 1 : 0;
  }
  return covered / kSeries;
}

TEST(Paths, SumsOfIndependentErrorsAreCovered) {
  const double covered =
      CoverageOfSums([](uint64_t seed) { return Days(280, 100, 0.15, seed); }, 0.8);
  EXPECT_GE(covered, 0.70);
  EXPECT_LE(covered, 0.95);
}

TEST(Paths, SumsOfErrorsOfTheLevelAreCovered) {
  const double covered = CoverageOfSums(
      [](uint64_t seed) {
        Noise source(seed);
        double level = 100;
        std::vector<double> values;
        for (size_t i = 0; i < 280; ++i) {
          level *= std::exp(0.03 * source.Normal());
          values.push_back(level);
        }
        return values;
      },
      0.8);
  EXPECT_GE(covered, 0.68);
  EXPECT_LE(covered, 0.93);
}

TEST(Paths, SeriesThatWentWrongTogetherDoSoAgain) {
  // Two that are one, and one of its own.
  Noise source(5);
  std::vector<double> one, twin, other;
  double level = 100, apart = 100;
  for (size_t i = 0; i < 260; ++i) {
    level *= std::exp(0.05 * source.Normal());
    apart *= std::exp(0.05 * source.Normal());
    one.push_back(level);
    twin.push_back(2 * level);
    other.push_back(apart);
  }
  const Made made = Fit({one, twin, other}, 14);
  const Paths paths(made.series, made.fits, {2000, 1});
  const auto correlation = [&](size_t a, size_t b) {
    const std::vector<double> x = SumsOver(paths, a, 14), y = SumsOver(paths, b, 14);
    const double n = static_cast<double>(x.size());
    const double mx = std::accumulate(x.begin(), x.end(), 0.0) / n;
    const double my = std::accumulate(y.begin(), y.end(), 0.0) / n;
    double xy = 0, xx = 0, yy = 0;
    for (size_t p = 0; p < x.size(); ++p) {
      xy += (x[p] - mx) * (y[p] - my);
      xx += (x[p] - mx) * (x[p] - mx);
      yy += (y[p] - my) * (y[p] - my);
    }
    return xy / std::sqrt(xx * yy);
  };
  EXPECT_GT(correlation(0, 1), 0.6);
  EXPECT_LT(std::abs(correlation(0, 2)), correlation(0, 1) - 0.2);
}

TEST(Paths, WhatWasNeverNegativeStaysSo) {
  const Made made = Fit({Days(60, 1, 0.9, 3)}, 30);
  std::vector<double> values(1000);
  const Paths paths(made.series, made.fits, {1000, 1});
  // The series has values below 0; its absolute values do not.
  std::vector<double> positive = made.series[0].values;
  for (double& value : positive) value = std::abs(value);
  const Made clean = Fit({positive}, 30);
  const Paths clean_paths(clean.series, clean.fits, {1000, 1});
  clean_paths.Fill(0, 29, values);
  EXPECT_GE(std::ranges::min(values), 0);
}

// ---- hierarchies

Hierarchy Crossed(size_t teams, size_t models) {
  std::vector<std::vector<std::string>> leaves;
  for (size_t t = 0; t < teams; ++t) {
    for (size_t m = 0; m < models; ++m) {
      leaves.push_back({"team" + std::to_string(t), "model" + std::to_string(m)});
    }
  }
  return *Hierarchy::Make(leaves, 2, 2);
}

TEST(Hierarchy, SumsAreTheWholeAndEachValueOfEachDimension) {
  const Hierarchy hierarchy = Crossed(2, 3);
  ASSERT_EQ(hierarchy.sums(), 1u + 3u + 2u);
  EXPECT_EQ(hierarchy.leaves(), 6u);
  EXPECT_EQ(hierarchy.nodes()[0].dimensions, 0u);
  EXPECT_EQ(hierarchy.nodes()[0].leaves.size(), 6u);
  EXPECT_EQ(hierarchy.nodes()[1].values, (std::vector<std::string>{"team0", ""}));
  EXPECT_EQ(hierarchy.nodes()[1].leaves, (std::vector<uint32_t>{0, 1, 2}));
}

TEST(Hierarchy, ADimensionThatIsNotShownOnlyTellsLeavesApart) {
  const Hierarchy hierarchy = *Hierarchy::Make({{"a", "x"}, {"a", "y"}, {"b", "x"}}, 2, 1);
  ASSERT_EQ(hierarchy.sums(), 3u);  // the whole, a, b
  EXPECT_EQ(hierarchy.nodes()[1].leaves, (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(Hierarchy::Make({{"1", "2", "3", "4", "5"}}, 5, 5).error().code,
            Code::kInvalidArgument);
}

// Every sum equals the sum of its leaves, in whatever columns.
void ExpectCoherent(const Hierarchy& hierarchy, std::span<const double> values, size_t width) {
  for (size_t n = 0; n < hierarchy.sums(); ++n) {
    for (size_t i = 0; i < width; ++i) {
      double sum = 0;
      for (const uint32_t leaf : hierarchy.nodes()[n].leaves) {
        sum += values[(hierarchy.sums() + leaf) * width + i];
      }
      ASSERT_EQ(values[n * width + i], sum) << "node " << n << " column " << i;
    }
  }
}

std::vector<NodeErrors> RandomErrors(const Hierarchy& hierarchy, size_t observations,
                                     Noise& noise) {
  std::vector<NodeErrors> errors;
  for (size_t n = 0; n < hierarchy.nodes().size(); ++n) {
    NodeErrors& one = errors.emplace_back();
    one.scale = noise.Uniform() < 0.1 ? 0 : std::exp(2 * noise.Normal());
    for (size_t i = 0; i < observations; ++i) one.columns.push_back(one.scale * noise.Normal());
  }
  return errors;
}

RC_GTEST_PROP(Reconcile, EveryLevelIsTheSumOfItsLeavesOnEveryPath, ()) {
  const auto teams = *rc::gen::inRange<size_t>(1, 7), models = *rc::gen::inRange<size_t>(1, 7);
  Noise noise(*rc::gen::arbitrary<uint64_t>());
  const Hierarchy hierarchy = Crossed(teams, models);
  const Reconciler reconciler(hierarchy,
                              RandomErrors(hierarchy, *rc::gen::element<size_t>(0, 2, 12), noise));
  constexpr size_t kPaths = 5;
  std::vector<double> values(hierarchy.nodes().size() * kPaths);
  for (double& value : values) value = 10 * noise.Normal();
  reconciler.Reconcile(values, kPaths);
  ExpectCoherent(hierarchy, values, kPaths);
  for (size_t i = hierarchy.sums() * kPaths; i < values.size(); ++i) RC_ASSERT(values[i] >= 0);
}

RC_GTEST_PROP(Reconcile, WhatAddsUpStaysAsItIs, ()) {
  Noise noise(*rc::gen::arbitrary<uint64_t>());
  const Hierarchy hierarchy = Crossed(4, 5);
  const Reconciler reconciler(hierarchy, RandomErrors(hierarchy, 12, noise));
  std::vector<double> values(hierarchy.nodes().size());
  for (double& value : values) value = 1 + noise.Uniform();
  hierarchy.SumUp(values, 1);
  const std::vector<double> before = values;
  reconciler.Reconcile(values, 1);
  for (size_t n = 0; n < values.size(); ++n) RC_ASSERT(std::abs(values[n] - before[n]) < 1e-6);
}

TEST(Reconcile, TheSolutionIsThatOfLeastSquares) {
  // One sum of two leaves, by hand: base 10 against 4 + 5, variances 1, 1, 2. The gap of 1 is
  // shared by variance: the leaves get 1/4 and 2/4 of it, the sum loses 1/4.
  const Hierarchy hierarchy = *Hierarchy::Make({{"a"}, {"b"}}, 1, 1);
  std::vector<NodeErrors> errors(3);
  errors[0].scale = errors[1].scale = 1;
  errors[2].scale = std::sqrt(2.0);
  const Reconciler reconciler(hierarchy, errors);
  EXPECT_EQ(reconciler.method(), "wls-variance");
  std::vector<double> values{10, 4, 5};
  reconciler.Reconcile(values, 1);
  EXPECT_NEAR(values[0], 9.75, 1e-12);
  EXPECT_NEAR(values[1], 4.25, 1e-12);
  EXPECT_NEAR(values[2], 5.5, 1e-12);
}

TEST(Reconcile, GradientsFindWhatTheInverseFinds) {
  // 320 x 2 leaves have more sums than are inverted; the same numbers with few teams would not.
  Noise noise(3);
  const Hierarchy many = Crossed(320, 2);
  ASSERT_GT(many.sums(), kDenseSumsMax);
  std::vector<NodeErrors> errors = RandomErrors(many, 0, noise);
  for (NodeErrors& one : errors) one.non_negative = false;
  const Reconciler reconciler(many, errors);
  std::vector<double> values(many.nodes().size());
  for (double& value : values) value = 100 + 10 * noise.Normal();
  const std::vector<double> base = values;
  reconciler.Reconcile(values, 1);
  // The gradient of the weighted squares along each leaf is 0 (where it is not certain).
  double largest = 0;
  for (const NodeErrors& one : errors) largest = std::max(largest, one.scale * one.scale);
  const auto variance = [&](size_t n) {
    const double v = errors[n].scale * errors[n].scale / largest;
    return n < many.sums() ? std::max(v, 1e-9) : v;
  };
  for (size_t leaf = 0; leaf < many.leaves(); ++leaf) {
    const size_t n = many.sums() + leaf;
    if (variance(n) == 0) continue;
    double slope = (values[n] - base[n]) / variance(n), size = std::abs(slope);
    for (const uint32_t a : many.SumsOf(leaf)) {
      slope += (values[a] - base[a]) / variance(a);
      size += std::abs((values[a] - base[a]) / variance(a));
    }
    EXPECT_LE(std::abs(slope), 1e-3 * (size + 1)) << leaf;
  }
}

TEST(Reconcile, CorrelatedErrorsAreKnown) {
  Noise noise(9);
  const Hierarchy hierarchy = Crossed(3, 3);
  std::vector<NodeErrors> errors(hierarchy.nodes().size());
  for (size_t i = 0; i < 60; ++i) {
    const double shared = noise.Normal();
    std::vector<double> values(errors.size());
    for (size_t leaf = 0; leaf < 9; ++leaf) {
      values[hierarchy.sums() + leaf] = shared + 0.3 * noise.Normal();
    }
    hierarchy.SumUp(values, 1);
    for (size_t n = 0; n < errors.size(); ++n) errors[n].columns.push_back(values[n]);
  }
  for (size_t n = 0; n < errors.size(); ++n) {
    errors[n].scale = static_cast<double>(hierarchy.nodes()[n].leaves.size());
  }
  const Reconciler reconciler(hierarchy, errors);
  EXPECT_EQ(reconciler.method(), "mint-shrink");
  EXPECT_LT(reconciler.shrinkage(), 0.2);
}

// ---- shifts

TEST(Shifts, AStepIsFoundAndTheShapeKept) {
  std::vector<double> values = Days(140, 100, 0.05, 4);
  for (size_t i = 100; i < values.size(); ++i) values[i] *= 1.8;
  const std::vector<Shift> shifts = FindShifts(values, 7);
  ASSERT_EQ(shifts.size(), 1u);
  EXPECT_NEAR(static_cast<double>(shifts[0].at), 100, 1);
  EXPECT_TRUE(shifts[0].multiplicative);
  EXPECT_NEAR(shifts[0].change, 1.8, 0.1);
  const std::vector<double> level = LevelOut(values, shifts);
  const double before = std::accumulate(level.begin(), level.begin() + 98, 0.0) / 98;
  EXPECT_NEAR(before, 180, 10);
  EXPECT_NEAR(level[5] / level[4], values[5] / values[4], 1e-12);
}

TEST(Shifts, NoiseTrendsAndSeasonsAreNone) {
  size_t found = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    std::vector<double> values = Days(120, 100, 0.2, seed);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] *= seed % 2 == 0 ? 1 : std::exp(0.01 * static_cast<double>(i));
    }
    found += FindShifts(values, 7).size();
  }
  EXPECT_LE(found, 2u);
}

TEST(Shifts, ShortOddAndIntermittentSeriesHaveNone) {
  EXPECT_TRUE(FindShifts({}, 7).empty());
  EXPECT_TRUE(FindShifts(Days(30, 1, 0, 1), 7).empty());
  std::vector<double> values = Days(100, 1, 0, 1);
  values[50] = std::nan("");
  EXPECT_TRUE(FindShifts(values, 7).empty());
  std::vector<double> rare(100, 0.0);
  for (size_t i = 0; i < rare.size(); i += 5) rare[i] = i < 50 ? 1 : 9;
  EXPECT_TRUE(FindShifts(rare, 7).empty());
  EXPECT_TRUE(FindShifts(std::vector<double>(100, 3.0), 7).empty());
}

TEST(Shifts, ABumpIsLevelledAway) {
  std::vector<double> values = Days(200, 100, 0.03, 8);
  for (size_t i = 80; i < 120; ++i) values[i] *= 3;
  const std::vector<Shift> shifts = FindShifts(values, 7);
  ASSERT_EQ(shifts.size(), 2u);
  const std::vector<double> level = LevelOut(values, shifts);
  EXPECT_NEAR(level[100] / values[100], 1.0 / 3, 0.05);
  EXPECT_NEAR(level[10] / values[10], 1, 0.1);
}

}  // namespace
}  // namespace flyball::forecast
