// Recovery: what calls without an end cost, after the process that made them has died.
#pragma once

#include <string>

#include "base/result.h"
#include "gateway/call_log.h"
#include "guard/wal.h"
#include "os/files.h"

namespace flyball::gateway {

// Opens the log of calls and brings it and the guard, which has recovered by itself, to one word on
// every call:
// - dispatched, no end: gets an end at its bound, which is what the guard has charged; or, when the
//   guard does not know it either, at nothing, because it never left: the guard writes before it
//   does. After a power cut, which may have taken the guard's word, it counts at its bound;
// - an end that the guard has not seen: the guard settles it now.
// Doing it again changes nothing.
Result<CallLog> RecoverCalls(os::Files& files, const std::string& folder, guard::Wal& wal,
                             guard::Moment now);

// Brings what the guard has charged at a bound to what vendors' bills say (reconcile/evidence.h), of
// these calls as far as the guard still knows them. Doing it again changes nothing. How many it
// settled.
Result<int64_t> SettleByEvidence(os::Files& files, const std::string& folder, guard::Wal& wal,
                                 guard::Moment now);

}  // namespace flyball::gateway
