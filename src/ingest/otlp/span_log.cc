#include "ingest/otlp/span_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "ledger/history.h"

namespace flyball::otlp {
namespace {

constexpr std::string_view kSuffix = ".journal";

Status VisitCalls(std::string_view payload, const std::function<void(Call)>& visit) {
  for (const std::string_view line : SplitText(payload, '\n')) {
    visit(FB_TRY(DecodeCall(line)));
  }
  return {};
}

}  // namespace

std::string SpanLogPath(const std::string& folder, Instant hour) {
  const CivilDate date = ToCivilDate(hour);
  const int64_t hours = (hour.us - FloorDay(hour).us) / kMicrosPerHour;
  return fmt::format("{}/{:04}-{:02}/{:02}T{:02}{}", folder, date.year, date.month, date.day, hours,
                     kSuffix);
}

Result<std::vector<std::string>> SpanLogMonths(os::Files& files, const std::string& folder) {
  std::vector<std::string> months;
  if (!files.Exists(folder)) return months;
  months = FB_TRY(files.List(folder));
  std::erase_if(months, [](const std::string& name) { return !ledger::IsPeriod(name); });
  return months;
}

Result<std::vector<Instant>> SpanLogHours(os::Files& files, const std::string& folder,
                                          const Period& period) {
  std::vector<Instant> hours;
  for (Instant month = FloorMonth(period.start); month < period.end; month = AddMonths(month, 1)) {
    const std::string path = os::ParentPath(SpanLogPath(folder, month));
    if (!files.Exists(path)) continue;
    const std::vector<std::string> names = FB_TRY(files.List(path));
    const Instant first = std::max(period.start, month);
    const Instant last = std::min(period.end, AddMonths(month, 1));
    for (Instant hour = first; hour < last; hour.us += kMicrosPerHour) {
      const std::string name = SpanLogPath("", hour).substr(std::string("/2026-11/").size());
      if (std::ranges::binary_search(names, name)) hours.push_back(hour);
    }
  }
  return hours;
}

Result<std::vector<Call>> ReadSpanLog(os::Files& files, const std::string& path) {
  std::vector<Call> calls;
  FB_CHECK(os::Journal::Read(files, path, [&](uint64_t, std::string_view payload) {
    return VisitCalls(payload, [&](Call call) { calls.push_back(std::move(call)); });
  }));
  return calls;
}

SpanLog::SpanLog(os::Files& files, std::string folder, size_t ids_max)
    : files_(files), folder_(std::move(folder)), ids_max_(ids_max) {}

Status SpanLog::CutBack(Instant hour, const Hour& failed) {
  const auto file = FB_TRY(files_.OpenAppend(SpanLogPath(folder_, hour)));
  if (file->size() > failed.journal->size()) FB_CHECK(file->Truncate(failed.journal->size()));
  return file->Sync();
}

// Leaves the hours that were used last, and always the one that is about to be used.
void SpanLog::Forget(Instant keep) {
  const auto are_too_many = [this] {
    size_t ids = 0;
    for (const auto& [hour, open] : hours_) ids += open.ids.size();
    return hours_.size() > 1 && (hours_.size() > kHoursOpenMax || ids > ids_max_);
  };
  if (!are_too_many()) return;
  std::erase_if(hours_, [&](const auto& each) {
    const auto& [hour, open] = each;
    return hour != keep && open.failed && CutBack(hour, open).has_value();
  });
  while (are_too_many()) {
    auto oldest = hours_.end();
    for (auto it = hours_.begin(); it != hours_.end(); ++it) {
      if (it->first == keep || it->second.failed) continue;
      if (oldest == hours_.end() || it->second.used < oldest->second.used) oldest = it;
    }
    if (oldest == hours_.end()) return;
    hours_.erase(oldest);
  }
}

Result<SpanLog::Hour*> SpanLog::Open(Instant hour) {
  auto found = hours_.find(hour);
  if (found != hours_.end() && found->second.failed) {
    FB_CHECK(CutBack(hour, found->second));
    hours_.erase(found);
    found = hours_.end();
  }
  if (found == hours_.end()) {
    const std::string path = SpanLogPath(folder_, hour);
    FB_CHECK(files_.MakeDirs(os::ParentPath(path)));
    Hour opened;
    opened.journal =
        FB_TRY(os::Journal::Open(files_, path, [&](uint64_t, std::string_view payload) {
          return VisitCalls(payload, [&](const Call& call) { opened.ids.insert(call.id); });
        }));
    found = hours_.emplace(hour, std::move(opened)).first;
  }
  found->second.used = ++uses_;
  Forget(hour);
  return &found->second;
}

Status SpanLog::TakeHour(Instant hour, std::span<const Call* const> calls, Taken* taken) {
  Hour& open = *FB_TRY(Open(hour));
  std::vector<const Call*> added;
  for (const Call* call : calls) {
    if (open.ids.insert(call->id).second) {
      added.push_back(call);
    } else {
      ++taken->repeated;
    }
  }
  const auto forget_from = [&](size_t first) {
    for (size_t i = first; i < added.size(); ++i) open.ids.erase(added[i]->id);
  };
  if (!added.empty() && open.ids.size() > ids_max_) {
    forget_from(0);
    return Fail(Code::kResourceExhausted,
                fmt::format("more than {} calls of one hour are not kept", ids_max_));
  }
  for (size_t next = 0; next < added.size();) {
    const size_t first = next;
    std::string record = EncodeCall(*added[next++]);
    while (next < added.size() && record.size() < kSpanRecordBytes) {
      record += '\n';
      record += EncodeCall(*added[next++]);
    }
    const Status kept = open.journal->Append(record, true);
    open.failed = !kept;
    if (!kept) {
      forget_from(first);
      return kept;
    }
    taken->kept += static_cast<int64_t>(next - first);
  }
  return {};
}

Result<SpanLog::Taken> SpanLog::Take(std::span<const Call> calls) {
  std::map<Instant, std::vector<const Call*>> by_hour;
  for (const Call& call : calls) by_hour[FloorHour(call.end)].push_back(&call);
  std::lock_guard lock(mutex_);
  Taken taken;
  for (const auto& [hour, of_hour] : by_hour) FB_CHECK(TakeHour(hour, of_hour, &taken));
  return taken;
}

}  // namespace flyball::otlp
