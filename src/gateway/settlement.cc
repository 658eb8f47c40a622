#include "gateway/settlement.h"

#include <nlohmann/json.hpp>

namespace flyball::gateway {
namespace {

rates::Dialect RatesDialect(Dialect dialect) {
  switch (dialect) {
    case Dialect::kOpenAiResponses:
      return rates::Dialect::kOpenAiResponses;
    case Dialect::kAnthropicMessages:
    case Dialect::kAnthropicCountTokens:
      return rates::Dialect::kAnthropic;
    default:
      return rates::Dialect::kOpenAiChat;
  }
}

using Json = nlohmann::json;

// Vendors' objects are flat; a deep one would exhaust the stack of whoever walks it.
Result<Json> Parsed(const std::string& text) {
  bool is_deep = false;
  const auto is_kept = [&](int depth, Json::parse_event_t, Json&) {
    is_deep |= depth >= static_cast<int>(rates::kUsageDepthMax);
    return !is_deep;
  };
  Json parsed = Json::parse(text, is_kept, false);
  if (is_deep || !parsed.is_object()) {
    return Fail(Code::kInvalidArgument, "the usage is no JSON object, or nested too deep");
  }
  return parsed;
}

constexpr const char* kCacheTotal = "cache_creation_input_tokens";
constexpr const char* kCacheSplit = "cache_creation";

// What the end of a stream says goes before what its beginning said.
Result<std::string> Merged(const std::string& start, const std::string& end, bool writes_cache_1h) {
  if (start.empty()) return end;
  Json merged = FB_TRY(Parsed(start));
  const Json later = FB_TRY(Parsed(end));
  for (auto it = later.begin(); it != later.end(); ++it) {
    if (!it->is_null()) merged[it.key()] = *it;
  }
  // The beginning's split is of its own total. Without it all counts as written for five minutes,
  // which is what the vendor does unless the call says otherwise.
  if (later.contains(kCacheTotal) && !later.contains(kCacheSplit) && !writes_cache_1h) {
    merged.erase(kCacheSplit);
  }
  return merged.dump();
}

Status Price(const rates::PriceBook& book, const rates::PriceQuery& query, const Usage& usage,
             const rates::RateOptions& options, Settlement* into) {
  const rates::Rated rated = FB_TRY(rates::Rate(book, query, usage, options));
  if (!into->currency.empty() && into->currency != rated.currency) {
    return Fail(Code::kFailedPrecondition, "the models of one call are priced in two currencies");
  }
  into->currency = rated.currency;
  into->cost = FB_TRY(into->cost.Plus(rated.total));
  into->tokens += usage.InputTokens() + usage.OutputTokens();
  into->tokens_output += usage.OutputTokens();
  for (const rates::RateLine& line : rated.lines) {
    if (line.meter == Bucket::kRequests && line.cost.is_zero()) continue;  // free as everywhere
    using rates::PriceReason;
    into->declared |= line.unit_price.reason == PriceReason::kCeiling ||
                      line.unit_price.reason == PriceReason::kDeclaredFree;
    into->lines.push_back({line.meter, line.quantity, line.unit_price.price, line.cost});
  }
  return {};
}

}  // namespace

Result<Settlement> SettlementOf(Dialect dialect, const AnswerMeter& meter, const CallFacts& facts,
                                const estate::Upstream& upstream, const rates::PriceBook& book,
                                Instant now, rates::MissingPrice missing) {
  const std::string usage =
      FB_TRY(Merged(meter.start_usage(), meter.usage(), facts.writes_cache_1h));
  rates::MeteredUsage metered =
      FB_TRY(rates::ReadUsage(RatesDialect(dialect), usage, meter.model()));
  FB_CHECK(metered.usage.Add(Bucket::kRequests, 1));
  // Anthropic counts searches in its usage, a response lists them in its output.
  if (dialect == Dialect::kOpenAiResponses && facts.search_fee) {
    FB_CHECK(metered.usage.Add(*facts.search_fee, meter.searches()));
  }
  Settlement settlement;
  rates::RateOptions options;
  options.missing = missing;
  if (metered.tier) {
    options.tier = *metered.tier;
  } else if (!meter.service_tier().empty()) {
    options.tier = FB_TRY(rates::ParseTier(meter.service_tier()));
  }
  settlement.tier = rates::TierName(options.tier);
  settlement.region = metered.region;
  const std::string region = metered.region.empty() ? upstream.region : metered.region;
  rates::PriceQuery query{upstream.provider, meter.model(), now, region};
  if (meter.model().empty() || !book.Find(query)) query.model = facts.model;
  FB_CHECK(Price(book, query, metered.usage, options, &settlement));
  for (const rates::ModelUsage& other : metered.others) {
    query.model = other.model;
    FB_CHECK(Price(book, query, other.usage, options, &settlement));
  }
  return settlement;
}

ServedAt ServedAtOf(Dialect dialect, const AnswerMeter& meter) {
  ServedAt at;
  if (const auto tier = rates::ParseTier(meter.service_tier())) at.tier = rates::TierName(*tier);
  // The end of a stream need not say again what its beginning said; where it can't be read, that
  // stands.
  const auto read = [&](const std::string& usage) {
    const auto metered = rates::ReadUsage(RatesDialect(dialect), usage, meter.model());
    if (!metered) return;
    if (metered->tier) at.tier = rates::TierName(*metered->tier);
    if (!metered->region.empty()) at.region = metered->region;
  };
  if (!meter.start_usage().empty()) read(meter.start_usage());
  if (const auto whole = Merged(meter.start_usage(), meter.usage(), false)) read(*whole);
  return at;
}

}  // namespace flyball::gateway
