#include "engine/source.h"

#include <duckdb.h>

#include <atomic>
#include <cstring>

#include "base/assert.h"

// Exported by the pinned library, younger than the pinned header: takes the bytes as they are,
// without a second UTF-8 check (ingest has made the first).
extern "C" void duckdb_unsafe_vector_assign_string_element_len(duckdb_vector vector, idx_t index,
                                                               const char* text, idx_t length);

namespace flyball::engine {
namespace {

struct FunctionInfo {
  std::shared_ptr<SourceState> state;
};

// One run of the function.
struct Run {
  std::atomic<int> next_slot{0};
};
struct Slot {
  int number = 0;
};

// Writes into the vectors of DuckDB's output chunk.
class VectorWriter : public ChunkWriter {
 public:
  VectorWriter(duckdb_data_chunk chunk, size_t columns) : columns_(columns) {
    for (size_t i = 0; i < columns; ++i) {
      columns_[i].vector = duckdb_data_chunk_get_vector(chunk, i);
      columns_[i].data = duckdb_vector_get_data(columns_[i].vector);
    }
  }

  void SetNull(int column, int row) override {
    Column& c = At(column, row);
    if (c.validity == nullptr) {
      duckdb_vector_ensure_validity_writable(c.vector);
      c.validity = duckdb_vector_get_validity(c.vector);
    }
    duckdb_validity_set_row_invalid(c.validity, static_cast<idx_t>(row));
  }
  void SetText(int column, int row, std::string_view text) override {
    duckdb_unsafe_vector_assign_string_element_len(At(column, row).vector, static_cast<idx_t>(row),
                                                   text.data(), text.size());
  }
  void SetUnits(int column, int row, int128 units) override { Put(column, row, units); }
  void SetInstant(int column, int row, Instant value) override { Put(column, row, value.us); }
  void SetInt64(int column, int row, int64_t value) override { Put(column, row, value); }
  void SetUint64(int column, int row, uint64_t value) override { Put(column, row, value); }

 private:
  struct Column {
    duckdb_vector vector = nullptr;
    void* data = nullptr;
    uint64_t* validity = nullptr;
  };
  Column& At(int column, int row) {
    FB_ASSERT(row >= 0 && row < kChunkRows);
    return columns_[static_cast<size_t>(column)];
  }
  template <typename T>
  void Put(int column, int row, T value) {
    std::memcpy(static_cast<char*>(At(column, row).data) + static_cast<size_t>(row) * sizeof(T),
                &value, sizeof(T));
  }

  std::vector<Column> columns_;
};

duckdb_logical_type MakeType(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
    case ColumnType::kJson:
      return duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    case ColumnType::kMoney:
      return duckdb_create_decimal_type(38, Money::scale());
    case ColumnType::kQuantity:
      return duckdb_create_decimal_type(38, Quantity::scale());
    case ColumnType::kInstant:
      return duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP);
    case ColumnType::kInt64:
      return duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    case ColumnType::kUint64:
      return duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT);
  }
  FB_ASSERT(false);
}

void Bind(duckdb_bind_info info) {
  const auto& state = static_cast<FunctionInfo*>(duckdb_bind_get_extra_info(info))->state;
  for (const ColumnSpec& column : state->columns) {
    duckdb_logical_type type = MakeType(column.type);
    duckdb_bind_add_result_column(info, column.name.c_str(), type);
    duckdb_destroy_logical_type(&type);
  }
}

void Init(duckdb_init_info info) {
  const auto& state = static_cast<FunctionInfo*>(duckdb_init_get_extra_info(info))->state;
  duckdb_init_set_max_threads(info, static_cast<idx_t>(state->max_threads));
  duckdb_init_set_init_data(info, new Run, [](void* run) { delete static_cast<Run*>(run); });
}

void InitLocal(duckdb_init_info info) {
  // The run is not reachable from here; the slot is drawn at the first call of Pull.
  duckdb_init_set_init_data(info, new Slot{-1},
                            [](void* slot) { delete static_cast<Slot*>(slot); });
}

void Pull(duckdb_function_info info, duckdb_data_chunk output) {
  const auto& state = static_cast<FunctionInfo*>(duckdb_function_get_extra_info(info))->state;
  auto* run = static_cast<Run*>(duckdb_function_get_init_data(info));
  auto* slot = static_cast<Slot*>(duckdb_function_get_local_init_data(info));
  if (slot->number < 0) slot->number = run->next_slot.fetch_add(1);
  FB_ASSERT(slot->number < state->max_threads);
  VectorWriter writer(output, state->columns.size());
  Result<int> rows = [&]() -> Result<int> {
    try {
      return state->source->Fill(slot->number, writer);
    } catch (const std::exception& e) {  // nothing may be thrown through DuckDB's C frames
      return Fail(Code::kInternal, std::string("a row source failed: ") + e.what());
    }
  }();
  if (!rows) {
    duckdb_function_set_error(info, rows.error().message.c_str());
    state->Keep(std::move(rows).error());
    return;
  }
  FB_ASSERT(*rows >= 0 && *rows <= kChunkRows);
  duckdb_data_chunk_set_size(output, static_cast<idx_t>(*rows));
}

}  // namespace

Status RegisterTableFunction(_duckdb_connection* connection, const std::string& name,
                             std::shared_ptr<SourceState> state) {
  FB_ASSERT(duckdb_vector_size() == static_cast<idx_t>(kChunkRows));
  FB_ASSERT(state->max_threads > 0 && state->source != nullptr);
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_table_function_set_name(function, name.c_str());
  duckdb_table_function_set_extra_info(function, new FunctionInfo{std::move(state)},
                                       [](void* info) { delete static_cast<FunctionInfo*>(info); });
  duckdb_table_function_set_bind(function, Bind);
  duckdb_table_function_set_init(function, Init);
  duckdb_table_function_set_local_init(function, InitLocal);
  duckdb_table_function_set_function(function, Pull);
  duckdb_state registered = duckdb_register_table_function(connection, function);
  duckdb_destroy_table_function(&function);
  if (registered == DuckDBError) {
    return Fail(Code::kAlreadyExists, "the row source '" + name + "' could not be registered");
  }
  return {};
}

}  // namespace flyball::engine
