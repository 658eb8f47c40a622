// The home's ledger, which must be there, opened in this process with the limits of a short
// command.
#pragma once

#include <memory>

#include "app/command.h"
#include "base/result.h"
#include "ledger/ledger.h"

namespace flyball::app {

inline Result<std::unique_ptr<ledger::Ledger>> OpenLedger(const Environment& environment) {
  ledger::LedgerOptions options;
  options.home = environment.home;
  options.must_exist = true;
  return ledger::Ledger::Open(options, environment.files, environment.clock);
}

}  // namespace flyball::app
