// Statements that write what Flyball then reads: the estate, raw bills, and bills made from a few
// columns.
#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "engine/engine.h"
#include "rates/exchange_store.h"
#include "world.h"

namespace flyball::cases {
namespace {

using Row = std::map<std::string, std::string>;

bool HasArg(const Statement& statement, std::string_view arg) {
  return std::find(statement.args.begin(), statement.args.end(), arg) != statement.args.end();
}

std::string ArgValue(const Statement& statement, std::string_view key, std::string fallback) {
  for (const std::string& arg : statement.args) {
    if (arg.starts_with(key)) return arg.substr(key.size());
  }
  return fallback;
}

Result<std::string> FirstArg(const Statement& statement) {
  if (statement.args.empty())
    return Fail(Code::kInvalidArgument, statement.verb + ": the name of the file is missing");
  return statement.args.front();
}

std::string JoinLines(const std::vector<std::string>& lines, std::string_view end) {
  std::string text;
  for (const std::string& line : lines) {
    text += line;
    text += end;
  }
  return text;
}

// \xHH, \n, \r, \t and \\ inside a block marked `escaped`, for bytes that a text file cannot show.
Result<std::string> Unescape(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    char kind = ++i < text.size() ? text[i] : '\0';
    if (kind == 'x' && i + 2 < text.size()) {
      bytes += static_cast<char>(strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
      i += 2;
    } else if (std::string_view("nrt\\").contains(kind)) {
      bytes += kind == 'n' ? '\n' : kind == 'r' ? '\r' : kind == 't' ? '\t' : '\\';
    } else {
      return Fail(Code::kInvalidArgument, "bill: an unknown escape in an `escaped` text");
    }
  }
  return bytes;
}

std::string Gzip(const std::string& text) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
  return out;
}

// Writes the bytes as the words behind the name say: gzip, zstd, truncated (the last third is cut
// off).
Status WriteInput(World& world, const Statement& statement, std::string bytes) {
  std::string name = FB_TRY(FirstArg(statement));
  if (HasArg(statement, "gzip")) bytes = Gzip(bytes);
  if (HasArg(statement, "zstd")) bytes = Zstd(bytes);
  if (HasArg(statement, "truncated")) bytes.resize(bytes.size() * 2 / 3);
  return os::AtomicWrite(world.files(), world.InputPath(name), bytes);
}

void SetDefault(Row* row, const std::string& column, const std::string& value) {
  row->try_emplace(column, value);
}

std::string Get(const Row& row, const std::string& column) {
  auto found = row.find(column);
  return found == row.end() ? "" : found->second;
}

std::string MonthOf(const std::string& instant) { return instant.substr(0, sizeof("2026-01") - 1); }

// One hour behind, or one month behind, an instant that is written as FOCUS wants it.
std::string After(const std::string& instant, bool month) {
  ParsedInstant parsed;
  if (!ParseInstant(instant, &parsed)) return instant;
  if (month) return FormatInstant(AddMonths(FloorMonth(parsed.instant), 1));
  return FormatInstant({parsed.instant.us + kMicrosPerHour});
}

// Whatever a row of `charges` leaves open is filled so that it is a plain, valid charge of FOCUS:
// one hour of an EC2 machine, on the first of January 2026, in USD, free; all four costs are equal,
// and the billing period is the month.
void FillRow(const std::string& version, Row* row) {
  SetDefault(row, "ChargePeriodStart", "2026-01-01T00:00:00Z");
  SetDefault(row, "ChargePeriodEnd", After(Get(*row, "ChargePeriodStart"), false));
  SetDefault(row, "BillingPeriodStart", MonthOf(Get(*row, "ChargePeriodStart")) + "-01T00:00:00Z");
  SetDefault(row, "BillingPeriodEnd", After(Get(*row, "BillingPeriodStart"), true));
  SetDefault(row, "BilledCost", "0");
  for (const char* cost : {"EffectiveCost", "ListCost", "ContractedCost"})
    SetDefault(row, cost, Get(*row, "BilledCost"));
  for (const auto& [column, value] : std::initializer_list<std::pair<const char*, const char*>>{
           {"BillingAccountId", "acct-1"},
           {"BillingAccountName", "Account 1"},
           {"BillingCurrency", "USD"},
           {"ChargeCategory", "Usage"},
           {"ChargeClass", ""},
           {"ChargeDescription", "one hour"},
           {"ChargeFrequency", "Usage-Based"},
           {"InvoiceIssuerName", "AWS"},
           {"PricingQuantity", "1"},
           {"PricingUnit", "Hours"},
           {"ConsumedQuantity", "1"},
           {"ConsumedUnit", "Hours"},
           {"ServiceCategory", "Compute"},
           {"ServiceName", "Amazon Elastic Compute Cloud"}}) {
    SetDefault(row, column, value);
  }
  if (version >= "1.3") {
    SetDefault(row, "ServiceProviderName", "AWS");
    SetDefault(row, "HostProviderName", Get(*row, "ServiceProviderName"));
  }
  if (version <= "1.3") {  // the last that has these two
    bool has_service_provider = row->contains("ServiceProviderName");
    SetDefault(row, "ProviderName",
               has_service_provider ? Get(*row, "ServiceProviderName") : "AWS");
    SetDefault(row, "PublisherName", Get(*row, "ProviderName"));
  }
}

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string ToCsv(const std::vector<Row>& rows) {
  std::string text;
  bool first = true;
  for (const auto& [column, value] : rows.front()) {
    if (!std::exchange(first, false)) text += ',';
    text += CsvField(column);
  }
  text += '\n';
  for (const Row& row : rows) {
    first = true;
    for (const auto& [column, value] : row) {
      if (!std::exchange(first, false)) text += ',';
      text += CsvField(value);
    }
    text += '\n';
  }
  return text;
}

// Costs and quantities as numbers, JSON columns as JSON, the rest as text, an empty value as null.
std::string ToJsonl(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    bool first = true;
    text += '{';
    for (const auto& [column, value] : row) {
      if (!std::exchange(first, false)) text += ',';
      AppendJsonString(column, &text);
      text += ':';
      bool bare =
          column.ends_with("Cost") || column.ends_with("Quantity") || value.starts_with('{');
      if (value.empty()) {
        text += "null";
      } else if (bare) {
        text += value;
      } else {
        AppendJsonString(value, &text);
      }
    }
    text += "}\n";
  }
  return text;
}

