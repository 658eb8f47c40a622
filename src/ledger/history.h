// History: the commits in memory, and from which commit to which each slice is live.
//
// A slice is live from the commit that opens it up to, not including, the one that closes it. After
// a compaction another slice stands for it, with the same rows: a question about an older commit is
// then answered from that one. A value: copying it is cheap (it shares the commits), and a copy
// never changes under its reader.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/ledger.h"

namespace flyball::ledger {

class History {
 public:
  // Takes the next commit, its id filled in. DATA_LOSS when it does not follow from what is there:
  // a wrong sequence or parent, a slice id used before, a slice closed that is not live.
  Status Add(Commit commit);

  int64_t head_sequence() const { return static_cast<int64_t>(commits_.size()); }
  const Commit* Head() const { return commits_.empty() ? nullptr : commits_.back().get(); }
  // 1 <= sequence <= head_sequence()
  const Commit& At(int64_t sequence) const { return *commits_[static_cast<size_t>(sequence) - 1]; }
  std::vector<Commit> Commits() const;

  // By id, sequence number or unique prefix of an id. NOT_FOUND; INVALID_ARGUMENT when several
  // begin so.
  Result<const Commit*> Find(const std::string& id_or_prefix_or_sequence) const;
  // The slices to read for a commit (0: none), by (source, period, id); each is one whose files are
  // there.
  std::vector<const Slice*> LiveAt(int64_t sequence) const;
  // All slices whose files must be there: those that are or were live, less those that another
  // stands for.
  std::vector<const Slice*> Stored() const;
  bool Knows(const std::string& slice_id) const { return slices_.contains(slice_id); }
  bool IsLive(const std::string& slice_id) const;
  // The id of the slice whose files hold this one's rows: its own, or of the one that stands for
  // it.
  std::string StandIn(const std::string& slice_id) const;
  // The newest import of this source with this content whose slices are all still live ("the same
  // file again").
  std::optional<Commit> FindUnchanged(const std::string& source,
                                      const std::string& content_hash) const;
  std::set<std::string> QuarantineIds() const;

 private:
  struct Entry {
    std::shared_ptr<const Commit> commit;  // the one that opens it
    size_t index = 0;                      // in its opens
    int64_t opened = 0;
    int64_t closed = 0;        // 0: live
    std::string stood_for_by;  // "": its own files are there
    const Slice& slice() const { return commit->opens[index]; }
  };
  const Entry& Resolve(const Entry& entry) const;
  Status Check(const Commit& commit) const;

  std::vector<std::shared_ptr<const Commit>> commits_;
  std::map<std::string, Entry> slices_;
};

}  // namespace flyball::ledger
