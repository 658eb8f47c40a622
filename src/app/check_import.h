// A bill is checked against FOCUS as it is imported, because it is not kept: what the check says
// lies beside the ledger (health/conformance.h). No check fails an import.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "app/command.h"

namespace flyball::app {

// `report`: the JSON contract of the import of these files. Does nothing for a dry run, and for a
// bill that was checked before.
void CheckImported(const Environment& environment, const std::vector<std::string>& files,
                   const std::string& report);
// The same in a child process, so that no bill can take the server down; ends soon once stopped.
void CheckImportedInChild(const Environment& environment, const std::vector<std::string>& files,
                          const std::string& report, const std::stop_token& stop);

// The JSON contract of `flyball check`, by our own rules.
Result<std::string> CheckFiles(const Environment& environment,
                               const std::vector<std::string>& files);

}  // namespace flyball::app
