#include "ingest/parquet_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "engine/engine.h"
#include "os/files.h"

namespace flyball::ingest {
namespace {

constexpr size_t kReasonMaxBytes = 200;

using engine::QuoteIdentifier;
using engine::QuoteLiteral;

// A path that read_parquet takes literally.
std::string EscapeGlob(const std::string& path) {
  std::string escaped;
  for (char c : path) {
    if (c == '*' || c == '?' || c == '[') {
      escaped += std::string("[") + c + "]";
    } else {
      escaped.push_back(c);
    }
  }
  return escaped;
}

std::string AsText(const std::string& name, const std::string& type) {
  std::string column = QuoteIdentifier(name);
  if (type == "VARCHAR") return column;
  if (type.starts_with("TIMESTAMP")) {
    std::string utc = type == "TIMESTAMP WITH TIME ZONE"
                          ? "make_timestamp(epoch_us(" + column + "))"
                          : column + "::TIMESTAMP";
    return fmt::format("replace(strftime({0}, '%Y-%m-%dT%H:%M:%S.%fZ'), '.000000Z', 'Z') AS {1}",
                       utc, column);
  }
  if (type == "DATE") return fmt::format("strftime({0}, '%Y-%m-%dT00:00:00Z') AS {0}", column);
  if (type == "BLOB") return fmt::format("decode({0}) AS {0}", column);
  bool nested = type.starts_with("MAP") || type.starts_with("STRUCT") || type.ends_with("]");
  if (nested) return fmt::format("to_json({0})::VARCHAR AS {0}", column);
  return fmt::format("{0}::VARCHAR AS {0}", column);
}

// Below its first line the engine shows our own SQL, which says nothing to who has the file.
std::string FirstLine(const std::string& text) {
  return text.substr(0, std::min(text.find('\n'), kReasonMaxBytes));
}

std::unexpected<Error> NoParquet(const Input& input, const Error& cause) {
  if (cause.code != Code::kInvalidArgument && cause.code != Code::kUnavailable) {
    return Fail(cause);
  }
  Error error{Code::kInvalidArgument,
              "'" + input.file->path() + "' cannot be read as Parquet",
              "fetch the file again; the reader says: " + FirstLine(cause.message),
              {}};
  error.place.file = input.file->path();
  return Fail(std::move(error));
}

}  // namespace

Status OpenParquetAsCsv(const Budget& budget, const std::string& dir, int number, Input* input) {
  std::error_code failed;
  const std::filesystem::path path = std::filesystem::canonical(input->file->path(), failed);
  if (failed) {
    return Fail(Code::kUnavailable,
                "cannot find '" + input->file->path() + "': " + failed.message());
  }
  engine::DatabaseOptions options;
  options.memory_bytes = budget.derive_bytes;
  options.threads = budget.derive_threads;
  options.temp_dir = os::JoinPath(dir, "spill");
  options.allowed_dirs = {dir, path.parent_path().string()};
  // Rows keep their order, so that each can be named by its number.
  options.preserve_insertion_order = true;
  engine::Database database = FB_TRY(engine::Database::Open(options));
  engine::Connection connection = FB_TRY(database.Connect());
  std::string from =
      "read_parquet(" + QuoteLiteral(EscapeGlob(path.string())) + ", hive_partitioning = false)";
  Result<engine::Answer> described = connection.Query(
      "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM " + from + ")");
  if (!described) return NoParquet(*input, described.error());
  std::string list;
  for (int64_t row = 0; row < described->row_count(); ++row) {
    std::string name(described->Text(row, 0));
    input->header.names.push_back(name);
    if (!list.empty()) list += ", ";
    list += AsText(name, std::string(described->Text(row, 1)));
  }
  std::string csv = os::JoinPath(dir, fmt::format("input-{}.csv", number));
  Status copied =
      connection.Execute("COPY (SELECT " + list + " FROM " + from + ") TO " + QuoteLiteral(csv) +
                         " (FORMAT CSV, HEADER true, FORCE_QUOTE *, DELIMITER ',')");
  if (!copied) return NoParquet(*input, copied.error());
  input->content = FB_TRY(InputFile::Open(csv));
  input->header = FB_TRY(ReadOwnHeader(*input->content));
  return {};
}

}  // namespace flyball::ingest
