// The most that one attempt of a call can cost at one upstream, before it is
// made.
//
// Each part is a proven bound or a named limit (docs/GATEWAY.md lists them):
// input tokens by the bytes of the body, what the body only points to by the
// limits below, output by the limit of tokens times the choices, and all of it
// at the dearest price that the vendor may take.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "estate/estate.h"
#include "gateway/call_facts.h"
#include "gateway/dialect.h"
#include "model/hold.h"
#include "rates/rate.h"

namespace flyball::gateway {

// What a vendor adds to the text of a request: templates of messages, the
// prompt that explains tools.
inline constexpr int64_t kTemplateTokens = 512;
inline constexpr int64_t kToolPromptTokens = 4096;
// One picture. The dearest counting in use (a small model that multiplies tiles) stays below.
inline constexpr int64_t kPictureTokens = 65'536;
// The largest window of a model that vendors sell: what files, stored prompts
// and conversations can add.
inline constexpr int64_t kWindowTokens = 2'097'152;
// How often Anthropic lets a model go on by itself after its own tools.
inline constexpr int64_t kVendorLoopPasses = 10;

struct CallBound {
  hold::Bound hold;
  std::string currency;
  // What it has counted: every tier of these, and every place that has prices of its own or the
  // upstream's region alone.
  rates::TierSet tiers = rates::SetOf(rates::ServiceTier::kStandard);
  bool anywhere = false;
};

// NOT_FOUND: the model has no price, and the policy is to deny.
// INVALID_ARGUMENT: the call has no bound (CallFacts::unbounded). OUT_OF_RANGE: it is beyond all
// measure.
Result<CallBound> BoundOf(Dialect dialect, const CallFacts& facts, int64_t output_max,
                          const estate::Upstream& upstream, const rates::PriceBook& book,
                          Instant now, rates::MissingPrice missing);

}  // namespace flyball::gateway
