#include "gateway/call_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

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
                              const std::function<Status(const metered::Record&)>& visit,
                              const Ends& from) {
  FB_CHECK(files.MakeDirs(folder));
  CallLog log(files, folder);
  std::vector<std::string> names = FB_TRY(files.List(folder));
  std::ranges::sort(names);
  for (const std::string& name : names) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    const std::string path = os::JoinPath(folder, name);
    os::JournalReading how;
    const auto known = from.find(name);
    if (known != from.end()) how.from = known->second;
    how.on_damage = [&](uint64_t first, uint64_t end) {
      log.is_damaged_ = true;
      log::Error(
          "the log of calls is damaged; calls whose end can't be read count at their bound",
          {{"file", path}, {"from_byte", std::to_string(first)}, {"to_byte", std::to_string(end)}});
      return Status();
    };
    const uint64_t end = FB_TRY(os::Journal::Read(
        files, path,
        [&](uint64_t offset, std::string_view payload) -> Status {
          const Result<metered::Record> record = metered::Decode(payload);
          // Whole, and of no meaning to this program: as good as damaged.
          if (!record) {
            return how.on_damage(offset, offset + os::kJournalHeadBytes + payload.size());
          }
          return visit(*record);
        },
        how));
    if (end != how.from) log.unsynced_.push_back(path);
    log.ends_[name] = end;
  }
  return log;
}

CallLog::Ends CallLog::ends() const {
  Ends ends = ends_;
  for (const Open_& file : open_) {
    if (file.journal) ends[file.month] = file.journal->size();
  }
  return ends;
}

Status CallLog::Append(Instant dispatched, const std::string& record) {
  const std::string month = CallLogName(dispatched);
  const std::string path = os::JoinPath(folder_, month);
  Open_* file = &open_[0];
  if (file->month != month) file = &open_[1];
  if (file->month != month) {
    // The older of the two goes; of a month that comes back the file is opened again.
    if (open_[0].month < open_[1].month) file = &open_[0];
    if (file->journal) ends_[file->month] = file->journal->size();
    os::JournalReading how;
    how.from = ends_[month];
    how.on_damage = [](uint64_t, uint64_t) { return Status(); };  // told when it was read
    os::Journal journal = FB_TRY(os::Journal::Open(*files_, path, Keep, how));
    *file = {month, std::move(journal)};
  }
  if (std::ranges::find(unsynced_, path) == unsynced_.end()) unsynced_.push_back(path);
  Status appended = file->journal->Append(record, false);
  // It could not cut off what it had written a part of: opening it again does.
  if (!appended && appended.error().code == Code::kFailedPrecondition) {
    ends_[month] = file->journal->size();
    *file = {};
  }
  return appended;
}

std::function<Status()> CallLog::StartSync() {
  if (unsynced_.empty()) return {};
  return [files = files_, paths = std::exchange(unsynced_, {})]() -> Status {
    for (const std::string& path : paths) FB_CHECK(files->SyncFile(path));
    return {};
  };
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
  if (sync_failed_) {
    return Fail(Code::kFailedPrecondition, "the log of calls could not be synced",
                "look at the disk, then start again: no call leaves until then");
  }
  return {};
}

}  // namespace flyball::gateway
