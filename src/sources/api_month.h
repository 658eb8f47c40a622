// ApiMonth: the bill of a month from a vendor's API, asked for page by page.
//
//   home/sync/<source>/pages/<vendor>-<report>/<YYYY-MM>/, and below it what api_pages.h says
//
// Where it is asked is not in the path: pages that can't be had again are found behind another
// address too.
//
// Each page of a walk is kept as it came before the next one is asked for: a sync that was ended
// anywhere goes on with the page that is missing. A day is final when it was asked for again_days
// after its end; the first day that is not, and all after it, are the next walk's. What the vendor
// can't be asked for any more and was not kept is an error: half a month must not replace a whole
// one.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sources/fetch.h"
#include "sources/memory.h"
#include "sources/store.h"
#include "sources/vendor_api.h"

namespace flyball::sources {

// Of the pages of a walk, and of a month's bill: what import takes of a JSON document.
inline constexpr uint64_t kMonthBillMaxBytes = 256u << 20;

struct ApiMonth {
  std::string id;      // "2026-10"
  std::string folder;  // of its pages
  Period whole;        // the month's days
  Period days;         // that are asked for: those from `from` on that the vendor states by now
  int64_t again_days = 0;
  uint64_t bytes_max = kMonthBillMaxBytes;
};

// The months from `from` on, below `folder`, which is the source's. RESOURCE_EXHAUSTED when they
// are more than kApiMonthsMax.
Result<std::vector<ApiMonth>> MonthsOf(const VendorApi& api, const estate::Source& source,
                                       const std::string& folder, Instant now);

// A month's bill: all of its days that pages are kept of, also such as `from` does not ask for any
// more.
struct MonthBill {
  Object object;      // with the hash of its text as its version; of no bytes: nothing was charged
  uint32_t days = 0;  // that it is of: bit 0 is the first of the month
};

// Asks for the days that are not final, and tells the bill. Without `keep`, nothing is written.
// UNAUTHENTICATED, PERMISSION_DENIED: which key is needed. FAILED_PRECONDITION: days that can't be
// had any more. RESOURCE_EXHAUSTED: more than bytes_max, or a day that is larger than an answer may
// be.
Result<MonthBill> TakeMonth(const Fetcher& fetcher, const VendorApi& api, const ApiMonth& month,
                            bool keep);
// FAILED_PRECONDITION, with the remedy: the ledger has days of the month, as is remembered of its
// last import, that the bill is not of, and would lose them.
Status CheckDaysStay(const ApiMonth& month, const Remembered& before, const MonthBill& bill);
// The text of that bill, from the pages that are kept.
Result<std::string> ReadMonthBill(os::Files& files, const VendorApi& api, const ApiMonth& month);

inline constexpr int kApiMonthsMax = 240;
inline constexpr size_t kWalkPagesMax = 100;
// A walk that was ended is gone on with for so long; then its place in the vendor's list is stale.
inline constexpr int64_t kWalkGoesOnUs = kMicrosPerDay;

}  // namespace flyball::sources
