// The other side of the benchmarks: bare DuckDB, with the same types and threads, that checks,
// classifies and commits nothing.
//
//   bench_duckdb copy BILL.csv OUT.parquet THREADS [MEMORY]      read the bill, write one file
//   bench_duckdb load BILL.parquet OUT.duckdb THREADS            the same rows in its own database
//   bench_duckdb ask BILL.parquet QUESTIONS THREADS REPEATS      how long plain SQL takes
//   bench_duckdb first STORE.duckdb SQL                          open, ask once, end
//
// QUESTIONS has one question a line, "name<TAB>SQL"; {bill} in the SQL stands for the file. `ask`
// prints "name<TAB>p50 ms<TAB>p95 ms<TAB>rows" a line.
#include <duckdb.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "model/charge.h"
#include "quantile.h"

namespace {

[[noreturn]] void Die(const std::string& why) {
  std::fputs(("bench_duckdb: " + why + "\n").c_str(), stderr);
  std::exit(3);
}

class Store {
 public:
  Store(const char* path, const std::string& threads, const std::string& memory = {}) {
    if (duckdb_open(path, &database_) == DuckDBError ||
        duckdb_connect(database_, &connection_) == DuckDBError) {
      Die("cannot open a database");
    }
    if (!threads.empty()) Run("SET threads = " + threads);
    if (!memory.empty()) Run("SET memory_limit = '" + memory + "'");
  }
  ~Store() {
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // The answer is materialised; returns how many rows it has.
  uint64_t Run(const std::string& sql) {
    duckdb_result result;
    if (duckdb_query(connection_, sql.c_str(), &result) == DuckDBError) {
      Die(std::string(duckdb_result_error(&result)) + " in: " + sql.substr(0, 300));
    }
    uint64_t rows = 0;
    while (duckdb_data_chunk chunk = duckdb_fetch_chunk(result)) {
      rows += duckdb_data_chunk_get_size(chunk);
      duckdb_destroy_data_chunk(&chunk);
    }
    duckdb_destroy_result(&result);
    return rows;
  }

 private:
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

std::string TypeOf(const std::string& column) {
  using flyball::ColumnType;
  const int index = flyball::charge::IndexOf(column);
  if (index < 0) return "VARCHAR";
  switch (flyball::charge::Columns()[static_cast<size_t>(index)].type) {
    case ColumnType::kMoney:
      return "DECIMAL(38,12)";
    case ColumnType::kQuantity:
      return "DECIMAL(38,15)";
    case ColumnType::kInstant:
      return "TIMESTAMP";
    default:
      return "VARCHAR";
  }
}

// {'BilledCost': 'DECIMAL(38,12)', ...} for every column that the header of the bill names.
std::string TypedColumns(const std::string& bill) {
  std::ifstream file(bill);
  std::string header;
  if (!std::getline(file, header)) Die("cannot read " + bill);
  std::string columns;
  for (size_t at = 0; at <= header.size();) {
    const size_t end = std::min(header.find_first_of(",\r", at), header.size());
    const std::string name = header.substr(at, end - at);
    columns += fmt::format("{}'{}': '{}'", columns.empty() ? "" : ", ", name, TypeOf(name));
    at = end + 1;
  }
  return "{" + columns + "}";
}

int Copy(const std::string& bill, const std::string& out, const std::string& threads,
         const std::string& memory) {
  Store store(nullptr, threads, memory);
  store.Run("SET preserve_insertion_order = false");
  store.Run(
      fmt::format("COPY (SELECT * FROM read_csv('{}', auto_detect = false, header = true, "
                  "delim = ',', quote = '\"', escape = '\"', columns = {})) "
                  "TO '{}' (FORMAT parquet)",
                  bill, TypedColumns(bill), out));
  return 0;
}

int Load(const std::string& bill, const char* out, const std::string& threads) {
  Store store(out, threads);
  store.Run(fmt::format("CREATE TABLE bill AS SELECT * FROM read_parquet('{}')", bill));
  store.Run("CHECKPOINT");
  return 0;
}

int Ask(const std::string& bill, const std::string& questions, const std::string& threads,
        int repeats) {
  Store store(nullptr, threads);
  std::ifstream file(questions);
  for (std::string line; std::getline(file, line);) {
    const size_t tab = line.find('\t');
    if (tab == std::string::npos) continue;
    std::string sql = line.substr(tab + 1);
    for (size_t at; (at = sql.find("{bill}")) != std::string::npos;) {
      sql.replace(at, 6, "read_parquet('" + bill + "')");
    }
    uint64_t rows = store.Run(sql);  // warm
    std::vector<double> took_ms;
    for (int i = 0; i < repeats; ++i) {
      const auto start = std::chrono::steady_clock::now();
      rows = store.Run(sql);
      const std::chrono::duration<double, std::milli> took =
          std::chrono::steady_clock::now() - start;
      took_ms.push_back(took.count());
    }
    fmt::print("{}\t{:.2f}\t{:.2f}\t{}\n", line.substr(0, tab),
               flyball::bench::Quantile(took_ms, 50), flyball::bench::Quantile(took_ms, 95), rows);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  const std::string mode = args.empty() ? "" : args[0];
  if (mode == "copy" && args.size() >= 4) {
    return Copy(args[1], args[2], args[3], args.size() > 4 ? args[4] : "");
  }
  if (mode == "load" && args.size() == 4) return Load(args[1], args[2].c_str(), args[3]);
  if (mode == "ask" && args.size() == 5) {
    return Ask(args[1], args[2], args[3], std::atoi(args[4].c_str()));
  }
  if (mode == "first" && args.size() == 3) {
    Store store(args[1].c_str(), "");
    store.Run(args[2]);
    return 0;
  }
  std::fputs("usage: bench_duckdb copy|load|ask|first ... (bench/duckdb.cc says what)\n", stderr);
  return 2;
}
