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

int Digits(const std::string& text, size_t from, size_t count) {
  int value = 0;
  for (size_t i = from; i < from + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

bool IsPeriod(const std::string& text) {
  if (text.size() != 7 || text[4] != '-') return false;
  const int month = Digits(text, 5, 2);
  return Digits(text, 0, 4) >= 1 && month >= 1 && month <= 12;
}

Instant PeriodStart(const Slice& slice) {
  FB_ASSERT(IsPeriod(slice.period));
  return ToInstant({Digits(slice.period, 0, 4), Digits(slice.period, 5, 2), 1});
}

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
  const bool closes_period =
      commit.kind == CommitKind::kClose || commit.kind == CommitKind::kReopen;
  if (closes_period && (!IsPeriod(commit.period) || !opens.empty() || !closes.empty())) {
    return Broken(commit, "closes no billing period, or opens and closes slices beside it");
  }
  for (const Slice& slice : commit.opens) {
    if (closed_periods_.contains(slice.period)) {
      return Broken(commit, "restates " + slice.period + ", which is closed");
    }
  }
  return CheckPacks(commit);
}

Status History::CheckPacks(const Commit& commit) const {
  const bool compacts = commit.kind == CommitKind::kCompact;
  if (compacts && (!commit.opens.empty() || !commit.closes.empty())) {
    return Broken(commit, "compacts, and yet opens or closes slices");
  }
  if (!compacts && !commit.packs.empty())
    return Broken(commit, "places slices and is no compaction");
  std::set<std::string> ids, placed;
  for (const Pack& pack : commit.packs) {
    if (Knows(pack.id) || !ids.insert(pack.id).second) {
      return Broken(commit, "makes the pack " + pack.id + " again");
    }
    if (pack.members.empty()) return Broken(commit, "makes the empty pack " + pack.id);
    std::set<std::string> periods;
    std::vector<const Slice*> members;
    for (const std::string& id : pack.members) {
      auto found = slices_.find(id);
      if (found == slices_.end() || !placed.insert(id).second) {
        return Broken(commit, "places the slice " + id + ", which is not there or in two packs");
      }
      members.push_back(&found->second.slice());
      if (members.back()->source != pack.source || !periods.insert(members.back()->period).second) {
        return Broken(commit, "packs slices of two sources, or two of one period: " + pack.id);
      }
    }
    // A folder moves as a whole, or it would have to stay beside the pack that replaces it.
    for (const Folder& folder : FoldersOf(members)) {
      if (folder.partial()) return Broken(commit, "takes a part of " + folder.id());
    }
  }
  return {};
}

Status History::Add(Commit commit) {
  FB_CHECK(Check(commit));
  auto shared = std::make_shared<const Commit>(std::move(commit));
  for (const std::string& id : shared->closes) slices_.at(id).closed = shared->sequence;
  for (size_t i = 0; i < shared->opens.size(); ++i) {
    slices_.emplace(shared->opens[i].id, Entry{shared, i, shared->sequence, 0, nullptr});
  }
  for (const Pack& pack : shared->packs) {
    packs_.emplace(pack.id, &pack);
    for (const std::string& id : pack.members) slices_.at(id).pack = &pack;
  }
  if (shared->kind == CommitKind::kClose) closed_periods_.insert(shared->period);
  if (shared->kind == CommitKind::kReopen) closed_periods_.erase(shared->period);
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
  const std::string corrected = CorrectionSource(source, "");
  const bool is_corrected = std::ranges::any_of(slices_, [&](const auto& slice) {
    const Entry& entry = slice.second;
    return entry.closed == 0 && entry.slice().source.starts_with(corrected);
  });
  if (is_corrected) return std::nullopt;
  for (auto commit = commits_.rbegin(); commit != commits_.rend(); ++commit) {
    const Commit& candidate = **commit;
    if (candidate.kind != CommitKind::kImport || candidate.source != source ||
        candidate.content_hash != content_hash) {
      continue;
    }
    const bool live = std::ranges::all_of(candidate.opens,
                                          [this](const Slice& slice) { return IsLive(slice.id); });
    // What it left out, of periods that were closed, may be open again or corrected since.
    if (live && candidate.facts.rows_kept <= RowsInSlices(candidate)) return candidate;
  }
  return std::nullopt;
}

bool History::IsLive(const std::string& slice_id) const {
  auto found = slices_.find(slice_id);
  return found != slices_.end() && found->second.closed == 0;
}

std::vector<const Slice*> History::LiveAt(int64_t sequence) const {
  std::vector<const Slice*> live;
  for (const auto& [id, entry] : slices_) {
    if (entry.opened > sequence || (entry.closed != 0 && entry.closed <= sequence)) continue;
    live.push_back(&entry.slice());
  }
  std::ranges::sort(live, Before);
  return live;
}

std::vector<Folder> History::FoldersOf(const std::vector<const Slice*>& slices) const {
  std::vector<Folder> folders;
  std::map<const Pack*, size_t> place_of;
  for (const Slice* slice : slices) {
    const Pack* pack = slices_.at(slice->id).pack;
    if (pack == nullptr) {
      folders.push_back({slice, nullptr, {slice}});
      continue;
    }
    auto [place, is_new] = place_of.try_emplace(pack, folders.size());
    if (is_new) folders.push_back({nullptr, pack, {}});
    folders[place->second].wanted.push_back(slice);
  }
  return folders;
}

std::vector<Folder> History::Stored() const {
  std::vector<const Slice*> all;
  for (const auto& [id, entry] : slices_) all.push_back(&entry.slice());
  std::ranges::sort(all, Before);
  return FoldersOf(all);
}

std::set<std::string> History::StoredIds() const {
  std::set<std::string> ids;
  for (const Folder& folder : Stored()) ids.insert(folder.id());
  return ids;
}

std::set<std::string> History::QuarantineIds() const {
  std::set<std::string> ids;
  for (const auto& commit : commits_) {
    if (commit->kind != CommitKind::kImport) continue;
    ids.insert(QuarantineId(*commit));
  }
  return ids;
}

}  // namespace flyball::ledger
