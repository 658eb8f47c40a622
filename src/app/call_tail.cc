#include "app/call_tail.h"

#include "ingest/gateway_charges.h"
#include "os/journal.h"

namespace flyball::app {

Status CallTail::ReadOn(Instant now, const std::function<Status(const metered::Record&)>& visit) {
  // The calls of a month's last minutes end in the next.
  for (const Instant month : {AddMonths(FloorMonth(now), -1), FloorMonth(now)}) {
    const std::string path = ingest::GatewayLogPath(folder_, month);
    if (!files_.Exists(path)) continue;
    uint64_t& end = ends_[path.substr(folder_.size() + 1)];
    const uint64_t bytes = FB_TRY(files_.Size(path));
    if (bytes == end) continue;
    if (bytes < end) end = 0;
    os::JournalReading how;
    how.from = end;
    how.on_damage = [](uint64_t, uint64_t) { return Status(); };
    end = FB_TRY(os::Journal::Read(
        files_, path,
        [&](uint64_t /*offset*/, std::string_view payload) -> Status {
          const Result<metered::Record> record = metered::Decode(payload);
          return record ? visit(*record) : Status();
        },
        how));
  }
  return {};
}

}  // namespace flyball::app
