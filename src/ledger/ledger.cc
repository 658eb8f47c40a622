#include "ledger/ledger.h"

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "ledger/ledger_impl.h"

namespace flyball::ledger {
namespace {

// A store that breaks again and again is a broken disk: it is not derived for ever.
constexpr int kReplacementsMax = 3;
// How often a question is asked again because a commit came in between.
constexpr int kAsksMax = 16;

LedgerOptions WithAbsoluteHome(LedgerOptions options) {
  options.home = AbsolutePath(options.home);
  return options;
}

Status CheckSlices(const StagedImport& staged) {
  int64_t rows = staged.rows_corrected;
  for (const Slice& slice : staged.slices) {
    if (!os::IsPlainName(slice.id) || !IsPeriod(slice.period) || slice.source != staged.source) {
      return Fail(Code::kInvalidArgument,
                  fmt::format("a staged slice is not named well: '{}', source '{}', period '{}'",
                              slice.id, slice.source, slice.period));
    }
    rows += slice.rows;
  }
  if (rows != staged.facts.rows_kept) {
    return Fail(Code::kDataLoss, fmt::format("the staged slices hold {} rows, the import kept {}",
                                             rows, staged.facts.rows_kept));
  }
  return {};
}

// A content that was there before, was replaced and comes back, has slice ids that are taken.
std::string FreeId(const History& history, const std::string& id) {
  std::string free = id;
  for (int n = 2; history.Knows(free); ++n) free = fmt::format("{}-{}", id, n);
  return free;
}

// What no commit names is the rest of unfinished work, as long as all that the log names is there.
// Else the log is an older one than the slices (put back from a backup, or its end was damaged),
// and what it does not name may hold the only copy of charges.
Status Sweep(os::Files& files, const Layout& layout, const History& history) {
  const std::set<std::string> stored = history.StoredIds();
  const std::vector<std::string> missing = FB_TRY(MissingFolders(files, layout, stored));
  if (!missing.empty()) {
    log::Error("slices that the log names are not there; nothing is removed",
               {{"missing", std::to_string(missing.size())}, {"first", missing.front()}});
    return {};
  }
  const int swept = FB_TRY(SweepUnnamed(files, layout, stored, history.QuarantineIds()));
  if (swept > 0) {
    log::Info("removed what unfinished work left", {{"entries", std::to_string(swept)}});
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::Open(const LedgerOptions& given, os::Files& files,
                                             Clock& clock, std::optional<os::HomeLock> held) {
  LedgerOptions options = WithAbsoluteHome(given);
  Layout layout{options.home};
  FB_CHECK(CheckHomePath(options.home));
  if (options.must_exist && !HomeExists(files, options.home)) {
    return Fail(Code::kNotFound, fmt::format("there is no ledger at '{}'", options.home),
                "`flyball import FILE` begins one, `flyball demo` makes an example");
  }
  FB_CHECK(files.MakeDirs(options.home));
  if (!held) held = FB_TRY(os::HomeLock::Acquire(layout.Lock()));
  os::HomeLock lock = std::move(*held);
  FB_CHECK(PrepareHome(files, layout));
  CommitLog log = FB_TRY(CommitLog::Open(files, layout.Journal()));
  FB_CHECK(files.SyncDir(layout.LogDir()));
  FB_CHECK(SweepStaging(files, layout));
  FB_CHECK(Sweep(files, layout, log.history()));
  auto ledger =
      std::make_unique<LedgerImpl>(options, files, clock, std::move(lock), std::move(log));
  FB_CHECK(ledger->Start());
  return ledger;
}

LedgerImpl::LedgerImpl(const LedgerOptions& options, os::Files& files, Clock& clock,
                       os::HomeLock lock, CommitLog log)
    : options_(options),
      layout_{options.home},
      files_(files),
      clock_(clock),
      lock_(std::move(lock)),
      books_(files, layout_),
      supervisor_(clock, options.question_limit_us),
      log_(std::move(log)),
      visible_(std::make_shared<const History>(log_.history())),
      latest_(visible_) {}

Status LedgerImpl::OpenStore() {
  store_ = FB_TRY(
      OpenDuckStore({layout_, options_.memory_bytes, options_.threads}, books_, supervisor_));
  return {};
}

Status LedgerImpl::Start() {
  FB_CHECK(OpenStore());
  if (BringUp()) return {};
  std::unique_lock lock(store_mutex_);
  if (Status replaced = ReplaceStore(); !replaced) {
    log::Error("the store cannot be derived from the slices",
               {{"why", replaced.error().ToString()}});
    store_error_ = std::move(replaced).error();
  }
  return {};
}

LedgerImpl::HistoryPtr LedgerImpl::visible() const {
  std::lock_guard lock(state_mutex_);
  return visible_;
}

LedgerImpl::HistoryPtr LedgerImpl::latest() const {
  std::lock_guard lock(state_mutex_);
  return latest_;
}

Status LedgerImpl::BringUp() {
  HistoryPtr history = latest();
  const int64_t before = store_->Applied();
  if (before != history->head_sequence()) {
    log::Info("bringing the store up to the log",
              {{"from", std::to_string(before)}, {"to", std::to_string(history->head_sequence())}});
  }
  Status brought = store_->BringTo(*history);
  if (!brought) {
    log::Warn("the store could not be brought up to the log",
              {{"why", brought.error().ToString()}});
  }
  return brought;
}

// Called with store_mutex_ held alone.
Status LedgerImpl::ReplaceStore() {
  log::Info("deriving the store again from slices and log");
  store_.reset();
  FB_CHECK(files_.RemoveTree(layout_.Store()));
  FB_CHECK(files_.MakeDirs(layout_.Store()));
  FB_CHECK(OpenStore());
  FB_CHECK(store_->BringTo(*latest()));
  store_error_.reset();
  return {};
}

std::vector<Commit> LedgerImpl::Commits() const { return visible()->Commits(); }

Result<Commit> LedgerImpl::FindCommit(const std::string& text) const {
  HistoryPtr history = visible();
  const Commit* commit = FB_TRY(history->Find(text));
  return *commit;
}

std::string LedgerImpl::Head() const {
  HistoryPtr history = visible();
  return history->Head() == nullptr ? std::string() : history->Head()->id;
}

std::optional<Commit> LedgerImpl::FindUnchanged(const std::string& source,
                                                const std::string& content_hash) const {
  return latest()->FindUnchanged(source, content_hash);
}

std::vector<Slice> LedgerImpl::LiveSlices(const std::string& source) const {
  HistoryPtr history = visible();
  std::vector<Slice> slices;
  for (const Slice* slice : history->LiveAt(history->head_sequence())) {
    if (source.empty() || slice->source == source) slices.push_back(*slice);
  }
  return slices;
}

Result<Publication> LedgerImpl::PreparePublication(StagedImport staged) {
  if (!os::IsPlainName(staged.source)) {
    return Fail(Code::kInvalidArgument, "'" + staged.source + "' is no name for a source",
                "use letters, digits, '-', '_' and '.'");
  }
  FB_CHECK(CheckSlices(staged));
  const History& history = log_.history();
  Publication publication;
  publication.staging_dir = staged.staging_dir;
  publication.quarantine_file = staged.quarantine_file;
  Commit& commit = publication.commit;
  commit.kind = CommitKind::kImport;
  commit.time = clock_.Now();
  commit.author = std::move(staged.author);
  commit.source = staged.source;
  commit.content_hash = std::move(staged.content_hash);
  commit.facts = std::move(staged.facts);
  if (const Commit* head = history.Head()) {
    commit.rules = head->rules;
  } else {
    commit.rules = FB_TRY(books_.Put(FB_TRY(estate::LoadEstate(files_, layout_.Estate()))));
    FB_TRY(books_.Get(commit.rules));
  }
  std::set<std::string> periods;
  std::vector<std::string> dirs;
  for (Slice& slice : staged.slices) {
    publication.staged_names.push_back(slice.id);
    dirs.push_back(os::JoinPath(staged.staging_dir, slice.id));
    slice.id = FreeId(history, slice.id);
    if (history.closed_periods().contains(slice.period)) {
      return Fail(
          Code::kFailedPrecondition,
          "the billing period " + slice.period + " is closed, and this bill restates it",
          "open the period again first: flyball reconcile --period " + slice.period + " --reopen");
    }
    if (!periods.insert(slice.period).second) {
      return Fail(Code::kInvalidArgument, "two staged slices are of the period " + slice.period);
    }
    commit.opens.push_back(std::move(slice));
  }
  for (const Slice* live : history.LiveAt(history.head_sequence())) {
    if (live->source == commit.source && periods.contains(live->period)) {
      commit.closes.push_back(live->id);
    }
  }
  std::shared_lock lock(store_mutex_);
  if (store_ != nullptr) FB_CHECK(store_->Admit(dirs));
  return publication;
}

Result<Commit> LedgerImpl::Publish(StagedImport staged) {
  std::lock_guard lock(commit_mutex_);
  staged.staging_dir = AbsolutePath(staged.staging_dir);
  if (!staged.staging_dir.starts_with(layout_.Tmp() + "/")) {
    return Fail(Code::kInvalidArgument,
                "'" + staged.staging_dir + "' is not in the home's folder for staging");
  }
  if (!staged.quarantine_file.empty() && staged.quarantine_file.find('/') != std::string::npos) {
    staged.quarantine_file = AbsolutePath(staged.quarantine_file);
  }
  std::string staging_dir = staged.staging_dir;
  Result<Publication> publication = PreparePublication(std::move(staged));
  if (!publication) {
    if (Status removed = files_.RemoveTree(staging_dir); !removed) {
      log::Warn("could not remove staging", {{"why", removed.error().message}});
    }
    return Fail(std::move(publication).error());
  }
  Commit commit = FB_TRY(PublishFiles(files_, layout_, log_, std::move(*publication)));
  Advance();
  return commit;
}

void LedgerImpl::Advance() {
  auto history = std::make_shared<const History>(log_.history());
  {
    std::lock_guard lock(state_mutex_);
    latest_ = history;
  }
  Status brought = Fail(Code::kDataLoss, "there is no store");
  {
    std::shared_lock lock(store_mutex_);
    if (store_ != nullptr) brought = BringUp();
  }
  {
    std::unique_lock lock(store_mutex_);
    store_error_.reset();
    if (!brought) RecoverStore(std::move(brought).error());
  }
  std::lock_guard lock(state_mutex_);
  visible_ = std::move(history);
}

// Called with store_mutex_ held alone, after the store could not be brought up.
void LedgerImpl::RecoverStore(Error error) {
  if (Passes(error) && store_ != nullptr) {
    store_error_ = std::move(error);  // the next question tries again
  } else if (Status replaced = ReplaceStore(); !replaced) {
    store_error_ = std::move(replaced).error();
  }
}

Status LedgerImpl::TryAgain() {
  std::unique_lock lock(store_mutex_);
  if (!store_error_.has_value()) return {};
  if (!Passes(*store_error_)) return Fail(*store_error_);
  FB_CHECK(store_ != nullptr ? BringUp() : ReplaceStore());
  store_error_.reset();
  return {};
}

// Runs a question against the store; asks again when a commit came in between, and derives a broken
// store again.
template <typename T, typename Ask>
Result<T> LedgerImpl::Asking(Ask ask) {
  Result<T> answer = Fail(Code::kUnavailable, "the ledger is busy with commits", "try again");
  for (int i = 0; i < kAsksMax; ++i) {
    bool down = false;
    {
      std::shared_lock lock(store_mutex_);
      down = store_error_.has_value();
      if (!down) answer = ask(*store_, *latest());
    }
    if (down) {
      FB_CHECK(TryAgain());
      continue;
    }
    if (answer) return answer;
    if (answer.error().code == Code::kAborted) continue;
    if (answer.error().code != Code::kDataLoss) return answer;
    std::unique_lock lock(store_mutex_);
    if (++replacements_ > kReplacementsMax) return answer;
    log::Warn("the store is damaged", {{"why", answer.error().message}});
    if (Status replaced = ReplaceStore(); !replaced) {
      store_error_ = replaced.error();
      return Fail(std::move(replaced).error());
    }
  }
  return answer;
}

Result<QueryAnswer> LedgerImpl::Query(const CostQuery& query, ReadFrom read_from) {
  if (!query.currency.empty()) {
    return Fail(Code::kInvalidArgument,
                "the ledger has charges in the currencies that they were billed in",
                "ask what ReportingQuery makes of the question, and convert it with ReportIn");
  }
  return Asking<QueryAnswer>(
      [&](Store& store, const History& history) { return store.Query(query, history, read_from); });
}

namespace {

// Measures, grouping and the reporting currency say nothing about which charges they are.
Result<CostQuery> ChargesOf(const CostQuery& query) {
  CostQuery plain = query;
  plain.measures = {"effective_cost"};
  plain.by.clear();
  plain.grain = Grain::kNone;
  plain.top = 0;
  plain.currency.clear();
  FB_CHECK(Validate(plain));
  return plain;
}

}  // namespace

Result<RowsPage> LedgerImpl::Rows(const CostQuery& query, int64_t offset, int64_t limit) {
  if (offset < 0 || limit < 0 || limit > kRowsPageMax) {
    return Fail(
        Code::kInvalidArgument,
        fmt::format("a page of rows begins at 0 or later and has at most {} rows", kRowsPageMax));
  }
  const CostQuery plain = FB_TRY(ChargesOf(query));
  return Asking<RowsPage>([&](Store& store, const History& history) {
    return store.Rows(plain, history, offset, limit);
  });
}

Result<Exported> LedgerImpl::Export(const ExportRequest& request) {
  ExportRequest plain = request;
  plain.query = FB_TRY(ChargesOf(request.query));
  if (!plain.path.starts_with(layout_.Tmp() + "/") || files_.Exists(plain.path)) {
    return Fail(Code::kInvalidArgument, "an export is written into a new file of a staging folder");
  }
  return Asking<Exported>([&](Store& store, const History& history) -> Result<Exported> {
    FB_CHECK(files_.Remove(plain.path));  // of an attempt that a commit overtook
    return store.Export(plain, history);
  });
}

Status LedgerImpl::Announce(const std::string& address) { return lock_.SetNote(address); }

}  // namespace flyball::ledger
