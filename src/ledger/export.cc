#include "ledger/export.h"

#include <algorithm>
#include <optional>

#include "base/column.h"
#include "engine/engine.h"
#include "ledger/slice_writer.h"
#include "model/charge.h"

namespace flyball::ledger {
namespace {

using engine::QuoteIdentifier;
using focus::Version;

// How this ledger read the charge: the next one reads for itself.
constexpr std::string_view kBookkeeping[] = {"x_Lineage", "x_SourceFile", "x_SourceLine",
                                             "x_Signature"};

// Columns that charges no longer have, from what a bill with them left and from what replaced them.
struct Renamed {
  std::string_view name, kept_as, now;
};
constexpr Renamed kRenamed[] = {
    {"ProviderName", "x_ProviderName", "ServiceProviderName"},
    {"PublisherName", "x_PublisherName", "HostProviderName"},
};

std::string StoredValue(std::string_view name, const std::set<std::string>& present) {
  for (const Renamed& renamed : kRenamed) {
    if (renamed.name != name) continue;
    std::string now = QuoteIdentifier(renamed.now);
    if (!present.contains(std::string(renamed.kept_as))) return now;
    return "coalesce(" + QuoteIdentifier(renamed.kept_as) + ", " + now + ")";
  }
  return QuoteIdentifier(name);
}

// As a text of CSV: no zeros behind the last digit, instants in UTC, fractions where there are any.
std::string CsvValue(ColumnType type, const std::string& value) {
  switch (type) {
    case ColumnType::kMoney:
    case ColumnType::kQuantity:
      return "rtrim(rtrim(" + value + "::VARCHAR, '0'), '.')";
    case ColumnType::kInstant:
      return "CASE WHEN date_trunc('second', " + value + ") = " + value + " THEN strftime(" +
             value + ", '%Y-%m-%dT%H:%M:%SZ') ELSE strftime(" + value +
             ", '%Y-%m-%dT%H:%M:%S.%fZ') END";
    case ColumnType::kText:
    case ColumnType::kJson:
    case ColumnType::kInt64:
    case ColumnType::kUint64:
      break;
  }
  return value;
}

// Whether a column of charges stands in the version under another name.
bool IsRenamedIn(std::string_view kept_as, Version version) {
  for (const Renamed& renamed : kRenamed) {
    if (renamed.kept_as != kept_as) continue;
    return focus::FindColumn(focus::DataSet::kCostAndUsage, renamed.name)->In(version);
  }
  return false;
}

bool IsBookkeeping(std::string_view name) {
  return std::ranges::find(kBookkeeping, name) != std::end(kBookkeeping);
}

}  // namespace

Result<ExportFormat> ParseExportFormat(std::string_view name) {
  if (name == "csv") return ExportFormat::kCsv;
  if (name == "parquet") return ExportFormat::kParquet;
  return Fail(Code::kInvalidArgument, "'" + std::string(name) + "' is no format of an export",
              "write csv or parquet");
}

Result<Version> ParseExportVersion(std::string_view name) {
  const std::optional<Version> version = focus::ParseVersion(name);
  if (version && *version >= Version::k1_2 && *version <= Version::k1_4) return *version;
  return Fail(Code::kInvalidArgument,
              "charges are not written as FOCUS '" + std::string(name) + "'",
              "write 1.2, 1.3 or 1.4");
}

std::vector<ExportColumn> ExportColumns(const ExportRequest& request,
                                        const std::set<std::string>& present) {
  const bool csv = request.format == ExportFormat::kCsv;
  std::vector<ExportColumn> columns;
  const auto add = [&](std::string_view name, ColumnType type, bool optional) {
    const std::string value = StoredValue(name, present);
    columns.push_back({std::string(name), value, csv ? CsvValue(type, value) : value, optional});
  };
  for (const focus::Column& column : focus::Columns(focus::DataSet::kCostAndUsage)) {
    if (!column.In(request.version)) continue;
    const bool asked = column.LevelIn(request.version) != focus::Level::kConditional;
    add(column.name, column.type, !asked);
  }
  if (!request.x_columns) return columns;
  for (const std::string& name : present) {
    if (!name.starts_with("x_") || IsBookkeeping(name)) continue;
    if (IsRenamedIn(name, request.version)) continue;
    const int known = charge::IndexOf(name);
    const ColumnType type =
        known < 0 ? ColumnType::kText : charge::Columns()[static_cast<size_t>(known)].type;
    add(name, type, true);
  }
  return columns;
}

std::string ExportOptions(ExportFormat format) {
  if (format == ExportFormat::kParquet) return kParquetOptions;
  return "FORMAT csv, HEADER true, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR ''";
}

}  // namespace flyball::ledger