// Costs as DECIMAL(38,12), instants as TIMESTAMP, an empty value as null: what a careful exporter
// writes.
Status WriteParquet(World& world, const std::string& path, const std::vector<Row>& rows) {
  std::string csv = path + ".csv";
  FB_CHECK(os::AtomicWrite(world.files(), csv, ToCsv(rows)));
  engine::DatabaseOptions options;
  options.threads = 1;
  options.temp_dir = world.OutsidePath("in");
  options.allowed_dirs = {world.OutsidePath("in")};
  engine::Database database = FB_TRY(engine::Database::Open(options));
  engine::Connection connection = FB_TRY(database.Connect());
  std::string columns;
  for (const auto& [column, value] : rows.front()) {
    std::string name = engine::QuoteIdentifier(column);
    if (!columns.empty()) columns += ", ";
    if (column.ends_with("Cost")) {
      columns += "CAST(" + name + " AS DECIMAL(38,12)) AS " + name;
    } else if (column.ends_with("Start") || column.ends_with("End")) {
      columns += "CAST(" + name + " AS TIMESTAMP) AS " + name;
    } else {
      columns += name;
    }
  }
  FB_CHECK(connection.Execute(
      "COPY (SELECT " + columns + " FROM read_csv(" + engine::QuoteLiteral(csv) +
      ", header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')) TO " +
      engine::QuoteLiteral(path) + " (FORMAT PARQUET)"));
  return world.files().Remove(csv);
}

}  // namespace

Result<Outcome> WriteEstate(World& world, const Statement& statement) {
  std::string name = statement.args.empty() ? "estate.yaml" : statement.args.front();
  FB_CHECK(
      os::AtomicWrite(world.files(), world.Home() + "/" + name, JoinLines(statement.block, "\n")));
  return Outcome{};
}

Result<Outcome> WriteBill(World& world, const Statement& statement) {
  std::string text = JoinLines(statement.block, HasArg(statement, "crlf") ? "\r\n" : "\n");
  if (HasArg(statement, "no-last-newline")) text.pop_back();
  if (HasArg(statement, "escaped")) text = FB_TRY(Unescape(text));
  if (HasArg(statement, "bom")) text.insert(0, "\xEF\xBB\xBF");
  FB_CHECK(WriteInput(world, statement, std::move(text)));
  return Outcome{};
}

// exchange: a file of exchange rates, imported at once.
Result<Outcome> ImportRates(World& world, const Statement& statement) {
  rates::ExchangeStore store(world.files(), world.Home());
  FB_CHECK(store.Add(JoinLines(statement.block, "\n"), world.clock().Now()));
  return Outcome{};
}

Result<Outcome> WriteCharges(World& world, const Statement& statement) {
  if (statement.block.size() < 2)
    return Fail(Code::kInvalidArgument, "charges: a line of columns and one of values at least");
  std::vector<std::string> columns = SplitCells(statement.block.front());
  std::vector<Row> rows;
  for (size_t i = 1; i < statement.block.size(); ++i) {
    std::vector<std::string> cells = SplitCells(statement.block[i]);
    if (cells.size() != columns.size()) {
      return Fail(Code::kInvalidArgument, "charges: line " + std::to_string(i + 1) +
                                              " of the block has " + std::to_string(cells.size()) +
                                              " values, not " + std::to_string(columns.size()));
    }
    Row row;
    for (size_t c = 0; c < columns.size(); ++c) row[columns[c]] = cells[c];
    FillRow(ArgValue(statement, "version=", "1.0"), &row);
    rows.push_back(std::move(row));
  }
  std::string name = FB_TRY(FirstArg(statement));
  if (name.ends_with(".parquet")) {
    FB_CHECK(WriteParquet(world, world.InputPath(name), rows));
    return Outcome{};
  }
  bool jsonl = name.find(".jsonl") != std::string::npos;
  FB_CHECK(WriteInput(world, statement, jsonl ? ToJsonl(rows) : ToCsv(rows)));
  return Outcome{};
}

}  // namespace flyball::cases
