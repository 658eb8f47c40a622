// The FOCUS bill of one month of calls that spans told of.
//
// Prices are those of the book at the end of each span, looked up when the bill is made: a call
// whose model has no price yet is left out and counted, and is in the next bill once it has one. A
// month is always made whole, as the gateway's is (ingest/gateway_charges.h). Left out because
// another row has them already:
// - what went through our gateway: the span names the gateway's address, or the gateway's log has
//   the vendor's id of the answer;
// - a call of which another kept span of the same trace is a child (two libraries that each tell of
//   one call, one inside the other), or that has the answer id of another call: of any, or of one
//   in its trace where ids come from a small range;
// - a call that is a child of one that has ended, and was charged, some hours before.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "os/files.h"
#include "rates/price_book.h"

namespace flyball::otlp {

inline constexpr char kSource[] = "otlp";
inline constexpr size_t kUnpricedShownMax = 20;
// Own servers number their answers from small ranges; only a longer id names one answer for good.
inline constexpr size_t kAnswerIdBytesMin = 20;

struct BillOptions {
  std::string spans_folder;
  std::string gateway_calls_folder;            // of the gateway's logs; may be absent
  std::vector<std::string> gateway_addresses;  // "host:port" under which it is called
  Instant until;                               // taken down to its hour
};

struct Bill {
  std::string month;
  // Without a charge it has one of nothing, which replaces those that were there before.
  std::string csv;
  int64_t rows = 0;
  int64_t calls = 0;    // that are charged
  int64_t gateway = 0;  // that went through the gateway
  int64_t doubles = 0;  // told of by another span too
  int64_t unpriced = 0;
  // "provider/model: why", and how many calls; the most frequent first.
  std::vector<std::pair<std::string, int64_t>> unpriced_models;
};
// A hash of what a month's bill is made from beside the price book: as long as both are the same,
// so is the bill. Costs a look at each hour's file.
Result<std::string> BillInputs(os::Files& files, const BillOptions& options,
                               const std::string& month);
// DATA_LOSS: a journal can't be read.
Result<Bill> MakeBill(os::Files& files, const BillOptions& options, const rates::PriceBook& book,
                      const std::string& month);

}  // namespace flyball::otlp
