// What an Answer holds: DuckDB's chunks as they came, with the pointers into their vectors looked
// up once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"

struct _duckdb_data_chunk;

namespace flyball::engine {

struct Answer::Impl {
  // How the values of a column lie in memory.
  enum class Layout : uint8_t {
    kText,
    kBool,
    kInt8,
    kInt16,
    kInt32,
    kInt64,
    kInt128,
    kUint8,
    kUint16,
    kUint32,
    kUint64,
    kTimestamp,
    kDate,
  };
  struct Column {
    std::string name;
    Layout layout = Layout::kText;
    int scale = 0;  // of a DECIMAL
  };
  struct Chunk {
    _duckdb_data_chunk* raw = nullptr;
    int64_t first_row = 0;
    std::vector<const char*> data;          // by column
    std::vector<const uint64_t*> validity;  // by column; nullptr: no nulls
  };
  struct Cell {
    const char* data = nullptr;  // of the whole vector
    size_t index = 0;
    bool null = false;
  };

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  // Takes all chunks out of a `duckdb_result`.
  static Result<std::unique_ptr<Impl>> Read(void* duckdb_result);
  Cell At(int64_t row, int column);

  std::vector<Column> columns;
  std::vector<Chunk> chunks;
  int64_t rows = 0;
  size_t last_chunk = 0;  // rows are mostly read in order
};

}  // namespace flyball::engine
