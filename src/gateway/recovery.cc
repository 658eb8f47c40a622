#include "gateway/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

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

// Written when every call of the log has its end, so that the next start reads what follows only.
struct Checkpoint {
  bool is_there = false;
  CallLog::Ends ends;
  uint64_t last_id = 0;  // the greatest of all
};
constexpr std::string_view kCheckpointName = "recovered.json";

// Without one that can be read, all of the log is read.
Checkpoint ReadCheckpoint(os::Files& files, const std::string& folder) {
  const Result<std::string> text = files.ReadAll(os::JoinPath(folder, kCheckpointName));
  if (!text) return {};
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object() || !json.contains("last_id") || !json["last_id"].is_string() ||
      !json.contains("ends") || !json["ends"].is_object()) {
    return {};
  }
  Checkpoint read{true, {}, 0};
  const auto id = json["last_id"].get<std::string>();
  if (std::from_chars(id.data(), id.data() + id.size(), read.last_id, 16).ec != std::errc()) {
    return {};
  }
  for (const auto& [name, end] : json["ends"].items()) {
    if (end.is_number_unsigned()) read.ends[name] = end.get<uint64_t>();
  }
  return read;
}

Status WriteCheckpoint(os::Files& files, const std::string& folder, const Checkpoint& checkpoint) {
  const nlohmann::json json{{"last_id", fmt::format("{:016x}", checkpoint.last_id)},
                            {"ends", checkpoint.ends}};
  return os::AtomicWrite(files, os::JoinPath(folder, kCheckpointName), json.dump() + "\n");
}

// What the log says and the guard may have to hear.
struct Reading {
  std::unordered_map<uint64_t, metered::Dispatch> open;
  // Of calls that the guard knows: what their last dispatch has cost, once that has ended.
  std::unordered_map<uint64_t, hold::Cost> evidence;
  std::unordered_set<uint64_t> dispatched;  // of those that the guard knows
  uint64_t last_id = 0;

  void Take(const metered::Dispatch& dispatch, const guard::CallTable& calls) {
    if (calls.Find(hold::CallId(dispatch.id)) != guard::kNoIndex) dispatched.insert(dispatch.id);
    open.insert_or_assign(dispatch.id, dispatch);
    evidence.erase(dispatch.id);
    last_id = std::max(last_id, dispatch.id);
  }
  void Take(const metered::End& end, const guard::CallTable& calls) {
    if (open.erase(end.id) == 0) return;  // ended before: the first word counts
    const bool known = calls.Find(hold::CallId(end.id)) != guard::kNoIndex;
    if (known && end.basis != metered::Basis::kBound) {
      evidence[end.id] = {end.cost, TokensOf(end.lines)};
    }
  }
};

// A bill of sums says what a call has cost and not of how many tokens it was: they stay at its
// bound.
int64_t TokensIn(const reconcile::Correction& correction, hold::CallId id,
                 const guard::Guard& guard) {
  if (!correction.lines.empty() || correction.cost.is_zero()) return TokensOf(correction.lines);
  for (const guard::Leg& leg : guard.calls().at(guard.calls().Find(id)).legs) {
    const guard::Account& account = guard.books().at(leg.account);
    if (account.spec.measure == budget::Measure::kTokens) return static_cast<int64_t>(leg.bound);
  }
  return 0;
}

// The guard keeps calls of unknown cost for longer than a budget's month at most.
std::vector<std::string> LateMonths(Instant now) {
  const Instant month = FloorMonth(now);
  std::vector<std::string> months;
  for (const Instant each : {AddMonths(month, -1), month}) {
    months.push_back(FormatDate(each).substr(0, 7));
  }
  return months;
}

}  // namespace

