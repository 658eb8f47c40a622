// Engine: DuckDB wrapped, ignorant of charges. The only folder that includes duckdb.h (the C API,
// never the C++ one).
//
// What flows in: SQL written by ledger/ with bound parameters, and rows from a RowSource (a table
// function that several of DuckDB's threads pull from). What flows out: typed chunks. Every
// database is locked down when it opens: no extension is installed or loaded, no file outside
// `allowed_dirs` is read or written, the configuration is frozen. Database may be shared by
// threads; a Connection or an Answer belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/column.h"
#include "base/money.h"
#include "base/result.h"
#include "base/time.h"

namespace flyball::engine {

struct DatabaseOptions {
  std::string path;                       // empty: in memory
  uint64_t memory_bytes = 1ull << 30;     // DuckDB's own limit; it spills beyond
  int threads = 0;                        // 0: one per core
  std::string temp_dir;                   // where it spills; must be inside allowed_dirs
  std::vector<std::string> allowed_dirs;  // absolute; nothing else can be read or written by SQL
  bool read_only = false;
  // False lets a COPY or a SELECT without ORDER BY answer in any order, with much less memory and
  // more parallelism.
  bool preserve_insertion_order = true;
  // Further settings of the engine, set before the configuration freezes: names from code, never
  // from input.
  std::vector<std::pair<std::string, std::string>> settings = {};
};

// A bound parameter. Money and Quantity bind as exact decimals.
using Param =
    std::variant<std::monostate, int64_t, uint64_t, std::string, Money, Quantity, Instant>;

// One result, materialised. Row indexes run over all chunks; reading onward is cheap. Columns may
// have the types VARCHAR, BOOLEAN, integers up to 128 bits, DECIMAL, TIMESTAMP and DATE; a query
// that gives another type fails with UNIMPLEMENTED (cast it in the SQL). Reading a column as
// something that it is not is an assertion.
class Answer {
 public:
  Answer();
  Answer(Answer&&) noexcept;
  Answer& operator=(Answer&&) noexcept;
  ~Answer();

  int64_t row_count() const;
  int column_count() const;
  std::string_view column_name(int column) const;
  bool IsNull(int64_t row, int column) const;
  // The text of a VARCHAR; valid as long as the Answer lives. Of a null: "", and 0 from the numbers
  // below.
  std::string_view Text(int64_t row, int column) const;
  // Any integer or DECIMAL column: its units (a DECIMAL(38,12) gives Money units).
  int128 Units(int64_t row, int column) const;
  int64_t Int64(int64_t row, int column) const;
  uint64_t Uint64(int64_t row, int column) const;
  Instant Time(int64_t row, int column) const;  // TIMESTAMP or DATE
  // Any type as text, for rows shown to people; "" for a null.
  std::string AnyText(int64_t row, int column) const;

  struct Impl;  // of the engine's own files (engine/answer.h)

 private:
  friend class Connection;
  std::unique_ptr<Impl> impl_;
};

// Writes one chunk of up to kChunkRows rows straight into DuckDB's vectors. Rows start out NULL in
// no column: set every column of every row.
inline constexpr int kChunkRows = 2048;
class ChunkWriter {
 public:
  virtual ~ChunkWriter() = default;
  virtual void SetNull(int column, int row) = 0;
  virtual void SetText(int column, int row, std::string_view text) = 0;  // must be valid UTF-8
  virtual void SetUnits(int column, int row, int128 units) = 0;          // kMoney, kQuantity
  virtual void SetInstant(int column, int row, Instant value) = 0;
  virtual void SetInt64(int column, int row, int64_t value) = 0;
  virtual void SetUint64(int column, int row, uint64_t value) = 0;
};

// Rows that a COPY or an INSERT ... SELECT pulls, once: a source does not rewind. An error that
// Fill returns ends the statement and comes out of Query or Execute as it is. Fill is called from
// up to max_threads threads at once, each with its own slot number below max_threads; it returns
// how many rows it wrote, 0 when the source has ended for this slot.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual Result<int> Fill(int slot, ChunkWriter& out) = 0;
};

// Errors of statements: CANCELLED (interrupted), RESOURCE_EXHAUSTED (memory), PERMISSION_DENIED
// (outside allowed_dirs), UNAVAILABLE (a file), OUT_OF_RANGE (a number), FAILED_PRECONDITION (a
// constraint or a conflict), DATA_LOSS (the database file is damaged), INTERNAL (a bug of the
// engine), and INVALID_ARGUMENT for all else.
class Connection {
 public:
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  Result<Answer> Query(const std::string& sql, const std::vector<Param>& params = {});
  // One or more statements without parameters or answer.
  Status Execute(const std::string& sql);
  // Makes `SELECT * FROM name()` read the source. The name is a plain identifier, new in this
  // connection's database.
  Status RegisterSource(const std::string& name, std::vector<ColumnSpec> columns,
                        std::shared_ptr<RowSource> source, int max_threads);
  // From another thread: the running statement ends with CANCELLED.
  void Interrupt();

 private:
  friend class Database;
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Database {
 public:
  static Result<Database> Open(const DatabaseOptions& options);
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();
  Result<Connection> Connect();

  struct Impl;  // of engine.cc

 private:
  explicit Database(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

// 'text' quoted as an SQL string literal, and "name" as an identifier; for the few places that take
// no parameter (COPY targets, file lists). Text with NUL bytes is refused by assertion.
std::string QuoteLiteral(std::string_view text);
std::string QuoteIdentifier(std::string_view name);

}  // namespace flyball::engine
