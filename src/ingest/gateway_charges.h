// Gateway charges: from the gateway's log of calls to a FOCUS bill of one month.
//
// One row per hour, meter and attribution, marked as an estimate: the vendor's own bill comes
// later. A month's bill is always made whole from its log, so importing it again, with the hours
// that have closed since, replaces it: no charge is lost or there twice, whatever was killed when.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/metered_call.h"
#include "os/files.h"

namespace flyball::ingest {

inline constexpr char kGatewaySource[] = "gateway";

// Where the log of a month lies.
std::string GatewayLogPath(const std::string& calls_folder, Instant month);

// The same rows of calls that the gateway has not seen.
class ChargeRows {
 public:
  ChargeRows();
  ~ChargeRows();
  // A call counts in the hour of its dispatch; one that cost nothing by its basis adds no row.
  Status Add(const metered::Dispatch& dispatch, const metered::End& end);
  int64_t size() const;
  // The same calls give the same bytes, in whatever order they came.
  std::string Csv(const Period& month) const;

 private:
  struct Rows;
  std::unique_ptr<Rows> rows_;
};

struct GatewayBill {
  std::string month;  // "2026-11"
  std::string csv;    // FOCUS 1.4 with the AI columns of the 1.5 draft
  int64_t rows = 0;
  int64_t calls = 0;  // attempts in it
  int64_t open = 0;   // attempts of closed hours that have not ended yet; a later bill has them
};

// The months that the folder has a log of, oldest first.
Result<std::vector<std::string>> GatewayMonths(os::Files& files, const std::string& calls_folder);
// Of attempts dispatched before `until`, which is taken down to its hour. DATA_LOSS: a record can't
// be read.
Result<GatewayBill> MakeGatewayBill(os::Files& files, const std::string& calls_folder,
                                    const std::string& month, Instant until);

}  // namespace flyball::ingest
