// OpenRouter's activity: one record a day, model and provider. `usage` is what was charged in
// credits, of which one is a US dollar; keys of one's own are charged by their vendor.
#include "ingest/native/ai.h"
#include "ingest/native/formats.h"
#include "ingest/native/texts.h"

namespace flyball::native {
namespace {

void Code(const Row& row, const Context&, std::vector<Draft>* drafts) {
  Draft& d = drafts->front();
  FillPeriod(row["date"], InstantOf(row["date"]), DayAfter(row["date"]), &d);
  d[At("HostProviderName")] = row["provider_name"];
  FillAiVendor("OpenRouter", "OpenRouter API", &d);
  d[charge::kConsumedQuantity] = Plus(row["prompt_tokens"], row["completion_tokens"]);
  d[charge::kConsumedUnit] = "Tokens";
}

}  // namespace

Format OpenRouterActivity() {
  Format format;
  format.name = "openrouter-activity";
  format.title = "OpenRouter activity";
  format.page = "https://openrouter.ai/docs/api-reference/analytics/get-activity";
  format.spell = LowerCase;
  format.needs = {"date", "model", "usage", "prompt_tokens", "completion_tokens", "provider_name"};
  format.rules = {
      Copy("BilledCost", "usage"),
      Always("BillingCurrency", "USD"),
      Always("BillingAccountId", "openrouter"),
      Copy("ChargeDescription", "model"),
      Copy("SkuId", "model_permaslug", "model"),
      Copy("SkuMeter", "model"),
      Copy("ResourceId", "endpoint_id"),
      Copy("x_Model", "model"),
  };
  format.derived = Joined({kPeriodColumns, kAiVendorColumns, {"ConsumedQuantity", "ConsumedUnit"}});
  format.code = Code;
  format.costs = {"usage"};
  return format;
}

}  // namespace flyball::native
