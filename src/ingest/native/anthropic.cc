// Anthropic: the cost report and the usage report of messages, as the Admin API's pages give them:
// buckets of time with results. The cost report states amounts in cents.
#include "ingest/native/ai.h"
#include "ingest/native/formats.h"
#include "ingest/native/texts.h"

namespace flyball::native {
namespace {

void FillBucket(const Row& row, Draft* draft) {
  const std::string start = InstantOf(row["starting_at"]);
  FillPeriod(start, start, InstantOf(row["ending_at"]), draft);
  FillAiVendor("Anthropic", "Claude API", draft);
  (*draft)[At("BillingAccountId")] = row["organization_id"];
  if ((*draft)[At("BillingAccountId")].empty()) (*draft)[At("BillingAccountId")] = "anthropic";
}

struct TokenType {
  std::string_view name;
  Bucket meter;
};
constexpr TokenType kTokenTypes[] = {
    {"uncached_input_tokens", Bucket::kInput},
    {"output_tokens", Bucket::kOutput},
    {"cache_read_input_tokens", Bucket::kCacheRead},
    {"cache_creation.ephemeral_5m_input_tokens", Bucket::kCacheWrite5m},
    {"cache_creation.ephemeral_1h_input_tokens", Bucket::kCacheWrite1h},
};

void CostsCode(const Row& row, const Context&, std::vector<Draft>* drafts) {
  Draft& d = drafts->front();
  FillBucket(row, &d);
  d[charge::kBilledCost] = Shifted(row["amount"], -2);
  const std::string_view model = row["model"];
  for (const TokenType& type : kTokenTypes) {
    if (row["token_type"] == type.name) FillMeter(model, type.meter, {}, &d);
  }
  if (row["cost_type"] == "web_search") FillMeter(model, Bucket::kSearches, {}, &d);
  if (d[At("SkuMeter")].empty()) {
    d[At("SkuMeter")] = row.First({"token_type", "cost_type"});
    d[At("x_Model")] = model;
  }
}

void UsageCode(const Row& row, const Context& context, std::vector<Draft>* drafts) {
  Draft& d = drafts->front();
  FillBucket(row, &d);
  Usage usage;
  bool ok = true;
  for (const TokenType& type : kTokenTypes) AddCount(row, type.name, type.meter, &usage, &ok);
  AddCount(row, "server_tool_use.web_search_requests", Bucket::kSearches, &usage, &ok);
  const std::string_view model = row["model"];
  if (!ok || model.empty()) {
    d[At("ChargeDescription")] = model.empty() ? "the report does not say which model was used; "
                                                 "ask for it with group_by[]=model"
                                               : "its counts can't be read";
    return;
  }
  const std::string_view geo = row["inference_geo"];
  const std::string_view region = geo == "global" || geo == "not_available" ? "" : geo;
  // "0-200k", or "200k-1M": the prices of long contexts.
  const bool is_long = row["context_window"].starts_with("200k");
  RateUsage({"anthropic", model, row["service_tier"], region, usage, is_long ? 200'001 : 0},
            context, drafts);
}

const Columns kDerived =
    Joined({{"BillingAccountId"}, kPeriodColumns, kAiVendorColumns, kMeterColumns});

}  // namespace

Format AnthropicCosts() {
  Format format;
  format.name = "anthropic-costs";
  format.title = "Anthropic cost report";
  format.page = "https://docs.anthropic.com/en/api/admin-api/usage-cost/get-cost-report";
  format.spell = LowerCase;
  format.needs = {"starting_at", "amount", "currency", "cost_type"};
  format.rules = {
      Copy("BillingCurrency", "currency"),
      Copy("SubAccountId", "workspace_id"),
      Copy("ChargeDescription", "description", "cost_type"),
      Copy("RegionId", "inference_geo"),
  };
  format.derived = Joined({{"BilledCost"}, kDerived});
  format.code = CostsCode;
  format.costs = {"amount"};
  format.cost_shift = -2;
  return format;
}

Format AnthropicUsage() {
  Format format;
  format.name = "anthropic-usage";
  format.title = "Anthropic usage report of messages, at the price book's prices";
  format.page = "https://docs.anthropic.com/en/api/admin-api/usage-cost/get-messages-usage-report";
  format.spell = LowerCase;
  format.needs = {"starting_at", "uncached_input_tokens", "output_tokens"};
  format.rules = {
      Copy("SubAccountId", "workspace_id"),
      Copy("CredentialId", "api_key_id"),
      Copy("RegionId", "inference_geo"),
  };
  format.derived = Joined({kDerived, kRatedColumns, kQuantityColumns});
  format.code = UsageCode;
  format.rated = true;
  return format;
}

}  // namespace flyball::native
