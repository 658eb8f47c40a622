#include "gateway/call_log.h"

#include <fmt/format.h>

#include <algorithm>

namespace flyball::gateway {
namespace {

constexpr std::string_view kPrefix = "calls-";
constexpr std::string_view kSuffix = ".journal";

Status Keep(uint64_t, std::string_view) { return {}; }

}  // namespace

std::string CallLogName(Instant at) {
  const CivilDate date = ToCivilDate(at);
  return fmt::format("{}{:04}-{:02}{}", kPrefix, date.year, date.month, kSuffix);
}

Result<CallLog> CallLog::Open(os::Files& files, const std::string& folder,
                              const std::function<Status(const metered::Record&)>& visit) {
  FB_CHECK(files.MakeDirs(folder));
  std::vector<std::string> names = FB_TRY(files.List(folder));
  std::ranges::sort(names);
  for (const std::string& name : names) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    FB_CHECK(os::Journal::Read(files, os::JoinPath(folder, name),
                               [&](uint64_t, std::string_view payload) -> Status {
                                 return visit(FB_TRY(metered::Decode(payload)));
                               }));
  }
  return CallLog(files, folder);
}

Status CallLog::Append(Instant dispatched, const std::string& record) {
  const std::string month = CallLogName(dispatched);
  Open_* file = &open_[0];
  if (file->month != month) file = &open_[1];
  if (file->month != month) {
    // The older of the two goes; of a month that comes back the file is opened again.
    if (open_[0].month < open_[1].month) file = &open_[0];
    file->month = month;
    file->journal.reset();
    file->journal = FB_TRY(os::Journal::Open(*files_, os::JoinPath(folder_, month), Keep));
  }
  return file->journal->Append(record, false);
}

Status CallLog::Write(const metered::Dispatch& dispatch) {
  return Append(dispatch.at, metered::Encode(dispatch));
}

Status CallLog::Write(const metered::End& end, Instant dispatched) {
  return Append(dispatched, metered::Encode(end));
}

}  // namespace flyball::gateway
