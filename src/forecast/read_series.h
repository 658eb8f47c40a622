// Read series: files of series in the forms that they come in.
//
//   long   a header with a column `value` (or `y`), and `timestamp` (`ds`, `date`, `time`), `id`
//          (`unique_id`, `series`) as there are: one value a row
//   wide   one series a row: its id, then its values, oldest first; rows may differ in length (the
//          form of the M4 competition; its header V1,V2,... is passed over)
//   M3     one series a row: id, period, season, horizon, length of the past, values joined by ';'
//          (of which only the past is taken)
//
// Empty cells, NA, NaN and null are missing values; a cell that is no finite number is an error
// with its line. Cells are separated by commas, semicolons or tabs, as the first line shows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "forecast/forecast.h"
#include "forecast/timeline.h"
#include "ingest/bytes.h"

namespace flyball::forecast {

struct ReadOptions {
  std::vector<size_t> periods;  // none: by the file, its timestamps, or what is detected
  bool has_periods = false;     // `periods` holds, also where it is empty: no season
  size_t horizon = 0;           // 0: by the file or its timestamps
};

enum class SeriesForm : uint8_t { kLong, kWide, kM3 };

struct SeriesFile {
  SeriesForm form = SeriesForm::kWide;
  std::vector<Series> series;         // in the order of their first rows
  std::vector<std::string> refusals;  // one a series; empty: it can be forecast
  std::vector<std::string> notes;     // what was assumed of the whole file
};

// `name` stands in errors. INVALID_ARGUMENT, with the line, for what is no file of series.
Result<SeriesFile> ReadSeries(std::unique_ptr<ingest::ByteSource> source, const std::string& name,
                              const ReadOptions& options);

inline constexpr size_t kSeriesMax = 1'000'000;
inline constexpr size_t kValuesMax = 200'000'000;  // of all series

}  // namespace flyball::forecast
