// flyball watch rootcause: which combinations of dimension values explain a difference. Needs no
// home.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/csv_rows.h"
#include "app/table.h"
#include "base/text.h"
#include "watch/root_cause.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

// The columns of the file that are read: the dimensions in their order, actual, predicted.
struct Columns {
  std::vector<size_t> dimensions;
  size_t actual = 0, predicted = 0;
  size_t count = 0;
};

Result<size_t> ColumnOf(std::span<const std::string_view> header, std::string_view name) {
  std::vector<std::string_view> names;
  for (const std::string_view field : header) names.push_back(Trim(field));
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) {
    const std::string_view near = Nearest(name, names);
    return Fail(Code::kInvalidArgument, fmt::format("the file has no column '{}'", name),
                near.empty() ? fmt::format("it has {}", fmt::join(names, ", "))
                             : fmt::format("did you mean '{}'?", near));
  }
  if (std::count(names.begin(), names.end(), name) > 1) {
    return Fail(Code::kInvalidArgument, fmt::format("the file has two columns '{}'", name));
  }
  return static_cast<size_t>(at - names.begin());
}

Result<Columns> ReadHeader(std::span<const std::string_view> header,
                           const std::vector<std::string>& dimensions, const RootCauseArgs& args) {
  Columns columns;
  columns.count = header.size();
  for (const std::string& name : dimensions) {
    if (name == args.actual || name == args.predicted) {
      return Fail(Code::kInvalidArgument,
                  fmt::format("'{}' cannot be both a dimension and a measure", name));
    }
    columns.dimensions.push_back(FB_TRY(ColumnOf(header, name)));
  }
  columns.actual = FB_TRY(ColumnOf(header, args.actual));
  columns.predicted = FB_TRY(ColumnOf(header, args.predicted));
  return columns;
}

Result<Quantity> ReadQuantity(std::string_view text, std::string_view column, int64_t* rounded) {
  const Result<ParsedDecimal> parsed = ParseDecimal(Trim(text), Quantity::scale());
  if (!parsed) {
    return Fail(parsed.error().code, fmt::format("column '{}': {}", column, parsed.error().message),
                "every row has a number in both columns; write 0 where nothing was there");
  }
  if (!parsed->exact) ++*rounded;
  return Quantity::FromUnits(parsed->units);
}

Result<watch::LeafTable> ReadLeaves(const RootCauseArgs& args) {
  std::vector<std::string> dimensions;
  for (const std::string_view name : SplitText(args.dimensions, ',')) {
    dimensions.emplace_back(Trim(name));
  }
  watch::LeafTable table = FB_TRY(watch::LeafTable::Make(dimensions));
  std::optional<Columns> columns;
  std::vector<std::string_view> values(dimensions.size());
  int64_t rounded = 0;
  FB_CHECK(ReadCsvRows(args.file, [&](std::span<const std::string_view> fields) -> Status {
    if (!columns) {
      columns = FB_TRY(ReadHeader(fields, dimensions, args));
      return {};
    }
    if (fields.size() != columns->count) {
      return Fail(
          Code::kInvalidArgument,
          fmt::format("the line has {} fields, and the header {}", fields.size(), columns->count),
          "put quotes around fields that have a comma in them");
    }
    for (size_t i = 0; i < values.size(); ++i) values[i] = fields[columns->dimensions[i]];
    const Quantity actual = FB_TRY(ReadQuantity(fields[columns->actual], args.actual, &rounded));
    const Quantity predicted =
        FB_TRY(ReadQuantity(fields[columns->predicted], args.predicted, &rounded));
    return table.Add(values, actual, predicted);
  }));
  if (table.leaves() == 0) {
    return Fail(Code::kInvalidArgument, "there is no row in '" + args.file + "'",
                "the first line names the columns, each further line is a row");
  }
  if (rounded > 0) {
    Say(fmt::format("flyball: {} numbers were rounded to {} digits behind the point", rounded,
                    Quantity::scale()));
  }
  return table;
}

Json CauseJson(const watch::RootCause& cause) {
  Json elements = Json::object();
  for (const auto& [dimension, value] : cause.elements) elements[dimension] = value;
  const Result<Quantity> difference = cause.actual.Minus(cause.predicted);
  return Json{{"elements", elements},
              {"score", cause.score},
              {"share", cause.share},
              {"actual", cause.actual.ToString()},
              {"predicted", cause.predicted.ToString()},
              {"difference", difference ? Json(difference->ToString()) : Json()}};
}

Table CausesTable(const std::vector<watch::RootCause>& causes) {
  Table table{{"elements", "score", "share", "actual", "predicted"}, {}};
  for (const watch::RootCause& cause : causes) {
    std::string elements;
    for (const auto& [dimension, value] : cause.elements) {
      elements += (elements.empty() ? "" : ";") + dimension + "=" + value;
    }
    table.rows.push_back({elements, fmt::format("{:.2f}", cause.score),
                          fmt::format("{:.4f}", cause.share), cause.actual.ToString(),
                          cause.predicted.ToString()});
  }
  return table;
}

}  // namespace

int RunRootCause(const Environment& environment, const RootCauseArgs& args) {
  const Result<watch::LeafTable> table = ReadLeaves(args);
  if (!table) return Report(environment, table.error());
  watch::RootCauseSettings settings;
  settings.least_share = args.least_share;
  const Result<std::vector<watch::RootCause>> causes = watch::FindRootCauses(*table, settings);
  if (!causes) return Report(environment, causes.error());
  if (causes->empty()) Say("flyball: nothing differs from what was predicted");
  if (environment.json()) {
    Json json = Json::array();
    for (const watch::RootCause& cause : *causes) json.push_back(CauseJson(cause));
    Print(json.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    Print(environment, CausesTable(*causes));
  }
  return kExitDone;
}

}  // namespace flyball::app
