#include "gateway/bound.h"

#include <fmt/format.h>

#include <algorithm>

namespace flyball::gateway {
namespace {

using rates::SetOf;

int64_t InputTokens(const CallFacts& facts) {
  int64_t tokens = facts.body_bytes + kTemplateTokens;
  if (facts.has_tools) tokens += kToolPromptTokens;
  tokens += facts.linked_media * kLinkedMediaTokens;
  if (facts.input_is_open) tokens += kWindowTokens;
  // Each use of a tool reads the whole conversation again, with what the tool
  // has found.
  if (facts.server_tools > 0) tokens = (tokens + kWindowTokens) * (*facts.server_tool_uses_max + 1);
  return tokens;
}

BucketSet InputKinds(Dialect dialect, const CallFacts& facts) {
  BucketSet kinds = rates::kTextInput;
  // OpenAI writes its cache by itself, Anthropic where it is told to.
  if (!Info(dialect).is_anthropic || facts.writes_cache) {
    kinds |= flyball::SetOf(Bucket::kCacheWrite5m);
  }
  if (facts.writes_cache_1h) kinds |= flyball::SetOf(Bucket::kCacheWrite1h);
  if (facts.has_media) {
    kinds |= flyball::SetOf(Bucket::kInputImage) | flyball::SetOf(Bucket::kInputAudio);
  }
  return kinds;
}

// The tiers at which the vendor may serve, and bill, a call that states this
// one.
Result<rates::TierSet> Tiers(const CallFacts& facts, const estate::Upstream& upstream) {
  using rates::ServiceTier;
  const bool open = facts.service_tier.empty() || facts.service_tier == "auto";
  if (!open) {
    // What a vendor can't serve as asked it serves, and bills, as standard.
    return static_cast<rates::TierSet>(SetOf(FB_TRY(rates::ParseTier(facts.service_tier))) |
                                       SetOf(ServiceTier::kStandard));
  }
  auto tiers = SetOf(ServiceTier::kStandard);
  // The project's own setting decides, and it may be the dearest.
  if (upstream.api == estate::UpstreamApi::kOpenAi || !facts.service_tier.empty()) {
    tiers = static_cast<rates::TierSet>(tiers | SetOf(ServiceTier::kPriority));
  }
  return tiers;
}

Result<Money> WorstOf(const rates::PriceHit& hit, rates::UsageBound bound, int64_t output) {
  bound.output_tokens = output;
  return rates::WorstCost(hit, bound);
}

}  // namespace

Result<CallBound> BoundOf(Dialect dialect, const CallFacts& facts, int64_t output_max,
                          const estate::Upstream& upstream, const rates::PriceBook& book,
                          Instant now, rates::MissingPrice missing) {
  if (facts.server_tools > 0 && !facts.server_tool_uses_max) {
    return Fail(Code::kInvalidArgument,
                "the call lets the vendor run tools without a limit, so its cost has "
                "no bound",
                "state max_uses for each tool (Anthropic) or max_tool_calls (OpenAI)");
  }
  rates::UsageBound usage;
  usage.input_tokens = InputTokens(facts);
  usage.input_kinds = InputKinds(dialect, facts);
  usage.output_kinds = rates::kTextOutput;
  if (facts.speaks) usage.output_kinds |= flyball::SetOf(Bucket::kOutputAudio);
  usage.tiers = FB_TRY(Tiers(facts, upstream));
  const int64_t turns = facts.server_tools > 0 ? *facts.server_tool_uses_max + 1 : 1;
  const int64_t output = output_max * facts.choices * turns;
  FB_CHECK(usage.others.Add(Bucket::kRequests, turns));
  if (facts.server_tools > 0) {
    FB_CHECK(usage.others.Add(Bucket::kSearches, *facts.server_tool_uses_max));
  }
  CallBound bound;
  bound.hold.tokens_fixed = usage.input_tokens;
  bound.hold.tokens_output = output;
  bound.currency = "USD";
  const rates::PriceQuery query{upstream.provider, facts.model, now, upstream.region};
  Result<rates::PriceHit> hit = book.Find(query);
  Result<Money> fixed = Fail(Code::kNotFound, "");
  Result<Money> whole = Fail(Code::kNotFound, "");
  if (hit) {
    bound.currency = hit->currency();
    fixed = WorstOf(*hit, usage, 0);
    whole = WorstOf(*hit, usage, output);
  }
  if (!fixed || !whole) {
    const Error& why = !hit ? hit.error() : !fixed ? fixed.error() : whole.error();
    if (why.code != Code::kNotFound || missing == rates::MissingPrice::kDeny) return Fail(why);
    Usage most = usage.others;
    FB_CHECK(most.Add(Bucket::kInput, usage.input_tokens));
    const rates::RateOptions options{rates::ServiceTier::kStandard, missing};
    fixed = FB_TRY(rates::Rate(book, query, most, options)).total;
    FB_CHECK(most.Add(Bucket::kOutput, output));
    whole = FB_TRY(rates::Rate(book, query, most, options)).total;
  }
  bound.hold.fixed = *fixed;
  bound.hold.output = FB_TRY(whole->Minus(*fixed));
  return bound;
}

}  // namespace flyball::gateway
