#include "engine/engine.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

namespace flyball::engine {
namespace {

// A folder of its own for each test, removed afterwards.
class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "engine-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    allowed_ = root_ + "/allowed";
    std::filesystem::create_directories(allowed_);
  }
  ~EngineTest() override { std::filesystem::remove_all(root_); }

  Database OpenDatabase(const std::string& path = {}) {
    DatabaseOptions options;
    options.path = path;
    options.threads = 2;
    options.memory_bytes = 256u << 20;
    options.temp_dir = allowed_ + "/spill";
    options.allowed_dirs = {allowed_};
    Result<Database> database = Database::Open(options);
    EXPECT_TRUE(database.has_value()) << database.error().ToString();
    return std::move(database).value();
  }

  std::string root_, allowed_;
};

Connection Connect(Database& database) { return std::move(database.Connect()).value(); }

TEST_F(EngineTest, BindsAndReadsEveryType) {
  Database database = OpenDatabase();
  Connection connection = Connect(database);
  Money money = Money::FromUnits(-kDecimalMaxUnits);
  Quantity quantity = Quantity::FromUnits(123'456'789'012'345'678);
  Result<Answer> answer = connection.Query(
      "SELECT ?::VARCHAR, ?, ?, ?, ?, ?, ?::VARCHAR, DATE '2026-10-31', true, 7::UTINYINT",
      {std::string("a'\"\0b", 5), money, quantity, int64_t{-5}, uint64_t{1} << 63,
       Instant{1'761'951'600'000'000}, std::monostate{}});
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  ASSERT_EQ(answer->row_count(), 1);
  EXPECT_EQ(answer->Text(0, 0), std::string_view("a'\"\0b", 5));
  EXPECT_EQ(answer->Units(0, 1), money.units());
  EXPECT_EQ(answer->AnyText(0, 1), money.ToString());
  EXPECT_EQ(answer->Units(0, 2), quantity.units());
  EXPECT_EQ(answer->Int64(0, 3), -5);
  EXPECT_EQ(answer->Uint64(0, 4), uint64_t{1} << 63);
  EXPECT_EQ(answer->Time(0, 5).us, 1'761'951'600'000'000);
  EXPECT_EQ(answer->AnyText(0, 5), "2025-10-31T23:00:00Z");
  EXPECT_TRUE(answer->IsNull(0, 6));
  EXPECT_EQ(answer->AnyText(0, 7), "2026-10-31");
  EXPECT_EQ(answer->AnyText(0, 8), "true");
  EXPECT_EQ(answer->AnyText(0, 9), "7");
}

TEST_F(EngineTest, ReadsRowsAcrossChunks) {
  Database database = OpenDatabase();
  Connection connection = Connect(database);
  Result<Answer> answer = connection.Query("SELECT range, range || '' FROM range(10000)");
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  ASSERT_EQ(answer->row_count(), 10000);
  for (int64_t row : {9999L, 0L, 5000L, 2047L, 2048L, 4096L}) {
    EXPECT_EQ(answer->Int64(row, 0), row);
    EXPECT_EQ(answer->Text(row, 1), std::to_string(row));
  }
}

TEST_F(EngineTest, RefusesATypeThatAnAnswerCannotHold) {
  Database database = OpenDatabase();
  Connection connection = Connect(database);
  Result<Answer> answer = connection.Query("SELECT [1, 2] AS list");
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Code::kUnimplemented);
  answer = connection.Query("SELECT 1::DOUBLE AS number");
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Code::kUnimplemented);
}

TEST_F(EngineTest, SumsOfMoneyStayExact) {
  Database database = OpenDatabase();
  Connection connection = Connect(database);
  Result<Answer> answer = connection.Query(
      "SELECT SUM(x) FROM (SELECT 0.000000000001::DECIMAL(38,12) AS x FROM range(1000000)"
      " UNION ALL SELECT 99999999999999999999999::DECIMAL(38,12))");
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->AnyText(0, 0), "99999999999999999999999.000001");
}

TEST_F(EngineTest, ReadsAndWritesInsideAllowedFoldersOnly) {
  Database database = OpenDatabase();
  Connection connection = Connect(database);
  std::string inside = QuoteLiteral(allowed_ + "/a.parquet");
  ASSERT_TRUE(connection.Execute("COPY (SELECT 1 AS a) TO " + inside).has_value());
  EXPECT_TRUE(connection.Query("SELECT * FROM read_parquet(" + inside + ")").has_value());
  std::filesystem::copy_file(allowed_ + "/a.parquet", root_ + "/b.parquet");
  std::string literal = QuoteLiteral(root_ + "/b.parquet");
  std::string climbing = QuoteLiteral(allowed_ + "/../b.parquet");
  for (const std::string& sql : std::vector<std::string>{
           "COPY (SELECT 1 AS a) TO " + literal, "SELECT * FROM read_parquet(" + literal + ")",
           "SELECT * FROM read_parquet(" + climbing + ")", "SELECT * FROM read_text('/etc/passwd')",
           "ATTACH " + QuoteLiteral(root_ + "/c.db"),
           "SELECT * FROM read_csv('http://127.0.0.1:1/a.csv')"}) {
    Result<Answer> refused = connection.Query(sql);
    ASSERT_FALSE(refused.has_value()) << sql;
    EXPECT_EQ(refused.error().code, Code::kPermissionDenied) << refused.error().message;
  }
  EXPECT_FALSE(std::filesystem::exists(root_ + "/c.db"));
}

TEST_F(EngineTest, FreezesItsConfiguration) {
  Database database = OpenDatabase();
  Connection connection = Connect(database);
  for (const char* sql :
       {"SET enable_external_access = true", "SET allowed_directories = ['/']",
        "SET memory_limit = '99GB'", "INSTALL httpfs", "LOAD httpfs", "SET threads = 64"}) {
    EXPECT_FALSE(connection.Execute(sql).has_value()) << sql;
  }
}

TEST_F(EngineTest, KeepsADatabaseFile) {
  std::string path = allowed_ + "/store.duckdb";
  {
    Database database = OpenDatabase(path);
    Connection connection = Connect(database);
    ASSERT_TRUE(connection.Execute("CREATE TABLE t(a BIGINT); INSERT INTO t VALUES (42)"));
  }
  Database database = OpenDatabase(path);
  Connection connection = Connect(database);
  EXPECT_EQ(connection.Query("SELECT a FROM t")->Int64(0, 0), 42);
}

TEST_F(EngineTest, ReportsAFileThatIsNoDatabase) {
  std::string path = allowed_ + "/store.duckdb";
  std::ofstream(path) << std::string(20000, 'x');
  DatabaseOptions options;
  options.path = path;
  Result<Database> database = Database::Open(options);
  ASSERT_FALSE(database.has_value());
  EXPECT_EQ(database.error().place.file, path);
}

// Gives the numbers [0, total) as rows of every column type, from several threads; every third text
// is null.
class NumberSource : public RowSource {
 public:
  explicit NumberSource(int64_t total, int64_t fails_at = -1)
      : total_(total), fails_at_(fails_at) {}

  Result<int> Fill(int slot, ChunkWriter& out) override {
    seen_slots_.fetch_or(1u << slot);
    int64_t first = next_.fetch_add(kChunkRows);
    int rows = static_cast<int>(std::clamp<int64_t>(total_ - first, 0, kChunkRows));
    for (int row = 0; row < rows; ++row) {
      int64_t n = first + row;
      if (n == fails_at_) {
        return Fail(Error{Code::kDataLoss, "row is broken", "mend it", {"in.csv", n, 0, 0}});
      }
      if (n % 3 == 0) {
        out.SetNull(0, row);
      } else {
        out.SetText(0, row, "a text that is longer than twelve bytes " + std::to_string(n));
      }
      out.SetUnits(1, row, -n);
      out.SetUnits(2, row, static_cast<int128>(n) << 40);
      out.SetInstant(3, row, {n});
      out.SetInt64(4, row, n);
      out.SetUint64(5, row, static_cast<uint64_t>(n));
    }
    return rows;
  }
  unsigned seen_slots() const { return seen_slots_.load(); }

 private:
  const int64_t total_, fails_at_;
  std::atomic<int64_t> next_{0};
  std::atomic<unsigned> seen_slots_{0};
};

std::vector<ColumnSpec> NumberColumns() {
  return {{"text", ColumnType::kText},  {"money", ColumnType::kMoney},
          {"q", ColumnType::kQuantity}, {"moment", ColumnType::kInstant},
          {"i", ColumnType::kInt64},    {"u", ColumnType::kUint64}};
}

TEST_F(EngineTest, PullsRowsFromASourceIntoParquet) {
  Database database = OpenDatabase();
  Connection connection = Connect(database);
  constexpr int64_t kRows = 300'001;
  auto source = std::make_shared<NumberSource>(kRows);
  ASSERT_TRUE(connection.RegisterSource("numbers", NumberColumns(), source, 2).has_value());
  std::string file = QuoteLiteral(allowed_ + "/n.parquet");
  Status copied = connection.Execute("COPY (SELECT * FROM numbers()) TO " + file);
  ASSERT_TRUE(copied.has_value()) << copied.error().message;
  Result<Answer> answer = connection.Query(
      "SELECT count(*), count(text), count(DISTINCT i), sum(money), sum(q), max(moment),"
      " sum(CASE WHEN text = 'a text that is longer than twelve bytes ' || i THEN 1 ELSE 0 END),"
      " count(*) FILTER (u <> i) FROM read_parquet(" +
      file + ")");
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->Int64(0, 0), kRows);
  EXPECT_EQ(answer->Int64(0, 1), kRows - (kRows + 2) / 3);
  EXPECT_EQ(answer->Int64(0, 2), kRows);
  int128 sum = static_cast<int128>(kRows - 1) * kRows / 2;
  EXPECT_EQ(answer->Units(0, 3), -sum);
  EXPECT_EQ(answer->Units(0, 4), sum << 40);
  EXPECT_EQ(answer->Time(0, 5).us, kRows - 1);
  EXPECT_EQ(answer->Int64(0, 6), answer->Int64(0, 1));
  EXPECT_EQ(answer->Int64(0, 7), 0);
  EXPECT_LT(source->seen_slots(), 4u);
}

TEST_F(EngineTest, HandsOnTheErrorOfASource) {
  Database database = OpenDatabase();
  Connection connection = Connect(database);
  ASSERT_TRUE(connection
                  .RegisterSource("numbers", NumberColumns(),
                                  std::make_shared<NumberSource>(100'000, 70'000), 2)
                  .has_value());
  Result<Answer> answer = connection.Query("SELECT count(*) FROM numbers()");
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Code::kDataLoss);
  EXPECT_EQ(answer.error().message, "row is broken");
  EXPECT_EQ(answer.error().hint, "mend it");
  EXPECT_EQ(answer.error().place.line, 70'000);
  // The connection goes on.
  EXPECT_TRUE(connection.Query("SELECT 1").has_value());
}

TEST_F(EngineTest, RefusesASecondSourceOfOneName) {
  Database database = OpenDatabase();
  Connection connection = Connect(database);
  auto source = std::make_shared<NumberSource>(1);
  ASSERT_TRUE(connection.RegisterSource("numbers", NumberColumns(), source, 1).has_value());
  EXPECT_FALSE(connection.RegisterSource("numbers", NumberColumns(), source, 1).has_value());
}

// Never ends, and tells when it has begun.
class EndlessSource : public RowSource {
 public:
  Result<int> Fill(int, ChunkWriter& out) override {
    for (int row = 0; row < kChunkRows; ++row) out.SetInt64(0, row, row);
    begun.store(true);
    begun.notify_all();
    return kChunkRows;
  }
  std::atomic<bool> begun{false};
};

TEST_F(EngineTest, InterruptEndsAStatementWithCancelled) {
  Database database = OpenDatabase();
  Connection connection = Connect(database);
  auto source = std::make_shared<EndlessSource>();
  ASSERT_TRUE(connection.RegisterSource("endless", {{"i", ColumnType::kInt64}}, source, 1));
  std::thread other([&] {
    source->begun.wait(false);
    connection.Interrupt();
  });
  Result<Answer> answer = connection.Query("SELECT sum(i) FROM endless()");
  other.join();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Code::kCancelled) << answer.error().message;
}

TEST_F(EngineTest, QuotesForTheFewPlacesWithoutParameters) {
  EXPECT_EQ(QuoteLiteral("it's"), "'it''s'");
  EXPECT_EQ(QuoteIdentifier("a\"b"), "\"a\"\"b\"");
  Database database = OpenDatabase();
  Connection connection = Connect(database);
  Result<Answer> answer =
      connection.Query("SELECT " + QuoteLiteral("'; --\\") + " AS " + QuoteIdentifier("a\";b"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->Text(0, 0), "'; --\\");
  EXPECT_EQ(answer->column_name(0), "a\";b");
}

}  // namespace
}  // namespace flyball::engine
