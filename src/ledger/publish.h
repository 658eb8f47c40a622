// The protocol by which staged slices and packs come into the ledger, in terms of files alone (no
// engine), so that it can be run on a disk that loses power at any step.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/commit_log.h"
#include "ledger/home.h"
#include "ledger/ledger.h"
#include "os/files.h"

namespace flyball::ledger {

// Before it: staging holds the files of each slice of commit.opens under the name staged_names[i],
// those of each pack under its id. Then
//   1. every file and folder in staging is synced,
//   2. each of these folders is renamed to its place and the folders above are synced; so is the
//   quarantine file,
//   3. the record is appended to the log and synced: the commit counts,
//   4. staging is removed.
// When a step before 3 fails, what was moved is removed again and nothing has changed. When 3
// itself fails, moved files stay where no commit names them: only the next open can tell whether
// the disk kept the record.
struct Publication {
  Commit commit;  // sequence, parent and id are filled in here
  std::string staging_dir;
  std::vector<std::string> staged_names;
  std::string quarantine_file;  // inside staging_dir; "": none
};
Result<Commit> PublishFiles(os::Files& files, const Layout& layout, CommitLog& log,
                            Publication publication);

// Removes folders that a commit has placed elsewhere and no question reads any more. What cannot be
// removed is removed by the next open.
void RemoveFolders(os::Files& files, const Layout& layout, const std::vector<Folder>& folders);

}  // namespace flyball::ledger
