// Oracle Cloud cost reports (CSV): lineItem/..., product/..., usage/..., cost/..., tags/....
#include "base/text.h"
#include "ingest/native/formats.h"
#include "ingest/native/texts.h"

namespace flyball::native {
namespace {

std::string TagsOf(const Row& row) {
  std::vector<std::pair<std::string, std::string>> tags;
  constexpr std::string_view kTags = "tags/";
  for (size_t i = 0; i < row.header().size(); ++i) {
    const std::string& name = row.header().name(i);
    if (!row.header().spelt(i).starts_with(kTags) || row.cell(i).empty()) continue;
    tags.emplace_back(name.substr(kTags.size()), row.cell(i));
  }
  return TagsJson(tags);
}

void Code(const Row& row, const Context&, std::vector<Draft>* drafts) {
  Draft& d = drafts->front();
  const std::string_view start = row["lineitem/intervalusagestart"];
  FillPeriod(start, InstantOf(start), InstantOf(row["lineitem/intervalusageend"]), &d);
  d[charge::kEffectiveCost] = d[charge::kContractedCost] = d[charge::kBilledCost];
  const bool usage = !row["usage/billedquantity"].empty();
  d[At("ChargeCategory")] = usage ? "Usage" : "Adjustment";
  d[At("ChargeFrequency")] = usage ? "Usage-Based" : "One-Time";
  d[At("PricingCategory")] = usage ? "Standard" : "";
  if (EqualsIgnoreCase(row["lineitem/iscorrection"], "true")) d[At("ChargeClass")] = "Correction";
  FillServiceKind(row["product/service"], &d);
  d[charge::kTags] = TagsOf(row);
}

}  // namespace

Format OracleCost() {
  Format format;
  format.name = "oracle-cost";
  format.title = "Oracle Cloud cost report";
  format.page = "https://docs.oracle.com/iaas/Content/Billing/Concepts/usagereportsoverview.htm";
  format.spell = LowerCase;
  format.needs = {"lineitem/intervalusagestart", "cost/mycost", "cost/currencycode"};
  format.rules = {
      Copy("BilledCost", "cost/mycost"),
      Copy("BillingCurrency", "cost/currencycode"),
      Copy("BillingAccountId", "cost/subscriptionid", "lineitem/tenantid"),
      Copy("SubAccountId", "product/compartmentid", "lineitem/tenantid"),
      Copy("SubAccountName", "product/compartmentname"),
      Copy("ChargeDescription", "product/description"),
      Copy("ConsumedQuantity", "usage/billedquantity"),
      Copy("ConsumedUnit", "cost/billingunitreadable", "cost/skuunitdescription"),
      Copy("PricingQuantity", "usage/billedquantity"),
      Copy("PricingUnit", "cost/billingunitreadable", "cost/skuunitdescription"),
      Copy("ContractedUnitPrice", "cost/unitprice"),
      Copy("ResourceId", "product/resourceid"),
      Copy("RegionId", "product/region"),
      Copy("RegionName", "product/region"),
      Copy("AvailabilityZone", "product/availabilitydomain"),
      Copy("ServiceName", "product/service"),
      Copy("SkuId", "cost/productsku"),
      Copy("SkuPriceId", "cost/productsku"),
      Copy("SkuMeter", "product/description"),
      Always("ServiceProviderName", "Oracle"),
      Always("HostProviderName", "Oracle"),
      Always("InvoiceIssuerName", "Oracle"),
  };
  format.derived = Joined({kPeriodColumns,
                           kServiceKindColumns,
                           {"EffectiveCost", "ContractedCost", "ChargeCategory", "ChargeClass",
                            "ChargeFrequency", "PricingCategory", "Tags"}});
  format.code = Code;
  format.costs = {"cost/mycost"};
  return format;
}

}  // namespace flyball::native
