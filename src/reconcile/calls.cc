#include "reconcile/calls.h"

#include <algorithm>
#include <unordered_map>

#include "base/log.h"
#include "os/journal.h"
#include "rates/price_book.h"

namespace flyball::reconcile {
namespace {

constexpr std::string_view kPrefix = "calls-";
constexpr std::string_view kSuffix = ".journal";

bool MayHold(const std::string& name, Period period) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return false;
  const std::string month =
      name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  const Result<Instant> start = ParseUserInstant(month);
  return start && *start < period.end && AddMonths(*start, 1) > period.start;
}

}  // namespace

Result<std::vector<CallFact>> ReadCalls(os::Files& files, const std::string& calls_folder,
                                        const std::string& vendor, Period period) {
  std::vector<CallFact> calls;
  if (!files.Exists(calls_folder)) return calls;
  std::vector<std::string> names = FB_TRY(files.List(calls_folder));
  std::ranges::sort(names);
  for (const std::string& name : names) {
    if (!MayHold(name, period)) continue;
    std::unordered_map<uint64_t, size_t> places;
    const std::string path = os::JoinPath(calls_folder, name);
    os::JournalReading how;
    how.on_damage = [&](uint64_t first, uint64_t end) {
      log::Warn(
          "the log of calls is damaged; calls in it are not compared",
          {{"file", path}, {"from_byte", std::to_string(first)}, {"to_byte", std::to_string(end)}});
      return Status();
    };
    const auto visit = [&](uint64_t offset, std::string_view payload) -> Status {
      Result<metered::Record> record = metered::Decode(payload);
      if (!record) return how.on_damage(offset, offset + os::kJournalHeadBytes + payload.size());
      if (!record->is_end) {
        const metered::Dispatch& dispatch = record->dispatch;
        if (!period.Contains(dispatch.at)) return {};
        if (!vendor.empty() && rates::CanonicalProvider(dispatch.provider) != vendor) return {};
        places.insert_or_assign(dispatch.id, calls.size());
        calls.push_back({std::move(record->dispatch), {}, false});
        return {};
      }
      const auto found = places.find(record->end.id);
      if (found == places.end() || calls[found->second].ended) return {};  // the first word counts
      calls[found->second].end = std::move(record->end);
      calls[found->second].ended = true;
      return {};
    };
    FB_CHECK(os::Journal::Read(files, path, visit, how));
  }
  return calls;
}

void EndOldCalls(Instant now, std::vector<CallFact>* calls) {
  const Instant old{FloorHour(now).us - kMicrosPerDay};
  for (CallFact& call : *calls) {
    if (call.ended || call.dispatch.at >= old) continue;
    call.end.id = call.dispatch.id;
    call.end.at = call.dispatch.at;
    call.end.basis = metered::Basis::kBound;
    call.end.cost = call.dispatch.bound;
    call.ended = true;
  }
}

}  // namespace flyball::reconcile
