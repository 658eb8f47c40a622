// SpanLog: the journal of calls that spans told of, each span once.
//
// A file an hour of the spans' ends, <folder>/2026-11/25T10.journal (os/journal.h); a record holds
// what one request brought for that hour, a line a call (call.h). What is there already is known
// again by trace and span id: the ids of the hours in use are kept in memory and read back from
// their files, so a repeated span is passed over after a restart too. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ingest/otlp/call.h"
#include "os/files.h"
#include "os/journal.h"

namespace flyball::otlp {

inline constexpr size_t kHoursOpenMax = 8;
inline constexpr size_t kSpanIdsMax = 1'000'000;  // in memory, and of one hour
// From here on a record is ended and another begun: resources are said once in a request, and
// written with each of their calls.
inline constexpr size_t kSpanRecordBytes = 8u << 20;
static_assert(2 * kSpanRecordBytes < os::kJournalRecordMaxBytes);

class SpanLog {
 public:
  // Touches nothing before the first Take.
  SpanLog(os::Files& files, std::string folder, size_t ids_max = kSpanIdsMax);

  struct Taken {
    int64_t kept = 0;
    int64_t repeated = 0;  // known already, or twice in this request
  };
  // All of them are durable when this returns. On an error some may be kept; sending all again
  // keeps the rest. RESOURCE_EXHAUSTED: the disk, or an hour, is full.
  Result<Taken> Take(std::span<const Call> calls);

 private:
  struct Hour {
    std::optional<os::Journal> journal;
    std::unordered_set<SpanId> ids;
    // The journal could not be written, and the file may say what the device does not have: not
    // read back before it is cut back to what was confirmed.
    bool failed = false;
    uint64_t used = 0;  // when, by a count of uses
  };
  Result<Hour*> Open(Instant hour);
  Status TakeHour(Instant hour, std::span<const Call* const> calls, Taken* taken);
  void Forget(Instant keep);
  Status CutBack(Instant hour, const Hour& failed);

  os::Files& files_;
  std::string folder_;
  const size_t ids_max_;
  std::mutex mutex_;
  std::map<Instant, Hour> hours_;
  uint64_t uses_ = 0;
};

std::string SpanLogPath(const std::string& folder, Instant hour);
// The hours that the folder has a file of, within the period, oldest first.
Result<std::vector<Instant>> SpanLogHours(os::Files& files, const std::string& folder,
                                          const Period& period);
// The months that the folder has files of, oldest first: "2026-11".
Result<std::vector<std::string>> SpanLogMonths(os::Files& files, const std::string& folder);
// Beside the owner. DATA_LOSS: a record can't be read.
Result<std::vector<Call>> ReadSpanLog(os::Files& files, const std::string& path);

}  // namespace flyball::otlp
