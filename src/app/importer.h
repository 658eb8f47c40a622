// Importer: imports one bill after the other into the home, by itself or through the server that
// owns it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/command.h"
#include "app/remote.h"
#include "ingest/import.h"
#include "ledger/ledger.h"
#include "ledger/new_home.h"

namespace flyball::app {

// "gateway-2026-11.csv"
std::string MonthFile(const std::string& source, const std::string& month);

class Importer {
 public:
  static Result<Importer> Open(const Environment& environment);
  // The report, as the JSON contract.
  Result<std::string> Import(const ImportArgs& args);
  // A month's bill of ours, written whole into the folder and imported; what has not changed
  // changes nothing.
  Result<std::string> ImportMonth(const std::string& folder, const std::string& source,
                                  const std::string& month, const std::string& csv);

 private:
  explicit Importer(const Environment& environment) : environment_(&environment) {}
  Result<std::string> ImportHere(const ImportArgs& args);
  // With a new home, that becomes the ledger.
  Result<std::string> StageAndPublish(ingest::ImportOptions options, bool dry_run,
                                      std::optional<ledger::NewHome> new_home);

  const Environment* environment_;
  std::optional<Remote> remote_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

}  // namespace flyball::app
