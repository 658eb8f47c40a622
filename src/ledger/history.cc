#include "ledger/history.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "base/assert.h"

namespace flyball::ledger {
namespace {

bool Before(const Slice* a, const Slice* b) {
  return std::tie(a->source, a->period, a->id) < std::tie(b->source, b->period, b->id);
}

std::unexpected<Error> Broken(const Commit& commit, std::string what) {
  return Fail(Code::kDataLoss, fmt::format("commit {} of the log {}", commit.sequence, what),
              "restore the log from a backup; `flyball rebuild` says what is left");
}

}  // namespace

Status History::Check(const Commit& commit) const {
  if (commit.sequence != head_sequence() + 1) return Broken(commit, "is out of sequence");
  if (commit.parent != (commits_.empty() ? "" : commits_.back()->id)) {
    return Broken(commit, "does not follow from the one before it");
  }
  std::set<std::string> closes(commit.closes.begin(), commit.closes.end());
  if (closes.size() != commit.closes.size()) return Broken(commit, "closes a slice twice");
  for (const std::string& id : closes) {
    if (!IsLive(id)) return Broken(commit, "closes the slice " + id + ", which is not live");
  }
  std::set<std::string> opens;
  for (const Slice& slice : commit.opens) {
    if (Knows(slice.id) || !opens.insert(slice.id).second) {
      return Broken(commit, "opens the slice " + slice.id + " again");
    }
  }
  for (const auto& [old_id, new_id] : commit.stands_for) {
    if (!closes.contains(old_id) || !opens.contains(new_id)) {
      return Broken(commit, "lets a slice stand for one that it does not replace");
    }
  }
  return {};
}

Status History::Add(Commit commit) {
  FB_CHECK(Check(commit));
  auto shared = std::make_shared<const Commit>(std::move(commit));
  for (const std::string& id : shared->closes) slices_.at(id).closed = shared->sequence;
  for (const auto& [old_id, new_id] : shared->stands_for) {
    slices_.at(old_id).stood_for_by = new_id;
  }
  for (size_t i = 0; i < shared->opens.size(); ++i) {
    slices_.emplace(shared->opens[i].id, Entry{shared, i, shared->sequence, 0, {}});
  }
  commits_.push_back(std::move(shared));
  return {};
}

std::vector<Commit> History::Commits() const {
  std::vector<Commit> commits;
  for (const auto& commit : commits_) commits.push_back(*commit);
  return commits;
}

Result<const Commit*> History::Find(const std::string& text) const {
  std::vector<const Commit*> begin_so;
  for (const auto& commit : commits_) {
    if (text.empty() || !commit->id.starts_with(text)) continue;
    if (commit->id == text) return commit.get();
    begin_so.push_back(commit.get());
  }
  int64_t sequence = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), sequence);
  bool is_number = error == std::errc() && end == text.data() + text.size();
  if (is_number && sequence >= 1 && sequence <= head_sequence()) return &At(sequence);
  if (begin_so.size() == 1) return begin_so.front();
  if (begin_so.size() > 1) {
    return Fail(Code::kInvalidArgument, "several commits begin with '" + text + "'",
                "give more digits of the id, or the sequence number");
  }
  return Fail(Code::kNotFound, "there is no commit '" + text + "'",
              "a commit is named by its id, by the beginning of its id, or by its number");
}

std::optional<Commit> History::FindUnchanged(const std::string& source,
                                             const std::string& content_hash) const {
  for (auto commit = commits_.rbegin(); commit != commits_.rend(); ++commit) {
    const Commit& candidate = **commit;
    if (candidate.kind != CommitKind::kImport || candidate.source != source ||
        candidate.content_hash != content_hash) {
      continue;
    }
    const bool live = std::all_of(candidate.opens.begin(), candidate.opens.end(),
                                  [this](const Slice& slice) { return IsLive(StandIn(slice.id)); });
    if (live) return candidate;
  }
  return std::nullopt;
}

bool History::IsLive(const std::string& slice_id) const {
  auto found = slices_.find(slice_id);
  return found != slices_.end() && found->second.closed == 0;
}

const History::Entry& History::Resolve(const Entry& entry) const {
  const Entry* at = &entry;
  while (!at->stood_for_by.empty()) at = &slices_.at(at->stood_for_by);
  return *at;
}

std::string History::StandIn(const std::string& slice_id) const {
  return Resolve(slices_.at(slice_id)).slice().id;
}

std::vector<const Slice*> History::LiveAt(int64_t sequence) const {
  std::vector<const Slice*> live;
  for (const auto& [id, entry] : slices_) {
    if (entry.opened > sequence || (entry.closed != 0 && entry.closed <= sequence)) continue;
    live.push_back(&Resolve(entry).slice());
  }
  std::ranges::sort(live, Before);
  return live;
}

std::vector<const Slice*> History::Stored() const {
  std::vector<const Slice*> stored;
  for (const auto& [id, entry] : slices_) {
    if (entry.stood_for_by.empty()) stored.push_back(&entry.slice());
  }
  std::ranges::sort(stored, Before);
  return stored;
}

std::set<std::string> History::QuarantineIds() const {
  std::set<std::string> ids;
  for (const auto& commit : commits_) {
    if (commit->kind != CommitKind::kImport) continue;
    ids.insert(commit->opens.empty() ? commit->id : commit->opens.front().id);
  }
  return ids;
}

}  // namespace flyball::ledger
