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

SpanLog::SpanLog(os::Files& files, std::string folder)
    : files_(files), folder_(std::move(folder)) {}

// Leaves the hours that were used last, and always the one that is about to be used.
void SpanLog::Forget(Instant keep) {
  const auto ids = [this] {
    size_t sum = 0;
    for (const auto& [hour, open] : hours_) sum += open.ids.size();
    return sum;
  };
  while (hours_.size() > 1 && (hours_.size() > kHoursOpenMax || ids() > kSpanIdsMax)) {
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
  if (open.ids.size() + calls.size() > kSpanIdsMax) {
    return Fail(Code::kResourceExhausted,
                fmt::format("more than {} calls of one hour are not kept", kSpanIdsMax));
  }
  std::string record;
  std::vector<SpanId> added;
  for (const Call* call : calls) {
    if (!open.ids.insert(call->id).second) {
      ++taken->repeated;
      continue;
    }
    added.push_back(call->id);
    if (!record.empty()) record += '\n';
    record += EncodeCall(*call);
  }
  if (added.empty()) return {};
  const Status kept = open.journal->Append(record, true);
  open.failed = !kept;
  if (!kept) {
    for (const SpanId& id : added) open.ids.erase(id);
    return kept;
  }
  taken->kept += static_cast<int64_t>(added.size());
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
