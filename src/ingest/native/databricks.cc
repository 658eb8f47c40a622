// Databricks: system.billing.usage joined with system.billing.list_prices, because usage alone
// states no cost:
//
//   SELECT u.*, p.pricing.effective_list.default AS list_price, p.currency_code
//   FROM system.billing.usage u JOIN system.billing.list_prices p ON u.sku_name = p.sku_name
//     AND u.cloud = p.cloud AND u.usage_start_time >= p.price_start_time
//     AND (p.price_end_time IS NULL OR u.usage_start_time < p.price_end_time)
//
// Costs are list price times quantity, rounded once; what was negotiated is not in these tables, so
// they are marked as estimates. Retractions come with negative quantities and sum out.
#include "ingest/native/formats.h"
#include "ingest/native/texts.h"

namespace flyball::native {
namespace {

void Code(const Row& row, const Context&, std::vector<Draft>* drafts) {
  Draft& d = drafts->front();
  const std::string_view start = row["usage_start_time"];
  FillPeriod(start, InstantOf(start), InstantOf(row["usage_end_time"]), &d);
  const std::string cost = row["list_price"].empty() || row["usage_quantity"].empty()
                               ? std::string()
                               : Times(row["list_price"], row["usage_quantity"]);
  for (int column :
       {charge::kBilledCost, charge::kEffectiveCost, charge::kListCost, charge::kContractedCost}) {
    d[column] = cost;
  }
  const std::string_view product = row.First({"billing_origin_product", "sku_name"});
  const bool ai = ContainsNoCase(product, "model_serving") || ContainsNoCase(product, "ai_") ||
                  ContainsNoCase(product, "vector_search");
  d[At("ServiceCategory")] = ai ? "AI and Machine Learning" : "Analytics";
  d[At("ServiceSubcategory")] = ai ? "Machine Learning" : "Data Processing";
  d[At("ServiceName")] = product.empty() ? "Databricks" : "Databricks " + std::string(product);
  if (row["record_type"] != "ORIGINAL" && !row["record_type"].empty()) {
    d[At("ChargeDescription")] += " (" + std::string(row["record_type"]) + ")";
  }
  const std::string_view cloud = row["cloud"];
  d[At("HostProviderName")] = cloud == "AZURE" ? "Microsoft"
                              : cloud == "GCP" ? "Google Cloud"
                              : cloud == "AWS" ? "AWS"
                                               : "Databricks";
}

}  // namespace

Format DatabricksUsage() {
  Format format;
  format.name = "databricks-usage";
  format.title = "Databricks billable usage with list prices";
  format.page = "https://docs.databricks.com/aws/en/admin/system-tables/billing";
  format.spell = LowerCase;
  format.needs = {"usage_quantity", "sku_name",   "usage_start_time",
                  "workspace_id",   "list_price", "currency_code"};
  format.rules = {
      Copy("BillingCurrency", "currency_code"),
      Copy("BillingAccountId", "account_id"),
      Copy("SubAccountId", "workspace_id"),
      Copy("ChargeDescription", "sku_name"),
      Copy("ConsumedQuantity", "usage_quantity"),
      Copy("ConsumedUnit", "usage_unit"),
      Copy("PricingQuantity", "usage_quantity"),
      Copy("PricingUnit", "usage_unit"),
      Copy("ListUnitPrice", "list_price"),
      Copy("ContractedUnitPrice", "list_price"),
      Copy("ResourceId", "usage_metadata.cluster_id", "usage_metadata.warehouse_id",
           "usage_metadata.endpoint_id"),
      Copy("ResourceName", "usage_metadata.endpoint_name", "usage_metadata.job_name"),
      Copy("PrincipalId", "identity_metadata.run_as"),
      Copy("SkuId", "sku_name"),
      Copy("SkuPriceId", "sku_name"),
      Copy("SkuMeter", "usage_type", "sku_name"),
      Copy("Tags", "custom_tags"),
      Always("ChargeCategory", "Usage"),
      Always("ChargeFrequency", "Usage-Based"),
      Always("PricingCategory", "Standard"),
      Always("ServiceProviderName", "Databricks"),
      Always("InvoiceIssuerName", "Databricks"),
      Always("x_Confidence", "estimate"),
  };
  format.derived =
      Joined({kPeriodColumns,
              {"BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "ServiceName",
               "ServiceCategory", "ServiceSubcategory", "HostProviderName"}});
  format.code = Code;
  return format;
}

}  // namespace flyball::native
