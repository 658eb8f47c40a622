// CallLog: the journal of what was dispatched and what it cost (model/metered_call.h), a file a
// month, from which the ledger's charges are made.
//
// Records are added as calls go on and written once for many: ends before the guard's journal,
// dispatches after it and before their first bytes leave. They are synced about once a second: a
// process that dies loses none that was written, a power cut the last of them. Ends that can't be
// written are kept, and written before anything newer. Damage within a file, or a record that can't
// be decoded, is told and passed over: the gateway does not stand still for it. One thread owns it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/metered_call.h"
#include "os/files.h"
#include "os/journal.h"

namespace flyball::gateway {

class CallLog {
 public:
  // Of each file, where its last record ends.
  using Ends = std::map<std::string, uint64_t>;
  // Reads what is there, oldest month first, through `visit`; of each file what stands behind
  // `from`, which an earlier reading has told.
  static Result<CallLog> Open(os::Files& files, const std::string& folder,
                              const std::function<Status(const metered::Record&)>& visit,
                              const Ends& from = {});

  // An attempt's records lie in the file of the month in which it was dispatched.
  void Add(const metered::End& end, Instant dispatched);
  void Add(const metered::Dispatch& dispatch);
  // Of a dispatch that is not written yet and never will be.
  void Withdraw(uint64_t id);
  Status WriteEnds();
  // Ends first. On an error the dispatches are given up: their calls must not leave.
  Status WriteDispatches();
  void GiveUpDispatches() { dispatches_.clear(); }
  // An end could not be written when that was tried last. While true no call may leave. After a
  // failed sync until it is opened again: nobody knows what the disk has.
  bool is_behind() const { return ends_failed_ || sync_failed_; }

  // What brings to the disk what was written since the last one; on any thread. Empty when that is
  // nothing. Then FinishSync with its answer.
  std::function<Status()> StartSync();
  void FinishSync(const Status& synced) { sync_failed_ |= !synced.has_value(); }

  Ends ends() const;
  // Some of what it read at the start was damaged.
  bool is_damaged() const { return is_damaged_; }

 private:
  CallLog(os::Files& files, std::string folder) : files_(&files), folder_(std::move(folder)) {}
  struct Record {
    uint64_t id = 0;
    Instant dispatched;
    std::string text;
  };
  Status Write(std::span<const Record> records, size_t* written);
  Status Append(Instant dispatched, std::span<const std::string_view> records);

  os::Files* files_;
  std::string folder_;
  // The current month's, and the one before, whose last calls may still run.
  struct Open_ {
    std::string month;
    std::optional<os::Journal> journal;
  };
  Open_ open_[2];
  Ends ends_;  // of files that are not open
  std::vector<std::string> unsynced_;
  bool sync_failed_ = false;
  bool is_damaged_ = false;
  std::vector<Record> unwritten_;  // ends
  std::vector<Record> dispatches_;
  bool ends_failed_ = false;
};

// "calls-2026-11.journal"
std::string CallLogName(Instant at);

}  // namespace flyball::gateway
