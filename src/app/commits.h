// The commits of the ledger as JSON, from the server when one runs.
#pragma once

#include <nlohmann/json.hpp>

#include "app/command.h"
#include "base/result.h"

namespace flyball::app {

// Newest first, without the lineage of columns.
Result<nlohmann::ordered_json> ListCommits(const Environment& environment);

}  // namespace flyball::app
