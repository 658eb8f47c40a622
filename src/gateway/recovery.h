// Recovery: what calls without an end cost, after the process that made them has died.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/call_log.h"
#include "guard/wal.h"
#include "os/files.h"
#include "reconcile/evidence.h"

namespace flyball::gateway {

// Opens the log of calls and brings it and the guard, which has recovered by itself, to one word on
// every call:
// - dispatched, no end: gets an end at its bound, which is what the guard has charged unless it has
//   settled the call and the log has lost that. The guard writes first, so a call that it does not
//   know is no call that never left;
// - dispatched by the guard's word, and not in a log that is whole: no byte has left, and it is
//   given back;
// - an end that the guard has not seen: the guard settles it now;
// - ids that the guard, put back from a copy, would give out again: it goes on above them.
// Doing it again changes nothing. Only what was written since the last time is read
// (calls/recovered.json).
Result<CallLog> RecoverCalls(os::Files& files, const std::string& folder, guard::Wal& wal,
                             guard::Moment now);

// What vendors' bills say of calls that the guard may still know (reconcile/evidence.h): of this
// month and the one before. On any thread.
using LateEvidence = std::vector<reconcile::EvidenceByKey>;
// CANCELLED once `stops` says so, which is asked at each step.
Result<LateEvidence> ReadLateEvidence(os::Files& files, const std::string& folder, Instant now,
                                      const std::function<bool()>& stops = {});
// The files that it reads, whether they are there or not.
std::vector<std::string> LateEvidenceFiles(const std::string& folder, Instant now);

// Brings what the guard has charged at a bound to what vendors' bills say, of these calls as far as
// the guard still knows them. Doing it again changes nothing. How many it settled.
Result<int64_t> SettleByEvidence(const LateEvidence& all, guard::Wal& wal, guard::Moment now);

}  // namespace flyball::gateway
