#include "gateway/recovery.h"

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

}  // namespace

Result<CallLog> RecoverCalls(os::Files& files, const std::string& folder, guard::Wal& wal,
                             guard::Moment now) {
  std::unordered_map<uint64_t, metered::Dispatch> open;
  CallLog log = FB_TRY(CallLog::Open(files, folder, [&](const metered::Record& record) -> Status {
    if (!record.is_end) {
      open.emplace(record.dispatch.id, record.dispatch);
      return {};
    }
    open.erase(record.end.id);
    if (record.end.basis != metered::Basis::kBound) {
      // The guard forgets what it has settled: only what it charged at the bound is changed by it.
      const hold::Cost cost{record.end.cost, TokensOf(record.end)};
      (void)wal.guard().Settle(hold::CallId(record.end.id), cost, -1, now);
    }
    return {};
  }));
  for (const auto& [id, dispatch] : open) {
    metered::End end;
    end.id = id;
    end.at = now.wall;
    const bool known = wal.guard().calls().Find(hold::CallId(id)) != guard::kNoIndex;
    if (known || wal.tail_was_lost()) {
      end.basis = metered::Basis::kBound;
      end.cost = dispatch.bound;
    } else {
      end.basis = metered::Basis::kNotSent;
    }
    FB_CHECK(log.Write(end, dispatch.at));
  }
  FB_CHECK(wal.Commit());
  if (!open.empty()) {
    log::Warn("calls were cut off by the end of the last process; they count at their bound",
              {{"calls", std::to_string(open.size())}});
  }
  return log;
}

}  // namespace flyball::gateway
