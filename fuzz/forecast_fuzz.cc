// Files of series: whatever the bytes, reading ends with series or an error that names its place,
// and every series that can be forecast has finite values and ranges that hold each other.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "forecast/forecast.h"
#include "forecast/read_series.h"

namespace flyball::forecast {
namespace {

constexpr size_t kSeriesTried = 4, kValuesTried = 300, kStepsTried = 12, kPeriodTried = 60;

void CheckForecast(const Series& series, const Forecast& one) {
  if (!one.refusal.empty()) {
    FB_ASSERT(one.mean.empty());
    return;
  }
  FB_ASSERT(one.mean.size() == series.horizon);
  for (size_t step = 0; step < one.mean.size(); ++step) {
    double lower = one.mean[step], upper = lower;
    FB_ASSERT(std::isfinite(lower));
    for (const Range& range : one.ranges) {
      FB_ASSERT(range.lower[step] <= lower && range.upper[step] >= upper);
      lower = range.lower[step];
      upper = range.upper[step];
    }
    FB_ASSERT(std::isfinite(lower) && std::isfinite(upper));
  }
}

void Try(std::string text, size_t read_bytes) {
  Result<SeriesFile> file =
      ReadSeries(ingest::MakeTextSource(std::move(text), read_bytes), "fuzz", {});
  if (!file) {
    FB_ASSERT(!file.error().message.empty());
    return;
  }
  FB_ASSERT(file->series.size() == file->refusals.size());
  file->series.resize(std::min(file->series.size(), kSeriesTried));
  for (Series& series : file->series) {
    series.values.resize(std::min(series.values.size(), kValuesTried));
    series.horizon = std::min(series.horizon, kStepsTried);
    std::erase_if(series.periods, [](size_t period) { return period > kPeriodTried; });
  }
  Options options;
  options.levels = {50, 95};
  const auto forecasts = ForecastAll(file->series, options);
  FB_ASSERT(forecasts.has_value());
  for (size_t i = 0; i < forecasts->size(); ++i) CheckForecast(file->series[i], (*forecasts)[i]);
}

}  // namespace
}  // namespace flyball::forecast

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  flyball::forecast::Try(std::string(reinterpret_cast<const char*>(data) + 1, size - 1),
                         1 + data[0]);
  return 0;
}
