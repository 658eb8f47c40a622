// Verify: derives the rollup and signatures of a slice or a pack again from its parts and compares
// them with what is stored.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "ledger/history.h"
#include "ledger/home.h"

namespace flyball::ledger {

// A sentence a fault, each naming the file; empty: the folder, all of whose slices are wanted, is
// what the log says. Sizes and SHA-256 of every file, rows and sums of BilledCost of every slice
// against its commit, rollup and signatures against the parts.
Result<std::vector<std::string>> VerifyFolder(engine::Connection& connection, const Layout& layout,
                                              const Folder& folder);

}  // namespace flyball::ledger
