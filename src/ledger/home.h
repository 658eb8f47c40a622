// The home folder: where what lies (ledger.h says what), its version, and what is swept at open.
#pragma once

#include <set>
#include <string>

#include "base/result.h"
#include "ledger/history.h"
#include "ledger/ledger.h"
#include "os/files.h"

namespace flyball::ledger {

inline constexpr char kStagingPrefix[] = "import-";

struct Layout {
  std::string home;

  std::string Version() const { return os::JoinPath(home, "VERSION"); }
  std::string Lock() const { return os::JoinPath(home, "LOCK"); }
  std::string Estate() const { return os::JoinPath(home, "estate.yaml"); }
  std::string LogDir() const { return os::JoinPath(home, "log"); }
  std::string Journal() const { return os::JoinPath(LogDir(), "ledger.journal"); }
  std::string Slices() const { return os::JoinPath(home, "slices"); }
  std::string Rules() const { return os::JoinPath(home, "rules"); }
  std::string RulesFile(const std::string& hash) const {
    return os::JoinPath(Rules(), hash + ".yaml");
  }
  std::string Quarantine() const { return os::JoinPath(home, "quarantine"); }
  std::string Store() const { return os::JoinPath(home, "store"); }
  std::string Tmp() const { return os::JoinPath(home, "tmp"); }

  std::string PeriodDir(const std::string& source, const std::string& period) const {
    return os::JoinPath(os::JoinPath(Slices(), source), period);
  }
  std::string SliceDir(const Slice& slice) const {
    return os::JoinPath(PeriodDir(slice.source, slice.period), slice.id);
  }
  // Beside the periods, and never one of them.
  std::string PackDir(const Pack& pack) const {
    return os::JoinPath(PeriodDir(pack.source, "packs"), pack.id);
  }
  std::string FolderDir(const Folder& folder) const {
    return folder.pack != nullptr ? PackDir(*folder.pack) : SliceDir(*folder.slice);
  }
};

// Without dots, and without a slash at its end.
std::string AbsolutePath(const std::string& path);
// INVALID_ARGUMENT when the path has a character that the engine would read as a pattern of file
// names.
Status CheckHomePath(const std::string& home);
// Makes the folders of a new home, or checks that an existing one has our version. A home that lost
// its VERSION but has a log is FAILED_PRECONDITION, as is a home of another version.
Status PrepareHome(os::Files& files, const Layout& layout);

// Removes staging that no living process owns.
Status SweepStaging(os::Files& files, const Layout& layout);
// Those of the ids that no folder of a slice or pack has.
Result<std::vector<std::string>> MissingFolders(os::Files& files, const Layout& layout,
                                                const std::set<std::string>& folders);
// Removes the folders of slices and packs, and the quarantine files, whose id is in neither set:
// what an import or a compaction left that did not come to its commit, or to its end. Returns how
// many were removed.
Result<int> SweepUnnamed(os::Files& files, const Layout& layout,
                         const std::set<std::string>& folders,
                         const std::set<std::string>& quarantines);

}  // namespace flyball::ledger
