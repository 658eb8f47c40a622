#include "watch/service_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/text.h"
#include "watch/points.h"

namespace flyball::watch {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kNameMax = 1'000;
constexpr size_t kIgnoredMax = 50;  // more are left out all the same, and not told

// The statistics that can stand for a metric, best first.
constexpr std::string_view kMeans[] = {"average", "mean", "avg", "p50", "median",
                                       "p90",     "p95",  "p99", "max", ""};
constexpr std::string_view kCounts[] = {"sum",     "total", "count", "samplecount",
                                        "average", "mean",  "avg",   ""};

std::span<const std::string_view> StatisticsOf(ServiceMetric metric) {
  if (metric == ServiceMetric::kRequests) return kCounts;
  return kMeans;
}

std::optional<ServiceMetric> MetricOf(std::string_view name) {
  for (size_t i = 0; i < std::size(kServiceMetricNames); ++i) {
    if (EqualsIgnoreCase(name, kServiceMetricNames[i])) return static_cast<ServiceMetric>(i);
  }
  return std::nullopt;
}

Result<std::string> NameOf(std::string_view field) {
  const std::string_view name = Trim(field);
  if (name.empty()) {
    return Fail(Code::kInvalidArgument, "a node has no name", "name it in every place");
  }
  if (name.size() > kNameMax || ValidUtf8Prefix(name) != name.size()) {
    return Fail(Code::kInvalidArgument, fmt::format("{} is no name of a node", Shown(name)),
                fmt::format("names are UTF-8 and have {} bytes at most", kNameMax));
  }
  return std::string(name);
}

std::optional<size_t> Find(std::span<const std::string_view> fields, std::string_view name) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (EqualsIgnoreCase(Trim(fields[i]), name)) return i;
  }
  return std::nullopt;
}

std::vector<double>& ValuesOf(NodeMetrics& node, ServiceMetric metric) {
  if (metric == ServiceMetric::kLatency) return node.latency;
  return metric == ServiceMetric::kAvailability ? node.availability : node.requests;
}

Status CheckWidth(size_t fields, size_t expected) {
  if (fields == expected) return {};
  return Fail(Code::kInvalidArgument,
              fmt::format("the line has {} fields, and {} are expected", fields, expected),
              "put quotes around fields that have a comma in them");
}

}  // namespace

ServiceRows SplitRows(ServiceRows* rows, Instant from) {
  const auto at = std::lower_bound(rows->times.begin(), rows->times.end(), from,
                                   [](Instant a, Instant b) { return a.us < b.us; });
  const auto count = static_cast<size_t>(at - rows->times.begin());
  ServiceRows later{{}, {at, rows->times.end()}, rows->statistics, rows->ignored};
  later.table.rows = later.times.size();
  for (auto& [name, node] : rows->table.nodes) {
    NodeMetrics& its = later.table.nodes[name];
    for (const ServiceMetric metric :
         {ServiceMetric::kLatency, ServiceMetric::kAvailability, ServiceMetric::kRequests}) {
      std::vector<double>& values = ValuesOf(node, metric);
      if (values.empty()) continue;
      const auto middle = values.begin() + static_cast<std::ptrdiff_t>(count);
      ValuesOf(its, metric).assign(middle, values.end());
      values.erase(middle, values.end());
    }
  }
  rows->times.erase(at, rows->times.end());
  rows->table.rows = count;
  return later;
}

bool ServiceMetricsReader::ReadLongHeader(std::span<const std::string_view> fields) {
  constexpr std::string_view kNames[] = {"timestamp", "node", "metric", "value"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    const std::optional<size_t> place = Find(fields, kNames[i]);
    if (!place) return false;
    places_[i] = *place;
  }
  return true;
}

Status ServiceMetricsReader::Read(std::span<const std::string_view> fields) {
  switch (form_) {
    case Form::kUnknown:
      width_ = fields.size();
      if (ReadLongHeader(fields)) {
        form_ = Form::kLong;
        return {};
      }
      form_ = Form::kWide;
      return ReadWideHeader(fields);
    case Form::kLong:
      return ReadLong(fields);
    case Form::kWide:
      return ReadWideHeader(fields);
    case Form::kWideRows:
      return ReadWideRow(fields);
  }
  return {};
}

