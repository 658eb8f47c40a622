// FakeLedger: a ledger without a store, for tests of what the service does around one: it counts,
// waits and fails on demand. What a real ledger answers through the service is tested in
// service_ledger_test.cc and tests/cases/.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ledger/ledger.h"

namespace flyball::serve {

class FakeLedger final : public ledger::Ledger {
 public:
  std::vector<ledger::Commit> Commits() const override {
    std::lock_guard lock(mutex_);
    return commits_;
  }
  Result<ledger::Commit> FindCommit(const std::string& name) const override {
    for (const ledger::Commit& commit : Commits()) {
      if (commit.id.starts_with(name) || std::to_string(commit.sequence) == name) return commit;
    }
    return Fail(Code::kNotFound, "there is no commit '" + name + "'");
  }
  std::string Head() const override {
    std::lock_guard lock(mutex_);
    return commits_.empty() ? "" : commits_.back().id;
  }
  std::optional<ledger::Commit> FindUnchanged(const std::string&,
                                              const std::string&) const override {
    return std::nullopt;
  }
  std::vector<ledger::Slice> LiveSlices(const std::string&) const override { return {}; }
  Result<ledger::Commit> Publish(ledger::StagedImport) override {
    return Fail(Code::kUnimplemented, "not in a fake");
  }
  Result<std::optional<ledger::Commit>> Classify(const std::string& author) override {
    return Add(ledger::CommitKind::kClassify, author);
  }
  bool RulesAreStale() const override {
    ++stale_looks;
    return stale;
  }
  Result<ledger::Commit> SetClosed(const std::string& period, bool closed,
                                   const std::string& author,
                                   const std::string& report_hash) override {
    ledger::Commit commit;
    commit.sequence = 3;
    commit.id = "0000000000000003";
    commit.kind = closed ? ledger::CommitKind::kClose : ledger::CommitKind::kReopen;
    commit.period = period;
    commit.author = author;
    commit.content_hash = report_hash;
    return commit;
  }
  std::vector<std::string> ClosedPeriods() const override { return {}; }
  Result<ledger::Correction> WriteCorrection(const ledger::CorrectionRequest&) override {
    return Fail(Code::kUnimplemented, "not in a fake");
  }
  Result<std::vector<ledger::Overlap>> FindOverlaps(const ledger::StagedImport&) override {
    return std::vector<ledger::Overlap>();
  }
  Result<std::optional<ledger::Commit>> Compact(const std::string&, uint64_t small_bytes) override {
    compacted_bytes = small_bytes;
    return std::optional<ledger::Commit>();
  }
  Result<ledger::QueryAnswer> Query(const ledger::CostQuery& query, ledger::ReadFrom) override {
    ++queries;
    if (on_query) on_query();
    ledger::QueryAnswer answer;
    answer.columns = query.by;
    answer.measures = query.measures;
    answer.commit = query.as_of.empty() ? Head() : FB_TRY(FindCommit(query.as_of)).id;
    answer.query_hash = ledger::QueryHash(query);
    ledger::AnswerRow row;
    row.dimensions.assign(query.by.size(), "AWS");
    row.measures.assign(query.measures.size(), int128{1'500'000'000'000});
    row.currency = "USD";
    answer.rows.push_back(row);
    answer.totals["USD"] = row.measures;
    answer.read_from = "cube";
    return answer;
  }
  Result<ledger::RowsPage> Rows(const ledger::CostQuery&, int64_t offset, int64_t limit) override {
    ledger::RowsPage page;
    page.columns = {"ServiceName", "x_Team"};
    for (int64_t i = offset; i < std::min<int64_t>(offset + limit, 5); ++i) {
      page.rows.push_back({"service \"" + std::to_string(i) + "\"", std::nullopt});
    }
    page.total = 5;
    page.commit = Head();
    return page;
  }
  Result<ledger::Exported> Export(const ledger::ExportRequest& request) override {
    exported = request;
    return ledger::Exported{5, {"BilledCost"}, Head()};
  }
  void StopQuestions() override {}
  std::shared_ptr<const estate::RuleSet> Rules() const override { return rules; }
  Status Announce(const std::string&) override { return {}; }
  Result<ledger::RebuildReport> Rebuild() override { return ledger::RebuildReport{}; }

  std::optional<ledger::Commit> Add(ledger::CommitKind kind, const std::string& author) {
    std::lock_guard lock(mutex_);
    ledger::Commit commit;
    commit.sequence = static_cast<int64_t>(commits_.size()) + 1;
    commit.id = fmt::format("{:016x}", 0xabc0 + commit.sequence);
    commit.kind = kind;
    commit.author = author;
    commit.source = "aws";
    commits_.push_back(commit);
    return commit;
  }
  void SetFacts(int64_t sequence, const ledger::ImportFacts& facts) {
    std::lock_guard lock(mutex_);
    commits_[static_cast<size_t>(sequence - 1)].facts = facts;
  }

  std::atomic<int> queries = 0;
  ledger::ExportRequest exported;
  std::atomic<uint64_t> compacted_bytes = 0;
  mutable std::atomic<int> stale_looks = 0;
  bool stale = false;
  std::function<void()> on_query;
  std::shared_ptr<const estate::RuleSet> rules;

 private:
  mutable std::mutex mutex_;
  std::vector<ledger::Commit> commits_;
};

}  // namespace flyball::serve
