// Ledger: the folder of immutable Parquet slices, the log of commits that says which slice is live
// when, and the store that answers cost queries from them.
//
//   home/VERSION                      layout version ("1")
//   home/log/ledger.journal           the truth: one journal record (JSON) a commit, hash-chained
//   home/slices/<source>/<YYYY-MM>/<slice id>/part-*.parquet   charges, never rewritten
//                                            /signatures.parquet distinct signatures of the slice
//                                            /rollup.parquet     hour x signature x currency
//   home/slices/<source>/packs/<pack id>/     the same of many small slices, joined by a compaction
//   home/rules/<sha256>.yaml          rulebook snapshots that commits name
//   home/quarantine/<slice id>.jsonl  rows that could not be repaired: line, reason, raw text
//   home/store/                       derived: can be deleted, `flyball rebuild` proves it
//   home/tmp/                         staging; emptied at open
//
// A commit is: stage files in tmp, sync them, rename them into slices/, sync the folders, append
// one record to the log with sync. That append is the instant at which it counts. The store is
// brought up to the log afterwards, or at the next open. One process owns a home (HomeLock). Ledger
// is thread-safe: queries run in parallel, commits one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "estate/estate.h"
#include "ledger/cost_query.h"
#include "ledger/export.h"
#include "os/files.h"

