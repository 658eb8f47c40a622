// AWS Cost and Usage Report, 2.0 and legacy: as CSV with lineItem/UnblendedCost, as Athena and
// Parquet spell it (line_item_unblended_cost), and as Data Exports does, with maps for product,
// resource_tags and discount.
//
// BilledCost is the unblended cost of every line, so that a file sums to what AWS says. Effective
// cost is AWS's own amortisation (Cost and Usage Report query library, "amortized"): the use of a
// commitment carries its share of the fee, the fee itself 0; what of a commitment lay unused
// becomes a charge of its own, as FOCUS wants it.
#include "base/text.h"
#include "ingest/native/formats.h"
#include "ingest/native/json_text.h"
#include "ingest/native/texts.h"

namespace flyball::native {
namespace {

constexpr std::string_view kTags = "resource_tags";

std::string Snake(std::string_view name) {
  std::string snake;
  for (char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && !snake.empty() && snake.back() != '_') snake += '_';
    snake += static_cast<char>(upper ? c + ('a' - 'A') : c);
  }
  return snake;
}

// "lineItem/UnblendedCost" -> "line_item_unblended_cost"; keys of tags stay as they are.
std::string Spell(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos) return LowerCase(name);
  const std::string group = Snake(name.substr(0, slash));
  const std::string_view rest = name.substr(slash + 1);
  if (group == kTags || group == "cost_category") return group + "/" + std::string(rest);
  return group + "_" + Snake(rest);
}

struct LineType {
  std::string_view name, category, frequency, pricing;
};
constexpr std::string_view kUse = "Usage-Based", kOnce = "One-Time", kOften = "Recurring";
constexpr LineType kLineTypes[] = {
    {"Usage", "Usage", kUse, "Standard"},
    {"DiscountedUsage", "Usage", kUse, "Committed"},
    {"SavingsPlanCoveredUsage", "Usage", kUse, "Committed"},
    {"SavingsPlanNegation", "Adjustment", kUse, ""},
    {"Fee", "Purchase", kOnce, ""},
    {"RIFee", "Purchase", kOften, ""},
    {"SavingsPlanUpfrontFee", "Purchase", kOnce, ""},
    {"SavingsPlanRecurringFee", "Purchase", kOften, ""},
    {"Tax", "Tax", kOnce, ""},
    {"Credit", "Credit", kOnce, ""},
    {"Refund", "Adjustment", kOnce, ""},
    {"BundledDiscount", "Adjustment", kUse, ""},
    {"Discount", "Adjustment", kUse, ""},
    {"EdpDiscount", "Adjustment", kUse, ""},
    {"PrivateRateDiscount", "Adjustment", kUse, ""},
    {"RiVolumeDiscount", "Adjustment", kUse, ""},
    {"SppDiscount", "Adjustment", kUse, ""},
    {"DistributorDiscount", "Adjustment", kUse, ""},
};

