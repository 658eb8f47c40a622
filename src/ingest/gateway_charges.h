// Gateway charges: from the gateway's log of calls to a FOCUS bill of one month.
//
// One row per hour, meter and attribution, marked as an estimate until a vendor's bill covers it
// (reconcile/evidence.h): from then on it says what the bill says, or, where the bill's own charges
// are in the ledger, nothing. A month's bill is always made whole from its log, so importing it
// again, with the hours that have closed since, replaces it: no charge is lost or there twice,
// whatever was killed when.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/metered_call.h"
#include "os/files.h"

namespace flyball::ingest {

inline constexpr char kGatewaySource[] = "gateway";

struct GatewayBill {
  std::string month;  // "2026-11"
  std::string csv;    // FOCUS 1.4 with the AI columns of the 1.5 draft
  int64_t rows = 0;
  int64_t calls = 0;  // attempts in it
  // What it was made from: attempts that were dispatched before `closed`, and whose end lies in the
  // first bytes of the log.
  Instant closed;
  uint64_t log_bytes = 0;
  int64_t open = 0;  // attempts of closed hours that have not ended yet; a later bill has them
};

// The months that the folder has a log of, or evidence for, oldest first.
Result<std::vector<std::string>> GatewayMonths(os::Files& files, const std::string& calls_folder);
// Of attempts dispatched before `until`, which is taken down to its hour. DATA_LOSS: a record can't
// be read.
Result<GatewayBill> MakeGatewayBill(os::Files& files, const std::string& calls_folder,
                                    const std::string& month, Instant until);

// The same charges of some calls of a month, without a vendor's word: cells by the names of
// GatewayColumns(). An empty cell is none.
struct SettledCall {
  metered::Dispatch dispatch;
  metered::End end;
};
std::vector<std::string> GatewayColumns();
Result<std::vector<std::vector<std::string>>> GatewayRows(std::span<const SettledCall> calls,
                                                          const std::string& month);

}  // namespace flyball::ingest
