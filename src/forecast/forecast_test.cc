// The portfolio, its ranges, and what holds for every forecast.
#include "forecast/forecast.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "forecast/prepare.h"
#include "forecast/ranges.h"
#include "forecast/test_series.h"

namespace flyball::forecast {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Options Levels(std::vector<double> levels = {50, 80, 95}) {
  Options options;
  options.levels = std::move(levels);
  return options;
}

Forecast One(std::vector<double> values, std::vector<size_t> periods, size_t horizon) {
  return ForecastAll({{"x", std::move(values), std::move(periods), horizon}}, Levels())->front();
}

TEST(WeightedMedian, ByHand) {
  EXPECT_EQ(WeightedMedian({{7, 1}}), 7);
  EXPECT_EQ(WeightedMedian({{1, 1}, {100, 1}, {2, 1}}), 2);
  EXPECT_EQ(WeightedMedian({{4, 1}, {2, 1}}), 3);  // between equal weights: their middle
  EXPECT_EQ(WeightedMedian({{1, 10}, {1000, 1}}), 1);
  // Centres of weight at 1, 2.5 and 3.5 of 4: the middle 2 lies two thirds of the way.
  EXPECT_DOUBLE_EQ(WeightedMedian({{10, 2}, {13, 1}, {20, 1}}), 12);
}

TEST(Regime, ByFeatures) {
  const std::vector<size_t> none, day{24}, both{24, 168};
  EXPECT_EQ(RegimeOf(std::vector<double>(9, 2.0), none), Regime::kConstant);
  EXPECT_EQ(RegimeOf(std::vector<double>{1, 2}, none), Regime::kShort);
  EXPECT_EQ(RegimeOf(Line(30, 1, 1), none), Regime::kPlain);
  EXPECT_EQ(RegimeOf(Line(30, 1, 1), day), Regime::kPlain);  // not two days
  EXPECT_EQ(RegimeOf(Line(80, 1, 1), both), Regime::kSeasonal);
  EXPECT_EQ(RegimeOf(Line(400, 1, 1), both), Regime::kManySeasons);
  std::vector<double> jobs(40, 0.0);
  for (size_t i = 0; i < 40; i += 4) jobs[i] = 5;
  EXPECT_EQ(RegimeOf(jobs, none), Regime::kIntermittent);
  jobs[1] = -1;
  EXPECT_EQ(RegimeOf(jobs, none), Regime::kPlain);  // credits are no demand
}

TEST(Portfolio, FailingMembersAreOut) {
  // On a strong day and week the drift of the last hours is hopeless.
  const std::vector<double> past = Hours(24 * 7 * 5, 100, 0.02, 5);
  const std::vector<size_t> periods{24, 168};
  const Combination combination =
      Combine(past, periods, 48, {{Member::kDrift, Member::kMstl, Member::kLongNaive}, 4, false});
  ASSERT_EQ(combination.members.size(), 3u);
  EXPECT_EQ(combination.members[0].weight, 0);
  EXPECT_GT(combination.members[1].weight, 0);
  ASSERT_EQ(combination.trials.size(), 4u);
  EXPECT_EQ(combination.trials[0].origin, past.size() - 4 * 48);
  EXPECT_EQ(combination.trials[3].actual.size(), 48u);
}

TEST(Portfolio, FastLeavesTheSearchersOut) {
  const Combination fast =
      Combine(Hours(200, 10, 0.1, 1), std::vector<size_t>{24}, 12, {{}, 4, true});
  EXPECT_EQ(fast.regime, Regime::kSeasonal);
  ASSERT_FALSE(fast.members.empty());
  for (const Weighted& one : fast.members) {
    EXPECT_NE(one.member, Member::kEts);
    EXPECT_NE(one.member, Member::kCes);
  }
}

TEST(Portfolio, TrialsSeeNothingOfTheirFuture) {
  std::vector<double> past = Hours(24 * 7 * 4, 100, 0.05, 6);
  const std::vector<size_t> periods{24, 168};
  const Combination before = Combine(past, periods, 24, {});
  for (size_t i = past.size() - 24; i < past.size(); ++i) past[i] *= 1.5;
  const Combination after = Combine(past, periods, 24, {{}, 4, false});
  // Trials before the last have the same pasts and actuals, so the same errors of the members;
  // their weights come from the other trials, so the paths of a member alone are compared.
  const Combination alone = Combine(past, periods, 24, {{Member::kMstl}, 4, false});
  std::vector<double> cut(past.begin(), past.end() - 24);
  const Combination shorter = Combine(cut, periods, 24, {{Member::kMstl}, 3, false});
  ASSERT_EQ(alone.trials.size(), 4u);
  for (size_t t = 0; t < 3; ++t) EXPECT_EQ(alone.trials[t].combined, shorter.trials[t].combined);
  EXPECT_EQ(before.trials[0].actual, after.trials[0].actual);
}

TEST(Prepare, FillsByTheSeasonThenByALine) {
  const std::vector<size_t> periods{3};
  const Prepared prepared =
      Prepare(std::vector<double>{kNan, 1, 2, 3, 1, kNan, 3, 1, 4, kNan, kNan, 6, kNan}, periods);
  ASSERT_EQ(prepared.values.size(), 11u);
  EXPECT_EQ(prepared.filled, 3u);
  EXPECT_EQ(prepared.trimmed_end, 1u);
  EXPECT_EQ(Unscale(prepared, prepared.values[4]), 3);  // between 2 and 4, a period away
  EXPECT_NEAR(Unscale(prepared, prepared.values[8]), 4 + 2.0 / 3, 1e-12);
  EXPECT_NEAR(Unscale(prepared, prepared.values[9]), 4 + 4.0 / 3, 1e-12);
  EXPECT_TRUE(Prepare(std::vector<double>{kNan, kNan}, periods).values.empty());
}

TEST(Ranges, CoverWhatTheySay) {
  // Two hundred random walks: the range of each step is known to grow with its root.
  constexpr size_t kSeries = 200, kHorizon = 12;
  Noise noise(7);
  std::vector<Series> series(kSeries);
  std::vector<std::vector<double>> future(kSeries);
  for (size_t s = 0; s < kSeries; ++s) {
    double value = 1000;
    for (size_t i = 0; i < 150; ++i) series[s].values.push_back(value += noise.Normal());
    for (size_t i = 0; i < kHorizon; ++i) future[s].push_back(value += noise.Normal());
    series[s].horizon = kHorizon;
  }
  const auto forecasts = ForecastAll(series, Levels());
  double covered[3] = {}, width_first = 0, width_last = 0;
  for (size_t s = 0; s < kSeries; ++s) {
    const Forecast& one = (*forecasts)[s];
    for (size_t l = 0; l < 3; ++l) {
      for (size_t i = 0; i < kHorizon; ++i) {
        covered[l] +=
            one.ranges[l].lower[i] <= future[s][i] && future[s][i] <= one.ranges[l].upper[i];
      }
    }
    width_first += one.ranges[2].upper[0] - one.ranges[2].lower[0];
    width_last += one.ranges[2].upper[11] - one.ranges[2].lower[11];
  }
  const double whole = kSeries * kHorizon;
  EXPECT_NEAR(covered[0] / whole, 0.50, 0.07);
  EXPECT_NEAR(covered[1] / whole, 0.80, 0.06);
  EXPECT_NEAR(covered[2] / whole, 0.95, 0.03);
  EXPECT_NEAR(width_last / width_first, std::sqrt(12.0), 1.0);
}

TEST(Ranges, OfOneSeriesAreThoseOfStudent) {
  // No trials: quantiles of t with 4 degrees of freedom, 0.741 at 75 % and 2.776 at 97.5 %, from 40
  // of them.
  const Calibrated alone{{}, 2.0};
  const Ranges ranges(std::span(&alone, 1), 4);
  EXPECT_NEAR(ranges.At(0, 0, 50).upper, 2 * 0.741, 0.08);
  EXPECT_NEAR(ranges.At(0, 0, 95).upper, 2 * 2.776, 0.4);
  EXPECT_NEAR(ranges.At(0, 3, 95).upper / ranges.At(0, 0, 95).upper, 2, 1e-9);
  EXPECT_NEAR(ranges.At(0, 0, 80).lower, -ranges.At(0, 0, 80).upper, 1e-9);
}

// What holds for every forecast of whatever series.
void CheckProperties(const Series& series, const Forecast& one, const Options& options) {
  ASSERT_EQ(one.mean.size(), series.horizon) << series.id;
  ASSERT_EQ(one.ranges.size(), options.levels.size());
  const bool negative = std::ranges::any_of(series.values, [](double v) { return v < 0; });
  for (size_t i = 0; i < series.horizon; ++i) {
    EXPECT_TRUE(std::isfinite(one.mean[i])) << series.id;
    double lower = one.mean[i], upper = one.mean[i];
    for (const Range& range : one.ranges) {  // wider with a higher level
      EXPECT_LE(range.lower[i], lower) << series.id;
      EXPECT_GE(range.upper[i], upper) << series.id;
      lower = range.lower[i];
      upper = range.upper[i];
    }
    if (!negative) EXPECT_GE(lower, 0) << series.id;
    EXPECT_TRUE(std::isfinite(lower) && std::isfinite(upper)) << series.id;
  }
}

std::vector<Series> OddSeries() {
  std::vector<Series> all;
  const auto add = [&](const char* id, std::vector<double> values, std::vector<size_t> periods) {
    all.push_back({id, std::move(values), std::move(periods), 10});
  };
  add("one point", {5}, {24});
  add("two points", {5, 6}, {});
  add("constant", std::vector<double>(100, 3.5), {7});
  add("zeros", std::vector<double>(100, 0.0), {7});
  add("huge", Line(60, 1e300, 1e298), {});
  add("largest", std::vector<double>{1.7e308, -1.7e308, 1.7e308, -1.7e308, 1.7e308, 1e308, 1}, {});
  add("tiny", Line(60, 1e-300, 1e-302), {});
  add("smallest", Line(60, 0, 4.9e-324), {});
  add("negative", Line(60, -5, -1), {});
  add("an outlier",
      [] {
        std::vector<double> values = Hours(400, 10, 0.1, 8);
        values[390] = 1e12;
        return values;
      }(),
      {24, 168});
  add("a step",
      [] {
        std::vector<double> values(100, 1.0);
        std::fill(values.begin() + 60, values.end(), 1000.0);
        return values;
      }(),
      {7});
  add("gaps",
      [] {
        std::vector<double> values = Hours(600, 10, 0.1, 9);
        for (size_t i = 0; i < values.size(); i += 3) values[i] = kNan;
        values.back() = kNan;
        return values;
      }(),
      {24, 168});
  add("one job",
      [] {
        std::vector<double> values(50, 0.0);
        values[20] = 7;
        return values;
      }(),
      {7});
  for (const size_t length :
       {3u, 4u, 5u, 6u, 7u, 8u, 9u, 13u, 14u, 15u, 16u, 48u, 49u, 50u, 337u, 338u}) {
    add("short hours", Hours(length, 10, 0.2, length), {24, 168});
    add("short months", Hours(length, 10, 0.2, length), {12});
    add("short weeks", Hours(length, 10, 0.2, length), {2, 3});
  }
  return all;
}

TEST(Forecast, EverySeriesGetsARightOne) {
  const Options options = Levels();
  for (const Series& series : OddSeries()) {
    const auto forecasts = ForecastAll({series}, options);
    ASSERT_TRUE(forecasts.has_value());
    EXPECT_EQ(forecasts->front().refusal, "") << series.id;
    CheckProperties(series, forecasts->front(), options);
  }
  const std::vector<Series> together = OddSeries();
  const auto forecasts = ForecastAll(together, options);
  for (size_t i = 0; i < together.size(); ++i) {
    CheckProperties(together[i], (*forecasts)[i], options);
  }
}

TEST(Forecast, SaysWhatIsUnusual) {
  EXPECT_NE(One({5}, {}, 3).note, "");
  EXPECT_EQ(One({5}, {}, 3).mean, (std::vector<double>{5, 5, 5}));
  EXPECT_EQ(One(std::vector<double>(50, 2.0), {7}, 2).mean, (std::vector<double>{2, 2}));
  EXPECT_NE(One(std::vector<double>(50, 2.0), {7}, 2).note.find("constant"), std::string::npos);
  EXPECT_EQ(One({}, {}, 3).refusal, "no value is known");
  EXPECT_EQ(One({kNan, kNan}, {}, 3).refusal, "no value is known");
  std::vector<double> gap = Hours(200, 10, 0.1, 2);
  gap[100] = kNan;
  EXPECT_EQ(One(gap, {24}, 3).note, "1 missing values filled");
}

TEST(Forecast, BeginsBehindMissingLastValues) {
  // A sawtooth: step 1 follows behind the two values that are missing at the end.
  std::vector<double> values;
  for (size_t i = 0; i < 70; ++i) values.push_back(static_cast<double>(i % 7));
  values[68] = values[69] = kNan;
  const Forecast one = One(values, {7}, 7);
  for (size_t i = 0; i < 7; ++i) EXPECT_NEAR(one.mean[i], static_cast<double>(i), 0.3) << i;
}

TEST(Forecast, IsTheSameForEveryScaleAndNumberOfThreads) {
  std::vector<Series> series, large;
  for (size_t i = 0; i < 12; ++i) {
    series.push_back({std::to_string(i), Hours(24 * 16 + i, 50, 0.1, i), {24, 168}, 24});
    large.push_back(series.back());
    for (double& value : large.back().values) value = std::ldexp(value, 500);
  }
  Options options = Levels();
  const auto one = ForecastAll(series, options);
  const auto scaled = ForecastAll(large, options);
  options.threads = 3;
  const auto three = ForecastAll(series, options);
  for (size_t i = 0; i < series.size(); ++i) {
    EXPECT_EQ((*one)[i].mean, (*three)[i].mean);
    EXPECT_EQ((*one)[i].ranges[2].upper, (*three)[i].ranges[2].upper);
    for (size_t step = 0; step < 24; ++step) {
      EXPECT_EQ(std::ldexp((*one)[i].mean[step], 500), (*scaled)[i].mean[step]);
    }
  }
}

TEST(Forecast, FollowsTheDayAndTheWeek) {
  const std::vector<double> whole = Hours(24 * 7 * 5 + 48, 100, 0.03, 11);
  const Forecast one = One({whole.begin(), whole.end() - 48}, {24, 168}, 48);
  double error = 0;
  for (size_t i = 0; i < 48; ++i) {
    error += std::abs(one.mean[i] / whole[whole.size() - 48 + i] - 1) / 48;
  }
  EXPECT_LT(error, 0.045);  // the noise itself has 0.024
  EXPECT_EQ(one.regime, Regime::kManySeasons);
}

TEST(Forecast, CanBeStopped) {
  Options options = Levels();
  options.progress = [](size_t done, size_t whole) {
    EXPECT_EQ(whole, 3u);
    return done < 2;
  };
  const Series series{"x", Line(30, 1, 1), {}, 3};
  const auto forecasts = ForecastAll({series, series, series}, options);
  ASSERT_FALSE(forecasts.has_value());
  EXPECT_EQ(forecasts.error().code, Code::kCancelled);
}

}  // namespace
}  // namespace flyball::forecast
