#include "engine/engine.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include "base/assert.h"
#include "engine/answer.h"
#include "engine/source.h"

namespace flyball::engine {
namespace {

Code CodeOf(duckdb_error_type type) {
  switch (type) {
    case DUCKDB_ERROR_INTERRUPT:
      return Code::kCancelled;
    case DUCKDB_ERROR_OUT_OF_MEMORY:
      return Code::kResourceExhausted;
    case DUCKDB_ERROR_PERMISSION:
      return Code::kPermissionDenied;
    case DUCKDB_ERROR_IO:
      return Code::kUnavailable;
    case DUCKDB_ERROR_CONSTRAINT:
    case DUCKDB_ERROR_TRANSACTION:
      return Code::kFailedPrecondition;
    case DUCKDB_ERROR_OUT_OF_RANGE:
    case DUCKDB_ERROR_CONVERSION:
    case DUCKDB_ERROR_DECIMAL:
      return Code::kOutOfRange;
    case DUCKDB_ERROR_INTERNAL:
      return Code::kInternal;
    case DUCKDB_ERROR_FATAL:  // the database is of no more use, in this process at least
    case DUCKDB_ERROR_SERIALIZATION:
      return Code::kDataLoss;
    default:
      return Code::kInvalidArgument;
  }
}

std::unexpected<Error> FailFrom(duckdb_result* result) {
  const char* raw = duckdb_result_error(result);
  std::string text = raw != nullptr ? raw : "the engine failed";
  Code code = CodeOf(duckdb_result_error_type(result));
  if (code == Code::kUnavailable && text.find("Corrupt database file") != std::string::npos) {
    code = Code::kDataLoss;
  }
  if (code == Code::kUnavailable && text.find("No space left on device") != std::string::npos) {
    constexpr std::string_view kKind = "IO Error: ";
    if (text.starts_with(kKind)) text.erase(0, kKind.size());
    return Fail(Code::kResourceExhausted, std::move(text),
                "free some space on that disk, or choose another folder");
  }
  return Fail(code, std::move(text));
}

// Destroys what the C API hands out.
struct OwnedResult {
  duckdb_result raw{};
  OwnedResult() = default;
  OwnedResult(const OwnedResult&) = delete;
  OwnedResult& operator=(const OwnedResult&) = delete;
  ~OwnedResult() { duckdb_destroy_result(&raw); }
};
struct OwnedStatement {
  duckdb_prepared_statement raw = nullptr;
  OwnedStatement() = default;
  OwnedStatement(const OwnedStatement&) = delete;
  OwnedStatement& operator=(const OwnedStatement&) = delete;
  ~OwnedStatement() { duckdb_destroy_prepare(&raw); }
};

duckdb_hugeint ToHugeint(int128 units) {
  return {static_cast<uint64_t>(units), static_cast<int64_t>(units >> 64)};
}

duckdb_state Bind(duckdb_prepared_statement statement, idx_t index, const Param& param) {
  struct Binder {
    duckdb_prepared_statement statement;
    idx_t index;
    duckdb_state operator()(std::monostate) const { return duckdb_bind_null(statement, index); }
    duckdb_state operator()(int64_t value) const {
      return duckdb_bind_int64(statement, index, value);
    }
    duckdb_state operator()(uint64_t value) const {
      return duckdb_bind_uint64(statement, index, value);
    }
    duckdb_state operator()(const std::string& value) const {
      return duckdb_bind_varchar_length(statement, index, value.data(), value.size());
    }
    duckdb_state operator()(Money value) const {
      return duckdb_bind_decimal(statement, index, {38, Money::scale(), ToHugeint(value.units())});
    }
    duckdb_state operator()(Quantity value) const {
      return duckdb_bind_decimal(statement, index,
                                 {38, Quantity::scale(), ToHugeint(value.units())});
    }
    duckdb_state operator()(Instant value) const {
      return duckdb_bind_timestamp(statement, index, {value.us});
    }
  };
  return std::visit(Binder{statement, index}, param);
}

std::string Absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

// The statements that close the database to the outside; the last one freezes them. Order matters:
// folders can be allowed only while external access is still on.
std::vector<std::string> LockDown(const DatabaseOptions& options) {
  std::string dirs;
  for (const std::string& dir : options.allowed_dirs) {
    if (!dirs.empty()) dirs += ", ";
    dirs += QuoteLiteral(Absolute(dir));
  }
  std::vector<std::string> statements = {
      "SET autoinstall_known_extensions = false",
      "SET autoload_known_extensions = false",
      "SET allow_community_extensions = false",
      "SET allowed_directories = [" + dirs + "]",
      // The operating system caches files already; a second copy would only cost resident memory.
      "SET enable_external_file_cache = false",
      std::string("SET preserve_insertion_order = ") +
          (options.preserve_insertion_order ? "true" : "false"),
  };
  if (!options.temp_dir.empty()) {
    statements.push_back("SET temp_directory = " + QuoteLiteral(Absolute(options.temp_dir)));
  }
  for (const auto& [name, value] : options.settings) {
    statements.push_back("SET " + QuoteIdentifier(name) + " = " + QuoteLiteral(value));
  }
  statements.emplace_back("SET enable_external_access = false");
  statements.emplace_back("SET lock_configuration = true");
  return statements;
}

}  // namespace

struct Database::Impl {
  duckdb_database raw = nullptr;
  std::mutex mutex;
  std::set<std::string> source_names;  // DuckDB would let a second source take over a name
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { duckdb_close(&raw); }
};

struct Connection::Impl {
  std::shared_ptr<Database::Impl> database;  // outlives the connection
  duckdb_connection raw = nullptr;
  std::vector<std::shared_ptr<SourceState>> sources;
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { duckdb_disconnect(&raw); }

