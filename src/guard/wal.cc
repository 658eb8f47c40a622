#include "guard/wal.h"

#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "guard/codec.h"

namespace flyball::guard {
namespace {

constexpr std::string_view kSnapshotMagic = "FLYGUARD";
// One wait for a lease is enough unless another call took it in between; more is a bug.
constexpr int kLeaseRoundsMax = 3;
constexpr int64_t kRotateAgainUs = kMicrosPerSecond;

// magic | u32 CRC-32C of the rest | epoch | boot id | batch of records
std::string SnapshotBytes(uint64_t epoch, std::string_view boot_id, std::string_view batch) {
  std::string rest;
  PutNumber(epoch, &rest);
  PutText(boot_id, &rest);
  rest += batch;
  std::string bytes(kSnapshotMagic);
  uint32_t crc = Crc32c(rest);
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(crc >> shift));
  return bytes + rest;
}

struct SnapshotParts {
  uint64_t epoch = 0;
  std::string boot_id;
  std::string_view batch;
};

bool ReadSnapshot(std::string_view bytes, SnapshotParts* out) {
  constexpr size_t kHeadBytes = kSnapshotMagic.size() + 4;
  if (bytes.size() < kHeadBytes || !bytes.starts_with(kSnapshotMagic)) return false;
  uint32_t crc = 0;
  for (size_t i = 0; i < 4; ++i) {
    crc |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[kSnapshotMagic.size() + i]))
           << (8 * i);
  }
  std::string_view rest = bytes.substr(kHeadBytes);
  if (Crc32c(rest) != crc) return false;
  Reader reader(rest);
  out->epoch = reader.Number();
  out->boot_id = reader.Text(kBootIdMaxBytes);
  out->batch = reader.rest();
  return reader.ok();
}

std::unexpected<Error> FailDamaged(const std::string& path) {
  return Fail(
      Error{Code::kDataLoss, "'" + path + "' is damaged or missing",
            "restore the guard's folder from a copy; without it nobody knows what was spent",
            Place{path, 0, 0, 0}});
}

}  // namespace

Wal::Wal(os::Files& files, std::string folder, std::string_view boot_id, Options options)
    : files_(files),
      folder_(std::move(folder)),
      boot_id_(boot_id.substr(0, kBootIdMaxBytes)),
      guard_(options),
      syncs_elsewhere_(options.syncs_elsewhere) {}

std::string Wal::PathOf(std::string_view what, uint64_t epoch) const {
  return os::JoinPath(folder_, std::string(what) + "-" + std::to_string(epoch));
}

Result<std::unique_ptr<Wal>> Wal::Open(os::Files& files, const std::string& folder,
                                       std::string_view boot_id, Options options) {
  std::unique_ptr<Wal> wal(new Wal(files, folder, boot_id, std::move(options)));
  FB_CHECK(files.MakeDirs(folder));
  FB_CHECK(wal->Recover());
  wal->guard_.RespellScopes();
  wal->last_tried_ = wal->epoch_;
  FB_CHECK(wal->BeginEpoch(wal->epoch_ + 1));
  wal->first_epoch_ = wal->epoch_;
  return wal;
}

// --- recovery

Status Wal::ReadCalls(bool* tail_lost) {
  std::string path = PathOf("calls", epoch_);
  // Behind damage nothing is read: what its calls can have cost is bounded by their leases.
  bool any = false;
  bool damaged = false;
  os::JournalReading how;
  how.on_damage = [&](uint64_t, uint64_t) {
    damaged = true;
    return Status();
  };
  Result<uint64_t> end = os::Journal::Read(
      files_, path,
      [&](uint64_t, std::string_view payload) {
        any = true;
        return damaged ? Status() : guard_.Replay(payload);
      },
      how);
  if (!end && end.error().code == Code::kDataLoss && !any) {  // not readable at all
    *tail_lost = true;
    return {};
  }
  FB_CHECK(end);
  constexpr uint64_t kMagicBytes = 8;
  const bool torn = FB_TRY(files_.Size(path)) != std::max(*end, kMagicBytes);
  *tail_lost |= damaged || torn;
  return {};
}

