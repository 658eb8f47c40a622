// Worker: an import in a child process, so that no bill can take the server down. The child stages
// and prints what it staged; the parent, which owns the home, publishes.
#pragma once

#include "app/command.h"
#include "base/result.h"
#include "ingest/import.h"
#include "ledger/ledger.h"
#include "serve/service.h"

namespace flyball::app {

inline constexpr int64_t kMemoryMinBytes = 192ll << 20;

// A format that is shipped, or mapped by the estate.
Status ChooseFormat(const Environment& environment, std::string_view name,
                    ingest::ImportOptions* options);
Result<ingest::ImportOptions> ToImportOptions(const Environment& environment,
                                              const ImportArgs& args);

// What serve::Hooks::run_import does.
Result<std::string> ImportInChild(const Environment& environment, ledger::Ledger& ledger,
                                  const serve::ImportJob& job,
                                  const serve::ImportProgress& progress,
                                  const std::stop_token& stop);

}  // namespace flyball::app
