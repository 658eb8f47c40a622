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

Status CallLog::Append(Instant dispatched, std::span<const std::string_view> records) {
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
  Status appended = file->journal->Append(records, false);
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

void CallLog::Add(const metered::End& end, Instant dispatched) {
  unwritten_.push_back({end.id, dispatched, metered::Encode(end)});
}

void CallLog::Add(const metered::Dispatch& dispatch) {
  dispatches_.push_back({dispatch.id, dispatch.at, metered::Encode(dispatch)});
}

void CallLog::Withdraw(uint64_t id) {
  std::erase_if(dispatches_, [id](const Record& record) { return record.id == id; });
}

// Those of a month at once. `written`: how many of them, from the first on.
Status CallLog::Write(std::span<const Record> records, size_t* written) {
  *written = 0;
  while (*written < records.size()) {
    const Instant month = FloorMonth(records[*written].dispatched);
    std::vector<std::string_view> texts;
    size_t end = *written;
    for (; end < records.size() && FloorMonth(records[end].dispatched) == month; ++end) {
      texts.push_back(records[end].text);
    }
    FB_CHECK(Append(month, texts));
    *written = end;
  }
  return {};
}

Status CallLog::WriteEnds() {
  size_t count = 0;
  Status written = Write(unwritten_, &count);
  unwritten_.erase(unwritten_.begin(), unwritten_.begin() + static_cast<ptrdiff_t>(count));
  ends_failed_ = !written.has_value();
  if (written && sync_failed_) {
    return Fail(Code::kFailedPrecondition, "the log of calls could not be synced",
                "look at the disk, then start again: no call leaves until then");
  }
  return written;
}

Status CallLog::WriteDispatches() {
  if (dispatches_.empty()) return {};
  const std::vector<Record> records = std::exchange(dispatches_, {});
  size_t count = 0;
  Status written = WriteEnds();
  if (written) written = Write(records, &count);
  if (written) return {};
  // Some may be found all the same: written before it failed, or where that could not be cut off.
  for (const Record& record : records) {
    metered::End end;
    end.id = record.id;
    end.at = record.dispatched;
    end.basis = metered::Basis::kNotSent;
    Add(end, end.at);
  }
  return written;
}

}  // namespace flyball::gateway
