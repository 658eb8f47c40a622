// StreamHold: what a stream may still cost stays held while it goes by.
//
// In strict mode the hold covers the longest answer. In quantile mode it covers what most answers
// stay under: when one outgrows it, the hold is grown a step at a time, and when a budget has no
// room for more, or is frozen meanwhile, the stream is to be ended.
//
//   Admit: covered tokens ─► Cover(tokens so far) ... ─► nothing: go on
//                                                     └► a refusal: end the stream well
//
// How many tokens have come is an estimate (AnswerMeter::output_tokens_estimate): it decides when
// the hold grows, never what is charged.
#pragma once

#include <cstdint>
#include <optional>

#include "guard/wal.h"
#include "model/hold.h"

namespace flyball::gateway {

class StreamHold {
 public:
  // `covered`: Admission::output_covered. The log must outlive it.
  StreamHold(guard::Wal& wal, hold::CallId id, const hold::Bound& bound, int64_t covered)
      : wal_(wal), id_(id), bound_(bound), covered_(covered) {}

  // The budget that refuses, when the stream has to end here or at the next place where it can: the
  // same answer from then on, so that a stream is refused once.
  std::optional<guard::Admission> Cover(int64_t tokens, guard::Moment now);

  int64_t covered() const { return covered_; }

  // A hold grows before it is used up, by at least so many tokens.
  static constexpr int64_t kStepMinTokens = 64;
  // How often a stream asks whether it was frozen.
  static constexpr int64_t kFrozenEveryUs = 250'000;

 private:
  guard::Wal& wal_;
  hold::CallId id_;
  hold::Bound bound_;
  int64_t covered_ = 0;
  int64_t asked_at_us_ = 0;
  std::optional<guard::Admission> refusal_;
};

}  // namespace flyball::gateway
