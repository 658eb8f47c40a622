// Verify: derives a slice's rollup and signatures again from its parts and compares them with what
// is stored.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "ledger/home.h"
#include "ledger/ledger.h"

namespace flyball::ledger {

// A sentence a fault, each naming the file; empty: the slice is what its commit says. Sizes and
// SHA-256 of every file, rows and sums of BilledCost against the commit, rollup and signatures
// against the parts.
Result<std::vector<std::string>> VerifySlice(engine::Connection& connection, const Layout& layout,
                                             const Slice& slice);

}  // namespace flyball::ledger
