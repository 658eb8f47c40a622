// StageImport: from files to a staged set of slices. Everything up to, but not including, the
// commit.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <thread>

#include "base/assert.h"
#include "base/hash.h"
#include "base/text.h"
#include "ingest/adapter.h"
#include "ingest/budget.h"
#include "ingest/import.h"
#include "ingest/inputs.h"
#include "ingest/months.h"
#include "ingest/parquet_input.h"
#include "ingest/quarantine.h"
#include "ingest/reconcile.h"
#include "ingest/route.h"
#include "ingest/slices.h"
#include "ingest/translate.h"
#include "ledger/slice_writer.h"

namespace flyball::ingest {
namespace {

constexpr size_t kSourceNameMaxBytes = 100;

constexpr size_t kFilesMax = 10'000;
constexpr uint64_t kAllocatorFlushBelow = 512ull << 20;
constexpr char kAllocatorFlush[] = "16MiB";

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
    const std::string& name = options.source;
    if (name.size() > kSourceNameMaxBytes) {
      return Fail(Code::kInvalidArgument,
                  fmt::format("the source name is longer than {} bytes", kSourceNameMaxBytes));
    }
    // The name is a folder's and stands in the log, which is UTF-8.
    if (os::IsPlainName(name) && !name.starts_with('.') && ValidUtf8Prefix(name) == name.size()) {
      return name;
    }
    return Fail(Code::kInvalidArgument, "the source name '" + name + "' is not plain",
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
    inputs.push_back(FB_TRY(OpenInput(path, options.format, options.native)));
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
// With a currency that was told beside them they are another bill.
std::string ContentHash(const std::vector<Input>& inputs, const std::string& currency) {
  if (inputs.size() == 1 && currency.empty()) return inputs.front().sha256;
  std::vector<std::string> hashes;
  for (const Input& input : inputs) hashes.push_back(input.sha256);
  std::ranges::sort(hashes);
  std::string joined;
  for (const std::string& hash : hashes) joined += hash + "\n";
  joined += currency;
  return Sha256Hex(joined);
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
  Status OpenEngines();
  Status ReadInputs();
  Status MakePlans();
  Status WriteSlices();
  Status RemoveLeftovers();
  Status CheckRowsExpected() const;
  void FillFacts();

  const ImportOptions& options_;
  os::Files& files_;
  std::string dir_;
  bool kept_ = false;
  Budget budget_{};
  std::vector<Input> inputs_;
  Schema schema_;
  struct Engine {
    std::optional<engine::Database> database;
    std::optional<engine::Connection> connection;
  };
  Engine writer_, deriver_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<Quarantine> quarantine_;
  Tally tally_;
  std::optional<Months> in_place_;
  Staged staged_;
};

Status Staging::OpenEngines() {
  engine::DatabaseOptions options;
  options.memory_bytes = budget_.engine_bytes;
  options.threads = budget_.threads;
  options.temp_dir = os::JoinPath(dir_, "spill");
  options.allowed_dirs = {dir_};
  options.preserve_insertion_order = false;
  if (budget_.engine_bytes < kAllocatorFlushBelow) {
    // What one engine has freed the other must be able to use at once.
    options.settings = {{"allocator_flush_threshold", kAllocatorFlush},
                        {"allocator_bulk_deallocation_flush_threshold", kAllocatorFlush}};
  }
  writer_.database = FB_TRY(engine::Database::Open(options));
  writer_.connection = FB_TRY(writer_.database->Connect());
  options.memory_bytes = budget_.derive_bytes;
  options.threads = budget_.derive_threads;
  deriver_.database = FB_TRY(engine::Database::Open(options));
  deriver_.connection = FB_TRY(deriver_.database->Connect());
  return {};
}

// Parquet, JSON documents and vendors' own formats go the way of CSV, through files in staging: one
// reader, one set of checks, bounded memory.
Status Staging::ReadInputs() {
  int number = 0;
  for (Input& input : inputs_) {
    ++number;
    if (input.form == InputForm::kJsonDocument) {
      FB_CHECK(OpenDocumentAsLines(dir_, number, &input, progress_.get()));
    }
    if (input.form != InputForm::kParquet) continue;
    Budget budget = MakeBudget(options_.memory_bytes, options_.threads, inputs_, false);
    FB_CHECK(OpenParquetAsCsv(budget, dir_, number, &input));
    FB_CHECK(ScanContent(&input, progress_.get(), 0));
  }
  TranslateOptions translate;
  translate.dir = dir_;
  translate.format = options_.native;
  translate.prices = options_.prices;
  return TranslateInputs(translate, &inputs_, progress_.get());
}

Status Staging::MakePlans() {
  for (Input& input : inputs_) {
    input.plan = FB_TRY(MakePlan(input.field_names(), input.file->path(), &schema_, input.native));
    input.plan.currency = options_.currency;
  }
  return {};
}

// Writes one slice a month. The rows of a month are read where they lie, or have been sorted by
// month into temporary files first.
Status Staging::WriteSlices() {
  const uint64_t total = TotalBytes(inputs_);
  SliceStage slices(
      {options_.home, staged_.import.source, staged_.import.content_hash, dir_, budget_}, inputs_,
      schema_, &*writer_.connection, &*deriver_.connection, files_, quarantine_.get());
  auto feed = [&](std::vector<Portion> portions, uint64_t before, uint64_t weight) {
    return std::make_unique<BlockFeed>(inputs_, std::move(portions), budget_.block_bytes,
                                       progress_.get(), before, weight);
  };
  Routes routes;
  RouteOptions route{os::JoinPath(dir_, "months"), budget_.threads, budget_.block_bytes};
  uint64_t before = total, weight = 100;
  if (in_place_) {
    routes.months = std::move(*in_place_);
  } else {
    FB_CHECK(files_.MakeDirs(route.dir));
    weight = 80;
    before += total / 5;
    std::unique_ptr<BlockFeed> all = feed(FB_TRY(WholeInputs(inputs_)), total, 100 - weight);
    routes = FB_TRY(RouteByMonth(inputs_, schema_, all.get(), route));
    tally_.defects.Add(Repair::kEmptyLine, routes.empty_lines);
  }
  for (auto& [month_us, portions] : routes.months) {
    tally_.Merge(FB_TRY(slices.WriteMonth(month_us, feed(portions, before, weight))));
    std::set<std::string> written;
    for (const Portion& portion : portions) {
      before += portion.size() * weight / 100;
      if (portion.numbered) written.insert(portion.content->path());
    }
    for (const std::string& path : written) FB_CHECK(files_.Remove(path));
    portions.clear();  // an open file keeps its place on the disk
  }
  FB_CHECK(files_.RemoveTree(route.dir));
  for (const Input& input : inputs_) FB_CHECK(input.file->CheckUnchanged());
  staged_.import.slices = FB_TRY(slices.TakeSlices());
  return quarantine_->Finish();
}

// Leaves nothing in staging but slices and the quarantine.
Status Staging::RemoveLeftovers() {
  FB_CHECK(files_.RemoveTree(os::JoinPath(dir_, "spill")));
  for (const Input& input : inputs_) {
    if (input.content != input.file) FB_CHECK(files_.Remove(input.content->path()));
  }
  return {};
}

Status Staging::CheckRowsExpected() const {
  int64_t rows = 0;
  for (const Input& input : inputs_) rows += input.rows_stated;
  if (!options_.rows_expected || *options_.rows_expected == rows) return {};
  return Fail(Code::kFailedPrecondition,
              fmt::format("the manifest says that there are {} rows, but the files have {}",
                          *options_.rows_expected, rows),
              "nothing was imported; have the bill delivered again");
}

void Staging::FillFacts() {
  ledger::ImportFacts& facts = staged_.import.facts;
  std::set<std::string> versions;
  DefectCounts& defects = tally_.defects;
  for (const Input& input : inputs_) {
    versions.insert(input.plan.FormatName());
    facts.files.emplace_back(SourceFileName(input), input.sha256);
    for (size_t i = 0; i < kRepairCount; ++i) defects.repairs[i] += input.plan.repairs[i];
  }
  for (const std::string& version : versions) {
    facts.focus_version += (facts.focus_version.empty() ? "" : "+") + version;
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
  staged_.import.content_hash = ContentHash(inputs_, options_.currency);
  staged_.import.author = options_.author;
  if (options_.already_live &&
      options_.already_live({staged_.import.source, staged_.import.content_hash})) {
    staged_.unchanged = true;
    return std::move(staged_);
  }
  dir_ = FB_TRY(ledger::MakeStagingDir(files_, options_.home));
  staged_.import.staging_dir = dir_;
  FB_CHECK(ReadInputs());
  FB_CHECK(MakePlans());
  in_place_ = FB_TRY(MonthsInPlace(inputs_));
  const bool several = !in_place_ || in_place_->size() > 1;
  budget_ = MakeBudget(options_.memory_bytes, options_.threads, inputs_, several);
  FB_CHECK(OpenEngines());
  std::string quarantine = os::JoinPath(dir_, "quarantine.jsonl");
  quarantine_ = std::make_unique<Quarantine>(files_, quarantine);
  FB_CHECK(WriteSlices());
  FB_CHECK(Reconcile(inputs_, options_.currency, tally_, &staged_.import.facts));
  FB_CHECK(CheckRowsExpected());
  FillFacts();
  if (!quarantine_->empty()) staged_.import.quarantine_file = quarantine;
  staged_.quarantine = quarantine_->TakeShown();
  writer_ = {};
  deriver_ = {};
  FB_CHECK(RemoveLeftovers());
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
  scan.content_hash = ContentHash(inputs, options.currency);
  return scan;
}

Result<Staged> StageImport(const ImportOptions& options, os::Files& files) {
  return Staging(options, files).Run();
}

}  // namespace flyball::ingest
