// What becomes of a staged import: it is published, and what it says of billing periods that are
// closed is booked as corrections in an open one (ledger/correction.h).
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "ledger/ledger.h"
#include "os/files.h"

namespace flyball::app {

struct Publishing {
  os::Files& files;
  std::string home;
  ledger::Ledger* ledger = nullptr;  // null: there is none yet, and this is a dry run
  bool dry_run = false;
  bool beside = false;  // also when another source has the same bill
  // Imports one file of a source, whose report it gives: how a correction comes in.
  std::function<Result<std::string>(const std::string& file, const std::string& source)> import;
};

// `report` is the JSON contract of `flyball import` of what was staged. What it gives has beside it
//   "corrections": [{"period", "closed", "booked_in", "source", "changes", "commit"}]
// of each closed period that the bill is about, and of each that is open again and whose
// corrections are taken back; `commit` is null when nothing has changed, or in a dry run.
// and of each billing period and account that another source has most charges of (overlap.h)
//   "overlaps": [{"period", "source", "issuer", "billing_account", "currency", "invoice",
//                 "billed_cost", "billed_cost_standing", "charges_shared", "charges_of",
//                 "same_bill", "refused", "text", "remedy"}]
// FAILED_PRECONDITION where it is the same bill to all appearance, and the source has nothing of
// that period and account: it would count twice. Not when it is to stand beside; a dry run says it
// as "refused".
// Corrections come first, so that an import that is cut short is made whole by the same import
// again.
Result<std::string> PublishImport(const Publishing& how, ledger::StagedImport staged,
                                  const std::string& report);

}  // namespace flyball::app
