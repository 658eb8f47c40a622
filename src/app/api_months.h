// ApiMonths: the months of a source that is a vendor's API, each as a set that is one import.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "estate/estate.h"
#include "sources/api_month.h"
#include "sources/fetch.h"
#include "sources/memory.h"
#include "sources/plan.h"
#include "sources/vendor_api.h"

namespace flyball::app {

class ApiMonths {
 public:
  struct Planned {
    sources::FileSet set;
    std::optional<Error> failure;  // the month can't be imported
  };

  // `folder`: what is kept of the source. The source must outlive it.
  ApiMonths(const estate::Source& source, std::string folder)
      : source_(source), folder_(std::move(folder)) {}

  // Asks the vendor, and tells the months that have a bill, and those that failed. Without `keep`,
  // nothing is written. FAILED_PRECONDITION: the key is another one than before, and it was not
  // said that it is to be accepted.
  Result<std::vector<Planned>> Plan(const sources::Fetcher& fetcher, const sources::Memory& memory,
                                    bool keep, bool accept_key);
  // False: the vendor was not asked for all of them, as it would say the same.
  bool all_asked() const { return all_asked_; }
  // Of a set that was planned: its text, how that is written as `flyball import` names it, and the
  // days that it is of.
  Result<std::string> ReadBill(os::Files& files, const std::string& id) const;
  std::string FormatOf(const std::string& id) const;
  uint32_t DaysOf(const std::string& id) const { return months_.at(id).bill.days; }

 private:
  struct Month {
    sources::ApiMonth month;
    sources::MonthBill bill;
  };
  Result<sources::FileSet> PlanOne(const sources::Fetcher& fetcher, const sources::Memory& memory,
                                   const sources::ApiMonth& month, bool keep);

  const estate::Source& source_;
  std::string folder_;
  sources::VendorApi api_;
  std::map<std::string, Month> months_;  // by id
  bool all_asked_ = true;
};

}  // namespace flyball::app
