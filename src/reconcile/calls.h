// Calls: what the gateway's log says of the calls of some days.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "os/files.h"
#include "reconcile/match.h"

namespace flyball::reconcile {

// Attempts that were dispatched in the period, in the order of the log; of one vendor (in the
// spelling of rates::CanonicalProvider), or of all when it is empty. What can't be read is told in
// the log and passed over.
Result<std::vector<CallFact>> ReadCalls(os::Files& files, const std::string& calls_folder,
                                        const std::string& vendor, Period period);

// A call that has no end a day later counts at its bound, in the ledger's charges too: its gateway
// has died and not come back.
void EndOldCalls(Instant now, std::vector<CallFact>* calls);

}  // namespace flyball::reconcile
