// The estate's `forecast`: what is known to come, such as a new price or the end of a commitment.
#pragma once

#include <vector>

#include "base/result.h"
#include "estate/decode_util.h"
#include "estate/estate.h"

namespace flyball::estate {

// Of `forecast: events:`, oldest first. `currency` is the estate's.
Result<std::vector<ForecastEvent>> DecodeForecast(At map, const std::string& currency);

}  // namespace flyball::estate
