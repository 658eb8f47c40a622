// History: the commits in memory, and from which commit to which each slice is live.
//
// A slice is live from the commit that opens it up to, not including, the one that closes it. Where
// its rows lie is another matter: in a folder of its own, or in that of the pack which a compaction
// placed it in last. A value: copying it is cheap (it shares the commits, so that pointers into one
// copy hold as long as any lives), and a copy never changes under its reader.
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

// "2024-09"
bool IsPeriod(const std::string& text);
// The first instant of its billing period.
Instant PeriodStart(const Slice& slice);

// A folder of files, and the slices in it that are asked for.
struct Folder {
  const Slice* slice = nullptr;  // whose own folder it is
  const Pack* pack = nullptr;    // or the pack that it is
  std::vector<const Slice*> wanted;

  const std::string& id() const { return pack != nullptr ? pack->id : slice->id; }
  const std::string& source() const { return pack != nullptr ? pack->source : slice->source; }
  const std::vector<SliceFile>& files() const {
    return pack != nullptr ? pack->files : slice->files;
  }
  // It holds rows of other slices too.
  bool partial() const { return pack != nullptr && wanted.size() < pack->members.size(); }
};

class History {
 public:
  // Takes the next commit, its id filled in. DATA_LOSS when it does not follow from what is there:
  // a wrong sequence or parent, an id used before, a slice closed that is not live, a pack that
  // could not be told apart again.
  Status Add(Commit commit);

  int64_t head_sequence() const { return static_cast<int64_t>(commits_.size()); }
  const Commit* Head() const { return commits_.empty() ? nullptr : commits_.back().get(); }
  // 1 <= sequence <= head_sequence()
  const Commit& At(int64_t sequence) const { return *commits_[static_cast<size_t>(sequence) - 1]; }
  std::vector<Commit> Commits() const;

  // By id, sequence number or unique prefix of an id. NOT_FOUND; INVALID_ARGUMENT when several
  // begin so.
  Result<const Commit*> Find(const std::string& id_or_prefix_or_sequence) const;
  // The slices of a commit (0: none), by (source, period, id).
  std::vector<const Slice*> LiveAt(int64_t sequence) const;
  // The folders to read for these slices, in their order.
  std::vector<Folder> FoldersOf(const std::vector<const Slice*>& slices) const;
  // All folders that must be there, by source and period: of the slices that are or were live.
  std::vector<Folder> Stored() const;
  std::set<std::string> StoredIds() const;
  // Whether a slice or a pack has, or had, this id.
  bool Knows(const std::string& id) const { return slices_.contains(id) || packs_.contains(id); }
  bool IsLive(const std::string& slice_id) const;
  // The newest import of this source with this content that is all that is live of it ("the same
  // file again"). None where a closed period of the source was corrected: another bill may have
  // said something else of it since.
  std::optional<Commit> FindUnchanged(const std::string& source,
                                      const std::string& content_hash) const;
  std::set<std::string> QuarantineIds() const;
  // Billing periods that no import may restate.
  const std::set<std::string>& closed_periods() const { return closed_periods_; }

 private:
  struct Entry {
    std::shared_ptr<const Commit> commit;  // the one that opens it
    size_t index = 0;                      // in its opens
    int64_t opened = 0;
    int64_t closed = 0;          // 0: live
    const Pack* pack = nullptr;  // that holds its rows; null: its own folder does
    const Slice& slice() const { return commit->opens[index]; }
  };
  Status Check(const Commit& commit) const;
  Status CheckPacks(const Commit& commit) const;

  std::vector<std::shared_ptr<const Commit>> commits_;
  std::map<std::string, Entry> slices_;
  std::map<std::string, const Pack*> packs_;
  std::set<std::string> closed_periods_;
};

}  // namespace flyball::ledger
