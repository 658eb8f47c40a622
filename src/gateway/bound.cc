#include "gateway/bound.h"

#include <fmt/format.h>

#include <algorithm>

namespace flyball::gateway {
namespace {

using rates::SetOf;

// Counts stop where a call can't be priced any more, instead of wrapping around.
constexpr int64_t kBeyond = kUsageCountMax + 1;
int64_t Stopped(int128 count) { return static_cast<int64_t>(std::min<int128>(count, kBeyond)); }
int64_t Sum(int64_t a, int64_t b) { return Stopped(int128{a} + b); }
int64_t Times(int64_t a, int64_t b) { return Stopped(int128{a} * b); }

// Passes of the model: one, and one more after each use of a tool. Anthropic's also goes on after a
// use beyond the limit, which is answered with an error, until the vendor's own loop ends.
int64_t Passes(Dialect dialect, const CallFacts& facts) {
  if (!facts.has_vendor_tools) return 1;
  const int64_t least = Info(dialect).is_anthropic ? kVendorLoopPasses : 0;
  return Sum(std::max(facts.vendor_tool_uses, least), 1);
}

int64_t InputTokens(Dialect dialect, const CallFacts& facts) {
  int64_t tokens = Sum(facts.body_bytes, kTemplateTokens);
  if (facts.has_tools) tokens = Sum(tokens, kToolPromptTokens);
  tokens = Sum(tokens, Times(facts.pictures, kPictureTokens));
  if (facts.input_is_open) tokens = Sum(tokens, kWindowTokens);
  // Each use of a tool reads the whole conversation again, with what the tool
  // has found.
  if (facts.has_vendor_tools) tokens = Times(Sum(tokens, kWindowTokens), Passes(dialect, facts));
  return tokens;
}

BucketSet InputKinds(Dialect dialect, const CallFacts& facts) {
  BucketSet kinds = rates::kTextInput;
  // OpenAI writes its cache by itself, Anthropic where it is told to.
  if (!Info(dialect).is_anthropic || facts.writes_cache) {
    kinds |= flyball::SetOf(Bucket::kCacheWrite5m);
  }
  if (facts.writes_cache_1h) kinds |= flyball::SetOf(Bucket::kCacheWrite1h);
  // What the vendor keeps or finds may be of any kind.
  if (facts.has_media || facts.input_is_open || facts.has_vendor_tools) {
    for (Bucket kind :
         {Bucket::kInputImage, Bucket::kInputAudio, Bucket::kInputVideo, Bucket::kCacheReadImage,
          Bucket::kCacheReadAudio, Bucket::kCacheReadVideo, Bucket::kCacheWriteAudio}) {
      kinds |= flyball::SetOf(kind);
    }
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
  rates::TierSet tiers = SetOf(ServiceTier::kStandard);
  // The project's own setting decides, and it may be the dearest.
  if (upstream.api == estate::UpstreamApi::kOpenAi || !facts.service_tier.empty()) {
    tiers = static_cast<rates::TierSet>(tiers | SetOf(ServiceTier::kPriority));
  }
  return tiers;
}

using rates::Worst;

// Whether the call, or the account's own setting, may say where it is processed.
bool IsAnywhere(Dialect dialect) { return Info(dialect).is_anthropic; }

// Wherever the vendor may process, and bill, the call.
Result<Worst> WorstAnywhere(Dialect dialect, const rates::PriceBook& book, rates::PriceQuery query,
                            const rates::UsageBound& bound, std::string* currency) {
  const rates::PriceHit hit = FB_TRY(book.Find(query));
  *currency = hit.currency();
  Worst worst = FB_TRY(rates::WorstCost(hit, bound));
  if (!IsAnywhere(dialect)) return worst;
  const std::string_view here = query.region;
  for (const rates::RegionPrices& prices : hit.model->regions) {
    if (prices.region == here) continue;
    query.region = prices.region;
    const rates::PriceHit there = FB_TRY(book.Find(query));
    if (there.currency() != *currency) {
      return Fail(Code::kFailedPrecondition,
                  fmt::format("'{}' is priced in two currencies", query.model));
    }
    const Worst cost = FB_TRY(rates::WorstCost(there, bound));
    worst.without_output = std::max(worst.without_output, cost.without_output);
    worst.whole = std::max(worst.whole, cost.whole);
  }
  return worst;
}

// With the fees of searches, whichever of its kinds the vendor may bill.
Result<Worst> WorstWithSearches(Dialect dialect, const rates::PriceBook& book,
                                const rates::PriceQuery& query, const rates::UsageBound& bound,
                                int64_t searches, std::string* currency) {
  if (searches == 0) return WorstAnywhere(dialect, book, query, bound, currency);
  Result<Worst> worst = Fail(Code::kNotFound, "");
  for (const Bucket fee : {Bucket::kSearches, Bucket::kSearchesLow, Bucket::kSearchesHigh}) {
    rates::UsageBound with = bound;
    FB_CHECK(with.others.Add(fee, searches));
    Result<Worst> found = WorstAnywhere(dialect, book, query, with, currency);
    if (!found && found.error().code != Code::kNotFound) return found;
    if (!worst) {
      worst = std::move(found);  // the last one's error tells as much as the others'
    } else if (found) {
      worst->without_output = std::max(worst->without_output, found->without_output);
      worst->whole = std::max(worst->whole, found->whole);
    }
  }
  return worst;
}

// What the policy makes of tokens without a price, as the dearest of their kinds.
Result<Money> DearestDeclared(const rates::PriceBook& book, const rates::PriceQuery& query,
                              BucketSet kinds, int64_t tokens, rates::MissingPrice missing) {
  Result<Money> dearest = Fail(Code::kNotFound, "no price of any kind");
  for (const BucketInfo& info : Buckets()) {
    if ((kinds & flyball::SetOf(info.bucket)) == 0) continue;
    Usage usage;
    FB_CHECK(usage.Add(info.bucket, tokens));
    const Result<rates::Rated> rated =
        rates::Rate(book, query, usage, {rates::ServiceTier::kStandard, missing});
    // A kind that the policy has no price for is not charged: such a call counts at its bound.
    if (rated) dearest = std::max(dearest.value_or(Money{}), rated->total);
    if (!rated && !dearest) dearest = Fail(rated.error());
  }
  return dearest;
}

Result<Worst> WorstDeclared(const rates::PriceBook& book, const rates::PriceQuery& query,
                            const rates::UsageBound& bound, rates::MissingPrice missing) {
  const Money others =
      FB_TRY(rates::Rate(book, query, bound.others, {rates::ServiceTier::kStandard, missing}))
          .total;
  const Money in =
      FB_TRY(DearestDeclared(book, query, bound.input_kinds, bound.input_tokens, missing));
  const Money out =
      FB_TRY(DearestDeclared(book, query, bound.output_kinds, bound.output_tokens, missing));
  Worst worst;
  worst.without_output = FB_TRY(others.Plus(in));
  worst.whole = FB_TRY(worst.without_output.Plus(out));
  return worst;
}

}  // namespace

Result<CallBound> BoundOf(Dialect dialect, const CallFacts& facts, int64_t output_max,
                          const estate::Upstream& upstream, const rates::PriceBook& book,
                          Instant now, rates::MissingPrice missing) {
  if (facts.unbounded) return Fail(*facts.unbounded);
  rates::UsageBound usage;
  usage.input_tokens = InputTokens(dialect, facts);
  usage.input_kinds = InputKinds(dialect, facts);
  usage.output_kinds = OutputTokenBuckets();  // a model makes what it can, asked or not
  usage.tiers = FB_TRY(Tiers(facts, upstream));
  if (facts.fast) usage.tiers |= SetOf(rates::ServiceTier::kFast);
  const int64_t predicted = facts.predicts ? facts.body_bytes : 0;
  const int64_t output =
      Times(Times(Sum(output_max, predicted), facts.choices), Passes(dialect, facts));
  const int64_t searches = facts.search_fee ? facts.vendor_tool_uses : 0;
  usage.output_tokens = output;
  FB_CHECK(usage.others.Add(Bucket::kRequests, Passes(dialect, facts)));
  CallBound bound;
  bound.hold.tokens_fixed = usage.input_tokens;
  bound.hold.tokens_output = output;
  bound.currency = "USD";
  bound.tiers = usage.tiers;
  bound.anywhere = IsAnywhere(dialect);
  const rates::PriceQuery query{upstream.provider, facts.model, now, upstream.region};
  Result<Worst> worst = WorstWithSearches(dialect, book, query, usage, searches, &bound.currency);
  if (!worst) {
    // The policy is about models, not about one meter of a model that has prices.
    const bool unpriced = worst.error().code == Code::kNotFound && !book.Find(query);
    if (!unpriced || missing == rates::MissingPrice::kDeny) return Fail(worst.error());
    FB_CHECK(usage.others.Add(facts.search_fee.value_or(Bucket::kSearches), searches));
    worst = FB_TRY(WorstDeclared(book, query, usage, missing));
  }
  bound.hold.fixed = worst->without_output;
  bound.hold.output = FB_TRY(worst->whole.Minus(worst->without_output));
  return bound;
}

}  // namespace flyball::gateway
