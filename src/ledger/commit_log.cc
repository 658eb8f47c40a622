#include "ledger/commit_log.h"

#include "ledger/commit_json.h"

namespace flyball::ledger {
namespace {

// Each record states its parent's id, and its own id covers its bytes and that: one changed byte
// anywhere breaks the chain.
os::Journal::Visitor AddTo(History* history, const std::string& path) {
  return [history, path](uint64_t offset, std::string_view payload) -> Status {
    auto add = [&]() -> Status {
      Commit commit = FB_TRY(DecodeRecord(payload));
      commit.id = CommitId(commit.parent, payload);
      return history->Add(std::move(commit));
    };
    Status added = add();
    if (added) return added;
    return Fail(std::move(added).error().At(Place{path, 0, 0, static_cast<int64_t>(offset) + 1}));
  };
}

}  // namespace

Result<CommitLog> CommitLog::Open(os::Files& files, const std::string& journal_path) {
  History history;
  os::Journal journal =
      FB_TRY(os::Journal::Open(files, journal_path, AddTo(&history, journal_path)));
  return CommitLog(std::move(journal), std::move(history));
}

CommitLog::Draft CommitLog::Prepare(Commit commit) const {
  const Commit* head = history_.Head();
  commit.sequence = history_.head_sequence() + 1;
  commit.parent = head == nullptr ? "" : head->id;
  Draft draft;
  draft.record = EncodeRecord(commit);
  commit.id = CommitId(commit.parent, draft.record);
  draft.commit = std::move(commit);
  return draft;
}

Status CommitLog::Append(const Draft& draft) {
  History next = history_;
  FB_CHECK(next.Add(draft.commit));
  FB_CHECK(journal_.Append(draft.record, /*sync=*/true));
  history_ = std::move(next);
  return {};
}

Result<History> ReadHistory(os::Files& files, const std::string& journal_path) {
  History history;
  FB_CHECK(os::Journal::Read(files, journal_path, AddTo(&history, journal_path)));
  return history;
}

}  // namespace flyball::ledger