const LineType* FindType(std::string_view name) {
  for (const LineType& type : kLineTypes) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

// Users' own keys lose their "user:"; those of AWS keep what tells them apart.
void AddTag(std::string_view key, std::string_view value,
            std::vector<std::pair<std::string, std::string>>* tags) {
  for (std::string_view own : {"user:", "user_"}) {
    if (!key.starts_with(own)) continue;
    key.remove_prefix(own.size());
    break;
  }
  if (!key.empty() && !value.empty()) tags->emplace_back(key, value);
}

std::string TagsOf(const Row& row) {
  std::vector<std::pair<std::string, std::string>> tags;
  std::vector<JsonMember> members;
  const Header& header = row.header();
  for (size_t i = 0; i < header.size(); ++i) {
    const std::string_view name = header.spelt(i);
    if (row.cell(i).empty() || !name.starts_with(kTags)) continue;
    if (name == kTags) {
      if (!CutObject(row.cell(i), &members)) return std::string(row.cell(i));
      for (const JsonMember& member : members) AddTag(member.key, JsonTextOf(member.value), &tags);
    } else {
      AddTag(name.substr(kTags.size() + 1), row.cell(i), &tags);
    }
  }
  return TagsJson(tags);
}

// Of a line that belongs to a reserved instance or a savings plan.
void FillCommitment(const Row& row, std::string_view type, Draft* draft) {
  Draft& d = *draft;
  const std::string_view reservation = row["reservation_reservation_a_r_n"];
  const std::string_view plan = row["savings_plan_savings_plan_a_r_n"];
  if (reservation.empty() && plan.empty()) return;
  const bool spend = !plan.empty();
  d[At("CommitmentDiscountId")] = spend ? plan : reservation;
  d[At("CommitmentDiscountCategory")] = spend ? "Spend" : "Usage";
  d[At("CommitmentDiscountType")] =
      spend ? row.First({"savings_plan_offering_type"}) : std::string_view("Reserved Instance");
  if (spend && d[At("CommitmentDiscountType")].empty()) {
    d[At("CommitmentDiscountType")] = "Savings Plan";
  }
  if (type != "DiscountedUsage" && type != "SavingsPlanCoveredUsage") return;
  d[At("CommitmentDiscountStatus")] = "Used";
  d[At("CommitmentDiscountQuantity")] =
      spend ? row["savings_plan_savings_plan_effective_cost"] : row["line_item_usage_amount"];
  d[At("CommitmentDiscountUnit")] = spend ? row["line_item_currency_code"] : row["pricing_unit"];
}

// What a line costs when fees are spread over the use that they pay for.
std::string EffectiveCost(const Row& row, std::string_view type) {
  if (type == "DiscountedUsage") return std::string(row["reservation_effective_cost"]);
  if (type == "SavingsPlanCoveredUsage") {
    return std::string(row["savings_plan_savings_plan_effective_cost"]);
  }
  const bool fee_of_reservation =
      type == "RIFee" || (type == "Fee" && !row["reservation_reservation_a_r_n"].empty());
  if (fee_of_reservation || type.starts_with("SavingsPlan")) return "0";
  return std::string(row["line_item_unblended_cost"]);
}

// What was paid for and not used, of the line that carries a commitment's fee.
std::string UnusedCost(const Row& row, std::string_view type) {
  if (type == "RIFee") {
    return Plus(row["reservation_unused_amortized_upfront_fee_for_billing_period"],
                row["reservation_unused_recurring_fee"]);
  }
  if (type == "SavingsPlanRecurringFee") {
    return Minus(row["savings_plan_total_commitment_to_date"], row["savings_plan_used_commitment"]);
  }
  return "0";
}

Draft UnusedOf(const Draft& fee, const Row& row, std::string cost) {
  Draft d = fee;
  for (int column : {charge::kBilledCost, charge::kListCost, charge::kContractedCost})
    d[column] = "0";
  for (int column : {At("ListUnitPrice"), At("ContractedUnitPrice"), At("PricingQuantity"),
                     At("PricingUnit"), At("ConsumedQuantity"), At("ConsumedUnit")}) {
    d[column].clear();
  }
  const bool spend = d[At("CommitmentDiscountCategory")] == "Spend";
  d[At("CommitmentDiscountQuantity")] =
      spend ? cost : std::string(row["reservation_unused_quantity"]);
  d[At("CommitmentDiscountUnit")] = spend ? row["line_item_currency_code"] : row["pricing_unit"];
  d[charge::kEffectiveCost] = std::move(cost);
  d[At("ChargeCategory")] = "Usage";
  d[At("ChargeFrequency")] = kUse;
  d[At("PricingCategory")] = "Committed";
  d[At("CommitmentDiscountStatus")] = "Unused";
  d[At("ChargeDescription")] = "Unused part of " + d[At("CommitmentDiscountId")];
  return d;
}

void FillSeller(const Row& row, Draft* draft) {
  Draft& d = *draft;
  const bool marketplace = ContainsNoCase(row["bill_billing_entity"], "marketplace");
  const std::string_view seller = row["line_item_legal_entity"];
  d[At("ServiceProviderName")] = marketplace && !seller.empty() ? seller : "AWS";
  d[At("InvoiceIssuerName")] = row.First({"bill_invoicing_entity", "line_item_legal_entity"});
  if (d[At("InvoiceIssuerName")].empty()) d[At("InvoiceIssuerName")] = "AWS";
}

void FillService(const Row& row, Draft* draft) {
  Draft& d = *draft;
  std::string_view name =
      row.First({"product_product_name", "product.product_name", "product_servicename",
                 "product.servicename", "line_item_product_code"});
  if (name.empty()) name = row.First({"product_servicecode", "line_item_line_item_type"});
  d[At("ServiceName")] = name;
  FillServiceKind(std::string(name) + " " + std::string(row["line_item_product_code"]) + " " +
                      std::string(row.First({"product_product_family", "product.product_family"})),
                  draft);
}

void Code(const Row& row, const Context&, std::vector<Draft>* drafts) {
  Draft& d = drafts->front();
  const std::string_view type_name = row["line_item_line_item_type"];
  const LineType* type = FindType(type_name);
  // A type that AWS has added since is no closed value: the import counts it as a finding.
  d[At("ChargeCategory")] = type == nullptr ? type_name : type->category;
  if (type != nullptr) {
    d[At("ChargeFrequency")] = type->frequency;
    d[At("PricingCategory")] = type->pricing;
  }
  const bool spot = ContainsNoCase(row["line_item_usage_type"], "spotusage") ||
                    EqualsIgnoreCase(row["pricing_term"], "spot");
  if (spot && d[At("PricingCategory")] == "Standard") d[At("PricingCategory")] = "Dynamic";
  FillBillingPeriod(row["bill_billing_period_start_date"], &d);
  d[charge::kChargePeriodEnd] = ExclusiveEnd(row["line_item_usage_end_date"]);
  d[charge::kEffectiveCost] = EffectiveCost(row, type_name);
  if (d[At("ChargeCategory")] != "Usage") {
    // Public prices and quantities are told of use alone.
    for (int column : {charge::kListCost, At("ListUnitPrice"), At("ContractedUnitPrice"),
                       charge::kConsumedQuantity, charge::kConsumedUnit, At("PricingQuantity"),
                       At("PricingUnit")}) {
      d[column].clear();
    }
    // What takes something off the list price takes nothing off the list cost.
    const std::string& category = d[At("ChargeCategory")];
    const bool off = category == "Adjustment" || category == "Credit";
    const bool negotiated = type_name == "EdpDiscount" || type_name == "PrivateRateDiscount";
    d[charge::kListCost] = off ? "0" : d[charge::kBilledCost];
    d[charge::kContractedCost] = off && !negotiated ? "0" : d[charge::kBilledCost];
  } else if (d[At("PricingCategory")] == "Committed") {
    // The price paid is the commitment's, and is not stated.
    d[At("ContractedUnitPrice")].clear();
    d[charge::kContractedCost] = d[charge::kListCost];
  }
  if (type_name == "Refund" && !row["line_item_usage_start_date"].empty() &&
      MonthOf(row["line_item_usage_start_date"]) < d[charge::kBillingPeriodStart]) {
    d[At("ChargeClass")] = "Correction";
  }
  FillSeller(row, &d);
  FillService(row, &d);
  FillCommitment(row, type_name, &d);
  d[charge::kTags] = TagsOf(row);
  std::string unused = UnusedCost(row, type_name);
  if (!IsZero(unused)) drafts->push_back(UnusedOf(drafts->front(), row, std::move(unused)));
}

}  // namespace

