// Months: which records of an import belong to which billing month, and how they get there.
//
// Rows of a bill mostly stand month by month. The raw scan saw where BillingPeriodStart changes;
// when it changes seldom, each month is read straight from its ranges of the files. When months are
// mixed, packed, or can't be told before a row has been read, the records are routed to one
// temporary file per month first (route.h).
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "ingest/feed.h"
#include "ingest/inputs.h"

namespace flyball::ingest {

// By month (microseconds since the epoch). Nothing when the records have to be routed.
using Months = std::map<int64_t, std::vector<Portion>>;
Result<std::optional<Months>> MonthsInPlace(const std::vector<Input>& inputs);

}  // namespace flyball::ingest
