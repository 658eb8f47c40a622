// Outbox: what has to be sent to whom and when; nothing that was taken is lost.
//
// Pure: no clock, no network, no file. Each change is a record (a line of JSON), which the caller
// makes durable and then plays (app/notifier.h); the same records give the same outbox, so that a
// delivery that was on its way when the process died is tried again, with the same id (at least
// once).
//
//   notice ─► Take ─► record ─► Replay ─► Due(now) ─► sender ─► Sent | Failed ─► record ─► Replay
//
// - The first route that matches says who is told, each time that a notice comes: who is among them
//   and was not told yet, or everybody once it is graver than what was told. Repetition is no news.
// - What is silenced is held back; when it still lasts after the silence, it is told then.
// - A digest of a receiver collects for its time from the first notice on, and is told as it is by
//   then.
// - A failure is tried again after 2 s, 4 s, 8 s, ..., at most 15 minutes apart, or when the
// receiver
//   says (Retry-After), until a day is over: then it is given up and shown. So is, after a day,
//   what waits for a receiver that the estate does not have, as estates are edited.
// - Acknowledging ends the escalation; who was told that something began is told of that and of its
//   end, and nobody else is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/notice.h"

namespace flyball::notify {

inline constexpr int64_t kFirstRetryUs = 2 * kMicrosPerSecond;
inline constexpr int64_t kRetryMostUs = 15 * 60 * kMicrosPerSecond;
inline constexpr int64_t kGiveUpUs = kMicrosPerDay;
inline constexpr size_t kWaitingMax = 1'000;      // deliveries of one receiver
inline constexpr size_t kDigestNoticesMax = 100;  // of one message; more are the next
inline constexpr size_t kEndedMax = 1'000;        // that are remembered, the newest
inline constexpr size_t kSubjectsMax = 10'000;    // incidents that are remembered, the newest

enum class DeliveryState : uint8_t { kWaiting, kSent, kGivenUp };
std::string_view DeliveryStateName(DeliveryState state);

struct Delivery {
  uint64_t id = 0;
  std::string receiver;
  std::vector<notice::Notice> notices;  // several: a digest
  bool escalated = false;
  Instant since;  // when it was taken
  Instant due;    // not before
  int attempts = 0;
  DeliveryState state = DeliveryState::kWaiting;
  std::string fault;      // of the last attempt
  int64_t digest_us = 0;  // > 0: more may be added until it is due
};

struct Failure {
  std::string fault;
  bool final = false;    // it will never be taken
  int64_t again_us = 0;  // > 0: when the receiver wants it again
};

class Outbox {
 public:
  // The rules may change at any time; what waits for a receiver that is gone is given up.
  void SetRules(notice::Rules rules);
  const notice::Rules& rules() const { return rules_; }

  // These change nothing: they return records, which Replay applies once they are durable.
  // "" when there is nothing to tell; INVALID_ARGUMENT for a notice that is none. Beyond
  // kWaitingMax a receiver is not told, which is counted (`dropped`).
  Result<std::string> Take(const notice::Notice& notice, Instant now) const;
  // Escalations and ends of silences that are due, and what has waited for a day for a receiver
  // that is gone.
  std::vector<std::string> Tick(Instant now) const;
  static std::string Sent(uint64_t id, Instant now);
  std::string Failed(uint64_t id, Instant now, const Failure& failure) const;

  // Not durable: what is not news is what waiting digests say by now.
  void Refresh(const notice::Notice& notice);

  // What is to be sent now: of each receiver the oldest, and of one incident one after the other.
  std::vector<Delivery> Due(Instant now) const;

  // Newest first, at most `most`.
  std::vector<Delivery> Deliveries(size_t most) const;
  size_t waiting() const;
  uint64_t dropped() const { return dropped_; }

  // Plays a record back. DATA_LOSS for what is none.
  Status Replay(std::string_view record);
  // Records that give the same outbox, without what is past.
  std::vector<std::string> Snapshot() const;

 private:
  struct Subject {               // what notices of one id are about
    notice::Notice last;         // without its detail; the labels are those of the first
    std::set<std::string> told;  // receivers
    notice::Severity gravest = notice::Severity::kInfo;  // that was told
    std::optional<Instant> told_at;                      // first
    std::set<std::pair<int64_t, std::string>> steps;     // of the escalation: after, receiver
    bool held_back = false;                              // by a silence
  };
  struct Player;
  struct Target {
    std::set<std::string> receivers;
    int64_t digest_us = 0;
    std::vector<notice::Escalation> escalate;
  };
  class Writer;  // of the deliveries of a record
  Target TargetOf(const notice::Notice& notice) const;
  // Of the subject as the notice leaves it: whom of the target it is news to.
  static std::set<std::string> NewsFor(const Target& target, const Subject& subject,
                                       const notice::Notice& notice);
  const Subject* Lasting(const std::string& id) const;
  bool IsSilenced(const notice::Notice& notice, Instant now) const;
  uint64_t OpenDigest(const std::string& receiver, const std::string& subject, bool with_subject,
                      Instant now) const;
  void Forget();
  bool HasReceiver(std::string_view name) const;

  notice::Rules rules_;
  std::map<uint64_t, Delivery> deliveries_;
  std::map<std::string, Subject> subjects_;
  uint64_t next_id_ = 1;
  std::map<std::string, size_t> waiting_;  // of the deliveries, by receiver
  uint64_t dropped_ = 0;
};

}  // namespace flyball::notify
