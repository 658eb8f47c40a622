#include "gateway/recovery.h"

#include <unordered_map>

#include "base/log.h"
#include "reconcile/evidence.h"

namespace flyball::gateway {
namespace {

int64_t TokensOf(const std::vector<metered::Line>& lines) {
  int64_t tokens = 0;
  for (const metered::Line& line : lines) {
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
      const hold::Cost cost{record.end.cost, TokensOf(record.end.lines)};
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

Result<int64_t> SettleByEvidence(os::Files& files, const std::string& folder, guard::Wal& wal,
                                 guard::Moment now) {
  // The guard keeps calls of unknown cost for longer than a budget's month at most.
  const Instant month = FloorMonth(now.wall);
  int64_t settled = 0;
  for (const Instant each : {AddMonths(month, -1), month}) {
    const reconcile::EvidenceByKey all =
        FB_TRY(reconcile::ReadEvidence(files, folder, FormatDate(each).substr(0, 7)));
    for (const auto& [key, evidence] : all) {
      for (const reconcile::Correction& correction : evidence.corrections) {
        const hold::CallId id(correction.call);
        if (wal.guard().calls().Find(id) == guard::kNoIndex) continue;
        const hold::Cost cost{correction.cost, TokensOf(correction.lines)};
        if (wal.guard().Settle(id, cost, -1, now)) ++settled;
      }
    }
  }
  FB_CHECK(wal.Commit());
  return settled;
}

}  // namespace flyball::gateway
