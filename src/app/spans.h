// The spans of OTLP that the home keeps, and their way into the ledger.
#pragma once

#include <string>
#include <vector>

#include "app/command.h"
#include "base/result.h"

namespace flyball::app {

inline constexpr char kGatewayListenDefault[] = "127.0.0.1:8081";

// home/otlp: `spans` holds the journals, `charges` the bills that are made of them.
std::string OtlpFolder(const Environment& environment);
std::string SpansFolder(const Environment& environment);

// What became of each month, oldest first. One that fails does not keep the others back.
struct Published {
  std::vector<std::string> months;  // what `flyball publish` says of it, as a JSON object
  std::vector<Error> failures;      // each names its month
  void Fail(const std::string& source, const std::string& month, Error error);
};
// Brings the closed hours of all months that have spans into the ledger, at today's price book. An
// error: nothing could be begun.
Result<Published> PublishSpans(const Environment& environment);

}  // namespace flyball::app