namespace flyball::ledger {

struct SliceFile {
  std::string name;  // inside the slice's folder
  uint64_t bytes = 0;
  std::string sha256;
  int64_t rows = 0;
};
// What one import says of one billing period of its source. Its rows lie in files of its own, until
// a compaction places them in a pack.
struct Slice {
  std::string id;      // unique, plain name: "<first 16 hex of content hash>-<n>"
  std::string source;  // plain name
  std::string period;  // "2024-09": month of BillingPeriodStart
  int64_t rows = 0;
  std::map<std::string, Money> billed_by_currency;
  std::vector<SliceFile> files;
};
struct SumCheck {  // one currency's, or the whole column's, control total of BilledCost; texts,
                   // because input may have more digits
  std::string in, kept, quarantined, residue;
};
struct ImportFacts {
  std::string focus_version;
  std::vector<std::pair<std::string, std::string>> files;  // base name, sha256
  int64_t rows_in = 0, rows_kept = 0, rows_quarantined = 0;
  SumCheck billed_cost;
  std::map<std::string, SumCheck> billed_cost_by_currency;
  std::map<std::string, int64_t> repairs;   // kind -> rows kept that needed it
  std::map<std::string, int64_t> findings;  // kind -> rows kept that contradict themselves
  std::map<std::string, std::map<std::string, int64_t>>
      lineage;  // column -> observed|derived|assumed|missing -> rows
};
// One set of files that holds the rows of several slices of one source. No two of them are of one
// billing period, so that the month of BillingPeriodStart tells whose a row is.
struct Pack {
  std::string id;  // unique, also among slices; plain name: "pack-<sequence of its commit>-<n>"
  std::string source;
  std::vector<std::string> members;  // slice ids, by period
  std::vector<SliceFile> files;
};
enum class CommitKind : uint8_t { kImport, kClassify, kCompact, kClose, kReopen };
struct Commit {
  int64_t sequence = 0;  // 1, 2, ...
  std::string id;        // first 16 hex of SHA-256(parent id + record)
  std::string parent;
  CommitKind kind = CommitKind::kImport;
  Instant time;
  std::string author;
  std::string source;
  std::string content_hash;  // of the files imported; of a close, of its report
  std::string period;        // that a close or reopening is about: "2026-10"
  std::string rules;         // hash of the rulebook snapshot in force from this commit on
  std::vector<Slice> opens;
  std::vector<std::string> closes;  // slice ids that this commit replaces
  // A compaction opens and closes nothing: it says where the rows of slices lie from now on.
  std::vector<Pack> packs;
  ImportFacts facts;
};

// The rows that an import's slices hold. Its facts tell of the whole bill: what they kept beside
// these was of periods that were closed, and was booked as corrections.
inline int64_t RowsInSlices(const Commit& commit) {
  int64_t rows = 0;
  for (const Slice& slice : commit.opens) rows += slice.rows;
  return rows;
}

// What the file of an import's quarantined rows is named after: its first slice, or the commit when
// no row was kept.
inline const std::string& QuarantineId(const Commit& commit) {
  return commit.opens.empty() ? commit.id : commit.opens.front().id;
}

// What an import hands over: files lie in staging_dir/<slice id>/, already written; Publish syncs
// and moves them.
struct StagedImport {
  std::string source;
  std::string content_hash;
  std::string staging_dir;  // inside home/tmp
  std::vector<Slice> slices;
  std::vector<std::string>
      empties;  // periods that the input no longer has rows for are not touched
  ImportFacts facts;
  int64_t rows_corrected = 0;  // of facts.rows_kept: of closed periods, which no slice here is of
  std::string author;
  // Inside staging_dir; empty when no row was quarantined. Publish moves it to
  // home/quarantine/<QuarantineId>.jsonl.
  std::string quarantine_file;
};

struct LedgerOptions {
  std::string home;
  bool must_exist = false;  // NOT_FOUND instead of a new home
  uint64_t memory_bytes = 1ull << 30;
  int threads = 0;
  int64_t question_limit_us = 0;  // of one question: DEADLINE_EXCEEDED beyond it; 0: none
};

// What can answer a cost query, from coarse to fine.
enum class ReadFrom : uint8_t { kCube, kRollup, kRows };

struct RowsPage {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
  int64_t total = 0;
  std::string commit;
};

inline constexpr int64_t kRowsPageMax = 10'000;

// What a staged bill changes of a closed billing period, to be written as charges of an open one:
// see ledger/correction.h.
struct CorrectionRequest {
  std::string source;  // whose bill it is
  std::string period;  // "2026-10"
  // The staged slice, in a staging folder of the home; empty: the period is open again and restated
  // as a whole, and what it was corrected by is to be taken back.
  std::string slice_dir;
  std::string path;  // of the Parquet file to write there; it must not be there
};
struct Correction {
  std::string source;   // that the charges are to be imported under
  std::string period;   // in which they are booked: the first open one after the closed
  int64_t changes = 0;  // charges reversed and restated; 0: the ledger says so already, no file
};
// "<source>.corrections-2026-10"
std::string CorrectionSource(const std::string& source, const std::string& period);
// A name of a source, taken apart: whose it is, and the closed month that it corrects.
struct SourceName {
  std::string_view source;
  std::optional<std::string_view> corrects;  // nothing: it is no source of corrections
};
SourceName TakeApart(std::string_view source);

// A bill that is staged, and of which another source has most charges of one billing period and
// account: see ledger/overlap.h.
struct Overlap {
  std::string source;  // that has them
  std::string period, issuer, account, currency;
  std::string invoice;         // that both have; empty: none
  Money billed, standing;      // of the account in that period: of the bill, of the other source
  int64_t shared = 0, of = 0;  // charges by hour: of both, of the smaller of the two
  // One invoice, account and period, and nearly all charges are described alike.
  bool certain = false;
  // What is staged is of a source that has charges of this period, issuer and account already.
  bool own = false;
  // What the other source has in all billing periods that are staged, and what of it the bill has
  // not: all that would go with the bill under that source's name.
  int64_t all = 0, lost = 0;               // charges by hour
  std::vector<std::string> lost_accounts;  // that the bill says nothing of, a few
};

struct RebuildReport {
  int64_t commits = 0, slices = 0, rows = 0;
  std::vector<std::string> faults;  // empty: everything verified
};

class Ledger {
 public:
  // Creates the home when absent; brings the store up to the log; drops staging and slices that no
  // commit names. FAILED_PRECONDITION when the home's version is not ours (run `flyball migrate`).
  // `held`: the lock of this home, when the caller has it already.
  static Result<std::unique_ptr<Ledger>> Open(const LedgerOptions& options, os::Files& files,
                                              Clock& clock,
                                              std::optional<os::HomeLock> held = std::nullopt);
  virtual ~Ledger() = default;

