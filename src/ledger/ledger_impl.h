// The ledger of one home: log, slices and store held together. See ledger.h.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "engine/supervisor.h"
#include "ledger/commit_log.h"
#include "ledger/gated_mutex.h"
#include "ledger/history.h"
#include "ledger/home.h"
#include "ledger/ledger.h"
#include "ledger/publish.h"
#include "ledger/rule_books.h"
#include "ledger/store.h"

namespace flyball::ledger {

// A full disk or memory passes: no reason to throw a sound store away, and no fault of what is
// stored.
inline bool Passes(const Error& error) {
  return error.code == Code::kResourceExhausted || error.code == Code::kUnavailable;
}

class LedgerImpl : public Ledger {
 public:
  LedgerImpl(const LedgerOptions& options, os::Files& files, Clock& clock, os::HomeLock lock,
             CommitLog log);
  // Brings the store up; a store that cannot be brought up fails questions, not the open, so that
  // Rebuild can say why.
  Status Start();

  std::vector<Commit> Commits() const override;
  Result<Commit> FindCommit(const std::string& id_or_prefix_or_sequence) const override;
  std::string Head() const override;
  std::optional<Commit> FindUnchanged(const std::string& source,
                                      const std::string& content_hash) const override;
  std::vector<Slice> LiveSlices(const std::string& source) const override;

  Result<Commit> Publish(StagedImport staged) override;
  Result<std::optional<Commit>> Classify(const std::string& author) override;
  bool RulesAreStale() const override;
  Result<std::optional<Commit>> Compact(const std::string& author, uint64_t small_bytes) override;
  Result<Commit> SetClosed(const std::string& period, bool closed, const std::string& author,
                           const std::string& report_hash) override;
  std::vector<std::string> ClosedPeriods() const override;
  Result<Correction> WriteCorrection(const CorrectionRequest& request) override;
  Result<std::vector<Overlap>> FindOverlaps(const StagedImport& staged) override;

  Result<QueryAnswer> Query(const CostQuery& query, ReadFrom read_from) override;
  Result<RowsPage> Rows(const CostQuery& query, int64_t offset, int64_t limit) override;
  Result<Exported> Export(const ExportRequest& request) override;
  // Takes no lock: what holds one may wait for the very question that is to end.
  void StopQuestions() override { supervisor_.Stop(); }
  std::shared_ptr<const estate::RuleSet> Rules() const override;
  Status Announce(const std::string& address) override;
  Result<RebuildReport> Rebuild() override;

 private:
  using HistoryPtr = std::shared_ptr<const History>;
  // What readers see; it moves on when the store has been brought to a commit.
  HistoryPtr visible() const;
  // What the log says; it is ahead of visible() while the store is being brought up.
  HistoryPtr latest() const;

  Result<Publication> PreparePublication(StagedImport staged);
  // After an append: tells the store, then the readers. The commit counts whatever comes of it.
  void Advance();
  Status BringUp();
  Status OpenStore();
  Status ReplaceStore();
  void RecoverStore(Error error);
  // After a fault that may have passed: Ok when questions can be asked again.
  Status TryAgain();
  template <typename T, typename Ask>
  Result<T> Asking(Ask ask);
  std::string FreePackId(const std::string& source, size_t* number) const;
  Result<Publication> WritePacks(const std::vector<std::vector<Folder>>& joins,
                                 const std::string& staging_dir, Commit commit);
  // The faults; an error when a full disk or memory kept it from looking.
  Result<std::vector<std::string>> VerifyAll(const History& history, RebuildReport* report);

  const LedgerOptions options_;
  const Layout layout_;
  os::Files& files_;
  Clock& clock_;
  os::HomeLock lock_;
  mutable RuleBooks books_;
  engine::Supervisor supervisor_;

  std::mutex commit_mutex_;  // one commit at a time; also guards log_
  CommitLog log_;

  mutable std::mutex state_mutex_;
  HistoryPtr visible_, latest_;

  // Held shared while a question runs, alone while the store is replaced or slice files are
  // removed.
  GatedMutex store_mutex_;
  std::unique_ptr<Store> store_;
  std::optional<Error> store_error_;
  int replacements_ = 0;
};

}  // namespace flyball::ledger
