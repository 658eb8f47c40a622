#include "engine/answer.h"

#include <duckdb.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/assert.h"

namespace flyball::engine {
namespace {

using Layout = Answer::Impl::Layout;

std::optional<Layout> LayoutOf(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_VARCHAR:
      return Layout::kText;
    case DUCKDB_TYPE_BOOLEAN:
      return Layout::kBool;
    case DUCKDB_TYPE_TINYINT:
      return Layout::kInt8;
    case DUCKDB_TYPE_SMALLINT:
      return Layout::kInt16;
    case DUCKDB_TYPE_INTEGER:
      return Layout::kInt32;
    case DUCKDB_TYPE_BIGINT:
      return Layout::kInt64;
    case DUCKDB_TYPE_HUGEINT:
      return Layout::kInt128;
    case DUCKDB_TYPE_UTINYINT:
      return Layout::kUint8;
    case DUCKDB_TYPE_USMALLINT:
      return Layout::kUint16;
    case DUCKDB_TYPE_UINTEGER:
      return Layout::kUint32;
    case DUCKDB_TYPE_UBIGINT:
      return Layout::kUint64;
    case DUCKDB_TYPE_TIMESTAMP:
      return Layout::kTimestamp;
    case DUCKDB_TYPE_DATE:
      return Layout::kDate;
    default:
      return std::nullopt;
  }
}

template <typename T>
T Load(const Answer::Impl::Cell& cell) {
  T value;
  std::memcpy(&value, cell.data + cell.index * sizeof(T), sizeof(T));
  return value;
}

int128 LoadInteger(const Answer::Impl::Cell& cell, Layout layout) {
  switch (layout) {
    case Layout::kBool:
    case Layout::kUint8:
      return Load<uint8_t>(cell);
    case Layout::kInt8:
      return Load<int8_t>(cell);
    case Layout::kInt16:
      return Load<int16_t>(cell);
    case Layout::kInt32:
    case Layout::kDate:
      return Load<int32_t>(cell);
    case Layout::kInt64:
    case Layout::kTimestamp:
      return Load<int64_t>(cell);
    case Layout::kInt128:
      return Load<int128>(cell);
    case Layout::kUint16:
      return Load<uint16_t>(cell);
    case Layout::kUint32:
      return Load<uint32_t>(cell);
    case Layout::kUint64:
      return Load<uint64_t>(cell);
    case Layout::kText:
      break;
  }
  FB_ASSERT(false);
}

Result<Answer::Impl::Column> ReadColumn(duckdb_result* result, idx_t index) {
  Answer::Impl::Column column;
  column.name = duckdb_column_name(result, index);
  duckdb_logical_type type = duckdb_column_logical_type(result, index);
  duckdb_type id = duckdb_get_type_id(type);
  if (id == DUCKDB_TYPE_DECIMAL) {
    column.scale = duckdb_decimal_scale(type);
    id = duckdb_decimal_internal_type(type);
  }
  duckdb_destroy_logical_type(&type);
  std::optional<Layout> layout = LayoutOf(id);
  if (!layout.has_value()) {
    return Fail(Code::kUnimplemented,
                "the column '" + column.name + "' has a type that an answer cannot hold",
                "cast it to VARCHAR in the statement");
  }
  column.layout = *layout;
  return column;
}

}  // namespace

Answer::Impl::~Impl() {
  for (Chunk& chunk : chunks) duckdb_destroy_data_chunk(&chunk.raw);
}

Result<std::unique_ptr<Answer::Impl>> Answer::Impl::Read(void* duckdb_result_) {
  auto* result = static_cast<duckdb_result*>(duckdb_result_);
  auto impl = std::make_unique<Impl>();
  for (idx_t i = 0; i < duckdb_column_count(result); ++i) {
    impl->columns.push_back(FB_TRY(ReadColumn(result, i)));
  }
  while (duckdb_data_chunk raw = duckdb_fetch_chunk(*result)) {
    Chunk& chunk = impl->chunks.emplace_back();
    chunk.raw = raw;
    chunk.first_row = impl->rows;
    for (size_t i = 0; i < impl->columns.size(); ++i) {
      duckdb_vector vector = duckdb_data_chunk_get_vector(raw, i);
      chunk.data.push_back(static_cast<const char*>(duckdb_vector_get_data(vector)));
      chunk.validity.push_back(duckdb_vector_get_validity(vector));
    }
    impl->rows += static_cast<int64_t>(duckdb_data_chunk_get_size(raw));
  }
  return impl;
}

