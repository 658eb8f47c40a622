#include "forecast/read_series.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>

#include "base/text.h"
#include "forecast/detect_season.h"
#include "ingest/csv.h"
#include "ingest/import.h"

namespace flyball::forecast {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
// The columns of the M3 form.
constexpr size_t kM3Fields = 6;

bool IsAnyOf(std::string_view text, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names, [&](std::string_view n) { return EqualsIgnoreCase(text, n); });
}

bool IsMissingText(std::string_view text) {
  return text.empty() || IsAnyOf(text, {"NA", "NaN", "null", "none", "-", "N/A"});
}

// Nothing: no finite number.
std::optional<double> ParseValue(std::string_view text) {
  text = Trim(text);
  if (IsMissingText(text)) return kMissing;
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed == std::errc::result_out_of_range || end != text.data() + text.size() ||
      failed != std::errc() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<size_t> ParseCount(std::string_view text) {
  text = Trim(text);
  size_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return count;
}

// Cells of one record, however many there are.
class Cells {
 public:
  Cells(std::string_view raw, char delimiter) : rest_(raw), delimiter_(delimiter) {}
  bool Next(std::string_view* cell) {
    if (ended_) return false;
    if (!rest_.empty() && rest_.front() == '"') {
      const size_t close = rest_.find('"', 1);
      const size_t end = close == std::string_view::npos ? rest_.size() : close;
      *cell = rest_.substr(1, end - 1);
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      Advance(rest_.find(delimiter_));
      return true;
    }
    const size_t end = rest_.find(delimiter_);
    *cell = Trim(rest_.substr(0, end));
    Advance(end);
    return true;
  }

 private:
  void Advance(size_t end) {
    ended_ = end == std::string_view::npos;
    if (!ended_) rest_.remove_prefix(end + 1);
  }
  std::string_view rest_;
  char delimiter_;
  bool ended_ = false;
};

// The bytes read to find the delimiter, then the rest of the source.
class Rejoined : public ingest::ByteSource {
 public:
  Rejoined(std::string start, std::unique_ptr<ingest::ByteSource> rest)
      : start_(std::move(start)), rest_(std::move(rest)) {}
  Result<size_t> Read(char* out, size_t size) override {
    if (at_ == start_.size()) return rest_->Read(out, size);
    const size_t count = start_.copy(out, size, at_);
    at_ += count;
    return count;
  }
  uint64_t consumed() const override { return rest_->consumed(); }

 private:
  std::string start_;
  std::unique_ptr<ingest::ByteSource> rest_;
  size_t at_ = 0;
};

Result<std::string> ReadStart(ingest::ByteSource& source) {
  std::string start;
  while (start.size() < ingest::kReadBytes && start.find('\n') == std::string::npos) {
    const size_t before = start.size();
    start.resize(before + ingest::kReadBytes);
    const size_t got = FB_TRY(source.Read(start.data() + before, ingest::kReadBytes));
    start.resize(before + got);
    if (got == 0) break;
  }
  start.erase(0, start.size() - SkipByteOrderMark(start).size());
  return start;
}

char DelimiterOf(std::string_view start) {
  const std::string_view line = start.substr(0, start.find('\n'));
  for (const char delimiter : {',', '\t', ';'}) {
    if (line.find(delimiter) != std::string_view::npos) return delimiter;
  }
  return ',';
}

struct LongColumns {
  int id = -1, timestamp = -1, value = -1;
};

class SeriesReader {
 public:
  SeriesReader(std::string name, const ReadOptions& options, char delimiter)
      : name_(std::move(name)), options_(options), delimiter_(delimiter) {}

  Status Take(const ingest::Record& record) {
    if (record.fault != nullptr) return Bad(record.line, record.fault, "");
    if (first_) {
      first_ = false;
      if (FB_TRY(TakeHeader(record))) return {};
    }
    if (file_.form == SeriesForm::kLong) return TakeLong(record);
    return file_.form == SeriesForm::kM3 ? TakeM3(record) : TakeWide(record);
  }

  Result<SeriesFile> Finish() {
    if (first_) return Fail(Code::kInvalidArgument, "the file '" + name_ + "' has no rows");
    if (file_.form == SeriesForm::kLong) FB_CHECK(LayOut());
    if (file_.series.empty()) {
      return Fail(Code::kInvalidArgument, "the file '" + name_ + "' has no series",
                  "one row a series, or the columns id, timestamp and value");
    }
    AddDefaults();
    return std::move(file_);
  }

 private:
  Status Bad(int64_t line, std::string message, std::string hint) const {
    return Fail(Error{Code::kInvalidArgument, std::move(message), std::move(hint),
                      Place{name_, line, 0, 0}});
  }

  // True when the record is a header and has been used up.
  Result<bool> TakeHeader(const ingest::Record& record) {
    for (size_t i = 0; i < record.fields.size(); ++i) {
      const std::string_view name = Trim(record.fields[i].text);
      const int column = static_cast<int>(i);
      if (IsAnyOf(name, {"value", "y"})) columns_.value = column;
      if (IsAnyOf(name, {"id", "unique_id", "series", "series_id"})) columns_.id = column;
      if (IsAnyOf(name, {"timestamp", "ds", "date", "time", "datetime"}))
        columns_.timestamp = column;
    }
    if (columns_.value >= 0) {
      file_.form = SeriesForm::kLong;
      return true;
    }
    if (columns_.timestamp >= 0) {
      FB_CHECK(Bad(record.line, "the header has a column of timestamps and none named 'value'",
                   "long: id, timestamp, value; wide: one series a row, without timestamps"));
    }
    const auto& fields = record.fields;
    if (fields.size() == kM3Fields && (fields[5].text.find(';') != std::string_view::npos ||
                                       EqualsIgnoreCase(Trim(fields[4].text), "n_train"))) {
      file_.form = SeriesForm::kM3;
      return !ParseCount(fields[4].text).has_value();
    }
    file_.form = SeriesForm::kWide;
    // A header has a name where a row has its first value.
    return fields.size() < 2 || IsAnyOf(Trim(fields[0].text), {"id", "V1"}) ||
           !ParseValue(fields[1].text).has_value();
  }

  Status Count(int64_t line, size_t values) {
    values_ += values;
    if (file_.series.size() > kSeriesMax || values_ > kValuesMax) {
      return Bad(line, fmt::format("more than {} series or {} values", kSeriesMax, kValuesMax),
                 "cut the file into several");
    }
    return {};
  }

  Status TakeWide(const ingest::Record& record) {
    Cells cells(record.raw, delimiter_);
    std::string_view cell;
    cells.Next(&cell);
    Series series;
    series.id = cell;
    size_t known = 0;  // what follows the last value is the ragged end of the row
    for (size_t column = 2; cells.Next(&cell); ++column) {
      const std::optional<double> value = ParseValue(cell);
      if (!value) return BadValue(record.line, column, cell);
      series.values.push_back(*value);
      if (!cell.empty()) known = series.values.size();
    }
    series.values.resize(known);
    return Add(record.line, std::move(series));
  }

  Status TakeM3(const ingest::Record& record) {
    const auto& fields = record.fields;
    if (fields.size() != kM3Fields) {
      return Bad(record.line, fmt::format("{} cells, not {}", fields.size(), kM3Fields),
                 "id, period, season, horizon, length of the past, values");
    }
    const std::optional<size_t> season = ParseCount(fields[2].text);
    const std::optional<size_t> horizon = ParseCount(fields[3].text);
    const std::optional<size_t> past = ParseCount(fields[4].text);
    if (!season || !horizon || !past || *season > kPeriodMax || *horizon > kHorizonMax) {
      return Bad(record.line, "season, horizon and length of the past are no counts",
                 "id, period, season, horizon, length of the past, values");
    }
    Series series;
    series.id = Trim(fields[0].text);
    if (*season > 1) series.periods = {*season};
    series.horizon = *horizon;
    for (const std::string_view cell : SplitText(fields[5].text, ';')) {
      if (series.values.size() == *past) break;
      const std::optional<double> value = ParseValue(cell);
      if (!value) return BadValue(record.line, kM3Fields, cell);
      series.values.push_back(*value);
    }
    return Add(record.line, std::move(series));
  }

  Status Add(int64_t line, Series series) {
    if (const auto [at, added] = index_.try_emplace(series.id, file_.series.size()); !added) {
      return Bad(line, fmt::format("the series '{}' has a row already", series.id),
                 "every series has one row and a name of its own");
    }
    FB_CHECK(Count(line, series.values.size()));
    file_.series.push_back(std::move(series));
    return {};
  }

  Status BadValue(int64_t line, size_t column, std::string_view cell) const {
    return Fail(Error{Code::kInvalidArgument,
                      fmt::format("'{}' is no finite number", cell.substr(0, 40)),
                      "a missing value is an empty cell, NA or NaN",
                      Place{name_, line, static_cast<int64_t>(column), 0}});
  }

  std::string_view CellOf(const ingest::Record& record, int column) const {
    const auto index = static_cast<size_t>(column);
    return column >= 0 && index < record.fields.size() ? Trim(record.fields[index].text)
                                                       : std::string_view();
  }

  Status TakeLong(const ingest::Record& record) {
    const std::string_view cell = CellOf(record, columns_.value);
    const std::optional<double> value = ParseValue(cell);
    if (!value) return BadValue(record.line, static_cast<size_t>(columns_.value) + 1, cell);
    const std::string id(columns_.id >= 0 ? CellOf(record, columns_.id) : "value");
    const auto [at, added] = index_.try_emplace(id, file_.series.size());
    if (added) {
      file_.series.push_back({id, {}, {}, 0});
      observations_.emplace_back();
    }
    std::vector<Observation>& observations = observations_[at->second];
    Observation observation{static_cast<int64_t>(observations.size()), *value, record.line};
    observation.counted = columns_.timestamp < 0;
    if (columns_.timestamp >= 0) {
      const std::string_view text = CellOf(record, columns_.timestamp);
      if (!ParseTime(text, &observation)) {
        return Fail(Error{Code::kInvalidArgument,
                          fmt::format("'{}' is no timestamp", text.substr(0, 40)),
                          "a date, 2026-10-31T23:00:00Z, a month 2026-10, or a whole number",
                          Place{name_, record.line, columns_.timestamp + 1, 0}});
      }
    }
    FB_CHECK(Count(record.line, 1));
    observations.push_back(observation);
    return {};
  }

  // 20261031 and 202610, whose months would be steps of a count that is full of gaps.
  static bool ParseCompactDate(std::string_view text, int64_t* micros) {
    if (text.size() != 6 && text.size() != 8) return false;
    const std::optional<size_t> number = ParseCount(text);
    if (!number) return false;
    const size_t day = text.size() == 8 ? *number % 100 : 1;
    const size_t months = text.size() == 8 ? *number / 100 : *number;
    const size_t year = months / 100, month = months % 100;
    if (year < 1900 || year > 2100 || month < 1 || month > 12 || day < 1 || day > 31) return false;
    const CivilDate date{static_cast<int>(year), static_cast<int>(month), static_cast<int>(day)};
    *micros = ToInstant(date).us;
    return ToCivilDate(Instant{*micros}) == date;
  }

  // Seconds, milliseconds or microseconds since 1970 by their magnitude (years 1973 to 5138);
  // smaller numbers count steps.
  static bool TakeNumberAsTime(Observation* observation) {
    constexpr int64_t kSeconds = 100'000'000, kMillis = 1'000 * kSeconds, kMicros = 1'000 * kMillis;
    int64_t& at = observation->at;
    if (at <= -kSeconds || at >= 1'000 * kMicros) return false;
    observation->counted = at < kSeconds;
    if (at >= kSeconds && at < kMillis) {
      at *= kMicrosPerSecond;
    } else if (at >= kMillis && at < kMicros) {
      at *= 1'000;
    }
    return true;
  }

  static bool ParseTime(std::string_view text, Observation* observation) {
    ParsedInstant parsed;
    if (ParseInstant(text, &parsed)) {
      observation->at = parsed.instant.us;
      observation->local =
          parsed.form == TimeForm::kSpaceNoZone || parsed.form == TimeForm::kIsoNoZone;
      return true;
    }
    if (ParseCompactDate(text, &observation->at)) return true;
    if (!text.empty() && text.find_first_not_of("-0123456789") == std::string_view::npos) {
      const auto [end, failed] =
          std::from_chars(text.data(), text.data() + text.size(), observation->at);
      if (failed == std::errc() && end == text.data() + text.size()) {
        return TakeNumberAsTime(observation);
      }
    }
    const Result<Instant> typed = ParseUserInstant(text);
    if (typed) observation->at = typed->us;
    return typed.has_value();
  }

  // Rows of the long form become values at even steps.
  Status LayOut() {
    for (size_t i = 0; i < file_.series.size(); ++i) {
      Result<Timeline> timeline = MakeTimeline(std::move(observations_[i]));
      if (!timeline) {
        Error error = std::move(timeline).error();
        error.message = fmt::format("series '{}': {}", file_.series[i].id, error.message);
        error.place.file = name_;
        return Fail(std::move(error));
      }
      Series& series = file_.series[i];
      series.values = std::move(timeline->values);
      file_.refusals.push_back(std::move(timeline->refusal));
      series.horizon = HorizonOf(timeline->step);
      series.periods = SeasonsOf(timeline->step);
      unknown_step_ |= timeline->step.unit == StepUnit::kCount;
    }
    observations_.clear();
    return {};
  }

  void AddDefaults() {
    file_.refusals.resize(file_.series.size());
    const bool detect = !options_.has_periods && file_.form != SeriesForm::kM3 &&
                        (file_.form == SeriesForm::kWide || unknown_step_);
    std::vector<size_t> detected;
    if (detect) {
      std::vector<Values> values;
      for (const Series& series : file_.series) values.emplace_back(series.values);
      detected = DetectSeasons(values);
      std::string text;
      for (const size_t period : detected)
        text += fmt::format("{}{}", text.empty() ? "" : ",", period);
      file_.notes.push_back(text.empty() ? "no season was detected; --season names one"
                                         : "seasons detected: " + text);
    }
    for (Series& series : file_.series) {
      if (options_.has_periods) series.periods = options_.periods;
      if (detect) series.periods = detected;
      if (options_.horizon > 0) series.horizon = options_.horizon;
      if (series.horizon == 0) series.horizon = HorizonOf({});
    }
  }

  std::string name_;
  const ReadOptions& options_;
  char delimiter_;
  bool first_ = true, unknown_step_ = false;
  LongColumns columns_;
  size_t values_ = 0;
  SeriesFile file_;
  std::vector<std::vector<Observation>> observations_;
  std::unordered_map<std::string, size_t> index_;
};

}  // namespace

Result<SeriesFile> ReadSeries(std::unique_ptr<ingest::ByteSource> source, const std::string& name,
                              const ReadOptions& options) {
  std::string start = FB_TRY(ReadStart(*source));
  const char delimiter = DelimiterOf(start);
  SeriesReader reader(name, options, delimiter);
  FB_CHECK(ingest::VisitCsv(std::make_unique<Rejoined>(std::move(start), std::move(source)),
                            delimiter, name,
                            [&](const ingest::Record& record) { return reader.Take(record); }));
  return reader.Finish();
}

}  // namespace flyball::forecast
