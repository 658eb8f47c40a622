// Alibaba Cloud bills of instances (DescribeInstanceBill, and the CSV with the same names).
// BilledCost is the pretax amount: after discounts and coupons, before tax and before vouchers pay
// it.
#include "base/text.h"
#include "ingest/native/formats.h"
#include "ingest/native/texts.h"

namespace flyball::native {
namespace {

// "key:environment value:prod; key:team value:ml", or "environment:prod;team:ml" -> pairs.
std::string TagsOf(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> tags;
  while (!text.empty()) {
    const size_t end = text.find(';');
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const size_t key = one.find("key:"), value = one.find(" value:");
    const size_t colon = one.find(':');
    if (key != std::string_view::npos && value != std::string_view::npos && value > key) {
      tags.emplace_back(one.substr(key + 4, value - key - 4), one.substr(value + 7));
    } else if (colon != std::string_view::npos) {
      const size_t start = one.find_first_not_of(' ');
      tags.emplace_back(one.substr(start, colon - start), one.substr(colon + 1));
    }
  }
  return TagsJson(tags);
}

void Code(const Row& row, const Context&, std::vector<Draft>* drafts) {
  Draft& d = drafts->front();
  const std::string_view month = row.First({"billing_cycle", "billing_date"});
  const std::string_view day = row["billing_date"];
  FillPeriod(month, day.empty() ? MonthOf(month) : InstantOf(day),
             day.empty() ? MonthAfter(month) : DayAfter(day), &d);
  d[charge::kEffectiveCost] = d[charge::kContractedCost] = d[charge::kBilledCost];
  const std::string_view item = row["item"];
  const bool subscription = EqualsIgnoreCase(row["subscription_type"], "subscription");
  const bool refund = EqualsIgnoreCase(item, "refund"),
             adjusted = EqualsIgnoreCase(item, "adjustment");
  d[At("ChargeCategory")] = refund || adjusted ? "Adjustment" : subscription ? "Purchase" : "Usage";
  d[At("ChargeFrequency")] = refund || adjusted ? "One-Time"
                             : subscription     ? "Recurring"
                                                : "Usage-Based";
  const bool usage = d[At("ChargeCategory")] == "Usage";
  d[At("PricingCategory")] = usage ? "Standard" : "";
  if (!usage) {
    for (int column : {At("ConsumedQuantity"), At("ConsumedUnit")}) d[column].clear();
  }
  FillServiceKind(std::string(row["product_name"]) + " " + std::string(row["product_code"]), &d);
  d[charge::kTags] = TagsOf(row["tag"]);
}

}  // namespace

Format AlibabaBill() {
  Format format;
  format.name = "alibaba-bill";
  format.title = "Alibaba Cloud instance bill";
  format.page =
      "https://www.alibabacloud.com/help/en/user-center/developer-reference/"
      "api-bssopenapi-2017-12-14-describeinstancebill";
  format.spell = LowerSnake;
  format.needs = {"pretax_amount", "product_code", "subscription_type", "currency"};
  format.rules = {
      Copy("BilledCost", "pretax_amount"),
      Copy("BillingCurrency", "currency"),
      Copy("BillingAccountId", "bill_account_id", "owner_id"),
      Copy("BillingAccountName", "bill_account_name"),
      Copy("SubAccountId", "owner_id"),
      Copy("ChargeDescription", "billing_item", "product_detail"),
      Copy("ListCost", "pretax_gross_amount"),
      Copy("ConsumedQuantity", "usage"),
      Copy("ConsumedUnit", "usage_unit"),
      Copy("PricingQuantity", "usage"),
      Copy("PricingUnit", "usage_unit"),
      Copy("ResourceId", "instance_id"),
      Copy("ResourceName", "nick_name"),
      Copy("RegionId", "region"),
      Copy("RegionName", "region"),
      Copy("AvailabilityZone", "zone"),
      Copy("ServiceName", "product_name", "product_code"),
      Copy("SkuId", "commodity_code", "product_code"),
      Copy("SkuMeter", "billing_item", "product_detail"),
      Copy("x_Project", "cost_unit"),
      Always("ServiceProviderName", "Alibaba Cloud"),
      Always("HostProviderName", "Alibaba Cloud"),
      Always("InvoiceIssuerName", "Alibaba Cloud"),
  };
  format.derived = Joined({kPeriodColumns,
                           kServiceKindColumns,
                           {"EffectiveCost", "ContractedCost", "ChargeCategory", "ChargeFrequency",
                            "PricingCategory", "Tags"}});
  format.code = Code;
  format.costs = {"pretax_amount"};
  return format;
}

}  // namespace flyball::native
