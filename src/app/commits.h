// The commits of the ledger as JSON, from the server when one runs.
#pragma once

#include <string>

#include "app/command.h"
#include "base/result.h"

namespace flyball::app {

// A JSON array, newest first, without the lineage of columns.
Result<std::string> ListCommits(const Environment& environment);

}  // namespace flyball::app
