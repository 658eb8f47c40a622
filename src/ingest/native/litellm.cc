// LiteLLM's spend logs (/spend/logs, or the table LiteLLM_SpendLogs): one record a request, priced
// by the proxy itself, so every charge is an estimate.
#include "ingest/native/ai.h"
#include "ingest/native/formats.h"
#include "ingest/native/json_text.h"
#include "ingest/native/texts.h"

namespace flyball::native {
namespace {

std::string TagsOf(const Row& row) {
  std::vector<std::string_view> elements;
  std::vector<std::pair<std::string, std::string>> tags;
  if (!CutArray(row["request_tags"], &elements)) return {};
  for (std::string_view element : elements) {
    const std::string tag = JsonTextOf(element);
    const size_t colon = tag.find(':');
    tags.emplace_back(tag.substr(0, colon),
                      colon == std::string::npos ? "" : tag.substr(colon + 1));
  }
  return TagsJson(tags);
}

void Code(const Row& row, const Context&, std::vector<Draft>* drafts) {
  Draft& d = drafts->front();
  const std::string start = InstantOf(row["start_time"]);
  const std::string end = InstantOf(row["end_time"]);
  FillPeriod(start, start, end > start ? end : HourAfter(start), &d);
  const std::string_view provider = row["custom_llm_provider"];
  if (!provider.empty()) {
    for (int column :
         {At("ServiceProviderName"), At("HostProviderName"), At("InvoiceIssuerName")}) {
      d[column] = provider;
    }
  }
  FillAiVendor("LiteLLM", provider.empty() ? "LiteLLM" : std::string(provider) + " API", &d);
  d[charge::kConsumedUnit] = "Tokens";
  d[charge::kTags] = TagsOf(row);
}

}  // namespace

Format LiteLlmSpend() {
  Format format;
  format.name = "litellm-spend";
  format.title = "LiteLLM spend logs";
  format.page = "https://docs.litellm.ai/docs/proxy/cost_tracking";
  format.spell = LowerSnake;
  format.needs = {"request_id", "spend", "start_time", "model"};
  format.rules = {
      Copy("BilledCost", "spend"),
      Always("BillingCurrency", "USD"),
      Always("BillingAccountId", "litellm"),
      Copy("SubAccountId", "team_id"),
      Copy("SubAccountName", "metadata.user_api_key_team_alias"),
      Copy("ChargeDescription", "call_type"),
      Copy("ConsumedQuantity", "total_tokens"),
      Copy("CredentialId", "api_key"),
      Copy("PrincipalId", "user"),
      Copy("SkuId", "model"),
      Copy("SkuMeter", "model"),
      Copy("ResourceId", "model_id"),
      Copy("x_Model", "model"),
      Copy("x_Team", "metadata.user_api_key_team_alias", "team_id"),
      Copy("x_RequestId", "request_id"),
      Always("x_Confidence", "estimate"),
  };
  format.derived = Joined({kPeriodColumns, kAiVendorColumns, {"ConsumedUnit", "Tags"}});
  format.code = Code;
  format.costs = {"spend"};
  return format;
}

}  // namespace flyball::native