Format AwsCur() {
  Format format;
  format.name = "aws-cur";
  format.title = "AWS Cost and Usage Report (2.0 and legacy)";
  format.page = "https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html";
  format.spell = Spell;
  format.needs = {"line_item_unblended_cost", "line_item_line_item_type"};
  format.rules = {
      Copy("BilledCost", "line_item_unblended_cost"),
      Copy("BillingCurrency", "line_item_currency_code"),
      Copy("BillingAccountId", "bill_payer_account_id"),
      Copy("BillingAccountName", "bill_payer_account_name"),
      Copy("SubAccountId", "line_item_usage_account_id"),
      Copy("SubAccountName", "line_item_usage_account_name"),
      Copy("InvoiceId", "bill_invoice_id"),
      Copy("ChargePeriodStart", "line_item_usage_start_date", "bill_billing_period_start_date"),
      Copy("ChargeDescription", "line_item_line_item_description"),
      Copy("ConsumedQuantity", "line_item_usage_amount"),
      Copy("ConsumedUnit", "pricing_unit", "product_pricing_unit"),
      Copy("PricingQuantity", "line_item_usage_amount"),
      Copy("PricingUnit", "pricing_unit", "product_pricing_unit"),
      Copy("ListUnitPrice", "pricing_public_on_demand_rate"),
      Copy("ListCost", "pricing_public_on_demand_cost"),
      Copy("ContractedUnitPrice", "line_item_unblended_rate"),
      Copy("ContractedCost", "line_item_unblended_cost"),
      Copy("ResourceId", "line_item_resource_id"),
      Copy("RegionId", "product_region_code", "product_region", "product.region"),
      Copy("RegionName", "product_location", "product.location"),
      Copy("AvailabilityZone", "line_item_availability_zone"),
      Copy("SkuId", "product_sku", "product.sku"),
      Copy("SkuPriceId", "pricing_rate_code", "pricing_rate_id"),
      Copy("SkuMeter", "line_item_usage_type"),
      Copy("CapacityReservationId", "capacity_reservation_capacity_reservation_arn"),
      Always("HostProviderName", "AWS"),
  };
  format.derived =
      Joined({kBillingPeriodColumns,
              kServiceKindColumns,
              {"ChargePeriodEnd", "ChargeCategory", "ChargeClass", "ChargeFrequency",
               "PricingCategory", "EffectiveCost", "ServiceProviderName", "InvoiceIssuerName",
               "ServiceName", "CommitmentDiscountId", "CommitmentDiscountCategory",
               "CommitmentDiscountType", "CommitmentDiscountStatus", "CommitmentDiscountQuantity",
               "CommitmentDiscountUnit", "Tags"}});
  format.code = Code;
  format.costs = {"line_item_unblended_cost"};
  return format;
}

}  // namespace flyball::native
