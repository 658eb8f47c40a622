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

class Importer {
 public:
  static Result<Importer> Open(const Environment& environment);
  // The report, as the JSON contract.
  Result<std::string> Import(const ImportArgs& args);

 private:
  explicit Importer(const Environment& environment) : environment_(&environment) {}
  Result<std::string> ImportHere(const ImportArgs& args);
  Result<std::string> StageHere(const ImportArgs& args);
  // With a new home, that becomes the ledger.
  Result<std::string> StageAndPublish(ingest::ImportOptions options, const ImportArgs& args,
                                      std::optional<ledger::NewHome> new_home);

  const Environment* environment_;
  std::optional<Remote> remote_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

}  // namespace flyball::app
