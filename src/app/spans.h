// The spans of OTLP that the home keeps, and their way into the ledger.
#pragma once

#include <string>
#include <vector>

#include "app/command.h"
#include "base/result.h"
#include "ingest/otlp/bill.h"

namespace flyball::app {

inline constexpr char kGatewayListenDefault[] = "127.0.0.1:8081";

// home/otlp: `spans` holds the journals, `charges` the bills that are made of them.
std::string OtlpFolder(const Environment& environment);
std::string SpansFolder(const Environment& environment);

// The bills of all months that have spans, oldest first, at today's price book.
Result<std::vector<otlp::Bill>> MakeSpanBills(const Environment& environment);

}  // namespace flyball::app
