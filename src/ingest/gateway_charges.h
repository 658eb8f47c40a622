// Gateway charges: from the gateway's log of calls to a FOCUS bill of one month.
//
// One row per hour, meter and attribution, marked as an estimate until a vendor's bill covers it
// (reconcile/evidence.h): from then on it says what the bill says, or, where the bill's own charges
// are in the ledger, nothing. A month's bill is always made whole from its log, so importing it
// again, with the hours that have closed since, replaces it: no charge is lost or there twice,
// whatever was killed when.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/metered_call.h"
#include "os/files.h"

namespace flyball::ingest {

inline constexpr char kGatewaySource[] = "gateway";
// Of bills that are made from journals, here and of spans: raised when the same journal gives other
// rows, so that the next publication makes anew what an older program made.
inline constexpr int64_t kChargesFormat = 1;

struct GatewayBill {
  std::string month;  // "2026-11"
  std::string csv;    // FOCUS 1.4 with the AI columns of the 1.5 draft
  int64_t rows = 0;
  int64_t calls = 0;  // attempts in it
  // What it was made from: attempts that were dispatched before `closed`, and whose end lies in the
  // first bytes of the log.
  Instant closed;
  uint64_t log_bytes = 0;
  int64_t open = 0;  // of closed hours, without an end yet; after a day at their bound
  // Bytes of the log that can't be read, from and to, and how many attempts are in no row for it:
  // their end is there, and who made them is not.
  std::vector<std::pair<uint64_t, uint64_t>> damaged;
  int64_t unplaced = 0;
};

// The months that the folder has a log of, or evidence for, oldest first.
Result<std::vector<std::string>> GatewayMonths(os::Files& files, const std::string& calls_folder);
// Of attempts dispatched before `until`, which is taken down to its hour. What it was made from is
// on the disk when it returns: no later bill has less.
Result<GatewayBill> MakeGatewayBill(os::Files& files, const std::string& calls_folder,
                                    const std::string& month, Instant until);

// SkuMeter of the charges that vendors' bills add to what the gateway settled: no budget has
// counted them as calls.
std::vector<std::string> MetersBesideCalls();

// "gateway-2026-11.csv"
std::string GatewayBillName(const std::string& month);
// Makes the bill of a month and writes it to its file in `charges_folder`, unless it has no rows.
// Where nothing can have changed since that was done last, neither log nor file is touched, and the
// bill comes without its `csv`. One at a time for a folder.
Result<GatewayBill> WriteGatewayBill(os::Files& files, const std::string& calls_folder,
                                     const std::string& charges_folder, const std::string& month,
                                     Instant until);

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