  virtual std::vector<Commit> Commits() const = 0;
  virtual Result<Commit> FindCommit(const std::string& id_or_prefix_or_sequence) const = 0;
  virtual std::string Head() const = 0;  // id of the newest commit; "" when there is none
  // The commit of this source with this content hash that is all that the ledger has of it, if any
  // ("the same file again"): its slices are still live, and nothing of it was booked as
  // corrections.
  virtual std::optional<Commit> FindUnchanged(const std::string& source,
                                              const std::string& content_hash) const = 0;
  // Live slices of a source and period, for "replaces 2024-09 (1000 rows)".
  virtual std::vector<Slice> LiveSlices(const std::string& source = {}) const = 0;

  virtual Result<Commit> Publish(StagedImport staged) = 0;
  // Reads estate.yaml; a commit only when the rules differ from those in force.
  virtual Result<std::optional<Commit>> Classify(const std::string& author) = 0;
  virtual bool RulesAreStale() const = 0;  // estate.yaml differs from the rules in force
  // Joins live slices, or packs of them, whose parts are smaller than small_bytes. No answer
  // changes, of now or of then. Nothing when there are no two to join.
  virtual Result<std::optional<Commit>> Compact(const std::string& author,
                                                uint64_t small_bytes) = 0;

  // Closes a billing period, or opens it again: while it is closed, no import may restate it.
  // `report_hash` is what was known when it was closed. FAILED_PRECONDITION: it is so already.
  virtual Result<Commit> SetClosed(const std::string& period, bool closed,
                                   const std::string& author, const std::string& report_hash) = 0;

  // Billing periods that no import may restate.
  virtual std::vector<std::string> ClosedPeriods() const = 0;
  // For a bill that restates a closed period, or one that was closed. FAILED_PRECONDITION when the
  // period is not what the request takes it for.
  virtual Result<Correction> WriteCorrection(const CorrectionRequest& request) = 0;
  // Whether what is staged stands under other sources' names already.
  virtual Result<std::vector<Overlap>> FindOverlaps(const StagedImport& staged) = 0;

  // All levels give the same answer; read_from names the coarsest that may give it (the store takes
  // a finer one where it must).
  virtual Result<QueryAnswer> Query(const CostQuery& query,
                                    ReadFrom read_from = ReadFrom::kCube) = 0;
  // The charges behind an answer: every figure can be traced to its rows. Looks at from, to, where
  // and as_of. The columns are those of a charge, further x_ ones that a charge of the page has,
  // then "source" and the dimensions that rules set; the dearest come first (by the size of
  // EffectiveCost), of equals the newest (by what they were charged for, then by billing period).
  // At most kRowsPageMax a page.
  virtual Result<RowsPage> Rows(const CostQuery& query, int64_t offset, int64_t limit) = 0;
  // Writes the charges behind a query into a file, in no order. NOT_FOUND when there is none. After
  // an error a part of the file may be there.
  virtual Result<Exported> Export(const ExportRequest& request) = 0;
  // For the end of the program: ends the questions that run and takes no more (UNAVAILABLE).
  virtual void StopQuestions() = 0;
  // The rulebook in force; before the first commit that of estate.yaml, or an empty one when that
  // is broken.
  virtual std::shared_ptr<const estate::RuleSet> Rules() const = 0;
  // Writes the address of the server that this process runs into the home's lock, where other
  // commands find it.
  virtual Status Announce(const std::string& address) = 0;

  // Verifies every file against the log, deletes the store and derives it again.
  virtual Result<RebuildReport> Rebuild() = 0;
};

// Whether a ledger was begun there, be it a damaged one.
bool HomeExists(os::Files& files, const std::string& home);
// Brings an older home to the current layout version; done when it says so. NOT_FOUND when there is
// no home.
Result<std::string> MigrateHome(os::Files& files, const std::string& home);
inline constexpr int kHomeVersion = 1;

// JSON forms of the API: an import says beside its facts how many rows its slices hold
// ("rows_in_slices"), and how many of the bill were of closed periods ("rows_corrected"). Brief:
// without the lineage of every column, most of its bytes.
enum class CommitDetail : uint8_t { kWhole, kBrief };
std::string CommitJson(const Commit& commit, CommitDetail detail = CommitDetail::kWhole);

}  // namespace flyball::ledger