Status Wal::Recover() {
  std::string path = os::JoinPath(folder_, std::string(kSnapshotName));
  if (!files_.Exists(path)) {
    // The journals of the first epoch are begun before the first snapshot; they are empty then.
    for (const std::string& name : FB_TRY(files_.List(folder_))) {
      if (!name.starts_with("calls-") && !name.starts_with("control-")) continue;
      constexpr uint64_t kMagicBytes = 8;
      if (!name.ends_with("-1") || FB_TRY(files_.Size(os::JoinPath(folder_, name))) > kMagicBytes) {
        return FailDamaged(path);
      }
    }
    return {};
  }
  std::string bytes = FB_TRY(files_.ReadAll(path));
  SnapshotParts parts;
  if (!ReadSnapshot(bytes, &parts)) return FailDamaged(path);
  epoch_ = parts.epoch;
  tail_was_lost_ = boot_id_.empty() || parts.boot_id != boot_id_;
  FB_CHECK(guard_.Replay(parts.batch));
  FB_CHECK(os::Journal::Read(
      files_, PathOf("control", epoch_),
      [this](uint64_t, std::string_view payload) { return guard_.Replay(payload); }));
  FB_CHECK(ReadCalls(&tail_was_lost_));
  guard_.FinishRecovery(tail_was_lost_);
  return {};
}

// --- epochs

// The rename of the snapshot is the moment: before it the old epoch counts, after it the new one.
Status Wal::BeginEpoch(uint64_t epoch) {
  auto nothing = [](uint64_t, std::string_view) { return Status(); };
  // What an attempt before may have left there.
  FB_CHECK(files_.Remove(PathOf("calls", epoch)));
  FB_CHECK(files_.Remove(PathOf("control", epoch)));
  os::Journal calls = FB_TRY(os::Journal::Open(files_, PathOf("calls", epoch), nothing));
  os::Journal control = FB_TRY(os::Journal::Open(files_, PathOf("control", epoch), nothing));
  last_tried_ = epoch;
  if (Status written = os::AtomicWrite(files_, os::JoinPath(folder_, std::string(kSnapshotName)),
                                       SnapshotBytes(epoch, boot_id_, guard_.Snapshot()));
      !written) {
    if (SnapshotIsOf(epoch_)) last_tried_ = epoch_;
    return written;
  }
  epoch_ = epoch;
  calls_ = std::move(calls);
  control_ = std::move(control);
  RemoveOthers();
  return {};
}

bool Wal::SnapshotIsOf(uint64_t epoch) const {
  const Result<std::string> bytes =
      files_.ReadAll(os::JoinPath(folder_, std::string(kSnapshotName)));
  SnapshotParts parts;
  return bytes && ReadSnapshot(*bytes, &parts) && parts.epoch == epoch;
}

// Only tidiness: journals of other epochs are never read.
void Wal::RemoveOthers() {
  Result<std::vector<std::string>> names = files_.List(folder_);
  if (!names) return;
  for (const std::string& name : *names) {
    std::string path = os::JoinPath(folder_, name);
    bool journal = name.starts_with("calls-") || name.starts_with("control-");
    if (journal && path != PathOf("calls", epoch_) && path != PathOf("control", epoch_)) {
      (void)files_.Remove(path);
    }
  }
}

Status Wal::Rotate(Moment now) {
  if (!rotating_) FB_CHECK(Commit());
  BeforeWriting();
  guard_.ForgetIdle(now);
  guard_.TrimLeases();  // the snapshot has all calls that made room
  // From here on the guard is not what its journals say any more. Where a snapshot may stand its
  // journals stay as they are, and the next attempt is another epoch's: whichever is found when the
  // power goes, it is of this moment or of that of the last Commit.
  rotating_ = true;
  rotate_again_us_ = now.mono_us + kRotateAgainUs;
  const Status begun = BeginEpoch(last_tried_ + 1);
  if (begun) {
    rotating_ = false;
    Outbox& outbox = guard_.outbox();  // the snapshot has it
    outbox.calls.clear();
    outbox.control.clear();
    outbox.sync_calls_first = false;
    guard_.ControlSynced(outbox.ticket);
  }
  StopOrResume();
  return begun;
}

Result<bool> Wal::BeginAbove(hold::CallId last, Moment now) {
  constexpr uint64_t kEpochsMax = uint64_t{1} << (64 - kCallIdBits);
  if (IsAbove(last)) return false;
  const uint64_t epoch = last.value() >> kCallIdBits;
  if (epoch + 1 >= kEpochsMax) {
    return Fail(Code::kDataLoss, "call " + std::to_string(last.value()) + " was never given out",
                "look at the log of calls for what wrote it");
  }
  last_tried_ = epoch;
  FB_CHECK(Rotate(now));
  first_epoch_ = epoch_;
  return true;
}

// --- writing

void Wal::StopOrResume() {
  if (broken_ || rotating_ || blocked_ || calls_failed_ || control_failed_) {
    guard_.Stop();
  } else {
    guard_.Resume();
  }
}

