// The bill that `flyball reconcile` compares with: a file, or what vendors' bills in the ledger
// say.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/command.h"
#include "base/result.h"
#include "base/time.h"
#include "reconcile/bill.h"

namespace flyball::app {

// A vendor's invoice in JSON, priced by the home's price book as the calls were served, or a FOCUS
// file in any form that `flyball import` takes; a row that would be quarantined is INVALID_ARGUMENT
// here, since a bill that is not whole can't be compared.
Result<reconcile::Bill> ReadBillFile(const Environment& environment, const std::string& path,
                                     const std::string& vendor,
                                     std::span<const reconcile::CallFact> calls);
// The charges of these vendors that came into the ledger from elsewhere.
Result<reconcile::Bill> ReadBillOfLedger(const Environment& environment,
                                         const std::vector<std::string>& vendors,
                                         const std::string& from, const std::string& to);

}  // namespace flyball::app
