// Wal: the guard with its journals: what it decides survives the process, and a power cut.
//
// In its folder:
//   guard.snapshot      everything up to an epoch; written whole, renamed over the one before
//   control-<epoch>     journal, synced before it counts: budgets, leases, faults
//   calls-<epoch>       journal, written before a call goes on, not synced: dispatched, settled
//
// A process that dies loses nothing: what is written is in the page cache. A power cut may lose the
// end of `calls`: then every cell counts as used up to its lease, which is in `control`, so that
// the vendor's invoice is never above what is counted. That is known by the boot id in the
// snapshot, or by a torn record. Opening recovers, and begins a new epoch; so does a journal that
// has grown long.
//
// Whenever something can't be written, the guard stops admitting (fails closed). After a failed
// sync of a journal it stays stopped until it is opened again. One thread owns a Wal.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "guard/guard.h"
#include "os/files.h"
#include "os/journal.h"

namespace flyball::guard {

inline constexpr std::string_view kSnapshotName = "guard.snapshot";
inline constexpr uint64_t kJournalsMaxBytes = 64u << 20;  // of both
inline constexpr size_t kBootIdMaxBytes = 64;
// Of the low bits of a call's id; above them stands the epoch that its process began with.
inline constexpr int kCallIdBits = 40;

class Wal {
 public:
  // `boot_id` differs between boots of the machine ("" when there is none to be had: then every
  // start counts as one after a power cut). DATA_LOSS when what should be there is not.
  static Result<std::unique_ptr<Wal>> Open(os::Files& files, const std::string& folder,
                                           std::string_view boot_id, Options options);

  Guard& guard() { return guard_; }

  // Guard::Admit and Grow, with the syncing of leases that they wait for.
  Admission Admit(const Call& call, Moment now);
  Admission Grow(hold::CallId id, const hold::Bound& more, Growth growth, Moment now);
  // Guard::SetExternal, written when it answers Ok.
  Status SetExternal(std::string_view name, std::string_view value,
                     std::span<const ExternalSum> sums, uint64_t commit, Moment now);
  // Ids that no call has had, not before a crash either.
  hold::CallId NextCallId() { return hold::CallId(first_epoch_ << kCallIdBits | ++last_call_); }
  // Whether the ids that NextCallId gives out are above `last`. When they are not, calls were made
  // that this guard does not know of: its folder was put back from a copy.
  bool IsAbove(hold::CallId last) const { return last.value() >> kCallIdBits < first_epoch_; }
  // Begins an epoch whose ids are; false when they were before. DATA_LOSS: no guard gives out such
  // an id.
  Result<bool> BeginAbove(hold::CallId last, Moment now);
  // Called before anything of calls is written: what must be known elsewhere of a call before its
  // end counts here.
  void CallBeforeWriting(std::function<void()> first) { before_writing_ = std::move(first); }
  // Writes what the events so far have put into the outbox: calls are written, control is synced.
  // Nothing that they say may be acted upon before it answers Ok. On an error the guard is stopped;
  // what could not be written is tried again by the next Commit.
  Status Commit();
  // The same in parts, for a loop that must not wait for a sync (Options::syncs_elsewhere). Only
  // calls:
  Status CommitCalls();
  // Takes what is to be synced; false when there is nothing, or a sync is under way already. Then
  // RunSync, which may run on another thread beside everything but Commit, Rotate and another
  // RunSync; then FinishSync with its answer, after which whoever waits may ask again.
  bool StartSync();
  Status RunSync();
  Status FinishSync(Status synced);
  bool syncing() const { return syncing_; }
  // Ends what is past its deadline, writes it, and begins a new epoch when the journal is long.
  Status Tick(Moment now);
  // A new epoch now. When it can't be begun, nothing is admitted and nothing written until it can:
  // Tick tries again about once a second.
  Status Rotate(Moment now);

  // While true nothing is admitted: for what must be written beside the guard and can't be.
  void SetBlocked(bool blocked);

  uint64_t epoch() const { return epoch_; }
  uint64_t calls_bytes() const { return calls_ ? calls_->size() : 0; }
  // What recovery found.
  bool tail_was_lost() const { return tail_was_lost_; }

 private:
  Wal(os::Files& files, std::string folder, std::string_view boot_id, Options options);
  Status Recover();
  Status ReadCalls(bool* tail_lost);
  Status BeginEpoch(uint64_t epoch);
  bool SnapshotIsOf(uint64_t epoch) const;
  void RemoveOthers();
  Status CommitControl();
  void BeforeWriting() {
    if (before_writing_) before_writing_();
  }
  Status FailClosed() const;
  std::string PathOf(std::string_view what, uint64_t epoch) const;
  // The guard is stopped while anything is wrong.
  void StopOrResume();

  os::Files& files_;
  std::string folder_;
  std::string boot_id_;
  Guard guard_;
  uint64_t epoch_ = 0;
  uint64_t first_epoch_ = 0;  // of this process
  uint64_t last_call_ = 0;
  std::optional<os::Journal> calls_;
  std::optional<os::Journal> control_;
  std::function<void()> before_writing_;
  const bool syncs_elsewhere_;
  bool syncing_ = false;
  Outbox in_flight_;             // its control records are being synced
  bool in_flight_lost_ = false;  // the journal of calls could not be synced
  bool broken_ = false;          // until opened again
  uint64_t last_tried_ = 0;      // the last epoch whose snapshot may stand
  bool rotating_ = false;        // the journals of now are of the past: until a new epoch has begun
  int64_t rotate_again_us_ = 0;  // monotonic
  bool calls_failed_ = false;    // until they can be written
  bool control_failed_ = false;
  bool blocked_ = false;  // from outside
  bool tail_was_lost_ = false;
};

}  // namespace flyball::guard