Result<CallLog> RecoverCalls(os::Files& files, const std::string& folder, guard::Wal& wal,
                             guard::Moment now) {
  Checkpoint checkpoint = ReadCheckpoint(files, folder);
  // A guard that was put back from a copy may know calls as open that have ended long since.
  if (!wal.IsAbove(hold::CallId(checkpoint.last_id))) checkpoint.ends.clear();
  const uint64_t since = checkpoint.last_id;  // of what is read now
  Reading reading;
  reading.last_id = checkpoint.last_id;
  const auto take = [&](const metered::Record& record) -> Status {
    if (record.is_end) {
      reading.Take(record.end, wal.guard().calls());
    } else {
      reading.Take(record.dispatch, wal.guard().calls());
    }
    return {};
  };
  CallLog log = FB_TRY(CallLog::Open(files, folder, take, checkpoint.ends));
  for (const auto& [id, cost] : reading.evidence) {
    (void)wal.guard().Settle(hold::CallId(id), cost, -1, now);
  }
  // The log is written after the guard and before any byte leaves: what is not in it, never left.
  const bool is_whole = checkpoint.is_there && !log.is_damaged() && !wal.tail_was_lost();
  for (const uint32_t slot : wal.guard().calls().unknown()) {
    const guard::HeldCall& call = wal.guard().calls().at(slot);
    const uint64_t id = call.id.value();
    if (!is_whole || call.suspect || id <= since || reading.dispatched.contains(id)) continue;
    (void)wal.guard().Settle(call.id, {}, -1, now);
  }
  for (const auto& [id, dispatch] : reading.open) {
    metered::End end;
    end.id = id;
    end.at = now.wall;
    end.basis = metered::Basis::kBound;
    end.cost = dispatch.bound;
    log.Add(end, dispatch.at);
  }
  FB_CHECK(log.WriteEnds());
  if (!reading.open.empty()) {
    log::Warn("calls were cut off by the end of the last process; they count at their bound",
              {{"calls", std::to_string(reading.open.size())}});
  }
  if (FB_TRY(wal.BeginAbove(hold::CallId(reading.last_id), now))) {
    log::Warn(
        "the guard's folder is older than the log of calls, as a copy that was put back is; "
        "budgets don't count what was spent since",
        {{"folder", folder}});
  }
  // What is not read again has to be on the disk, in the log and in the guard.
  if (const auto sync = log.StartSync()) FB_CHECK(sync());
  FB_CHECK(reading.evidence.empty() ? wal.Commit() : wal.Rotate(now));
  for (const uint32_t slot : wal.guard().calls().unknown()) {  // these were looked for
    reading.last_id = std::max(reading.last_id, wal.guard().calls().at(slot).id.value());
  }
  FB_CHECK(WriteCheckpoint(files, folder, {true, log.ends(), reading.last_id}));
  return log;
}

Result<LateEvidence> ReadLateEvidence(os::Files& files, const std::string& folder, Instant now,
                                      const std::function<bool()>& stops) {
  LateEvidence all;
  for (const std::string& month : LateMonths(now)) {
    all.push_back(FB_TRY(reconcile::ReadEvidence(files, folder, month, stops)));
  }
  return all;
}

std::vector<std::string> LateEvidenceFiles(const std::string& folder, Instant now) {
  std::vector<std::string> paths;
  for (const std::string& month : LateMonths(now)) {
    paths.push_back(reconcile::EvidencePath(folder, month));
  }
  return paths;
}

Result<int64_t> SettleByEvidence(const LateEvidence& all, guard::Wal& wal, guard::Moment now) {
  int64_t settled = 0;
  for (const reconcile::EvidenceByKey& month : all) {
    for (const auto& [key, evidence] : month) {
      for (const reconcile::Correction& correction : evidence.corrections) {
        const hold::CallId id(correction.call);
        if (wal.guard().calls().Find(id) == guard::kNoIndex) continue;
        const hold::Cost cost{correction.cost, TokensIn(correction, id, wal.guard())};
        if (wal.guard().Settle(id, cost, -1, now)) ++settled;
      }
    }
  }
  FB_CHECK(wal.Commit());
  return settled;
}

}  // namespace flyball::gateway
