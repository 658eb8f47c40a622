#include "ingest/gateway_charges.h"

#include <algorithm>
#include <unordered_map>

#include "ingest/charge_rows.h"
#include "ledger/history.h"
#include "model/metered_call.h"
#include "os/journal.h"

namespace flyball::ingest {
namespace {

constexpr std::string_view kPrefix = "calls-";
constexpr std::string_view kSuffix = ".journal";

}  // namespace

Result<std::vector<std::string>> GatewayMonths(os::Files& files, const std::string& calls_folder) {
  std::vector<std::string> months;
  if (!files.Exists(calls_folder)) return months;
  const std::vector<std::string> names = FB_TRY(files.List(calls_folder));
  for (const std::string& name : names) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    const std::string month =
        name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
    if (ledger::IsPeriod(month)) months.push_back(month);
  }
  std::ranges::sort(months);
  return months;
}

std::string GatewayLogPath(const std::string& calls_folder, Instant month) {
  return os::JoinPath(calls_folder,
                      std::string(kPrefix) + FormatDate(month).substr(0, 7) + std::string(kSuffix));
}

Result<GatewayBill> MakeGatewayBill(os::Files& files, const std::string& calls_folder,
                                    const std::string& month, Instant until) {
  GatewayBill bill;
  bill.month = month;
  const Instant start = FB_TRY(ParseUserInstant(month));
  const Period period{start, AddMonths(start, 1)};
  const Instant closed = FloorHour(until);
  std::unordered_map<uint64_t, metered::Dispatch> open;
  ChargeRows rows;
  FB_CHECK(os::Journal::Read(files, GatewayLogPath(calls_folder, start),
                             [&](uint64_t, std::string_view payload) -> Status {
                               metered::Record record = FB_TRY(metered::Decode(payload));
                               if (!record.is_end) {
                                 const uint64_t id = record.dispatch.id;
                                 open.insert_or_assign(id, std::move(record.dispatch));
                                 return {};
                               }
                               const auto found = open.find(record.end.id);
                               if (found == open.end())
                                 return {};  // ended before: the first word counts
                               if (found->second.at < closed) {
                                 FB_CHECK(rows.Add(found->second, record.end));
                                 ++bill.calls;
                               }
                               open.erase(found);
                               return {};
                             }));
  for (const auto& [id, dispatch] : open) bill.open += dispatch.at < closed ? 1 : 0;
  bill.csv = rows.Csv(period);
  bill.rows = rows.size();
  return bill;
}

}  // namespace flyball::ingest