  // An error that a source of ours returned says more than DuckDB's copy of its text.
  std::unexpected<Error> FailureOf(duckdb_result* result) {
    for (const auto& source : sources) {
      if (std::optional<Error> error = source->TakeError()) return Fail(std::move(*error));
    }
    return FailFrom(result);
  }
};

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<Answer> Connection::Query(const std::string& sql, const std::vector<Param>& params) {
  OwnedStatement statement;
  if (duckdb_prepare(impl_->raw, sql.c_str(), &statement.raw) == DuckDBError) {
    const char* text = duckdb_prepare_error(statement.raw);
    Code code = Code::kInvalidArgument;
    if (text != nullptr && std::string_view(text).starts_with("Permission Error")) {
      code = Code::kPermissionDenied;
    } else if (text != nullptr && std::string_view(text).starts_with("IO Error")) {
      code = Code::kUnavailable;
    } else if (text != nullptr && std::string_view(text).starts_with("INTERRUPT Error")) {
      code = Code::kCancelled;
    }
    return Fail(code, text != nullptr ? text : "the statement could not be prepared");
  }
  for (size_t i = 0; i < params.size(); ++i) {
    if (Bind(statement.raw, i + 1, params[i]) == DuckDBError) {
      return Fail(Code::kInvalidArgument, fmt::format("parameter {} could not be bound", i + 1));
    }
  }
  OwnedResult result;
  if (duckdb_execute_prepared(statement.raw, &result.raw) == DuckDBError) {
    return impl_->FailureOf(&result.raw);
  }
  Answer answer;
  answer.impl_ = FB_TRY(Answer::Impl::Read(&result.raw));
  return answer;
}

Status Connection::Execute(const std::string& sql) {
  OwnedResult result;
  if (duckdb_query(impl_->raw, sql.c_str(), &result.raw) == DuckDBError) {
    return impl_->FailureOf(&result.raw);
  }
  return {};
}

Status Connection::RegisterSource(const std::string& name, std::vector<ColumnSpec> columns,
                                  std::shared_ptr<RowSource> source, int max_threads) {
  {
    std::lock_guard lock(impl_->database->mutex);
    if (!impl_->database->source_names.insert(name).second) {
      return Fail(Code::kAlreadyExists, "there is a row source '" + name + "' already");
    }
  }
  auto state = std::make_shared<SourceState>();
  state->columns = std::move(columns);
  state->source = std::move(source);
  state->max_threads = max_threads;
  FB_CHECK(RegisterTableFunction(impl_->raw, name, state));
  impl_->sources.push_back(std::move(state));
  return {};
}

void Connection::Interrupt() { duckdb_interrupt(impl_->raw); }

Database::Database(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::Open(const DatabaseOptions& options) {
  duckdb_config config = nullptr;
  if (duckdb_create_config(&config) == DuckDBError) {
    return Fail(Code::kResourceExhausted, "the engine's configuration could not be made");
  }
  int threads = options.threads;
  if (threads <= 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  duckdb_set_config(config, "threads", std::to_string(threads).c_str());
  duckdb_set_config(config, "memory_limit", fmt::format("{}B", options.memory_bytes).c_str());
  duckdb_set_config(config, "access_mode", options.read_only ? "READ_ONLY" : "AUTOMATIC");
  auto impl = std::make_shared<Impl>();
  char* text = nullptr;
  duckdb_state opened = duckdb_open_ext(options.path.empty() ? nullptr : options.path.c_str(),
                                        &impl->raw, config, &text);
  duckdb_destroy_config(&config);
  if (opened == DuckDBError) {
    std::string why = text != nullptr ? text : "unknown reason";
    duckdb_free(text);
    Error error{Code::kUnavailable, "the database cannot be opened: " + why, {}, {}};
    return Fail(std::move(error).At(Place{options.path, 0, 0, 0}));
  }
  Database database(std::move(impl));
  Connection connection = FB_TRY(database.Connect());
  for (const std::string& statement : LockDown(options)) {
    FB_CHECK(connection.Execute(statement));
  }
  return database;
}

Result<Connection> Database::Connect() {
  auto impl = std::make_unique<Connection::Impl>();
  impl->database = impl_;
  if (duckdb_connect(impl_->raw, &impl->raw) == DuckDBError) {
    return Fail(Code::kResourceExhausted, "the engine gives no further connection");
  }
  return Connection(std::move(impl));
}

std::string QuoteLiteral(std::string_view text) {
  FB_ASSERT(text.find('\0') == std::string_view::npos);
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

std::string QuoteIdentifier(std::string_view name) {
  FB_ASSERT(name.find('\0') == std::string_view::npos);
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace flyball::engine
