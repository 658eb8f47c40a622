#include "app/api_months.h"

#include <fmt/format.h>

#include "app/source_store.h"
#include "ingest/translate.h"
#include "sources/api_pages.h"

namespace flyball::app {
namespace {

// What is fetched of a month can be imported.
static_assert(sources::kMonthBillMaxBytes == ingest::kDocumentMaxBytes);

// So many months in a row that the vendor did not answer for: it is not there.
constexpr int kUnansweredMax = 2;

bool IsOfTheKey(Code code) {
  return code == Code::kUnauthenticated || code == Code::kPermissionDenied;
}

bool IsUnanswered(Code code) {
  return code == Code::kUnavailable || code == Code::kDeadlineExceeded;
}

// An import restates the months that it has charges of, and no other. So of a month whose charges
// were all taken back there is one of nothing, in the currency in which these vendors charge.
std::string ChargeOfNothing(const sources::VendorApi& api, const sources::ApiMonth& month) {
  const std::string period =
      fmt::format("{},{}", FormatInstant(month.whole.start), FormatInstant(month.whole.end));
  return fmt::format(
      "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,"
      "BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ChargeDescription,"
      "ServiceName,ServiceProviderName\n"
      "0,0,0,0,USD,{},{},Adjustment,{} took back all charges of {},{} API,{}\n",
      period, period, api.vendor, month.id, api.vendor, api.vendor);
}
constexpr char kFormatOfNothing[] = "focus-csv";

sources::FileSet SetOf(const estate::Source& source, const std::string& id,
                       std::vector<sources::Object> bill, const sources::Memory& memory) {
  sources::Delivery delivery;
  delivery.period = id;
  return sources::PlanDelivery(source, delivery, std::move(bill), memory);
}

}  // namespace

Result<sources::FileSet> ApiMonths::PlanOne(const sources::Fetcher& fetcher,
                                            const sources::Memory& memory,
                                            const sources::ApiMonth& month, bool keep) {
  sources::MonthBill bill = FB_TRY(sources::TakeMonth(fetcher, api_, month, keep));
  const auto before = memory.find(month.id);
  const bool imported = before != memory.end();
  if (imported) FB_CHECK(sources::CheckDaysStay(month, before->second, bill));
  std::vector<sources::Object> objects;
  if (bill.object.bytes > 0 || imported) objects.push_back(bill.object);
  months_[month.id] = {month, std::move(bill)};
  return SetOf(source_, month.id, std::move(objects), memory);
}

Result<std::vector<ApiMonths::Planned>> ApiMonths::Plan(const sources::Fetcher& fetcher,
                                                        const sources::Memory& memory, bool keep,
                                                        bool accept_key) {
  api_ = FB_TRY(OpenApi(source_));
  const std::string pages = sources::PagesFolder(api_, folder_);
  if (!accept_key) FB_CHECK(sources::CheckKey(fetcher.files, api_, pages));
  std::vector<Planned> planned;
  bool refused = false;
  int unanswered = 0;  // in a row
  const auto months = FB_TRY(sources::MonthsOf(api_, source_, folder_, fetcher.clock.Now()));
  for (const sources::ApiMonth& month : months) {
    Result<sources::FileSet> set = PlanOne(fetcher, memory, month, keep);
    if (set) {
      unanswered = 0;
      if (!set->files.empty()) planned.push_back({*std::move(set), std::nullopt});
      continue;
    }
    if (set.error().code == Code::kCancelled) return Fail(std::move(set).error());
    planned.push_back({SetOf(source_, month.id, {}, memory), std::move(set).error()});
    const Code code = planned.back().failure->code;
    unanswered = IsUnanswered(code) ? unanswered + 1 : 0;
    refused = IsOfTheKey(code);
    if (refused || unanswered == kUnansweredMax) {
      all_asked_ = &month == &months.back();
      break;
    }
  }
  // Also where all days are final, and nothing was asked.
  if (accept_key && keep && !refused) FB_CHECK(sources::KeepKey(fetcher.files, api_, pages));
  return planned;
}

Result<std::string> ApiMonths::ReadBill(os::Files& files, const std::string& id) const {
  const Month& month = months_.at(id);
  if (month.bill.object.bytes == 0) return ChargeOfNothing(api_, month.month);
  return sources::ReadMonthBill(files, api_, month.month);
}

std::string ApiMonths::FormatOf(const std::string& id) const {
  return months_.at(id).bill.object.bytes == 0 ? kFormatOfNothing : api_.format;
}

}  // namespace flyball::app
