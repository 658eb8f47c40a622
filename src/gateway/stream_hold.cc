#include "gateway/stream_hold.h"

#include <algorithm>

namespace flyball::gateway {
namespace {

// Only a budget's own word ends a stream. A journal that can't be written, or a deadline that has
// passed, does not: what the call may cost is counted at its bound then.
bool EndsStreams(const guard::Admission& answer) {
  return answer.verdict != guard::Verdict::kAdmitted &&
         (answer.reason == guard::Reason::kOverLimit || answer.reason == guard::Reason::kFrozen);
}

}  // namespace

std::optional<guard::Admission> StreamHold::Cover(int64_t tokens, guard::Moment now) {
  if (refusal_) return refusal_;
  if (covered_ < bound_.tokens_output && tokens > covered_ - kStepMinTokens / 4) {
    // Half as much again: few steps for a long answer, little held that is not used.
    const int64_t step =
        std::min(std::max({kStepMinTokens, covered_ / 2, tokens + kStepMinTokens - covered_}),
                 bound_.tokens_output - covered_);
    // Rounded up: all steps together are at least the rest of the bound.
    const budget::Amount part =
        (bound_.output.units() * step + (bound_.tokens_output - 1)) / bound_.tokens_output;
    const hold::Bound more{Money(), Money::FromUnits(part), 0, step};
    const guard::Admission answer = wal_.Grow(id_, more, guard::Growth::kHold, now);
    if (EndsStreams(answer)) return refusal_ = answer;
    covered_ += step;
  }
  if (now.mono_us - asked_at_us_ < kFrozenEveryUs) return std::nullopt;
  asked_at_us_ = now.mono_us;
  const guard::Admission answer = wal_.guard().FrozenOf(id_);
  if (EndsStreams(answer)) refusal_ = answer;
  return refusal_;
}

}  // namespace flyball::gateway
