// Import: from a bill of the outside world to a staged set of slices, with every row accounted for.
//
//   bytes -> (gunzip | unzstd) -> records (CSV, JSONL, Parquet) -> FOCUS adapter (repair, fill,
//   lineage, signature)
//         -> engine -> Parquet parts, signatures, rollup            \-> quarantine
//
// Invariants, each checked at run time before anything is handed over:
//   rows in = rows kept + rows quarantined
//   BilledCost in = ledger + quarantine + residue, where "in" is a second, independent exact sum
//   over the raw text.
// Resident memory stays under memory_bytes whatever the size of the input. Bad input is
// INVALID_ARGUMENT with one clear sentence, and leaves nothing behind.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/native/native.h"
#include "ledger/ledger.h"
#include "os/files.h"

namespace flyball::ingest {

enum class Format : uint8_t { kDetect, kFocusCsv, kFocusParquet, kFocusJsonl };

struct ImportOptions {
  std::vector<std::string> files;
  std::string source;  // empty: the first file's name without folder and extensions, made plain
  Format format = Format::kDetect;
  const native::Format* native = nullptr;        // a vendor's own format; null: see what it is
  std::shared_ptr<const native::Format> mapped;  // keeps `native`, where the estate maps it
  // Opens the price book, when a report of usage has to be rated. Null: such a report is refused.
  std::function<Result<rates::PriceBook>()> prices;
  std::string home;
  uint64_t memory_bytes = 2ull << 30;
  int threads = 0;
  std::string author;
  // What a manifest says that the files have in all; FAILED_PRECONDITION when they have another
  // number.
  std::optional<int64_t> rows_expected;
  std::string currency;  // of rows that name none; empty: they go to the quarantine
  // Called now and then with bytes read of bytes in all; false cancels.
  std::function<bool(uint64_t done, uint64_t total)> progress;
  // Asked once, by StageImport, after its scan of the raw bytes: true when this content is live
  // already. Nothing is staged then, and Staged::unchanged is set.
  std::function<bool(const struct Scan& scan)> already_live;
};

// "focus-csv", "aws-cur", ...: how the input is written.
Status SetFormat(std::string_view name, ImportOptions* options);

struct QuarantinedRow {
  std::string file;
  int64_t line = 0;
  std::string reason;
};

// First look, one pass over the raw bytes: what the content hash is, without staging anything.
struct Scan {
  std::string source;
  std::string content_hash;
};
Result<Scan> ScanFiles(const ImportOptions& options);

struct Staged {
  bool unchanged =
      false;  // already_live said so: `import` has source and content_hash, nothing else
  ledger::StagedImport import;
  std::vector<QuarantinedRow>
      quarantine;  // the first kQuarantineShown; all of them lie in the quarantine file
};
inline constexpr size_t kQuarantineShown = 1000;
inline constexpr uint64_t kRecordMaxBytes =
    8u << 20;  // one record; a longer one is an error that names its line
inline constexpr int kColumnsMax = 1000;

// Everything up to, but not including, the commit.
Result<Staged> StageImport(const ImportOptions& options, os::Files& files);

// The JSON contract of `flyball import`.
std::string ImportReportJson(const std::string& commit_id, const Staged& staged, bool unchanged);

}  // namespace flyball::ingest
