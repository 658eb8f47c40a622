// flyball reconcile --period: a month of the ledger beside its invoices.
#pragma once

#include "app/command.h"

namespace flyball::app {

int RunInvoices(const Environment& environment, const ReconcileArgs& args);

}  // namespace flyball::app
