// StageImport: from files to a staged set of slices. Everything up to, but not including, the
// commit.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>

#include "base/assert.h"
#include "base/hash.h"
#include "base/text.h"
#include "ingest/adapter.h"
#include "ingest/budget.h"
#include "ingest/import.h"
#include "ingest/inputs.h"
#include "ingest/parquet_input.h"
#include "ingest/quarantine.h"
#include "ingest/reconcile.h"
#include "ingest/source.h"
#include "ledger/slice_writer.h"
#include "model/charge.h"

namespace flyball::ingest {
namespace {

using engine::Connection;
using engine::QuoteIdentifier;
using engine::QuoteLiteral;

constexpr size_t kFilesMax = 10'000;
constexpr char kSourceName[] = "flyball_import";
constexpr char kMonthColumn[] = "flyball_month";

// A name that can stand as a folder: letters, digits, '.', '-', '_'; anything else becomes '-'.
std::string MakePlain(std::string_view name) {
  std::string plain;
  for (char c : name) {
    bool keep = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                c == '.' || c == '-' || c == '_';
    plain.push_back(keep ? c : '-');
  }
  plain.resize(std::min<size_t>(plain.size(), 100));
  while (plain.starts_with('.')) plain.erase(0, 1);
  return plain.empty() ? "import" : plain;
}

Result<std::string> SourceName(const ImportOptions& options) {
  if (!options.source.empty()) {
    if (os::IsPlainName(options.source) && !options.source.starts_with('.')) return options.source;
    return Fail(Code::kInvalidArgument, "the source name '" + options.source + "' is not plain",
                "use letters, digits, '.', '-' and '_'");
  }
  std::string_view name = options.files.front();
  name.remove_prefix(name.find_last_of('/') + 1);
  for (bool cut = true; cut;) {
    cut = false;
    for (std::string_view ending :
         {".gz", ".zst", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet"}) {
      if (name.size() > ending.size() && ToLower(name).ends_with(ending)) {
        name.remove_suffix(ending.size());
        cut = true;
      }
    }
  }
  return MakePlain(name);
}

Result<std::vector<Input>> OpenInputs(const ImportOptions& options) {
  if (options.files.empty()) {
    return Fail(Code::kInvalidArgument, "no file to import was named", "flyball import FILE...");
  }
  if (options.files.size() > kFilesMax) {
    return Fail(Code::kInvalidArgument,
                "more than " + std::to_string(kFilesMax) + " files were named at once");
  }
  std::vector<Input> inputs;
  for (const std::string& path : options.files) {
    inputs.push_back(FB_TRY(OpenInput(path, options.format)));
  }
  return inputs;
}

uint64_t TotalBytes(const std::vector<Input>& inputs) {
  uint64_t total = 0;
  for (const Input& input : inputs) total += input.file->size();
  return total;
}

Status ScanInputs(std::vector<Input>* inputs, Progress* progress) {
  uint64_t before = 0;
  for (Input& input : *inputs) {
    FB_CHECK(ScanInput(&input, progress, before));
    before += input.file->size();
  }
  std::set<std::string> seen;
  for (const Input& input : *inputs) {
    if (seen.insert(input.sha256).second) continue;
    return Fail(Code::kInvalidArgument,
                "'" + input.file->path() + "' has the same content as another file of this import",
                "name each file once");
  }
  return {};
}

// Of one file its own hash; of several the hash of their hashes, in whatever order they were named.
std::string ContentHash(const std::vector<Input>& inputs) {
  if (inputs.size() == 1) return inputs.front().sha256;
  std::vector<std::string> hashes;
  for (const Input& input : inputs) hashes.push_back(input.sha256);
  std::ranges::sort(hashes);
  std::string joined;
  for (const std::string& hash : hashes) joined += hash + "\n";
  return Sha256Hex(joined);
}

std::string MonthName(int64_t month_us) {
  CivilDate date = ToCivilDate({month_us});
  return fmt::format("{:04}-{:02}", date.year, date.month);
}

// The one month of all rows, or nothing when there are several or it can't be told before reading.
std::optional<int64_t> OneMonth(const std::vector<Input>& inputs) {
  std::optional<int64_t> month;
  for (const Input& input : inputs) {
    if (input.facts.periods_open || input.facts.period_texts.empty()) return std::nullopt;
    for (const std::string& text : input.facts.period_texts) {
      DateReader reader;
      RowDefects ignored;
      Instant instant;
      bool null = false;
      Fault fault = reader.Read({text, false, false}, &ignored, &instant, &null);
      if (fault != Fault::kNone || null) return std::nullopt;
      int64_t us = FloorMonth(instant).us;
      if (month.has_value() && *month != us) return std::nullopt;
      month = us;
    }
  }
  return month;
}

// One import on its way; what it has made is removed when it fails.
class Staging {
 public:
  Staging(const ImportOptions& options, os::Files& files) : options_(options), files_(files) {}
  ~Staging() {
    if (!dir_.empty() && !kept_) (void)files_.RemoveTree(dir_);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  Result<Staged> Run();

 private:
  Status OpenEngine();
  Status ReadParquetInputs();
  Status MakePlans();
  std::vector<int> LiveColumns() const;
  std::string SelectList(const std::vector<int>& live) const;
  Status CopyRows();
  Result<std::string> FreeSliceId(const std::string& period, int* number);
  Status FinishSlices();
  Status FinishSlice(const std::string& period, const std::string& from_dir, int* number);
  void FillFacts();

  const ImportOptions& options_;
  os::Files& files_;
  std::string dir_;
  bool kept_ = false;
  Budget budget_{};
  std::vector<Input> inputs_;
  Schema schema_;
  std::optional<engine::Database> database_;
  std::optional<Connection> connection_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<Quarantine> quarantine_;
  Tally tally_;
  std::optional<int64_t> one_month_;
  Staged staged_;
};

Status Staging::OpenEngine() {
  engine::DatabaseOptions database;
  database.memory_bytes = budget_.engine_bytes;
  database.threads = budget_.threads;
  database.temp_dir = os::JoinPath(dir_, "spill");
  database.allowed_dirs = {dir_};
  database.preserve_insertion_order = false;
  database.settings = {
      {"partitioned_write_flush_threshold", std::to_string(budget_.partition_rows)}};
  database_ = FB_TRY(engine::Database::Open(database));
  connection_ = FB_TRY(database_->Connect());
  return {};
}

// Parquet goes the way of CSV, through a file in staging: one reader, one set of checks, bounded
// memory.
Status Staging::ReadParquetInputs() {
  int number = 0;
  for (Input& input : inputs_) {
    if (input.form != InputForm::kParquet) continue;
    FB_CHECK(OpenParquetAsCsv(*connection_, dir_, ++number, &input));
    FB_CHECK(ScanContent(&input, progress_.get(), 0));
  }
  return {};
}

Status Staging::MakePlans() {
  for (Input& input : inputs_) {
    input.plan = FB_TRY(MakePlan(input.field_names(), input.file->path(), &schema_));
    if (input.header.delimiter != ',' && input.form == InputForm::kCsv) {
      ++input.plan.repairs[static_cast<size_t>(Repair::kDelimiter)];
    }
  }
  return {};
}

// The columns that any row can have a value in; the others are written as constant nulls.
std::vector<int> Staging::LiveColumns() const {
  std::vector<bool> live(schema_.size(), false);
  for (std::string_view name :
       {"BilledCost", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd", "ContractedCost",
        "EffectiveCost", "ListCost", "HostProviderName", "ServiceProviderName", "InvoiceIssuerName",
        "x_Lineage", "x_SourceFile", "x_SourceLine", "x_Signature"}) {
    live[static_cast<size_t>(charge::IndexOf(name))] = true;
  }
  for (const Input& input : inputs_) {
    std::vector<int> field_of = input.plan.FieldOf(schema_);
    for (size_t i = 0; i < field_of.size(); ++i) live[i] = live[i] || field_of[i] >= 0;
  }
  std::vector<int> columns;
  for (size_t i = 0; i < live.size(); ++i) {
    if (live[i]) columns.push_back(static_cast<int>(i));
  }
  return columns;
}

std::string SqlType(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
    case ColumnType::kJson:
      return "VARCHAR";
    case ColumnType::kMoney:
      return "DECIMAL(38,12)";
    case ColumnType::kQuantity:
      return "DECIMAL(38,15)";
    case ColumnType::kInstant:
      return "TIMESTAMP";
    case ColumnType::kInt64:
      return "BIGINT";
    case ColumnType::kUint64:
      return "UBIGINT";
  }
  return "VARCHAR";
}

std::string Staging::SelectList(const std::vector<int>& live) const {
  std::string list;
  size_t next = 0;
  for (size_t i = 0; i < schema_.size(); ++i) {
    const ColumnSpec& column = schema_.columns()[i];
    if (!list.empty()) list += ", ";
    if (next < live.size() && live[next] == static_cast<int>(i)) {
      list += QuoteIdentifier(column.name);
      ++next;
    } else {
      list += "NULL::" + SqlType(column.type) + " AS " + QuoteIdentifier(column.name);
    }
  }
  return list;
}

Status Staging::CopyRows() {
  SourceOptions options;
  options.threads = budget_.threads;
  options.block_bytes = budget_.block_bytes;
  options.live = LiveColumns();
  options.with_month = !one_month_.has_value();
  options.bytes_before = TotalBytes(inputs_);
  std::vector<ColumnSpec> columns;
  for (int column : options.live) columns.push_back(schema_.columns()[static_cast<size_t>(column)]);
  if (options.with_month) columns.push_back({kMonthColumn, ColumnType::kText});
  std::string select = "SELECT " + SelectList(options.live);
  auto source =
      std::make_shared<ImportSource>(inputs_, schema_, options, quarantine_.get(), progress_.get());
  FB_CHECK(connection_->RegisterSource(kSourceName, columns, source, budget_.threads));
  std::string written =
      fmt::format("FORMAT PARQUET, PARQUET_VERSION V1, COMPRESSION SNAPPY, ROW_GROUP_SIZE {}",
                  budget_.row_group_rows);
  std::string target = os::JoinPath(dir_, "rows");
  FB_CHECK(files_.MakeDirs(target));
  if (one_month_.has_value()) {
    target = os::JoinPath(target, "part-0.parquet");
  } else {
    select += fmt::format(", {}", kMonthColumn);
    written += fmt::format(
        ", PARTITION_BY ({}), FILENAME_PATTERN 'part-{{i}}', OVERWRITE_OR_IGNORE", kMonthColumn);
  }
  FB_CHECK(connection_->Execute("COPY (" + select + " FROM " + kSourceName + "()) TO " +
                                QuoteLiteral(target) + " (" + written + ")"));
  for (const Input& input : inputs_) FB_CHECK(input.file->CheckUnchanged());
  FB_CHECK(quarantine_->Finish());
  tally_ = source->TakeTally();
  return {};
}

// An id that no slice of this home has: the same content may have been imported, replaced and come
// back.
Result<std::string> Staging::FreeSliceId(const std::string& period, int* number) {
  constexpr int kTriesMax = 1'000'000;
  std::string slices = os::JoinPath(
      os::JoinPath(os::JoinPath(options_.home, "slices"), staged_.import.source), period);
  for (int tries = 0; tries < kTriesMax; ++tries) {
    std::string id = fmt::format("{}-{}", staged_.import.content_hash.substr(0, 16), ++*number);
    bool used =
        files_.Exists(os::JoinPath(slices, id)) ||
        files_.Exists(os::JoinPath(os::JoinPath(options_.home, "quarantine"), id + ".jsonl"));
    if (!used) return id;
  }
  return Fail(Code::kResourceExhausted, "no free slice id was found");
}

Status Staging::FinishSlice(const std::string& period, const std::string& from_dir, int* number) {
  ledger::Slice slice;
  slice.id = FB_TRY(FreeSliceId(period, number));
  slice.source = staged_.import.source;
  slice.period = period;
  std::string dir = os::JoinPath(dir_, slice.id);
  FB_CHECK(files_.Rename(from_dir, dir));
  for (const auto& [key, sum] : tally_.kept) {
    if (MonthName(key.first) != period) continue;
    slice.rows += sum.rows;
    slice.billed_by_currency[key.second] = Money::FromUnits(sum.billed);
  }
  ledger::SliceTotals totals = FB_TRY(ledger::WriteSliceDerived(*connection_, dir));
  if (totals.rows != slice.rows || totals.billed_by_currency != slice.billed_by_currency) {
    return Fail(Code::kInternal,
                fmt::format("the rollup of {} has {} rows where {} were written, or other sums",
                            period, totals.rows, slice.rows),
                "nothing was imported; report this with the file");
  }
  slice.files = FB_TRY(ledger::DescribeSliceFiles(*connection_, files_, dir));
  staged_.import.slices.push_back(std::move(slice));
  return {};
}

Status Staging::FinishSlices() {
  std::set<std::string> periods;
  for (const auto& [key, sum] : tally_.kept) periods.insert(MonthName(key.first));
  if (one_month_.has_value() && !periods.empty() &&
      (periods.size() != 1 || *periods.begin() != MonthName(*one_month_))) {
    return Fail(Code::kInternal, "rows fell into another billing period than the first scan saw",
                "nothing was imported; report this with the file");
  }
  int number = 0;
  std::string rows = os::JoinPath(dir_, "rows");
  for (const std::string& period : periods) {
    std::string from = one_month_.has_value()
                           ? rows
                           : os::JoinPath(rows, fmt::format("{}={}", kMonthColumn, period));
    FB_CHECK(FinishSlice(period, from, &number));
  }
  FB_CHECK(files_.RemoveTree(rows));
  return files_.RemoveTree(os::JoinPath(dir_, "spill"));
}

void Staging::FillFacts() {
  ledger::ImportFacts& facts = staged_.import.facts;
  std::set<std::string_view> versions;
  DefectCounts& defects = tally_.defects;
  for (const Input& input : inputs_) {
    versions.insert(focus::VersionName(input.plan.detection.version));
    facts.files.emplace_back(input.file->name(), input.sha256);
    for (size_t i = 0; i < kRepairCount; ++i) defects.repairs[i] += input.plan.repairs[i];
  }
  for (std::string_view version : versions) {
    facts.focus_version += (facts.focus_version.empty() ? "" : "+") + std::string(version);
  }
  for (size_t i = 0; i < kRepairCount; ++i) {
    if (defects.repairs[i] == 0) continue;
    facts.repairs.emplace(Info(static_cast<Repair>(i)).name, defects.repairs[i]);
  }
  for (size_t i = 0; i < kFindingCount; ++i) {
    if (defects.findings[i] == 0) continue;
    facts.findings.emplace(Info(static_cast<Finding>(i)).name, defects.findings[i]);
  }
  facts.lineage = LineageOf(inputs_, schema_, tally_);
}

Result<Staged> Staging::Run() {
  staged_.import.source = FB_TRY(SourceName(options_));
  inputs_ = FB_TRY(OpenInputs(options_));
  progress_ = std::make_unique<Progress>(options_.progress, 2 * TotalBytes(inputs_));
  FB_CHECK(ScanInputs(&inputs_, progress_.get()));
  staged_.import.content_hash = ContentHash(inputs_);
  staged_.import.author = options_.author;
  if (options_.already_live &&
      options_.already_live({staged_.import.source, staged_.import.content_hash})) {
    staged_.unchanged = true;
    return std::move(staged_);
  }
  dir_ = FB_TRY(ledger::MakeStagingDir(files_, options_.home));
  staged_.import.staging_dir = dir_;
  budget_ = MakeBudget(options_.memory_bytes, options_.threads, inputs_);
  FB_CHECK(OpenEngine());
  FB_CHECK(ReadParquetInputs());
  FB_CHECK(MakePlans());
  one_month_ = OneMonth(inputs_);
  std::string quarantine = os::JoinPath(dir_, "quarantine.jsonl");
  quarantine_ = std::make_unique<Quarantine>(files_, quarantine);
  FB_CHECK(CopyRows());
  FB_CHECK(Reconcile(inputs_, tally_, &staged_.import.facts));
  FB_CHECK(FinishSlices());
  FillFacts();
  if (!quarantine_->empty()) staged_.import.quarantine_file = quarantine;
  staged_.quarantine = quarantine_->TakeShown();
  connection_.reset();
  database_.reset();
  kept_ = true;
  return std::move(staged_);
}

}  // namespace

Result<Scan> ScanFiles(const ImportOptions& options) {
  Scan scan;
  scan.source = FB_TRY(SourceName(options));
  std::vector<Input> inputs = FB_TRY(OpenInputs(options));
  Progress progress(options.progress, TotalBytes(inputs));
  FB_CHECK(ScanInputs(&inputs, &progress));
  scan.content_hash = ContentHash(inputs);
  return scan;
}

Result<Staged> StageImport(const ImportOptions& options, os::Files& files) {
  return Staging(options, files).Run();
}

}  // namespace flyball::ingest
