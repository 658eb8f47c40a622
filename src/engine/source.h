// The table function behind Connection::RegisterSource: DuckDB's threads pull chunks out of a
// RowSource.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"

struct _duckdb_connection;

namespace flyball::engine {

// What the function in the catalogue and the connection that registered it share. The source's own
// error travels beside DuckDB, which carries only a text.
struct SourceState {
  std::vector<ColumnSpec> columns;
  std::shared_ptr<RowSource> source;
  int max_threads = 1;

  void Keep(Error error) {
    std::lock_guard lock(mutex);
    if (!first_error.has_value()) first_error = std::move(error);
  }
  std::optional<Error> TakeError() {
    std::lock_guard lock(mutex);
    return std::exchange(first_error, std::nullopt);
  }

 private:
  std::mutex mutex;
  std::optional<Error> first_error;
};

Status RegisterTableFunction(_duckdb_connection* connection, const std::string& name,
                             std::shared_ptr<SourceState> state);

}  // namespace flyball::engine
