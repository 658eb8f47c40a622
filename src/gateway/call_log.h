// CallLog: the journal of what was dispatched and what it cost (model/metered_call.h), a file a
// month, from which the ledger's charges are made.
//
// Records are written when the guard's are, and not synced one by one: a process that dies loses
// none. What can't be written is kept, and written before anything newer. One thread owns it.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "model/metered_call.h"
#include "os/files.h"
#include "os/journal.h"

namespace flyball::gateway {

class CallLog {
 public:
  // Reads what is there, oldest month first, through `visit`.
  static Result<CallLog> Open(os::Files& files, const std::string& folder,
                              const std::function<Status(const metered::Record&)>& visit);

  // An attempt's records lie in the file of the month in which it was dispatched. A dispatch that
  // can't be written is given up: the call must not leave. An end is kept.
  Status Write(const metered::Dispatch& dispatch);
  Status Write(const metered::End& end, Instant dispatched);
  // Writes what was kept.
  Status Retry();
  bool is_behind() const { return !unwritten_.empty(); }

 private:
  CallLog(os::Files& files, std::string folder) : files_(&files), folder_(std::move(folder)) {}
  Status Append(Instant dispatched, const std::string& record);

  os::Files* files_;
  std::string folder_;
  // The current month's, and the one before, whose last calls may still run.
  struct Open_ {
    std::string month;
    std::optional<os::Journal> journal;
  };
  Open_ open_[2];
  struct Unwritten {
    Instant dispatched;
    std::string record;
  };
  std::deque<Unwritten> unwritten_;
};

// "calls-2026-11.journal"
std::string CallLogName(Instant at);

}  // namespace flyball::gateway
