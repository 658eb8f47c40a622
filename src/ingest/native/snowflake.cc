// Snowflake's ORGANIZATION_USAGE.USAGE_IN_CURRENCY_DAILY: what each account used a day, in
// currency.
#include "base/text.h"
#include "ingest/native/formats.h"
#include "ingest/native/texts.h"

namespace flyball::native {
namespace {

void Code(const Row& row, const Context&, std::vector<Draft>* drafts) {
  Draft& d = drafts->front();
  const std::string_view day = row["usage_date"];
  FillPeriod(day, InstantOf(day), DayAfter(day), &d);
  d[charge::kEffectiveCost] = d[charge::kContractedCost] = d[charge::kBilledCost];
  const std::string_view type = row.First({"service_type", "usage_type"});
  d[At("ServiceName")] = "Snowflake " + std::string(type);
  const bool ai = ContainsNoCase(type, "ai_services") || ContainsNoCase(type, "cortex");
  const bool storage = ContainsNoCase(type, "storage");
  const bool transfer = ContainsNoCase(type, "transfer");
  d[At("ServiceCategory")] = ai         ? "AI and Machine Learning"
                             : storage  ? "Storage"
                             : transfer ? "Networking"
                                        : "Databases";
  d[At("ServiceSubcategory")] = ai         ? "Generative AI"
                                : storage  ? "Storage Platforms"
                                : transfer ? "Network Infrastructure"
                                           : "Data Warehouses";
  const bool credit = EqualsIgnoreCase(row["billing_type"], "support_credit");
  const bool adjustment = credit || EqualsIgnoreCase(row["is_adjustment"], "true") ||
                          EqualsIgnoreCase(row["billing_type"], "rebate");
  d[At("ChargeCategory")] = credit ? "Credit" : adjustment ? "Adjustment" : "Usage";
  if (d[charge::kConsumedUnit].empty()) {
    d[charge::kConsumedUnit] = storage || transfer ? "TB" : "Credits";
    d[At("PricingUnit")] = d[charge::kConsumedUnit];
  }
  d[At("ChargeFrequency")] = adjustment ? "One-Time" : "Usage-Based";
  d[At("PricingCategory")] = adjustment ? "" : "Standard";
}

}  // namespace

Format SnowflakeUsage() {
  Format format;
  format.name = "snowflake-usage";
  format.title = "Snowflake usage in currency (daily)";
  format.page =
      "https://docs.snowflake.com/en/sql-reference/organization-usage/usage_in_currency_daily";
  format.spell = LowerSnake;
  format.needs = {"usage_date", "usage_in_currency", "currency", "account_name"};
  format.rules = {
      Copy("BilledCost", "usage_in_currency"),
      Copy("BillingCurrency", "currency"),
      Copy("BillingAccountId", "contract_number", "organization_name"),
      Copy("BillingAccountName", "organization_name"),
      Copy("SubAccountId", "account_locator", "account_name"),
      Copy("SubAccountName", "account_name"),
      Copy("RegionId", "region"),
      Copy("RegionName", "region"),
      Copy("ChargeDescription", "usage_type"),
      Copy("ConsumedQuantity", "usage"),
      Copy("PricingQuantity", "usage"),
      Copy("SkuId", "usage_type"),
      Copy("SkuMeter", "usage_type"),
      Always("ServiceProviderName", "Snowflake"),
      Always("HostProviderName", "Snowflake"),
      Always("InvoiceIssuerName", "Snowflake"),
  };
  format.derived = Joined({kPeriodColumns,
                           {"ConsumedUnit", "PricingUnit", "EffectiveCost", "ContractedCost",
                            "ServiceName", "ServiceCategory", "ServiceSubcategory",
                            "ChargeCategory", "ChargeFrequency", "PricingCategory"}});
  format.code = Code;
  format.costs = {"usage_in_currency"};
  return format;
}

}  // namespace flyball::native