// The records before the first time.
Status ServiceMetricsReader::ReadWideHeader(std::span<const std::string_view> fields) {
  FB_CHECK(CheckWidth(fields.size(), width_));
  const bool metric = EqualsIgnoreCase(Trim(fields[0]), "metric");
  const bool statistic = EqualsIgnoreCase(Trim(fields[0]), "statistic");
  if (head_.size() == 1 && !metric) {
    return Fail(
        Code::kInvalidArgument, "the file has neither of the two forms of metrics",
        "write a header with timestamp, node, metric and value; or a first line with the node "
        "of each column, and a second with `metric` and the metric of each column");
  }
  if (head_.size() < 2 || (head_.size() == 2 && statistic)) {
    std::vector<std::string>& line = head_.emplace_back();
    for (const std::string_view field : fields) line.emplace_back(Trim(field));
    return {};
  }
  form_ = Form::kWideRows;
  FB_CHECK(MakeWideColumns());
  // Some programs write a line that names the timestamps and has nothing else.
  const bool name_only =
      !ReadInstant(fields[0]) && std::all_of(fields.begin() + 1, fields.end(),
                                             [](std::string_view f) { return Trim(f).empty(); });
  return name_only ? Status{} : ReadWideRow(fields);
}

Status ServiceMetricsReader::MakeWideColumns() {
  const auto statistic_at = [&](size_t i) {
    return head_.size() > 2 ? ToLower(head_[2][i]) : std::string();
  };
  std::array<size_t, 3> best;
  best.fill(kNone);
  for (size_t i = 1; i < width_; ++i) {
    const std::optional<ServiceMetric> metric = MetricOf(head_[1][i]);
    if (!metric) {
      if (ignored_.size() < kIgnoredMax) ignored_.insert(head_[1][i]);
      continue;
    }
    const auto list = StatisticsOf(*metric);
    const auto rank =
        static_cast<size_t>(std::find(list.begin(), list.end(), statistic_at(i)) - list.begin());
    const auto m = static_cast<size_t>(*metric);
    if (rank >= list.size() || rank >= best[m]) continue;
    best[m] = rank;
    statistics_[m] = list[rank];
  }
  targets_.assign(width_, kNone);
  for (size_t i = 1; i < width_; ++i) {
    const std::optional<ServiceMetric> metric = MetricOf(head_[1][i]);
    if (!metric) continue;
    const auto m = static_cast<size_t>(*metric);
    if (best[m] == kNone || statistic_at(i) != statistics_[m]) continue;
    const size_t before = columns_.size();
    targets_[i] = FB_TRY(ColumnOf(head_[0][i], *metric));
    if (columns_.size() == before) {
      return Fail(Code::kInvalidArgument,
                  fmt::format("two columns have the {} of {}", head_[1][i], Shown(head_[0][i])));
    }
  }
  if (columns_.empty()) {
    return Fail(Code::kInvalidArgument, "no column has latency, availability or requests",
                "name the metric of each column in the second line");
  }
  return {};
}

Status ServiceMetricsReader::ReadWideRow(std::span<const std::string_view> fields) {
  FB_CHECK(CheckWidth(fields.size(), width_));
  const size_t row = FB_TRY(RowAt(fields[0], true));
  for (size_t i = 1; i < width_; ++i) {
    if (targets_[i] != kNone) FB_CHECK(Put(row, targets_[i], fields[i]));
  }
  return {};
}

Status ServiceMetricsReader::ReadLong(std::span<const std::string_view> fields) {
  FB_CHECK(CheckWidth(fields.size(), width_));
  const std::string_view written = Trim(fields[places_[2]]);
  const std::optional<ServiceMetric> metric = MetricOf(written);
  if (!metric) {
    if (ignored_.size() < kIgnoredMax) ignored_.emplace(written.substr(0, kNameMax));
    return {};
  }
  const size_t row = FB_TRY(RowAt(fields[places_[0]], false));
  const size_t column = FB_TRY(ColumnOf(fields[places_[1]], *metric));
  const std::vector<double>& values = columns_[column].values;
  if (row < values.size() && !std::isnan(values[row])) {
    return Fail(Code::kInvalidArgument,
                fmt::format("there are two values of the {} of {} at {}", written,
                            Shown(columns_[column].node), fields[places_[0]]),
                "give one value of each metric of a node at a time");
  }
  return Put(row, column, fields[places_[3]]);
}

Result<size_t> ServiceMetricsReader::RowAt(std::string_view timestamp, bool fresh) {
  const std::optional<Instant> at = ReadInstant(timestamp);
  if (!at) {
    return Fail(Code::kInvalidArgument,
                fmt::format("the timestamp {} is no date", Shown(timestamp)),
                "write 2026-10-31T23:00:00Z, 2026-10-31 23:00:00 or seconds since 1970");
  }
  const auto [row, added] = rows_.emplace(at->us, rows_.size());
  if (!added && fresh) {
    return Fail(Code::kInvalidArgument,
                fmt::format("the timestamp {} comes twice", Shown(timestamp)),
                "give one line a time");
  }
  return row->second;
}

Result<size_t> ServiceMetricsReader::ColumnOf(std::string_view node, ServiceMetric metric) {
  std::string name = FB_TRY(NameOf(node));
  const auto [found, added] = index_.try_emplace({std::move(name), metric}, columns_.size());
  if (added) columns_.push_back({found->first.first, metric, {}});
  return found->second;
}

