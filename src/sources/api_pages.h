// ApiPages: what a vendor's API answered of a month, as it came.
//
//   <folder of the month>/<time>_<first day>_<end>_<days a page>/000.json, 001.json, ...,
//   007.last.json
//
// Beside the months' folders stands the hash of the key that they were asked with: another key may
// be another organisation's, whose days would restate this one's.
//
// A *walk* asks for the days of a stretch, page after page. It is whole when its last page is
// there; of a day the newest whole walk counts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "os/files.h"
#include "sources/vendor_api.h"

namespace flyball::sources {

// Of all months of a source, below what is kept of it.
std::string PagesFolder(const VendorApi& api, const std::string& source_folder);
// FAILED_PRECONDITION, with the remedy: the pages were asked with another key. Ok when there are
// none yet.
Status CheckKey(os::Files& files, const VendorApi& api, const std::string& pages_folder);
// From now on they are asked with this one.
Status KeepKey(os::Files& files, const VendorApi& api, const std::string& pages_folder);

inline Instant NextDay(Instant day) { return Instant{day.us + kMicrosPerDay}; }

struct Walk {
  Instant asked_at;
  Period days;
  int days_a_page = kDaysAPage;
  std::vector<std::string> pages;  // names of its files
  bool whole = false;
  std::string Name() const;  // of its folder
};

std::string PageName(size_t number, bool last);
// By time. Only pages without a gap before them count.
Result<std::vector<Walk>> ListWalks(os::Files& files, const std::string& folder);
// When the day was asked for last; nothing: never.
std::optional<Instant> AskedAt(const std::vector<Walk>& walks, Instant day);

// Pages, one after the other.
struct Reading {
  DayTexts days;
  std::string next;
  uint64_t bytes = 0;
  // INVALID_ARGUMENT: it is no page, or not the next one.
  Status Add(const VendorApi& api, Period asked, std::string_view body);
};
// DATA_LOSS with the remedy when a page is not what it was.
Result<Reading> ReadPages(os::Files& files, const VendorApi& api, const std::string& folder,
                          const Walk& walk);
// Of each day of the period that was asked for, the text of the newest whole walk.
Result<DayTexts> ReadDays(os::Files& files, const VendorApi& api, const std::string& folder,
                          Period days, const std::vector<Walk>& walks);

}  // namespace flyball::sources
