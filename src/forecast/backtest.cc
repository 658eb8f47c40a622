#include "forecast/backtest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "forecast/naive.h"
#include "forecast/prepare.h"

namespace flyball::forecast {
namespace {

using Json = nlohmann::ordered_json;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
// Values that an origin must know.
constexpr size_t kKnownLeast = 5;

struct Sums {
  std::set<size_t> series;
  size_t values = 0, scaled = 0;
  double error = 0, signed_error = 0, naive_error = 0, size = 0, scaled_error = 0, pinball = 0;
  std::vector<size_t> inside;
};

double Pinball(double actual, double quantile, double probability) {
  return actual >= quantile ? probability * (actual - quantile)
                            : (1 - probability) * (quantile - actual);
}

// One series from one origin.
struct Past {
  const Series* series;
  size_t index, origin;
  std::span<const double> actual() const {
    return std::span(series->values)
        .subspan(origin, std::min(series->horizon, series->values.size() - origin));
  }
};

void AddTo(const Past& past, const Series& known, const Forecast& forecast,
           const std::vector<double>& levels, Sums* sums) {
  // Seasonal naive and the scale do with missing values what every member does.
  const Prepared prepared = Prepare(known.values, known.periods);
  const std::vector<size_t> usable = UsablePeriods(prepared.values.size(), known.periods);
  const size_t period = usable.empty() ? 1 : usable.front();
  const Path naive = SeasonalNaive(prepared.values, period, known.horizon + prepared.trimmed_end);
  const double scale = Unscale(prepared, SeasonalNaiveScale(prepared.values, period));
  const std::span<const double> actual = past.actual();
  double error = 0;
  size_t count = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    if (IsMissing(actual[i])) continue;
    ++count;
    error += std::abs(forecast.mean[i] - actual[i]);
    sums->signed_error += forecast.mean[i] - actual[i];
    sums->naive_error += std::abs(Unscale(prepared, naive[i + prepared.trimmed_end]) - actual[i]);
    sums->size += std::abs(actual[i]);
    double pinball = Pinball(actual[i], forecast.mean[i], 0.5);
    for (size_t l = 0; l < levels.size(); ++l) {
      const double tail = (1 - levels[l] / 100) / 2;
      const double lower = forecast.ranges[l].lower[i], upper = forecast.ranges[l].upper[i];
      sums->inside[l] += lower <= actual[i] && actual[i] <= upper ? 1 : 0;
      pinball += Pinball(actual[i], lower, tail) + Pinball(actual[i], upper, 1 - tail);
    }
    sums->pinball += 2 * pinball / static_cast<double>(2 * levels.size() + 1);
  }
  if (count == 0) return;
  sums->series.insert(past.index);
  sums->values += count;
  sums->error += error;
  if (scale > 0) {
    sums->scaled_error += error / static_cast<double>(count) / scale;
    ++sums->scaled;
  }
}

BacktestRow RowOf(const std::string& regime, const Sums& sums) {
  BacktestRow row;
  row.regime = regime;
  row.series = sums.series.size();
  row.values = sums.values;
  const auto over = [](double value, double by) { return by > 0 ? value / by : kUnknown; };
  row.wmape = over(sums.error, sums.size);
  row.bias = over(sums.signed_error, sums.size);
  row.mase = over(sums.scaled_error, static_cast<double>(sums.scaled));
  row.pinball = over(sums.pinball, sums.size);
  row.value_added = 1 - over(sums.error, sums.naive_error);
  for (const size_t inside : sums.inside) {
    row.coverage.push_back(over(static_cast<double>(inside), static_cast<double>(sums.values)));
  }
  return row;
}

Json Rounded(double value) {
  return std::isfinite(value) ? Json(std::round(value * 1e5) / 1e5) : Json();
}

}  // namespace

Result<BacktestReport> Backtest(const std::vector<Series>& series, const Options& options,
                                size_t origins, const std::function<void(Series*)>& prepare) {
  BacktestReport report;
  report.levels = options.levels;
  report.origins = origins;
  std::map<std::string, Sums> by_regime;
  const auto sums_of = [&](const std::string& regime) {
    Sums& sums = by_regime[regime];
    sums.inside.resize(options.levels.size());
    return &sums;
  };
  std::set<size_t> used;
  for (size_t origin = origins; origin >= 1; --origin) {
    std::vector<Past> pasts;
    std::vector<Series> known;
    for (size_t s = 0; s < series.size(); ++s) {
      const size_t length = series[s].values.size(), cut = origin * series[s].horizon;
      if (length < cut + kKnownLeast) continue;
      pasts.push_back({&series[s], s, length - cut});
      known.push_back(series[s]);
      known.back().values.resize(length - cut);
      used.insert(s);
    }
    std::vector<Series> prepared = known;
    if (prepare) {
      for (Series& one : prepared) prepare(&one);
    }
    const std::vector<Forecast> forecasts = FB_TRY(ForecastAll(prepared, options));
    for (size_t i = 0; i < pasts.size(); ++i) {
      if (!forecasts[i].refusal.empty()) continue;
      for (const std::string& regime :
           {std::string("all"), std::string(RegimeName(forecasts[i].regime))}) {
        AddTo(pasts[i], known[i], forecasts[i], options.levels, sums_of(regime));
      }
    }
  }
  report.too_short = series.size() - used.size();
  report.rows.push_back(RowOf("all", *sums_of("all")));
  for (const auto& [regime, sums] : by_regime) {
    if (regime != "all") report.rows.push_back(RowOf(regime, sums));
  }
  return report;
}

std::string BacktestJson(std::span<const BacktestReport> reports) {
  Json rows = Json::array();
  size_t too_short = 0;
  for (const BacktestReport& report : reports) {
    too_short += report.too_short;
    for (const BacktestRow& row : report.rows) {
      Json coverage = Json::array();
      for (size_t l = 0; l < report.levels.size(); ++l) {
        coverage.push_back({{"level", report.levels[l]}, {"share", Rounded(row.coverage[l])}});
      }
      Json json;
      json["class"] = row.regime;
      if (!report.currency.empty()) json["currency"] = report.currency;
      if (!report.unit.empty()) json["unit"] = report.unit;
      json.update({{"series", row.series},
                   {"values", row.values},
                   {"wmape", Rounded(row.wmape)},
                   {"bias", Rounded(row.bias)},
                   {"mase", Rounded(row.mase)},
                   {"pinball", Rounded(row.pinball)},
                   {"value_added", Rounded(row.value_added)},
                   {"coverage", std::move(coverage)}});
      rows.push_back(std::move(json));
    }
  }
  return Json{{"origins", reports.empty() ? 0 : reports.front().origins},
              {"too_short", too_short},
              {"levels", reports.empty() ? std::vector<double>() : reports.front().levels},
              {"classes", std::move(rows)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace flyball::forecast
