// The spans of OTLP that the home keeps, and their way into the ledger.
#pragma once

#include <string>

#include "app/command.h"
#include "base/result.h"

namespace flyball::app {

inline constexpr char kGatewayListenDefault[] = "127.0.0.1:8081";

// home/otlp: `spans` holds the journals, `charges` the bills that are made of them.
std::string OtlpFolder(const Environment& environment);
std::string SpansFolder(const Environment& environment);

// Brings the closed hours of all months that have spans into the ledger, at today's price book. A
// JSON array: what `flyball publish` says of each month, oldest first.
Result<std::string> PublishSpans(const Environment& environment);

}  // namespace flyball::app
