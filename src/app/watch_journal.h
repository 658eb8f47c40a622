// WatchJournal: anomalies, incidents and patterns on the disk, in home/watch/watch.journal, so that
// they outlive the process (watch/book.h).
//
// Each change is a record; of each anomaly and incident the last one counts. When the file is much
// larger than what counts, it is written anew. Beside them stand, every ten minutes, how far the
// log of calls was read, so that a start need not read a month of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/call_tail.h"
#include "base/result.h"
#include "os/files.h"
#include "os/journal.h"
#include "watch/watcher.h"

namespace flyball::app {

// A start goes through the calls of so long before it to know what is usual.
inline constexpr int64_t kWarmUs = 26 * kMicrosPerHour;
inline constexpr int64_t kMarkEveryUs = 10 * 60 * kMicrosPerSecond;
inline constexpr uint64_t kWatchJournalMaxBytes =
    8u << 20;  // or twice what the book takes: then it is written anew

// Tells the watcher all that is there, beside whoever owns it. No file: nothing.
Status ReadWatchJournal(os::Files& files, const std::string& home, watch::Watcher* watcher);

class WatchJournal {
 public:
  // Tells the watcher all that is there. Damage costs the records that it hit, and is logged.
  static Result<WatchJournal> Open(os::Files& files, const std::string& home,
                                   watch::Watcher* watcher);
  // Where a reading of the log of calls has to begin to have all of kWarmUs before `now`.
  CallTail::Ends WarmFrom(Instant now) const;

  // Up to when the calls were watched, about; none: never.
  std::optional<Instant> WatchedTo() const;

  // What is to be kept of them, durably. After an error everything is written anew with the next
  // call.
  Status Keep(const std::vector<watch::Effect>& effects, const watch::Book& book);
  Status Mark(const CallTail::Ends& ends, Instant now, const watch::Book& book);

 private:
  struct Stand {
    Instant at;
    CallTail::Ends ends;
  };
  WatchJournal(os::Files& files, std::string path) : files_(&files), path_(std::move(path)) {}
  static std::string RecordOf(const Stand& stand);
  static std::optional<Stand> StandOf(std::string_view record);
  Status Append(const std::vector<std::string>& records, const watch::Book& book);
  Status WriteAnew(const watch::Book& book);

  os::Files* files_;
  std::string path_;
  std::optional<os::Journal> journal_;  // none: to be written anew
  uint64_t anew_bytes_ = 0;             // after it was last written anew
  std::vector<Stand> stands_;           // oldest first, those of kWarmUs and one before
};

}  // namespace flyball::app
