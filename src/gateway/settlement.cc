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

// What the end of a stream says goes before what its beginning said.
std::string Merged(const std::string& start, const std::string& end) {
  if (start.empty()) return end;
  nlohmann::json merged = nlohmann::json::parse(start, nullptr, false);
  nlohmann::json later = nlohmann::json::parse(end, nullptr, false);
  if (!merged.is_object() || !later.is_object()) return end;
  for (auto it = later.begin(); it != later.end(); ++it) {
    if (!it->is_null()) merged[it.key()] = *it;
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
    into->lines.push_back({line.meter, line.quantity, line.unit_price.price, line.cost});
  }
  return {};
}

}  // namespace

Result<Settlement> SettlementOf(Dialect dialect, const AnswerMeter& meter,
                                std::string_view asked_model, const estate::Upstream& upstream,
                                const rates::PriceBook& book, Instant now,
                                rates::MissingPrice missing) {
  const std::string usage = Merged(meter.start_usage(), meter.usage());
  rates::MeteredUsage metered =
      FB_TRY(rates::ReadUsage(RatesDialect(dialect), usage, meter.model()));
  FB_CHECK(metered.usage.Add(Bucket::kRequests, 1));
  Settlement settlement;
  rates::RateOptions options;
  options.missing = missing;
  if (metered.tier) {
    options.tier = *metered.tier;
  } else if (!meter.service_tier().empty()) {
    options.tier = FB_TRY(rates::ParseTier(meter.service_tier()));
  }
  settlement.tier = rates::TierName(options.tier);
  const std::string region = metered.region.empty() ? upstream.region : metered.region;
  rates::PriceQuery query{upstream.provider, meter.model(), now, region};
  if (meter.model().empty() || !book.Find(query)) query.model = asked_model;
  FB_CHECK(Price(book, query, metered.usage, options, &settlement));
  for (const rates::ModelUsage& other : metered.others) {
    query.model = other.model;
    FB_CHECK(Price(book, query, other.usage, options, &settlement));
  }
  return settlement;
}

}  // namespace flyball::gateway
