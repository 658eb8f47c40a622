// Classify, Compact and Rebuild: what keeps a ledger in shape.

#include "base/hash.h"
#include "base/log.h"
#include "ledger/correction.h"
#include "ledger/ledger_impl.h"
#include "ledger/overlap.h"
#include "ledger/pack.h"
#include "ledger/slice_writer.h"

namespace flyball::ledger {
namespace {

Result<engine::Database> OpenScratch(const LedgerOptions& options, const Layout& layout,
                                     const std::string& staging_dir) {
  engine::DatabaseOptions scratch;
  scratch.memory_bytes = options.memory_bytes;
  // Rows keep their order: further threads would only hold wide rows back, three times the memory
  // for no time.
  scratch.threads = 1;
  scratch.temp_dir = os::JoinPath(staging_dir, "spill");
  scratch.allowed_dirs = {layout.Slices(), layout.Tmp()};
  return engine::Database::Open(scratch);
}

}  // namespace

std::shared_ptr<const estate::RuleSet> LedgerImpl::Rules() const {
  HistoryPtr history = visible();
  auto in_force = [&]() -> Result<std::shared_ptr<const estate::RuleSet>> {
    if (history->Head() != nullptr) return books_.Get(history->Head()->rules);
    return estate::RuleSet::Compile(FB_TRY(estate::LoadEstate(files_, layout_.Estate())));
  };
  Result<std::shared_ptr<const estate::RuleSet>> rules = in_force();
  if (rules) return *rules;
  log::Error("the rulebook in force cannot be read", {{"why", rules.error().ToString()}});
  auto empty = [&]() -> Result<std::shared_ptr<const estate::RuleSet>> {
    std::string absent = os::JoinPath(layout_.Store(), "no-estate.yaml");
    return estate::RuleSet::Compile(FB_TRY(estate::LoadEstate(files_, absent)));
  };
  rules = empty();
  return rules ? *rules : nullptr;
}

bool LedgerImpl::RulesAreStale() const {
  HistoryPtr history = visible();
  if (history->Head() == nullptr) return false;
  Result<std::string> snapshot = estate::LoadEstate(files_, layout_.Estate());
  return !snapshot || Sha256Hex(*snapshot) != history->Head()->rules;
}

Result<std::optional<Commit>> LedgerImpl::Classify(const std::string& author) {
  std::lock_guard lock(commit_mutex_);
  std::string snapshot = FB_TRY(estate::LoadEstate(files_, layout_.Estate()));
  FB_TRY(estate::RuleSet::Compile(snapshot));
  const Commit* head = log_.history().Head();
  // Before the first import nothing is in force yet: that import takes the rules as they then
  // stand.
  if (head == nullptr || head->rules == Sha256Hex(snapshot)) return std::nullopt;
  Publication publication;
  publication.commit.kind = CommitKind::kClassify;
  publication.commit.time = clock_.Now();
  publication.commit.author = author;
  publication.commit.rules = FB_TRY(books_.Put(snapshot));
  Commit commit = FB_TRY(PublishFiles(files_, layout_, log_, std::move(publication)));
  Advance();
  return commit;
}

Result<Commit> LedgerImpl::SetClosed(const std::string& period, bool closed,
                                     const std::string& author, const std::string& report_hash) {
  std::lock_guard lock(commit_mutex_);
  const History& history = log_.history();
  if (!IsPeriod(period)) {
    return Fail(Code::kInvalidArgument, "'" + period + "' is no billing period",
                "write it like 2026-10");
  }
  if (history.Head() == nullptr) {
    return Fail(Code::kFailedPrecondition, "the ledger is empty, there is nothing to close");
  }
  if (history.closed_periods().contains(period) == closed) {
    return Fail(Code::kFailedPrecondition, fmt::format("the billing period {} is {} already",
                                                       period, closed ? "closed" : "open"));
  }
  Publication publication;
  publication.commit.kind = closed ? CommitKind::kClose : CommitKind::kReopen;
  publication.commit.time = clock_.Now();
  publication.commit.author = author;
  publication.commit.rules = history.Head()->rules;
  publication.commit.period = period;
  publication.commit.content_hash = report_hash;
  Commit commit = FB_TRY(PublishFiles(files_, layout_, log_, std::move(publication)));
  Advance();
  return commit;
}

std::vector<std::string> LedgerImpl::ClosedPeriods() const {
  const std::set<std::string> closed = latest()->closed_periods();
  return {closed.begin(), closed.end()};
}

Result<Correction> LedgerImpl::WriteCorrection(const CorrectionRequest& asked) {
  // A compaction in between would take the files away.
  std::lock_guard lock(commit_mutex_);
  CorrectionRequest request = asked;
  for (std::string* path : {&request.slice_dir, &request.path}) {
    if (path->empty()) continue;
    *path = AbsolutePath(*path);
    if (path->starts_with(layout_.Tmp() + "/")) continue;
    return Fail(Code::kInvalidArgument, "'" + *path + "' is not in a staging folder");
  }
  const bool closed = log_.history().closed_periods().contains(request.period);
  if (closed == request.slice_dir.empty()) {
    return Fail(Code::kFailedPrecondition, fmt::format("the billing period {} is {}",
                                                       request.period, closed ? "closed" : "open"));
  }
  engine::Database database = FB_TRY(OpenScratch(options_, layout_, os::ParentPath(request.path)));
  engine::Connection connection = FB_TRY(database.Connect());
  return WriteCorrectionFile(connection, layout_, log_.history(), request);
}

Result<std::vector<Overlap>> LedgerImpl::FindOverlaps(const StagedImport& staged) {
  // As long as this is held, no folder is removed that a history known by now has; others may
  // commit meanwhile.
  std::shared_lock lock(store_mutex_);
  const HistoryPtr history = latest();
  if (!MayOverlap(*history, staged)) return std::vector<Overlap>();
  StagedImport absolute;
  absolute.source = staged.source;
  absolute.slices = staged.slices;
  absolute.staging_dir = AbsolutePath(staged.staging_dir);
  engine::Database database = FB_TRY(OpenScratch(options_, layout_, absolute.staging_dir));
  engine::Connection connection = FB_TRY(database.Connect());
  return ledger::FindOverlaps(connection, layout_, *history, absolute);
}

// A pack of the commit being made. A broken disk may have left a folder where none should be.
std::string LedgerImpl::FreePackId(const std::string& source, size_t* number) const {
  Pack pack;
  pack.source = source;
  do {
    pack.id = fmt::format("pack-{}-{}", log_.history().head_sequence() + 1, ++*number);
  } while (log_.history().Knows(pack.id) || files_.Exists(layout_.PackDir(pack)));
  return pack.id;
}

Result<Publication> LedgerImpl::WritePacks(const std::vector<std::vector<Folder>>& joins,
                                           const std::string& staging_dir, Commit commit) {
  engine::Database database = FB_TRY(OpenScratch(options_, layout_, staging_dir));
  engine::Connection connection = FB_TRY(database.Connect());
  size_t number = 0;
  for (const std::vector<Folder>& folders : joins) {
    std::string id = FreePackId(folders.front().source(), &number);
    Pack pack =
        FB_TRY(WritePack(connection, files_, layout_, folders, os::JoinPath(staging_dir, id)));
    pack.id = id;
    commit.packs.push_back(std::move(pack));
  }
  Publication publication;
  publication.commit = std::move(commit);
  publication.staging_dir = staging_dir;
  return publication;
}

Result<std::optional<Commit>> LedgerImpl::Compact(const std::string& author, uint64_t small_bytes) {
  std::lock_guard lock(commit_mutex_);
  const std::vector<std::vector<Folder>> joins = FoldersToJoin(log_.history(), small_bytes);
  if (joins.empty()) return std::nullopt;
  Commit commit;
  commit.kind = CommitKind::kCompact;
  commit.time = clock_.Now();
  commit.author = author;
  commit.rules = log_.history().Head()->rules;
  std::string staging_dir = FB_TRY(MakeStagingDir(files_, layout_.home));
  Result<Publication> publication = WritePacks(joins, staging_dir, std::move(commit));
  if (!publication) {
    FB_CHECK(files_.RemoveTree(staging_dir));
    return Fail(std::move(publication).error());
  }
  Commit done = FB_TRY(PublishFiles(files_, layout_, log_, std::move(*publication)));
  Advance();
  // No question reads the old folders any more once those that run now have ended: later ones go by
  // a history that knows the packs.
  {
    std::unique_lock barrier(store_mutex_);
  }
  for (const std::vector<Folder>& folders : joins) RemoveFolders(files_, layout_, folders);
  return done;
}

Result<std::vector<std::string>> LedgerImpl::VerifyAll(const History& history,
                                                       RebuildReport* report) {
  std::vector<std::string> faults;
  Result<History> on_disk = ReadHistory(files_, layout_.Journal());
  if (!on_disk) {
    faults.push_back(on_disk.error().ToString());
  } else if (on_disk->head_sequence() != history.head_sequence() ||
             (history.Head() != nullptr && on_disk->Head()->id != history.Head()->id)) {
    faults.push_back(layout_.Journal() + ": the log on disk is not the one that was opened");
  }
  std::set<std::string> rules;
  for (int64_t n = 1; n <= history.head_sequence(); ++n) rules.insert(history.At(n).rules);
  for (const std::string& hash : rules) {
    Result<std::string> snapshot = files_.ReadAll(layout_.RulesFile(hash));
    if (!snapshot) {
      faults.push_back(snapshot.error().ToString());
    } else if (Sha256Hex(*snapshot) != hash) {
      faults.push_back(layout_.RulesFile(hash) + ": its content is not what its name says");
    }
  }
  for (const Folder& folder : history.Stored()) {
    for (const Slice* slice : folder.wanted) {
      ++report->slices;
      report->rows += slice->rows;
    }
    Result<std::vector<std::string>> found = store_->Verify(folder);
    if (!found && Passes(found.error())) return Fail(std::move(found).error());
    if (!found) {
      faults.push_back(layout_.FolderDir(folder) + ": " + found.error().message);
    } else {
      faults.insert(faults.end(), found->begin(), found->end());
    }
  }
  return faults;
}

Result<RebuildReport> LedgerImpl::Rebuild() {
  std::lock_guard commits(commit_mutex_);
  std::unique_lock alone(store_mutex_);
  HistoryPtr history = latest();
  RebuildReport report;
  report.commits = history->head_sequence();
  store_error_.reset();
  replacements_ = 0;
  Status replaced = ReplaceStore();
  if (store_ == nullptr) {
    store_error_ = replaced.error();
    return Fail(std::move(replaced).error());
  }
  if (!replaced) store_error_ = replaced.error();
  report.faults = FB_TRY(VerifyAll(*history, &report));
  if (!replaced) {
    if (Passes(replaced.error())) return Fail(std::move(replaced).error());
    if (report.faults.empty()) report.faults.push_back(replaced.error().ToString());
  }
  return report;
}

}  // namespace flyball::ledger
