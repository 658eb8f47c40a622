#include "gateway/recovery.h"

#include <algorithm>
#include <unordered_map>

#include "base/log.h"

namespace flyball::gateway {
namespace {

int64_t TokensOf(const metered::End& end) {
  int64_t tokens = 0;
  for (const metered::Line& line : end.lines) {
    if (Info(line.meter).token) tokens += line.quantity;
  }
  return tokens;
}

// What the log says and the guard may have to hear.
struct Reading {
  std::unordered_map<uint64_t, metered::Dispatch> open;
  // Of calls that the guard knows: what their last dispatch has cost, once that has ended.
  std::unordered_map<uint64_t, hold::Cost> evidence;
  uint64_t last_id = 0;

  void Take(const metered::Dispatch& dispatch) {
    open.insert_or_assign(dispatch.id, dispatch);
    evidence.erase(dispatch.id);
    last_id = std::max(last_id, dispatch.id);
  }
  void Take(const metered::End& end, const guard::CallTable& calls) {
    if (open.erase(end.id) == 0) return;  // ended before: the first word counts
    const bool known = calls.Find(hold::CallId(end.id)) != guard::kNoIndex;
    if (known && end.basis != metered::Basis::kBound) {
      evidence[end.id] = {end.cost, TokensOf(end)};
    }
  }
};

}  // namespace

Result<CallLog> RecoverCalls(os::Files& files, const std::string& folder, guard::Wal& wal,
                             guard::Moment now) {
  Reading reading;
  CallLog log = FB_TRY(CallLog::Open(files, folder, [&](const metered::Record& record) -> Status {
    if (record.is_end) {
      reading.Take(record.end, wal.guard().calls());
    } else {
      reading.Take(record.dispatch);
    }
    return {};
  }));
  for (const auto& [id, cost] : reading.evidence) {
    (void)wal.guard().Settle(hold::CallId(id), cost, -1, now);
  }
  for (const auto& [id, dispatch] : reading.open) {
    metered::End end;
    end.id = id;
    end.at = now.wall;
    end.basis = metered::Basis::kBound;
    end.cost = dispatch.bound;
    FB_CHECK(log.Write(end, dispatch.at));
  }
  FB_CHECK(wal.Commit());
  if (!reading.open.empty()) {
    log::Warn("calls were cut off by the end of the last process; they count at their bound",
              {{"calls", std::to_string(reading.open.size())}});
  }
  if (FB_TRY(wal.BeginAbove(hold::CallId(reading.last_id)))) {
    log::Warn(
        "the guard's folder is older than the log of calls, as a copy that was put back is; "
        "budgets don't count what was spent since",
        {{"folder", folder}});
  }
  return log;
}

}  // namespace flyball::gateway
