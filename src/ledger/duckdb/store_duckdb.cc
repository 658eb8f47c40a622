// The DuckDB store: one database file, home/store/store.duckdb, beside the slices that it reads.
#include <filesystem>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>

#include "base/log.h"
#include "engine/supervisor.h"
#include "ledger/compile.h"
#include "ledger/duckdb/assigner.h"
#include "ledger/duckdb/deriver.h"
#include "ledger/duckdb/schema.h"
#include "ledger/duckdb/verify.h"
#include "ledger/gated_mutex.h"
#include "ledger/slice_writer.h"
#include "ledger/store.h"
#include "model/charge.h"
#include "model/dimension.h"

namespace flyball::ledger {
namespace {

using engine::Answer;
using engine::Connection;
using engine::Database;
using engine::QuoteLiteral;

// A store holds little in memory; the slices lie in the system's file cache.
constexpr uint64_t kStoreMemoryMaxBytes = 1ull << 30;

// Ends a transaction that was not committed.
class Transaction {
 public:
  static Result<Transaction> Begin(Connection& connection) {
    FB_CHECK(connection.Execute("BEGIN TRANSACTION"));
    return Transaction(connection);
  }
  Transaction(Transaction&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction() {
    if (connection_ == nullptr) return;
    if (Status ended = connection_->Execute("ROLLBACK"); !ended) {
      log::Debug("a transaction could not be rolled back", {{"why", ended.error().message}});
    }
  }
  Status Commit() {
    Status committed = connection_->Execute("COMMIT");
    if (committed) connection_ = nullptr;
    return committed;
  }

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

class DuckStore : public Store {
 public:
  DuckStore(const StoreOptions& options, RuleBooks& books, engine::Supervisor& supervisor,
            Database database, Connection writer, std::unique_ptr<Assigner> assigner)
      : layout_(options.layout),
        books_(books),
        supervisor_(supervisor),
        database_(std::move(database)),
        writer_(std::move(writer)),
        assigner_(std::move(assigner)) {}

  Status Start();
  Status BringTo(const History& history) override;
  int64_t Applied() const override { return applied_.load(); }
  Status Admit(const std::vector<std::string>& staged_slice_dirs) override;
  Result<QueryAnswer> Query(const CostQuery& query, const History& history,
                            ReadFrom read_from) override;
  Result<RowsPage> Rows(const CostQuery& query, const History& history, int64_t offset,
                        int64_t limit) override;
  Result<Exported> Export(const ExportRequest& request, const History& history) override;
  Result<std::vector<std::string>> Verify(const Folder& folder) override;

 private:
  // Connections are made once and used again.
  Result<Connection> Borrow();
  void GiveBack(Connection connection);

  // What a question reads, fixed by its transaction.
  struct Reading {
    Scope scope;
    std::string commit;
    Standing standing;
  };
  Result<Reading> Prepare(Connection& connection, const CostQuery& query, const History& history);
  Result<std::string> AssignedTable(const std::string& rules);
  template <typename T, typename Ask>
  Result<T> Asking(const CostQuery& query, const History& history, Ask ask);

  const Layout layout_;
  RuleBooks& books_;
  engine::Supervisor& supervisor_;
  Database database_;
  std::mutex writer_mutex_;
  Connection writer_;
  std::unique_ptr<Assigner> assigner_;
  std::atomic<int64_t> applied_{0};

  std::mutex idle_mutex_;
  std::vector<Connection> idle_;
  // Tables of older rulebooks: held shared while one is read, alone while they are made or dropped.
  GatedMutex older_rules_mutex_;
  std::vector<std::string> older_rules_;
};

std::string AssignedName(const std::string& rules) {
  constexpr size_t kDigits = 16;
  return std::string(kAssignedTable) + "_" + rules.substr(0, kDigits);
}

SlicePlace PlaceOf(const Layout& layout, const Folder& folder) {
  SlicePlace place{folder.source(), layout.FolderDir(folder), {}, {}};
  for (const SliceFile& file : folder.files()) {
    if (IsPart(file)) place.parts.push_back(file.name);
  }
  if (!folder.partial()) return place;
  for (const Slice* slice : folder.wanted) place.months.push_back(PeriodStart(*slice));
  return place;
}

Status DuckStore::Start() {
  Answer left = FB_TRY(writer_.Query(
      "SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, 'assigned_')"));
  for (int64_t row = 0; row < left.row_count(); ++row) {
    FB_CHECK(writer_.Execute("DROP TABLE " + engine::QuoteIdentifier(left.Text(row, 0))));
  }
  ledger::Applied applied = FB_TRY(ReadApplied(writer_));
  applied_.store(applied.sequence);
  return {};
}

Result<Connection> DuckStore::Borrow() {
  {
    std::lock_guard lock(idle_mutex_);
    if (!idle_.empty()) {
      Connection connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return database_.Connect();
}

void DuckStore::GiveBack(Connection connection) {
  constexpr size_t kIdleMax = 16;
  std::lock_guard lock(idle_mutex_);
  if (idle_.size() < kIdleMax) idle_.push_back(std::move(connection));
}

Status DuckStore::BringTo(const History& history) {
  std::lock_guard lock(writer_mutex_);
  const Commit* head = history.Head();
  ledger::Applied applied = FB_TRY(ReadApplied(writer_));
  if (head != nullptr && applied.sequence == head->sequence && applied.commit == head->id) {
    return {};
  }
  {
    Deriver deriver(writer_, layout_, books_, *assigner_);
    Transaction transaction = FB_TRY(Transaction::Begin(writer_));
    FB_CHECK(deriver.BringTo(history));
    std::unique_lock<GatedMutex> alone(older_rules_mutex_, std::defer_lock);
    if (deriver.loaded_signatures()) {
      // They lack the new signatures; the next question about an older rulebook makes them again.
      alone.lock();
      for (const std::string& table : older_rules_) {
        FB_CHECK(writer_.Execute("DROP TABLE IF EXISTS " + table));
      }
    }
    FB_CHECK(transaction.Commit());
    if (alone.owns_lock()) older_rules_.clear();
    applied_.store(history.head_sequence());
  }
  // Fails while questions run; the next one, or the end of the program, makes up for it.
  if (Status checkpoint = writer_.Execute("CHECKPOINT"); !checkpoint) {
    log::Debug("no checkpoint now", {{"why", checkpoint.error().message}});
  }
  return {};
}

Status DuckStore::Admit(const std::vector<std::string>& staged_slice_dirs) {
  if (staged_slice_dirs.empty()) return {};
  std::string files;
  for (const std::string& dir : staged_slice_dirs) {
    if (!files.empty()) files += ", ";
    files += QuoteLiteral(os::JoinPath(dir, kSignaturesFile));
  }
  Connection connection = FB_TRY(Borrow());
  std::string columns = SignatureColumnList();
  std::string known = applied_.load() == 0
                          ? ""
                          : " UNION ALL SELECT id, hash(" + columns +
                                ") FROM signature WHERE id IN (SELECT x_Signature FROM staged)";
  Answer clash = FB_TRY(
      connection.Query("WITH staged AS MATERIALIZED (SELECT x_Signature, hash(" + columns +
                       ") AS second_hash FROM read_parquet([" + files +
                       "], hive_partitioning = false)) SELECT x_Signature FROM (SELECT * FROM"
                       " staged" +
                       known + ") GROUP BY 1 HAVING min(second_hash) <> max(second_hash) LIMIT 1"));
  bool clashes = clash.row_count() > 0;
  uint64_t id = clashes ? clash.Uint64(0, 0) : 0;
  GiveBack(std::move(connection));
  if (!clashes) return {};
  return Fail(Code::kDataLoss, fmt::format("two different signatures have the id {}", id),
              "nothing was imported; report this with the file");
}

Result<std::string> DuckStore::AssignedTable(const std::string& rules) {
  constexpr size_t kOlderRulesMax = 4;
  std::string name = AssignedName(rules);
  {
    std::shared_lock lock(older_rules_mutex_);
    if (std::ranges::find(older_rules_, name) != older_rules_.end()) return name;
  }
  auto book = FB_TRY(books_.Get(rules));
  // The writer's lock keeps new signatures out while the table is filled.
  std::lock_guard writing(writer_mutex_);
  std::unique_lock lock(older_rules_mutex_);
  if (std::ranges::find(older_rules_, name) != older_rules_.end()) return name;
  Transaction transaction = FB_TRY(Transaction::Begin(writer_));
  if (older_rules_.size() >= kOlderRulesMax) {
    FB_CHECK(writer_.Execute("DROP TABLE " + older_rules_.front()));
  }
  FB_CHECK(writer_.Execute(CreateAssigned(name)));
  {
    engine::Supervisor::Watch watch = FB_TRY(supervisor_.Over(writer_));
    Status filled = assigner_->Fill(writer_, name, 0, *book);
    if (Status why = watch.LetGo(); !why && !filled) return Fail(std::move(why).error());
    FB_CHECK(filled);
  }
  FB_CHECK(transaction.Commit());
  if (older_rules_.size() >= kOlderRulesMax) older_rules_.erase(older_rules_.begin());
  older_rules_.push_back(name);
  return name;
}

Result<DuckStore::Reading> DuckStore::Prepare(Connection& connection, const CostQuery& query,
                                              const History& history) {
  ledger::Applied applied = FB_TRY(ReadApplied(connection));
  if (applied.sequence > history.head_sequence()) {
    return Fail(Code::kAborted, "a commit came in between");
  }
  Reading reading;
  if (applied.sequence == 0) return reading;
  int64_t sequence = applied.sequence;
  if (!query.as_of.empty()) sequence = FB_TRY(history.Find(query.as_of))->sequence;
  if (sequence > applied.sequence) {
    return Fail(Code::kUnavailable,
                fmt::format("the store has been brought to commit {} only", applied.sequence),
                "try again, or run `flyball rebuild`");
  }
  const Commit& commit = history.At(sequence);
  reading.commit = commit.id;
  std::vector<const Slice*> live = history.LiveAt(sequence);
  reading.standing = {live == history.LiveAt(applied.sequence), commit.rules == applied.rules};
  if (commit.rules != applied.rules) reading.scope.assigned = AssignedName(commit.rules);
  for (const Folder& folder : history.FoldersOf(live)) {
    if (SourcePasses(query, folder.source())) {
      reading.scope.slices.push_back(PlaceOf(layout_, folder));
    }
  }
  return reading;
}

// Runs `ask(connection, reading)` in one transaction, with the tables that it reads made first.
template <typename T, typename Ask>
Result<T> DuckStore::Asking(const CostQuery& query, const History& history, Ask ask) {
  Connection connection = FB_TRY(Borrow());
  Result<T> answer = [&]() -> Result<T> {
    if (!query.as_of.empty()) {
      const Commit* commit = FB_TRY(history.Find(query.as_of));
      const int64_t applied = std::min(applied_.load(), history.head_sequence());
      if (applied > 0 && history.At(applied).rules != commit->rules) {
        FB_TRY(AssignedTable(commit->rules));
      }
    }
    std::shared_lock older(older_rules_mutex_);
    Transaction transaction = FB_TRY(Transaction::Begin(connection));
    Reading reading = FB_TRY(Prepare(connection, query, history));
    if (reading.scope.assigned != kAssignedTable &&
        std::ranges::find(older_rules_, reading.scope.assigned) == older_rules_.end()) {
      return Fail(Code::kAborted, "a commit came in between");
    }
    engine::Supervisor::Watch watch = FB_TRY(supervisor_.Over(connection));
    Result<T> asked = ask(connection, reading);
    if (Status why = watch.LetGo(); !why && !asked) return Fail(std::move(why).error());
    FB_CHECK(transaction.Commit());
    return asked;
  }();
  GiveBack(std::move(connection));
  return answer;
}

Status AddTo(std::vector<int128>* totals, const std::vector<int128>& measures) {
  totals->resize(measures.size());
  for (size_t i = 0; i < measures.size(); ++i) {
    Money sum = FB_TRY(Money::FromUnits((*totals)[i]).Plus(Money::FromUnits(measures[i])));
    (*totals)[i] = sum.units();
  }
  return {};
}

// See CompileQuery for the columns of the result.
Result<QueryAnswer> ReadQueryAnswer(const CostQuery& query, const Answer& result) {
  QueryAnswer answer;
  const std::vector<std::string> dimensions = AnswerDimensions(query);
  const bool has_period = query.grain != Grain::kNone;
  if (has_period) answer.columns.emplace_back("period");
  answer.columns.insert(answer.columns.end(), dimensions.begin(), dimensions.end());
  answer.measures = query.measures;
  if (result.row_count() > kQueryMaxRows) {
    return Fail(Code::kOutOfRange, fmt::format("the answer has more than {} rows", kQueryMaxRows),
                "ask for the top, for fewer dimensions, a coarser grain or a shorter time");
  }
  const int other_column = has_period ? 1 : 0;
  const int first_dimension = other_column + 2;
  const int first_measure = first_dimension + static_cast<int>(dimensions.size()) + 1;
  answer.rows.reserve(static_cast<size_t>(result.row_count()));
  std::optional<Instant> period;  // rows come by period: a label serves many
  std::string label;
  for (int64_t i = 0; i < result.row_count(); ++i) {
    AnswerRow& row = answer.rows.emplace_back();
    row.dimensions.reserve(answer.columns.size());
    row.measures.reserve(answer.measures.size());
    if (has_period) {
      const Instant start = result.Time(i, 0);
      if (period != start) label = PeriodLabel(query.grain, start);
      period = start;
      row.dimensions.push_back(label);
    }
    row.currency = result.Text(i, other_column + 1);
    for (int d = 0; d < static_cast<int>(dimensions.size()); ++d) {
      row.dimensions.emplace_back(result.Text(i, first_dimension + d));
    }
    for (int m = 0; m < static_cast<int>(query.measures.size()); ++m) {
      row.measures.push_back(result.Units(i, first_measure + m));
    }
    FB_CHECK(AddTo(&answer.totals[row.currency], row.measures));
  }
  return answer;
}

Result<QueryAnswer> DuckStore::Query(const CostQuery& query, const History& history,
                                     ReadFrom read_from) {
  FB_CHECK(Validate(query));
  auto ask = [&](Connection& connection, Reading& reading) -> Result<QueryAnswer> {
    Level level = LevelFor(query, reading.standing, read_from);
    reading.scope.level = level;
    Answer result;
    if (!reading.scope.slices.empty()) {
      Compiled compiled = CompileQuery(query, reading.scope);
      result = FB_TRY(connection.Query(compiled.sql, compiled.params));
    }
    QueryAnswer answer = FB_TRY(ReadQueryAnswer(query, result));
    answer.commit = reading.commit;
    answer.query_hash = QueryHash(query);
    answer.read_from = LevelName(level);
    return answer;
  };
  return Asking<QueryAnswer>(query, history, ask);
}

// The columns of an answer without a slice.
std::vector<std::string> PlainColumns() {
  std::vector<std::string> columns;
  for (const ColumnSpec& column : charge::Columns()) columns.push_back(column.name);
  columns.emplace_back("source");
  for (const auto& each : dimension::RuleDimensions()) columns.emplace_back(each.name);
  return columns;
}

// Further x_ columns of the input appear where a charge of the page has a value in them: which
// files the charges lie in does not show.
void FillPage(const Answer& result, RowsPage* page) {
  std::vector<int> shown;
  for (int c = 0; c < result.column_count(); ++c) {
    const std::string_view name = result.column_name(c);
    bool shows = !name.starts_with("x_") || charge::IndexOf(name) >= 0;
    for (int64_t row = 0; !shows && row < result.row_count(); ++row) shows = !result.IsNull(row, c);
    if (shows) shown.push_back(c);
  }
  page->columns.clear();
  for (int c : shown) page->columns.emplace_back(result.column_name(c));
  for (int64_t row = 0; row < result.row_count(); ++row) {
    auto& cells = page->rows.emplace_back();
    for (int c : shown) {
      cells.push_back(result.IsNull(row, c) ? std::nullopt
                                            : std::optional<std::string>(result.AnyText(row, c)));
    }
  }
}

Result<RowsPage> DuckStore::Rows(const CostQuery& query, const History& history, int64_t offset,
                                 int64_t limit) {
  auto ask = [&](Connection& connection, Reading& reading) -> Result<RowsPage> {
    RowsPage page;
    page.commit = reading.commit;
    page.columns = PlainColumns();
    if (reading.scope.slices.empty()) return page;
    reading.scope.level = LevelFor(query, reading.standing, ReadFrom::kCube);
    Compiled count = CompileCount(query, reading.scope);
    page.total = FB_TRY(connection.Query(count.sql, count.params)).Int64(0, 0);
    if (page.total <= offset || limit == 0) return page;
    Compiled compiled = CompilePlaces(query, reading.scope, offset, limit);
    Answer found = FB_TRY(connection.Query(compiled.sql, compiled.params));
    std::vector<ChargePlace> places;
    for (int64_t row = 0; row < found.row_count(); ++row) {
      places.push_back({std::string(found.Text(row, 0)), found.Int64(row, 1)});
    }
    compiled = CompileCharges(reading.scope, places);
    Answer result = FB_TRY(connection.Query(compiled.sql, compiled.params));
    FillPage(result, &page);
    return page;
  };
  return Asking<RowsPage>(query, history, ask);
}

// What the file has of its columns: those that are asked for, and of the others those with a value.
Result<std::vector<ExportColumn>> ColumnsWithValues(Connection& connection, const Scope& scope,
                                                    const ExportRequest& request) {
  Compiled compiled = CompilePartColumns(scope);
  const Answer parts = FB_TRY(connection.Query(compiled.sql, compiled.params));
  std::set<std::string> present;
  for (int c = 0; c < parts.column_count(); ++c) present.emplace(parts.column_name(c));
  std::vector<ExportColumn> columns = ExportColumns(request, present);
  compiled = CompileValueCounts(request.query, scope, columns);
  const Answer counts = FB_TRY(connection.Query(compiled.sql, compiled.params));
  if (counts.Int64(0, 0) == 0) {
    return Fail(Code::kNotFound, "there is no charge to export",
                "ask for a longer time, or with fewer filters");
  }
  std::vector<ExportColumn> kept;
  for (size_t i = 0; i < columns.size(); ++i) {
    const bool any = counts.Int64(0, static_cast<int>(i) + 1) > 0;
    if (any || !columns[i].optional) kept.push_back(std::move(columns[i]));
  }
  return kept;
}

Result<Exported> DuckStore::Export(const ExportRequest& request, const History& history) {
  auto ask = [&](Connection& connection, Reading& reading) -> Result<Exported> {
    if (reading.scope.slices.empty()) {
      return Fail(Code::kNotFound, "there is no charge to export", "import a bill first");
    }
    const std::vector<ExportColumn> columns =
        FB_TRY(ColumnsWithValues(connection, reading.scope, request));
    const Compiled compiled = CompileExport(request, reading.scope, columns);
    const Answer written = FB_TRY(connection.Query(compiled.sql, compiled.params));
    Exported exported;
    exported.rows = written.Int64(0, 0);
    exported.commit = reading.commit;
    for (const ExportColumn& column : columns) exported.columns.push_back(column.name);
    return exported;
  };
  return Asking<Exported>(request.query, history, ask);
}

Result<std::vector<std::string>> DuckStore::Verify(const Folder& folder) {
  Connection connection = FB_TRY(Borrow());
  Result<std::vector<std::string>> faults = VerifyFolder(connection, layout_, folder);
  GiveBack(std::move(connection));
  return faults;
}

Result<std::unique_ptr<DuckStore>> OpenOnce(const StoreOptions& options, RuleBooks& books,
                                            engine::Supervisor& supervisor) {
  engine::DatabaseOptions database_options;
  database_options.path = os::JoinPath(options.layout.Store(), "store.duckdb");
  database_options.memory_bytes = std::min(options.memory_bytes, kStoreMemoryMaxBytes);
  database_options.threads = options.threads;
  database_options.temp_dir = os::JoinPath(options.layout.Store(), "spill");
  database_options.allowed_dirs = {options.layout.Slices(), options.layout.Store(),
                                   options.layout.Tmp()};
  Database database = FB_TRY(Database::Open(database_options));
  Connection writer = FB_TRY(database.Connect());
  int threads = options.threads > 0
                    ? options.threads
                    : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  std::unique_ptr<Assigner> assigner = FB_TRY(Assigner::Make(writer, threads));
  auto store = std::make_unique<DuckStore>(options, books, supervisor, std::move(database),
                                           std::move(writer), std::move(assigner));
  FB_CHECK(store->Start());
  return store;
}

}  // namespace

Result<std::unique_ptr<Store>> OpenDuckStore(const StoreOptions& options, RuleBooks& books,
                                             engine::Supervisor& supervisor) {
  Result<std::unique_ptr<DuckStore>> store = OpenOnce(options, books, supervisor);
  if (store) return std::unique_ptr<Store>(std::move(*store));
  // Nothing in it cannot be derived again.
  log::Warn("the store cannot be opened and is derived again", {{"why", store.error().message}});
  std::error_code ignored;
  std::filesystem::remove_all(options.layout.Store(), ignored);
  std::filesystem::create_directories(options.layout.Store(), ignored);
  return std::unique_ptr<Store>(FB_TRY(OpenOnce(options, books, supervisor)));
}

}  // namespace flyball::ledger