void Wal::SetBlocked(bool blocked) {
  blocked_ = blocked;
  StopOrResume();
}

Status Wal::FailClosed() const {
  if (!broken_) {
    return Fail(Code::kUnavailable, "the guard's journals can't be begun anew",
                "look at the disk: it is tried again every second");
  }
  return Fail(Code::kFailedPrecondition, "the guard's journal could not be written and is closed",
              "look at the disk, then start again: nothing is admitted until then");
}

Status Wal::CommitCalls() {
  if (broken_ || rotating_) return FailClosed();
  Outbox& outbox = guard_.outbox();
  Status written;
  if (!outbox.calls.empty()) {
    BeforeWriting();
    written = calls_->Append(outbox.calls, false);
  }
  if (written) outbox.calls.clear();
  calls_failed_ = !written.has_value();
  StopOrResume();
  return written;
}

bool Wal::StartSync() {
  Outbox& outbox = guard_.outbox();
  if (syncing_ || broken_ || rotating_ || outbox.control.empty()) return false;
  // What made room for the leases is written before they are.
  if (outbox.sync_calls_first && !CommitCalls()) return false;
  in_flight_.control.swap(outbox.control);
  outbox.control.clear();
  in_flight_.ticket = outbox.ticket;
  in_flight_.sync_calls_first = std::exchange(outbox.sync_calls_first, false);
  in_flight_lost_ = false;
  syncing_ = true;
  return true;
}

Status Wal::RunSync() {
  if (in_flight_.sync_calls_first) {
    Status synced = files_.SyncFile(PathOf("calls", epoch_));
    in_flight_lost_ = !synced.has_value();
    FB_CHECK(std::move(synced));
  }
  return control_->Append(in_flight_.control, true);  // after a failed sync it stays closed
}

Status Wal::FinishSync(Status synced) {
  syncing_ = false;
  Outbox& outbox = guard_.outbox();
  if (synced) {
    guard_.ControlSynced(in_flight_.ticket);
    in_flight_.control.clear();
  } else {
    // To be tried again, before what came after it; without the version that begins each batch.
    if (!outbox.control.empty()) {
      in_flight_.control.append(outbox.control, 1);
    } else {
      outbox.ticket = in_flight_.ticket;
    }
    outbox.control = std::exchange(in_flight_.control, {});
    outbox.sync_calls_first |= in_flight_.sync_calls_first;
    broken_ |= in_flight_lost_;
  }
  control_failed_ = !synced.has_value();
  StopOrResume();
  return synced;
}

Status Wal::CommitControl() {
  if (!StartSync()) return {};
  return FinishSync(RunSync());
}

Status Wal::Commit() {
  FB_ASSERT(!syncing_);
  FB_CHECK(CommitCalls());
  return CommitControl();
}

Admission Wal::Admit(const Call& call, Moment now) {
  for (int round = 0; round < kLeaseRoundsMax; ++round) {
    Admission answer = guard_.Admit(call, now);
    if (answer.verdict != Verdict::kWait) return answer;
    if (!Commit()) break;
  }
  return {Verdict::kRefused, Reason::kStopped, kNoIndex, 0, 0, Instant{}};
}

Admission Wal::Grow(hold::CallId id, const hold::Bound& more, Growth growth, Moment now) {
  for (int round = 0; round < kLeaseRoundsMax; ++round) {
    Admission answer = guard_.Grow(id, more, growth, now);
    if (answer.verdict != Verdict::kWait) return answer;
    if (!Commit()) break;
  }
  return {Verdict::kRefused, Reason::kStopped, kNoIndex, 0, 0, Instant{}};
}

Status Wal::SetExternal(std::string_view name, std::string_view value,
                        std::span<const ExternalSum> sums, uint64_t commit, Moment now) {
  for (int round = 0; round < kLeaseRoundsMax; ++round) {
    bool done = FB_TRY(guard_.SetExternal(name, value, sums, commit, now));
    FB_CHECK(Commit());
    if (done) return {};
  }
  return Fail(Code::kInternal, "an external sum waits for a budget that was synced");
}

Status Wal::Tick(Moment now) {
  guard_.Tick(now);
  if (rotating_) return now.mono_us < rotate_again_us_ ? FailClosed() : Rotate(now);
  FB_CHECK(syncs_elsewhere_ ? CommitCalls() : Commit());
  const bool is_long = calls_->size() + control_->size() > kJournalsMaxBytes;
  if (!syncing_ && (is_long || guard_.wants_room())) return Rotate(now);
  return {};
}

}  // namespace flyball::guard