Status ServiceMetricsReader::Put(size_t row, size_t column, std::string_view text) {
  if (rows_.size() * columns_.size() > kServiceValuesMax) {
    return Fail(Code::kOutOfRange, fmt::format("there are more than {} values", kServiceValuesMax),
                "leave out old rows, or nodes that the target does not call");
  }
  Column& to = columns_[column];
  const std::optional<double> value = FB_TRY(ReadValue(text));
  const double most =
      to.metric == ServiceMetric::kAvailability ? 100 : std::numeric_limits<double>::infinity();
  if (value && (*value < 0 || *value > most)) {
    return Fail(Code::kOutOfRange,
                fmt::format("the {} of {} cannot be {}",
                            kServiceMetricNames[static_cast<size_t>(to.metric)], Shown(to.node),
                            Trim(text)),
                "latency and requests are not below 0, availability is a percentage");
  }
  if (to.values.size() <= row) to.values.resize(row + 1, kMissing);
  to.values[row] = value.value_or(kMissing);
  return {};
}

Result<ServiceRows> ServiceMetricsReader::Finish() {
  if (rows_.empty() || columns_.empty()) {
    return Fail(Code::kInvalidArgument, "there is no value of latency, availability or requests",
                "see `flyball watch services` in docs/WATCH.md for the two forms");
  }
  ServiceRows out;
  out.statistics = statistics_;
  out.ignored = std::move(ignored_);
  out.table.rows = rows_.size();
  double availability = 0;
  for (Column& column : columns_) {
    column.values.resize(rows_.size(), kMissing);
    std::vector<double>& sorted = ValuesOf(out.table.nodes[column.node], column.metric);
    for (const auto& [at, row] : rows_) sorted.push_back(column.values[row]);
    if (column.metric != ServiceMetric::kAvailability) continue;
    for (const double value : sorted) {
      if (value > availability) availability = value;
    }
  }
  for (const auto& [at, row] : rows_) out.times.push_back(Instant{at});
  if (availability > 0 && availability <= 1) {
    return Fail(Code::kInvalidArgument, "no availability is above 1: it looks like a share of 1",
                "write per cent, such as 99.5");
  }
  return out;
}

Status CallGraphReader::ReadHeader(std::span<const std::string_view> fields) {
  begun_ = true;
  width_ = fields.size();
  const std::optional<size_t> caller = Find(fields, "caller"), callee = Find(fields, "callee");
  if (caller && callee) {
    caller_ = *caller;
    callee_ = *callee;
    return {};
  }
  if (fields.size() < 2 || !Trim(fields[0]).empty()) {
    return Fail(
        Code::kInvalidArgument, "the file has neither of the two forms of a graph",
        "write a header with caller and callee; or a first line with an empty field and the "
        "name of each callee");
  }
  matrix_ = true;
  for (const std::string_view field : fields.subspan(1)) {
    callees_.push_back(FB_TRY(NameOf(field)));
    if (!calls_.try_emplace(callees_.back()).second) {
      return Fail(Code::kInvalidArgument,
                  fmt::format("the first line names {} twice", Shown(callees_.back())));
    }
  }
  return {};
}

Status CallGraphReader::AddCall(const std::string& caller, const std::string& callee) {
  calls_[callee];
  if (calls_[caller].insert(callee).second) ++count_;
  if (calls_.size() > kServiceNodesMax || count_ > kServiceCallsMax) {
    return Fail(Code::kOutOfRange,
                fmt::format("the graph has more than {} nodes or {} calls", kServiceNodesMax,
                            kServiceCallsMax),
                "leave out what the target does not call");
  }
  return {};
}

Status CallGraphReader::Read(std::span<const std::string_view> fields) {
  if (!begun_) return ReadHeader(fields);
  FB_CHECK(CheckWidth(fields.size(), width_));
  if (!matrix_) return AddCall(FB_TRY(NameOf(fields[caller_])), FB_TRY(NameOf(fields[callee_])));
  const std::string caller = FB_TRY(NameOf(fields[0]));
  if (!callers_.insert(caller).second) {
    return Fail(Code::kInvalidArgument, fmt::format("there are two lines of {}", Shown(caller)));
  }
  calls_[caller];
  for (size_t i = 0; i < callees_.size(); ++i) {
    const std::optional<double> calls = FB_TRY(ReadValue(fields[i + 1]));
    if (calls && *calls != 0) FB_CHECK(AddCall(caller, callees_[i]));
  }
  return {};
}

Result<CallGraph> CallGraphReader::Finish() {
  if (calls_.empty()) {
    return Fail(Code::kInvalidArgument, "the graph has no node",
                "give one line for each caller and callee");
  }
  CallGraph graph;
  for (const auto& [caller, callees] : calls_) {
    graph.emplace(caller, std::vector<std::string>(callees.begin(), callees.end()));
  }
  return graph;
}

}  // namespace flyball::watch
