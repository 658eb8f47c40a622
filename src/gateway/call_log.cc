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
    os::Journal journal = FB_TRY(os::Journal::Open(*files_, os::JoinPath(folder_, month), Keep));
    *file = {month, std::move(journal)};
  }
  Status appended = file->journal->Append(record, false);
  // It could not cut off what it had written a part of: opening it again does.
  if (!appended && appended.error().code == Code::kFailedPrecondition) *file = {};
  return appended;
}

Status CallLog::Write(const metered::Dispatch& dispatch) {
  Status written = Retry();
  if (written) written = Append(dispatch.at, metered::Encode(dispatch));
  if (written) return {};
  // It may be found all the same, where it could not be cut off.
  metered::End end;
  end.id = dispatch.id;
  end.at = dispatch.at;
  end.basis = metered::Basis::kNotSent;
  unwritten_.push_back({dispatch.at, metered::Encode(end)});
  return written;
}

Status CallLog::Write(const metered::End& end, Instant dispatched) {
  unwritten_.push_back({dispatched, metered::Encode(end)});
  return Retry();
}

Status CallLog::Retry() {
  while (!unwritten_.empty()) {
    FB_CHECK(Append(unwritten_.front().dispatched, unwritten_.front().record));
    unwritten_.pop_front();
  }
  return {};
}

}  // namespace flyball::gateway
