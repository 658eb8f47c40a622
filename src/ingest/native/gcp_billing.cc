// Google Cloud's billing export to BigQuery, standard and detailed, taken out as JSON lines,
// Parquet or flattened CSV.
//
// `cost` is before credits. Every credit becomes a charge of its own beside it, so that the file
// sums to the invoice and what each credit gave can be read; those of commitments carry their id.
#include "base/text.h"
#include "ingest/native/formats.h"
#include "ingest/native/json_text.h"
#include "ingest/native/texts.h"

namespace flyball::native {
namespace {

// [{"key":..,"value":..}] as a list of pairs; false when it is something else.
bool AddLabels(std::string_view json, std::vector<std::pair<std::string, std::string>>* tags) {
  std::vector<std::string_view> elements;
  if (!CutArray(json, &elements)) return false;
  for (std::string_view element : elements) {
    std::vector<JsonMember> members;
    if (!CutObject(element, &members)) return false;
    std::string key, value;
    for (const JsonMember& member : members) {
      if (member.key == "key") key = JsonTextOf(member.value);
      if (member.key == "value") value = JsonTextOf(member.value);
    }
    if (!key.empty()) tags->emplace_back(key, value);
  }
  return true;
}

std::string TagsOf(const Row& row) {
  std::vector<std::pair<std::string, std::string>> tags;
  // What is nearer to the resource counts where keys are the same.
  for (std::string_view name : {"project.labels", "tags", "labels"}) {
    if (!row[name].empty() && !AddLabels(row[name], &tags)) return std::string(row[name]);
  }
  return TagsJson(tags);
}

void FillCategory(const Row& row, Draft* draft) {
  Draft& d = *draft;
  const std::string_view type = row["cost_type"];
  d[At("ChargeCategory")] = type == "tax"                                      ? "Tax"
                            : type == "adjustment" || type == "rounding_error" ? "Adjustment"
                                                                               : "Usage";
  const bool commitment = ContainsNoCase(row["sku.description"], "commitment");
  if (d[At("ChargeCategory")] == "Usage" && commitment) {
    d[At("ChargeCategory")] = "Purchase";
    d[At("CommitmentDiscountId")] = row.First({"subscription.instance_id", "sku.id"});
    d[At("CommitmentDiscountName")] = row["sku.description"];
    d[At("CommitmentDiscountType")] = "Committed Use Discount";
    d[At("CommitmentDiscountCategory")] =
        ContainsNoCase(row["sku.description"], "dollar") ? "Spend" : "Usage";
  }
  if (!row["adjustment_info.id"].empty() && type == "adjustment") {
    d[At("ChargeClass")] = "Correction";
  }
  const bool usage = d[At("ChargeCategory")] == "Usage";
  d[At("ChargeFrequency")] = usage                                   ? "Usage-Based"
                             : d[At("ChargeCategory")] == "Purchase" ? "Recurring"
                                                                     : "One-Time";
  const bool spot = ContainsNoCase(row["sku.description"], "spot") ||
                    ContainsNoCase(row["sku.description"], "preemptible");
  d[At("PricingCategory")] = !usage ? "" : spot ? "Dynamic" : "Standard";
}

Draft CreditOf(const Draft& cost, const std::vector<JsonMember>& credit) {
  Draft d = cost;
  std::string type, name, id;
  for (const JsonMember& member : credit) {
    if (member.key == "amount") d[charge::kBilledCost] = JsonTextOf(member.value);
    if (member.key == "type") type = JsonTextOf(member.value);
    if (member.key == "full_name" || (member.key == "name" && name.empty())) {
      name = JsonTextOf(member.value);
    }
    if (member.key == "id") id = JsonTextOf(member.value);
  }
  for (int column : {charge::kEffectiveCost, charge::kListCost, charge::kContractedCost}) {
    d[column] = d[charge::kBilledCost];
  }
  for (int column :
       {At("ConsumedQuantity"), At("ConsumedUnit"), At("PricingQuantity"), At("PricingUnit"),
        At("ListUnitPrice"), At("ContractedUnitPrice"), At("PricingCategory")}) {
    d[column].clear();
  }
  // A credit off the list price takes nothing off the list cost.
  d[charge::kListCost] = "0";
  d[At("ChargeCategory")] = "Credit";
  d[At("ChargeFrequency")] = "Usage-Based";
  d[At("ChargeDescription")] = name.empty() ? type : type.empty() ? name : type + ": " + name;
  if (type.starts_with("COMMITTED_USAGE_DISCOUNT")) {
    d[At("CommitmentDiscountId")] = id.empty() ? name : id;
    d[At("CommitmentDiscountName")] = name;
    d[At("CommitmentDiscountType")] = "Committed Use Discount";
    d[At("CommitmentDiscountCategory")] = type.ends_with("DOLLAR_BASE") ? "Spend" : "Usage";
  }
  return d;
}

void Code(const Row& row, const Context&, std::vector<Draft>* drafts) {
  Draft& d = drafts->front();
  const std::string_view month = row.First({"invoice.month", "usage_start_time"});
  FillPeriod(month, InstantOf(row["usage_start_time"]), InstantOf(row["usage_end_time"]), &d);
  d[charge::kEffectiveCost] = d[charge::kContractedCost] = d[charge::kBilledCost];
  FillCategory(row, &d);
  FillServiceKind(row["service.description"], &d);
  const std::string_view seller = row["seller_name"];
  const bool partner = EqualsIgnoreCase(row["invoice.publisher_type"], "partner");
  d[At("ServiceProviderName")] = partner && !seller.empty() ? seller : "Google Cloud";
  d[charge::kTags] = TagsOf(row);
  if (d[At("ChargeCategory")] != "Usage") {
    for (int column : {At("ConsumedQuantity"), At("ConsumedUnit")}) d[column].clear();
  }
  std::vector<std::string_view> credits;
  std::vector<JsonMember> members;
  // Unnested, a record repeats its cost for each credit: which is not how the bill is.
  if (row.header().Find("credits.amount") >= 0 || row.header().Find("credits_amount") >= 0) {
    d[charge::kBilledCost].clear();
    d[At("ChargeDescription")] = "its credits are unnested; export them as a list";
  }
  if (!CutArray(row["credits"], &credits)) return;
  for (std::string_view credit : credits) {
    if (CutObject(credit, &members)) drafts->push_back(CreditOf(drafts->front(), members));
  }
}

}  // namespace

Format GcpBilling() {
  Format format;
  format.name = "gcp-billing";
  format.title = "Google Cloud billing export (BigQuery, standard and detailed)";
  format.page =
      "https://cloud.google.com/billing/docs/how-to/export-data-bigquery-tables/detailed-usage";
  format.spell = LowerCase;
  format.needs = {"billing_account_id", "service.description", "usage_start_time", "cost"};
  format.rules = {
      Copy("BilledCost", "cost"),
      Copy("BillingCurrency", "currency"),
      Copy("BillingAccountId", "billing_account_id"),
      Copy("SubAccountId", "project.id"),
      Copy("SubAccountName", "project.name"),
      Copy("ChargeDescription", "sku.description"),
      Copy("ConsumedQuantity", "usage.amount"),
      Copy("ConsumedUnit", "usage.unit"),
      Copy("PricingQuantity", "usage.amount_in_pricing_units"),
      Copy("PricingUnit", "usage.pricing_unit"),
      Copy("ListCost", "cost_at_list"),
      Copy("ContractedUnitPrice", "price.effective_price"),
      Copy("ResourceId", "resource.global_name", "resource.name"),
      Copy("ResourceName", "resource.name"),
      Copy("RegionId", "location.region", "location.location"),
      Copy("RegionName", "location.location"),
      Copy("AvailabilityZone", "location.zone"),
      Copy("ServiceName", "service.description"),
      Copy("SkuId", "sku.id"),
      Copy("SkuMeter", "sku.description"),
      Copy("SkuPriceId", "sku.id"),
      Always("HostProviderName", "Google Cloud"),
      Always("InvoiceIssuerName", "Google Cloud"),
  };
  format.derived = Joined(
      {kPeriodColumns,
       kServiceKindColumns,
       {"EffectiveCost", "ContractedCost", "ChargeCategory", "ChargeClass", "ChargeFrequency",
        "PricingCategory", "ServiceProviderName", "CommitmentDiscountId", "CommitmentDiscountName",
        "CommitmentDiscountType", "CommitmentDiscountCategory", "Tags"}});
  format.code = Code;
  format.costs = {"cost", "credits[].amount"};
  return format;
}

}  // namespace flyball::native
