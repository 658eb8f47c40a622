// ServiceRows: the records of CSV files that say how services did, and who calls whom.
//
// Metrics come in one of two forms. Long: a header with the columns timestamp, node, metric and
// value, then one value a record, in any order. Wide: the first records name the node, the metric
// and (if there is more than one) the statistic of each column, each after a word of its own; the
// second begins with `metric`, the third with `statistic`; then one record a time, that begins with
// its timestamp. Metrics are latency, availability (per cent) and requests; others are left out and
// told. Of several statistics one is taken for each metric: the mean of latency and availability,
// the sum of requests, or else what comes first in the lists of service_rows.cc.
//
// Graphs: a header with the columns caller and callee, then one call a record; or a matrix, whose
// first record is an empty field and the callees, and each further one a caller and its numbers:
// not zero, where it calls.
#pragma once

#include <array>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "watch/services.h"

namespace flyball::watch {

struct ServiceRows {
  ServiceTable table;
  std::vector<Instant> times;             // ascending, one a row
  std::array<std::string, 3> statistics;  // of each metric; empty where the file names none
  std::set<std::string> ignored;          // metrics that were left out
};

// The rows from `from` on; those before it stay.
ServiceRows SplitRows(ServiceRows* rows, Instant from);

class ServiceMetricsReader {
 public:
  // INVALID_ARGUMENT for what can't be meant, OUT_OF_RANGE beyond a limit or the range of a metric;
  // the caller knows the line.
  Status Read(std::span<const std::string_view> fields);
  // INVALID_ARGUMENT when there was no row, or availability looks like a share of 1.
  Result<ServiceRows> Finish();

 private:
  enum class Form { kUnknown, kLong, kWide, kWideRows };
  struct Column {
    std::string node;
    ServiceMetric metric = ServiceMetric::kLatency;
    std::vector<double> values;  // in the order of arrival
  };
  static constexpr size_t kNone = ~size_t{0};

  bool ReadLongHeader(std::span<const std::string_view> fields);
  Status ReadWideHeader(std::span<const std::string_view> fields);
  Status MakeWideColumns();
  Status ReadWideRow(std::span<const std::string_view> fields);
  Status ReadLong(std::span<const std::string_view> fields);
  Result<size_t> RowAt(std::string_view timestamp, bool fresh);
  Result<size_t> ColumnOf(std::string_view node, ServiceMetric metric);
  Status Put(size_t row, size_t column, std::string_view text);

  Form form_ = Form::kUnknown;
  size_t width_ = 0;                            // fields of a record
  std::array<size_t, 4> places_{};              // long: of timestamp, node, metric, value
  std::vector<std::vector<std::string>> head_;  // wide: nodes, metrics, statistics
  std::vector<size_t> targets_;                 // wide: the column of each field, or kNone
  std::vector<Column> columns_;
  std::map<std::pair<std::string, ServiceMetric>, size_t> index_;
  std::map<int64_t, size_t> rows_;  // by microseconds
  std::array<std::string, 3> statistics_;
  std::set<std::string> ignored_;
};

class CallGraphReader {
 public:
  Status Read(std::span<const std::string_view> fields);
  Result<CallGraph> Finish();  // INVALID_ARGUMENT when there is no node

 private:
  Status ReadHeader(std::span<const std::string_view> fields);
  Status AddCall(const std::string& caller, const std::string& callee);

  bool begun_ = false, matrix_ = false;
  size_t width_ = 0, caller_ = 0, callee_ = 1;
  std::vector<std::string> callees_;  // of the matrix
  std::set<std::string> callers_;     // of the matrix, that were read
  std::map<std::string, std::set<std::string>> calls_;
  size_t count_ = 0;
};

}  // namespace flyball::watch