Answer::Impl::Cell Answer::Impl::At(int64_t row, int column) {
  FB_ASSERT(row >= 0 && row < rows);
  FB_ASSERT(column >= 0 && static_cast<size_t>(column) < columns.size());
  auto holds = [&](size_t i) {
    return chunks[i].first_row <= row && (i + 1 == chunks.size() || row < chunks[i + 1].first_row);
  };
  if (!holds(last_chunk)) {
    auto after = std::upper_bound(
        chunks.begin(), chunks.end(), row,
        [](int64_t wanted, const Chunk& chunk) { return wanted < chunk.first_row; });
    last_chunk = static_cast<size_t>(after - chunks.begin()) - 1;
  }
  const Chunk& chunk = chunks[last_chunk];
  auto index = static_cast<size_t>(row - chunk.first_row);
  const uint64_t* validity = chunk.validity[static_cast<size_t>(column)];
  bool null = validity != nullptr && ((validity[index / 64] >> (index % 64)) & 1) == 0;
  return {chunk.data[static_cast<size_t>(column)], index, null};
}

Answer::Answer() = default;
Answer::Answer(Answer&&) noexcept = default;
Answer& Answer::operator=(Answer&&) noexcept = default;
Answer::~Answer() = default;

int64_t Answer::row_count() const { return impl_ == nullptr ? 0 : impl_->rows; }

int Answer::column_count() const {
  return impl_ == nullptr ? 0 : static_cast<int>(impl_->columns.size());
}

std::string_view Answer::column_name(int column) const {
  return impl_->columns[static_cast<size_t>(column)].name;
}

bool Answer::IsNull(int64_t row, int column) const { return impl_->At(row, column).null; }

std::string_view Answer::Text(int64_t row, int column) const {
  Impl::Cell cell = impl_->At(row, column);
  FB_ASSERT(impl_->columns[static_cast<size_t>(column)].layout == Layout::kText);
  if (cell.null) return {};
  // The string's short form lies inside the vector, which lives as long as the chunk.
  auto* text = reinterpret_cast<duckdb_string_t*>(const_cast<char*>(cell.data) +
                                                  cell.index * sizeof(duckdb_string_t));
  return {duckdb_string_t_data(text), duckdb_string_t_length(*text)};
}

int128 Answer::Units(int64_t row, int column) const {
  Impl::Cell cell = impl_->At(row, column);
  if (cell.null) return 0;
  return LoadInteger(cell, impl_->columns[static_cast<size_t>(column)].layout);
}

int64_t Answer::Int64(int64_t row, int column) const {
  int128 units = Units(row, column);
  FB_ASSERT(units >= std::numeric_limits<int64_t>::min() &&
            units <= std::numeric_limits<int64_t>::max());
  return static_cast<int64_t>(units);
}

uint64_t Answer::Uint64(int64_t row, int column) const {
  int128 units = Units(row, column);
  FB_ASSERT(units >= 0 && units <= std::numeric_limits<uint64_t>::max());
  return static_cast<uint64_t>(units);
}

Instant Answer::Time(int64_t row, int column) const {
  Layout layout = impl_->columns[static_cast<size_t>(column)].layout;
  FB_ASSERT(layout == Layout::kTimestamp || layout == Layout::kDate);
  int64_t value = Int64(row, column);
  return {layout == Layout::kDate ? value * kMicrosPerDay : value};
}

std::string Answer::AnyText(int64_t row, int column) const {
  if (IsNull(row, column)) return {};
  const Impl::Column& what = impl_->columns[static_cast<size_t>(column)];
  switch (what.layout) {
    case Layout::kText:
      return std::string(Text(row, column));
    case Layout::kBool:
      return Int64(row, column) != 0 ? "true" : "false";
    case Layout::kTimestamp:
      return FormatInstant(Time(row, column));
    case Layout::kDate:
      return FormatDate(Time(row, column));
    default:
      return FormatDecimal(Units(row, column), what.scale);
  }
}

}  // namespace flyball::engine
