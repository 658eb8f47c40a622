#include "ledger/correction.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "ledger/pack.h"
#include "ledger/slice_writer.h"
#include "model/charge.h"

namespace flyball::ledger {
namespace {

constexpr std::string_view kMark = ".corrections-";

using engine::Answer;
using engine::QuoteIdentifier;
using engine::QuoteLiteral;

// What may differ between two readings of the same charge, and what a correction says for itself.
constexpr std::string_view kNotCompared[] = {
    "BillingPeriodStart", "BillingPeriodEnd", "ChargeClass",  "x_Lineage",        "x_SourceFile",
    "x_SourceLine",       "x_Signature",      "x_Correction", "x_CorrectedPeriod"};

// Amounts and quantities, of which a reversal has the opposite; prices stay what they are.
bool IsReversed(std::string_view name) {
  const int column = charge::IndexOf(name);
  if (column < 0 || name.ends_with("UnitPrice")) return false;
  const ColumnType type = charge::Columns()[static_cast<size_t>(column)].type;
  return type == ColumnType::kMoney || type == ColumnType::kQuantity;
}

// The live rows of one source, of some periods. Empty when there are none.
std::string LiveRows(const Layout& layout, const History& history, const std::string& source,
                     const std::function<bool(const std::string& period)>& wanted) {
  std::vector<const Slice*> slices;
  for (const Slice* slice : history.LiveAt(history.head_sequence())) {
    if (slice->source == source && wanted(slice->period)) slices.push_back(slice);
  }
  std::string rows;
  for (const Folder& folder : history.FoldersOf(slices)) {
    rows += (rows.empty() ? "" : " UNION ALL BY NAME ") + SelectRows(layout, folder);
  }
  return rows;
}

// Corrections as what they make of the closed period: a reversal counts the charge itself, once
// less.
std::string Undone(const std::string& corrections) {
  std::string values;
  for (std::string_view name : charge::kColumnNames) {
    if (!IsReversed(name)) continue;
    const std::string column = QuoteIdentifier(name);
    values += (values.empty() ? "" : ", ") +
              ("CASE WHEN reverses THEN -" + column + " ELSE " + column + " END AS " + column);
  }
  return "SELECT * EXCLUDE (reverses) REPLACE (" + values +
         "), CASE WHEN reverses THEN 1 ELSE -1 END AS times FROM (SELECT *, x_Correction ="
         " 'reversal' AS reverses FROM (" +
         corrections + "))";
}

Result<std::vector<std::string>> ComparedColumns(engine::Connection& connection,
                                                 const std::string& relation) {
  const Answer none = FB_TRY(connection.Query("SELECT * FROM (" + relation + ") LIMIT 0"));
  std::vector<std::string> columns;
  for (int i = 0; i < none.column_count(); ++i) {
    const std::string name(none.column_name(i));
    if (name == "times" || std::ranges::find(kNotCompared, name) != std::end(kNotCompared))
      continue;
    columns.push_back(name);
  }
  return columns;
}

std::string NextPeriod(const std::string& period) {
  Slice slice;
  slice.period = period;
  return FormatDate(AddMonths(PeriodStart(slice), 1)).substr(0, period.size());
}

}  // namespace

std::string CorrectionSource(const std::string& source, const std::string& period) {
  return source + std::string(kMark) + period;
}

SourceName TakeApart(std::string_view source) {
  const size_t mark = source.find(kMark);
  if (mark == std::string_view::npos) return {source, {}};
  return {source.substr(0, mark), source.substr(mark + kMark.size())};
}

Result<Correction> WriteCorrectionFile(engine::Connection& connection, const Layout& layout,
                                       const History& history, const CorrectionRequest& request) {
  Correction correction;
  correction.source = CorrectionSource(request.source, request.period);
  correction.period = NextPeriod(request.period);
  while (history.closed_periods().contains(correction.period)) {
    correction.period = NextPeriod(correction.period);
  }
  const auto live = [&](const std::string& source,
                        const std::function<bool(const std::string&)>& of) {
    return LiveRows(layout, history, source, of);
  };
  const auto any = [](const std::string&) { return true; };
  std::vector<std::string> parts;
  if (const std::string rows = live(correction.source, any); !rows.empty()) {
    parts.push_back(Undone(rows));
  }
  if (!request.slice_dir.empty()) {
    parts.push_back("SELECT *, 1 AS times FROM read_parquet(" +
                    QuoteLiteral(os::JoinPath(request.slice_dir, "part-*.parquet")) +
                    ", union_by_name = true, hive_partitioning = false)");
    const std::string closed =
        live(request.source, [&](const std::string& period) { return period == request.period; });
    if (!closed.empty()) parts.push_back("SELECT *, -1 AS times FROM (" + closed + ")");
  }
  if (parts.empty()) return correction;
  const std::string all = fmt::format("{}", fmt::join(parts, " UNION ALL BY NAME "));
  std::string compared;
  std::string written;
  for (const std::string& name : FB_TRY(ComparedColumns(connection, all))) {
    const std::string column = QuoteIdentifier(name);
    compared += column + ", ";
    written += IsReversed(name)
                   ? "CASE WHEN times < 0 THEN -" + column + " ELSE " + column + " END AS " + column
                   : column;
    written += ", ";
  }
  FB_CHECK(connection.Execute("CREATE TEMP TABLE changed AS SELECT " + compared +
                              "sum(times)::BIGINT AS times FROM (" + all +
                              ") GROUP BY ALL HAVING sum(times) <> 0"));
  const Answer counts =
      FB_TRY(connection.Query("SELECT coalesce(sum(abs(times)), 0)::BIGINT FROM changed"));
  correction.changes = counts.Int64(0, 0);
  if (correction.changes == 0) return correction;

  std::string rows = fmt::format(
      "SELECT {} 'Correction' AS \"ChargeClass\", TIMESTAMP '{}-01' AS \"BillingPeriodStart\","
      " TIMESTAMP '{}-01' AS \"BillingPeriodEnd\","
      " CASE WHEN times < 0 THEN 'reversal' ELSE 'restated' END AS \"x_Correction\","
      " '{}' AS \"x_CorrectedPeriod\" FROM (SELECT *, unnest(range(abs(times))) FROM changed)",
      written, correction.period, NextPeriod(correction.period), request.period);
  // The slice takes the place of the one that stands: it says again what that one said.
  const std::string standing = live(
      correction.source, [&](const std::string& period) { return period == correction.period; });
  if (!standing.empty()) {
    rows +=
        " UNION ALL BY NAME SELECT * EXCLUDE (\"x_Lineage\", \"x_SourceFile\","
        " \"x_SourceLine\", \"x_Signature\") FROM (" +
        standing + ")";
  }
  FB_CHECK(connection.Execute("COPY (" + rows + ") TO " + QuoteLiteral(request.path) + " (" +
                              kParquetOptions + ")"));
  return correction;
}

}  // namespace flyball::ledger
