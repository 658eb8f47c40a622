// Backtest: how well series would have been forecast, had it been done before: the whole way,
// portfolio and ranges, from origins in the past that know nothing of what came after them.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "forecast/forecast.h"

namespace flyball::forecast {

// Of all series of one regime (as it was at the origin), and of all.
struct BacktestRow {
  std::string regime;  // "all"
  size_t series = 0;
  size_t values = 0;   // forecast and known
  double wmape = 0;    // sum of absolute errors over the sum of absolute actuals
  double bias = 0;     // sum of forecast - actual, over the same
  double mase = 0;     // mean over series and origins; their scale is that of seasonal naive
  double pinball = 0;  // 2 x sum over quantiles and values, over their number, over the same
  // 1 - sum of absolute errors over that of seasonal naive; below 0: seasonal naive was better.
  double value_added = 0;
  std::vector<double> coverage;  // a level each
};

struct BacktestReport {
  std::string currency, unit;  // of a ledger's series: those of one can be added up
  std::vector<double> levels;
  size_t origins = 0;
  std::vector<BacktestRow> rows;  // "all" first
  size_t too_short = 0;           // series that no origin fits into
};

inline constexpr size_t kOriginsMax = 52;

// Origins are a horizon apart, the last one a horizon before the end. A NaN of the figures: it
// cannot be told (all actuals are 0, a constant series).
// `prepare`, where there is one, makes of what an origin knows what is forecast (as levels that
// shifted are brought to that of the origin); it is scored against the series as they are.
Result<BacktestReport> Backtest(const std::vector<Series>& series, const Options& options,
                                size_t origins, const std::function<void(Series*)>& prepare = {});

// Of reports with the same levels and origins; each row says of which currency or unit it is.
std::string BacktestJson(std::span<const BacktestReport> reports);

}  // namespace flyball::forecast
