// The log: the only truth about commits. A journal of JSON records, each chained to the one before
// by its hash.
#pragma once

#include <string>

#include "base/result.h"
#include "ledger/history.h"
#include "ledger/ledger.h"
#include "os/files.h"
#include "os/journal.h"

namespace flyball::ledger {

class CommitLog {
 public:
  // Reads and verifies every record; a torn tail (a commit that never counted) is cut. DATA_LOSS
  // when the chain is broken.
  static Result<CommitLog> Open(os::Files& files, const std::string& journal_path);

  const History& history() const { return history_; }
  // A commit made ready: sequence, parent and id are filled in from what the log holds now.
  struct Draft {
    Commit commit;
    std::string record;
  };
  Draft Prepare(Commit commit) const;
  // The instant at which a commit counts. On an error it does not count in this process; whether a
  // broken disk kept it is found out at the next open.
  Status Append(const Draft& draft);

 private:
  explicit CommitLog(os::Journal journal, History history)
      : journal_(std::move(journal)), history_(std::move(history)) {}
  os::Journal journal_;
  History history_;
};

// Reads the log beside its owner and verifies the chain, changing nothing.
Result<History> ReadHistory(os::Files& files, const std::string& journal_path);

}  // namespace flyball::ledger
