// Correction: what a bill says that arrives when its billing period is closed. The closed period
// stays as it is; the difference becomes charges of a period that is open, of ChargeClass
// Correction and with the charge period that they are about:
//
//   x_Correction "reversal"   a charge that the bill no longer has: amounts and quantities negated
//   x_Correction "restated"   a charge that it has and that the ledger had not
//   x_CorrectedPeriod         the closed period, "2026-10"
//
// They are of a source of their own, "<source>.corrections-2026-10". What a source has said of a
// closed period is its slice of then and all of its corrections since; a further restatement is
// held against that, and what it changes is added to the corrections of the open period. Two
// charges are the same when they agree in every column but the billing period, ChargeClass, and how
// this ledger read them.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "ledger/history.h"
#include "ledger/home.h"
#include "ledger/ledger.h"

namespace flyball::ledger {

// Writes the request's file. The connection is a scratch of its own.
Result<Correction> WriteCorrectionFile(engine::Connection& connection, const Layout& layout,
                                       const History& history, const CorrectionRequest& request);

}  // namespace flyball::ledger
