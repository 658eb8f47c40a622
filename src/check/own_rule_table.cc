// What rows and groups of rows must hold, one line a rule. Sources: the normative requirements of
// FOCUS_Spec, specification/columns (1.0 to 1.2) and specification/datasets (1.3 on); lines whose
// id begins with "Sense." are our own: FOCUS allows them, and a bill that shows them misleads.
#include "check/own_rules.h"

namespace flyball::check {
namespace {

using enum focus::Version;
using enum GroupCheck;
using enum Keyword;

// With a list price that was not converted: one that was differs with the exchange rate.
#define FB_PRICED                                         \
  "SkuPriceId is not null and ListUnitPrice is not null " \
  "and (PricingCurrency is null or PricingCurrency = BillingCurrency)"
#define FB_CHARGED "ChargeCategory in ('Usage', 'Purchase') and ChargeClass != 'Correction'"
constexpr std::string_view kGiveValue = "give the column a value in these rows";
constexpr std::string_view kLeaveNull = "leave the column null in these rows";

constexpr TableRule kCostAndUsage[] = {
    // Commitment discounts.
    {"CommitmentDiscountCategory.null-when", kMust, "CommitmentDiscountId is null",
     "CommitmentDiscountCategory is null", kLeaveNull},
    {"CommitmentDiscountCategory.set-when", kMustNot, "CommitmentDiscountId is not null",
     "CommitmentDiscountCategory is not null", kGiveValue},
    {"CommitmentDiscountName.null-when", kMust, "CommitmentDiscountId is null",
     "CommitmentDiscountName is null", kLeaveNull},
    {"CommitmentDiscountType.null-when", kMust, "CommitmentDiscountId is null",
     "CommitmentDiscountType is null", kLeaveNull},
    {"CommitmentDiscountType.set-when", kMustNot, "CommitmentDiscountId is not null",
     "CommitmentDiscountType is not null", kGiveValue},
    {"CommitmentDiscountStatus.null-when", kMust, "CommitmentDiscountId is null",
     "CommitmentDiscountStatus is null", kLeaveNull},
    {"CommitmentDiscountStatus.set-when", kMustNot,
     "CommitmentDiscountId is not null and ChargeCategory = 'Usage'",
     "CommitmentDiscountStatus is not null", "write Used or Unused"},
    {"CommitmentDiscountQuantity.null-when", kMust,
     "CommitmentDiscountId is null or ChargeCategory in ('Tax', 'Credit', 'Adjustment')",
     "CommitmentDiscountQuantity is null", kLeaveNull, k1_1},
    {"CommitmentDiscountQuantity.set-when", kMustNot,
     "CommitmentDiscountId is not null and " FB_CHARGED, "CommitmentDiscountQuantity is not null",
     kGiveValue, k1_1},
    {"CommitmentDiscountUnit.null-when", kMust, "CommitmentDiscountQuantity is null",
     "CommitmentDiscountUnit is null", kLeaveNull, k1_1},
    {"CommitmentDiscountUnit.set-when", kMustNot, "CommitmentDiscountQuantity is not null",
     "CommitmentDiscountUnit is not null", kGiveValue, k1_1},
    {"CommitmentDiscountId.committed", kMustNot, "PricingCategory = 'Committed'",
     "CommitmentDiscountId is not null", "name the commitment that the price comes from"},
    {"PricingCategory.committed", kMust,
     "CommitmentDiscountStatus = 'Used' and ChargeCategory = 'Usage' and PricingCategory is not "
     "null",
     "PricingCategory = 'Committed'", "write Committed where a commitment covers the charge"},
    {"EffectiveCost.commitment-purchase", kMust,
     "ChargeCategory = 'Purchase' and CommitmentDiscountId is not null and ChargeClass != "
     "'Correction'",
     "EffectiveCost = 0", "amortise: the cost belongs to the rows that use the commitment"},
    {"BilledCost.commitment-use", kMust,
     "ChargeCategory = 'Usage' and CommitmentDiscountStatus = 'Used' and ChargeClass != "
     "'Correction'",
     "BilledCost = 0", "the commitment's purchase is billed, its use is not"},
    {"ResourceId.unused-commitment", kMust,
     "CommitmentDiscountStatus = 'Unused' and ResourceId is not null",
     "ResourceId = CommitmentDiscountId", "the resource of an unused share is the commitment"},
    // Capacity reservations.
    {"CapacityReservationStatus.null-when", kMust, "CapacityReservationId is null",
     "CapacityReservationStatus is null", kLeaveNull, k1_1},
    {"CapacityReservationStatus.set-when", kMustNot,
     "CapacityReservationId is not null and ChargeCategory = 'Usage'",
     "CapacityReservationStatus is not null", "write Used or Unused", k1_1},
    {"CapacityReservationId.set-when", kMustNot, "CapacityReservationStatus = 'Unused'",
     "CapacityReservationId is not null", kGiveValue, k1_1},
    // Prices, quantities and units.
    {"PricingQuantity.null-when", kMust, "ChargeCategory = 'Tax'", "PricingQuantity is null",
     kLeaveNull},
    {"PricingQuantity.set-when", kMustNot, FB_CHARGED, "PricingQuantity is not null", kGiveValue},
    {"PricingUnit.null-when", kMust, "PricingQuantity is null", "PricingUnit is null", kLeaveNull},
    {"PricingUnit.set-when", kMustNot, "PricingQuantity is not null", "PricingUnit is not null",
     kGiveValue},
    {"PricingCategory.null-when", kMust, "ChargeCategory = 'Tax'", "PricingCategory is null",
     kLeaveNull},
    {"PricingCategory.set-when", kMustNot, FB_CHARGED, "PricingCategory is not null", kGiveValue},
    {"SkuId.null-when", kMust, "ChargeCategory = 'Tax'", "SkuId is null", kLeaveNull},
    {"SkuId.set-when", kMustNot, FB_CHARGED, "SkuId is not null", kGiveValue, k1_0, k1_2},
    {"SkuPriceId.null-when", kMust, "ChargeCategory = 'Tax'", "SkuPriceId is null", kLeaveNull},
    {"SkuPriceId.set-when", kMustNot, FB_CHARGED, "SkuPriceId is not null", kGiveValue, k1_0, k1_2},
    {"ListUnitPrice.null-when", kMust, "ChargeCategory = 'Tax'", "ListUnitPrice is null",
     kLeaveNull},
    {"ListUnitPrice.set-when", kMustNot, FB_CHARGED, "ListUnitPrice is not null", kGiveValue, k1_0,
     k1_2},
    {"ListUnitPrice.set-with-sku", kMustNot, "SkuPriceId is not null and " FB_CHARGED,
     "ListUnitPrice is not null", kGiveValue, k1_3},
    {"ContractedUnitPrice.null-when", kMust, "ChargeCategory = 'Tax'",
     "ContractedUnitPrice is null", kLeaveNull},
    {"ContractedUnitPrice.set-when", kMustNot, FB_CHARGED, "ContractedUnitPrice is not null",
     kGiveValue, k1_0, k1_2},
    {"ContractedUnitPrice.set-with-sku", kMustNot, "SkuPriceId is not null and " FB_CHARGED,
     "ContractedUnitPrice is not null", kGiveValue, k1_3},
    {"PricingCurrencyListUnitPrice.null-when", kMust, "ChargeCategory = 'Tax'",
     "PricingCurrencyListUnitPrice is null", kLeaveNull, k1_2},
    {"PricingCurrencyContractedUnitPrice.null-when", kMust, "ChargeCategory = 'Tax'",
     "PricingCurrencyContractedUnitPrice is null", kLeaveNull, k1_2},
    {"PricingCurrencyContractedUnitPrice.set-with-sku", kMustNot,
     "SkuPriceId is not null and " FB_CHARGED, "PricingCurrencyContractedUnitPrice is not null",
     kGiveValue, k1_3},
    {"ListUnitPrice.sign", kMust, "ListUnitPrice is not null", "ListUnitPrice >= 0",
     "a price is never negative; put the sign into quantity and cost"},
    {"ContractedUnitPrice.sign", kMust, "ContractedUnitPrice is not null",
     "ContractedUnitPrice >= 0", "a price is never negative; put the sign into quantity and cost"},
    {"ListCost.product", kMust,
     "ListUnitPrice is not null and PricingQuantity is not null and ListCost is not null and "
     "ChargeClass != 'Correction'",
     "ListUnitPrice * PricingQuantity = ListCost",
     "state price, quantity and cost to the same digits; a difference above 0.000001 fails"},
    {"ContractedCost.product", kMust,
     "ContractedUnitPrice is not null and PricingQuantity is not null and ContractedCost is not "
     "null and ChargeClass != 'Correction'",
     "ContractedUnitPrice * PricingQuantity = ContractedCost",
     "state price, quantity and cost to the same digits; a difference above 0.000001 fails"},
    {"ConsumedQuantity.null-when", kMust,
     "ChargeCategory in ('Purchase', 'Tax', 'Credit', 'Adjustment') or CommitmentDiscountStatus = "
     "'Unused'",
     "ConsumedQuantity is null", kLeaveNull},
    {"ConsumedQuantity.set-when", kMustNot,
     "ChargeCategory = 'Usage' and CommitmentDiscountStatus != 'Unused' and ChargeClass != "
     "'Correction'",
     "ConsumedQuantity is not null", kGiveValue},
    {"ConsumedUnit.null-when", kMust, "ConsumedQuantity is null", "ConsumedUnit is null",
     kLeaveNull},
    {"ConsumedUnit.set-when", kMustNot, "ConsumedQuantity is not null", "ConsumedUnit is not null",
     kGiveValue},
    {"SkuMeter.null-when", kMust, "SkuId is null", "SkuMeter is null", kLeaveNull, k1_1},
    {"SkuMeter.set-when", kShouldNot, "SkuId is not null", "SkuMeter is not null", kGiveValue,
     k1_1},
    {"SkuPriceDetails.null-when", kMust, "SkuPriceId is null", "SkuPriceDetails is null",
     kLeaveNull, k1_1},
    {"SkuPriceDetails.key-prefix", kMust, "SkuPriceDetails is not null",
     "not fact(SkuPriceDetails, key-no-prefix)", "write x_ before keys that FOCUS does not define",
     k1_2},
    {"SkuPriceDetails.key-spelling", kMust, "SkuPriceDetails is not null",
     "not fact(SkuPriceDetails, key-spelling)", "spell the keys of FOCUS as FOCUS does", k1_2},
    {"SkuPriceDetails.value-type", kMust, "SkuPriceDetails is not null",
     "not fact(SkuPriceDetails, property-type)", "write numbers as numbers, texts as texts", k1_2},
    // Categories, periods, costs.
    {"ChargeFrequency.purchase", kMustNot, "ChargeCategory = 'Purchase'",
     "ChargeFrequency != 'Usage-Based'", "a purchase is One-Time or Recurring"},
    {"EffectiveCost.credit", kMust, "ChargeCategory = 'Credit'", "EffectiveCost = BilledCost",
     "a credit is related to no other charge: its costs are one", k1_2},
    {"ContractedCost.credit", kMust, "ChargeCategory = 'Credit' and ContractedUnitPrice is null",
     "ContractedCost = BilledCost", "a credit is related to no other charge: its costs are one",
     k1_2},
    {"ListCost.credit", kMust, "ChargeCategory = 'Credit' and ListUnitPrice is null",
     "ListCost = BilledCost", "a credit is related to no other charge: its costs are one", k1_2},
    {"ChargePeriodEnd.after-start", kMust,
     "ChargePeriodStart is not null and ChargePeriodEnd is not null",
     "ChargePeriodEnd > ChargePeriodStart", "the end is exclusive: one day ends at the next 00:00"},
    {"ChargePeriodEnd.exclusive", kMust, "ChargePeriodEnd is not null",
     "not fact(ChargePeriodEnd, last-second)",
     "the end is exclusive: write 00:00:00, not 23:59:59"},
    {"BillingPeriodEnd.after-start", kMust,
     "BillingPeriodStart is not null and BillingPeriodEnd is not null",
     "BillingPeriodEnd > BillingPeriodStart", "the end is exclusive: October ends on 1 November"},
    {"BillingPeriodEnd.exclusive", kMust, "BillingPeriodEnd is not null",
     "not fact(BillingPeriodEnd, last-second)",
     "the end is exclusive: write 00:00:00, not 23:59:59"},
    // Names beside their ids.
    {"RegionName.null-when", kMust, "RegionId is null", "RegionName is null", kLeaveNull},
    {"RegionName.set-when", kMustNot, "RegionId is not null", "RegionName is not null", kGiveValue},
    {"ResourceName.null-when", kMust, "ResourceId is null", "ResourceName is null", kLeaveNull},
    {"ResourceType.null-when", kMust, "ResourceId is null", "ResourceType is null", kLeaveNull},
    {"ResourceType.set-when", kMustNot, "ResourceId is not null", "ResourceType is not null",
     kGiveValue},
    {"SubAccountName.null-when", kMust, "SubAccountId is null", "SubAccountName is null",
     kLeaveNull},
    {"SubAccountName.set-when", kMustNot, "SubAccountId is not null", "SubAccountName is not null",
     kGiveValue},
    {"SubAccountType.null-when", kMust, "SubAccountId is null", "SubAccountType is null",
     kLeaveNull, k1_2},
    {"SubAccountType.set-when", kMustNot, "SubAccountId is not null", "SubAccountType is not null",
     kGiveValue, k1_2},
    // What misleads without breaking FOCUS.
    {"Sense.effective-above-list", kShouldNot,
     "EffectiveCost is not null and ListCost is not null and ChargeCategory = 'Usage'",
     "not (EffectiveCost > ListCost)", "a discounted cost above the list cost: see the list price",
     k1_0, k1_5Draft, "The effective cost of usage SHOULD NOT exceed its list cost."},
    {"Sense.contracted-zero", kShouldNot, "ListCost > 0", "not (ContractedCost = 0)",
     "without negotiated prices the contracted cost is the list cost, never 0; savings computed "
     "from it are meaningless",
     k1_0, k1_5Draft, "The contracted cost SHOULD NOT be 0 where the list cost is not."},
};

constexpr TableGroup kCostAndUsageGroups[] = {
    {"EffectiveCost.commitment-sum", kMust, kUsageIsPurchase, "CommitmentDiscountId", "", "",
     "For each commitment the EffectiveCost of its usage MUST sum to the BilledCost of its "
     "purchases.",
     "amortise every purchase to its last digit over the rows that use it or leave it unused"},
    {"CommitmentDiscountStatus.sum", kMust, kUsageIsUsedAndUnused, "CommitmentDiscountId", "", "",
     "For each commitment the EffectiveCost of usage MUST be that of Used and Unused rows.",
     "give every usage row of a commitment the status Used or Unused"},
    {"CommitmentDiscountStatus.unused-shown", kMust, kUnusedIsShown, "CommitmentDiscountId", "", "",
     "A commitment that is not used up MUST have rows with the status Unused.",
     "add a row for what was left unused in each charge period"},
    {"CommitmentDiscountQuantity.sum", kMust, kQuantityIsPurchased, "CommitmentDiscountId", "", "",
     "For each commitment the quantities of its usage MUST sum to what was purchased.",
     "state used and unused quantities in the unit of the purchase", k1_1},
    {"BilledCost.invoice-sum", kMust, kInvoiceSum, "InvoiceId", "", "",
     "The BilledCost of an invoice's charges MUST sum to what the invoice bills.",
     "fetch the charges again, or ask the issuer for the missing lines", k1_2},
    {"BillingPeriodStart.continuity", kShould, kPeriodsFollow, "BillingAccountId", "", "",
     "The billing periods of an account SHOULD follow each other without gap or overlap.",
     "fetch the missing months, or remove the one that came twice"},
    {"SkuPriceId.sku", kMust, kOneValue, "SkuPriceId", "SkuId", "SkuPriceId is not null",
     "A SkuPriceId MUST belong to one SkuId.", "give the price of another SKU an id of its own"},
    {"SkuPriceId.stable-over-time", kMust, kOneValue,
     "SkuPriceId BillingAccountId PricingUnit BillingCurrency", "ListUnitPrice", FB_PRICED,
     "A SkuPriceId MUST mean one list price over time.",
     "give a changed price an id of its own, or correct the list price"},
    {"SkuPriceId.stable-over-accounts", kMust, kOneValue,
     "SkuPriceId BillingPeriodStart PricingUnit BillingCurrency", "ListUnitPrice", FB_PRICED,
     "A SkuPriceId MUST mean one list price in all accounts.",
     "list prices hang on no account: correct the list price"},
    {"SkuMeter.stable", kShould, kOneValue, "SkuId", "SkuMeter",
     "SkuId is not null and SkuMeter is not null", "SkuMeter SHOULD be one for a SkuId.",
     "write the meter of a SKU in one way", k1_1},
    {"ServiceName.category", kMust, kOneValue, "ServiceName", "ServiceCategory",
     "ServiceName is not null", "A ServiceName MUST belong to one ServiceCategory.",
     "pick the category that fits the service best", k1_2},
    {"CommitmentDiscountId.unique", kMust, kOneValue, "CommitmentDiscountId",
     "CommitmentDiscountCategory CommitmentDiscountType", "CommitmentDiscountId is not null",
     "A CommitmentDiscountId MUST name one commitment: one category and one type.",
     "give each commitment an id of its own"},
    {"CommitmentDiscountUnit.stable", kMust, kOneValue, "CommitmentDiscountId",
     "CommitmentDiscountUnit",
     "CommitmentDiscountId is not null and CommitmentDiscountUnit is not null",
     "CommitmentDiscountUnit MUST be one for a CommitmentDiscountId.",
     "measure a commitment in one unit", k1_1},
    {"RegionId.name", kMust, kOneValue, "RegionId InvoiceIssuerName", "RegionName",
     "RegionId is not null and RegionName is not null", "A RegionId MUST have one RegionName.",
     "write the name of a region in one way"},
    {"InvoiceId.currency", kMust, kOneValue, "InvoiceIssuerName InvoiceId", "BillingCurrency",
     "InvoiceId is not null", "An invoice MUST be in one BillingCurrency.",
     "bill in the currency of the invoice", k1_2},
};

constexpr TableRule kContractCommitment[] = {
    {"ContractCommitmentPeriodEnd.after-start", kMust,
     "ContractCommitmentPeriodStart is not null and ContractCommitmentPeriodEnd is not null",
     "ContractCommitmentPeriodEnd > ContractCommitmentPeriodStart", "the end is exclusive", k1_3},
    {"ContractPeriodEnd.after-start", kMust,
     "ContractPeriodStart is not null and ContractPeriodEnd is not null",
     "ContractPeriodEnd > ContractPeriodStart", "the end is exclusive", k1_3},
    {"ContractCommitmentPeriodStart.in-contract", kShould,
     "ContractCommitmentPeriodStart is not null and ContractPeriodStart is not null",
     "ContractCommitmentPeriodStart >= ContractPeriodStart",
     "a commitment begins no earlier than its contract", k1_3},
    {"ContractCommitmentCost.set-when", kMustNot, "ContractCommitmentCategory = 'Spend'",
     "ContractCommitmentCost is not null", "state the amount that is committed", k1_3},
    {"ContractCommitmentQuantity.set-when", kMustNot, "ContractCommitmentCategory = 'Usage'",
     "ContractCommitmentQuantity is not null", "state the quantity that is committed", k1_3},
    {"ContractCommitmentUnit.set-when", kMustNot, "ContractCommitmentQuantity is not null",
     "ContractCommitmentUnit is not null", kGiveValue, k1_3},
    {"ContractCommitmentUnit.null-when", kMust, "ContractCommitmentQuantity is null",
     "ContractCommitmentUnit is null", kLeaveNull, k1_3},
    {"BillingCurrency.set-when", kMustNot, "ContractCommitmentCost is not null",
     "BillingCurrency is not null", "state the currency of the cost", k1_3},
    {"ContractCommitmentDiscountPercentage.range", kMust,
     "ContractCommitmentDiscountPercentage is not null",
     "ContractCommitmentDiscountPercentage >= 0 and ContractCommitmentDiscountPercentage <= 1",
     "write 20 % as 0.2", k1_4},
    {"ContractCommitmentPaymentUpfrontPercentage.range", kMust,
     "ContractCommitmentPaymentUpfrontPercentage is not null",
     "ContractCommitmentPaymentUpfrontPercentage >= 0 and "
     "ContractCommitmentPaymentUpfrontPercentage <= 1",
     "write 50 % as 0.5", k1_4},
    {"ContractCommitmentLastUpdated.after-created", kMust,
     "ContractCommitmentCreated is not null and ContractCommitmentLastUpdated is not null",
     "ContractCommitmentLastUpdated >= ContractCommitmentCreated",
     "an update is no earlier than the creation", k1_4},
};
constexpr TableGroup kContractCommitmentGroups[] = {
    {"ContractCommitmentId.unique", kMust, kUnique, "ContractId ContractCommitmentId", "",
     "ContractCommitmentId is not null", "A ContractCommitmentId MUST stand once in a contract.",
     "write one row a commitment", k1_3},
    {"ContractId.period", kMust, kOneValue, "ContractId", "ContractPeriodStart ContractPeriodEnd",
     "ContractId is not null", "A contract MUST have one period.",
     "write the same contract period in all its rows", k1_3},
};

constexpr TableRule kInvoiceDetail[] = {
    {"BillingPeriodEnd.after-start", kMust,
     "BillingPeriodStart is not null and BillingPeriodEnd is not null",
     "BillingPeriodEnd > BillingPeriodStart", "the end is exclusive", k1_4},
    {"InvoiceIssueDate.set-when", kMustNot, "InvoiceIssueStatus = 'Issued'",
     "InvoiceIssueDate is not null", "state when the invoice was issued", k1_4},
    {"PaymentDueDate.after-issue", kShould,
     "InvoiceIssueDate is not null and PaymentDueDate is not null",
     "PaymentDueDate >= InvoiceIssueDate", "an invoice is due after it was issued", k1_4},
    {"InvoiceDetailLastUpdated.after-created", kMust,
     "InvoiceDetailCreated is not null and InvoiceDetailLastUpdated is not null",
     "InvoiceDetailLastUpdated >= InvoiceDetailCreated",
     "an update is no earlier than the creation", k1_4},
};
constexpr TableGroup kInvoiceDetailGroups[] = {
    {"InvoiceDetailId.unique", kMust, kUnique, "InvoiceIssuerName InvoiceId InvoiceDetailId", "",
     "InvoiceDetailId is not null", "An InvoiceDetailId MUST stand once in an invoice.",
     "write one row a line of the invoice", k1_4},
    {"InvoiceId.currency", kMust, kOneValue, "InvoiceIssuerName InvoiceId", "BillingCurrency",
     "InvoiceId is not null", "An invoice MUST be in one BillingCurrency.",
     "bill in the currency of the invoice", k1_4},
};

constexpr TableRule kBillingPeriod[] = {
    {"BillingPeriodEnd.after-start", kMust,
     "BillingPeriodStart is not null and BillingPeriodEnd is not null",
     "BillingPeriodEnd > BillingPeriodStart", "the end is exclusive", k1_4},
    {"BillingPeriodLastUpdated.after-created", kMust,
     "BillingPeriodCreated is not null and BillingPeriodLastUpdated is not null",
     "BillingPeriodLastUpdated >= BillingPeriodCreated",
     "an update is no earlier than the creation", k1_4},
};
constexpr TableGroup kBillingPeriodGroups[] = {
    {"BillingPeriodStart.unique", kMust, kUnique,
     "InvoiceIssuerName BillingPeriodStart BillingPeriodEnd", "", "BillingPeriodStart is not null",
     "A billing period MUST stand once for an issuer.", "write one row a period", k1_4},
};
#undef FB_CHARGED
#undef FB_PRICED

}  // namespace

std::span<const TableRule> RowTable(focus::DataSet data_set) {
  switch (data_set) {
    case focus::DataSet::kCostAndUsage:
      return kCostAndUsage;
    case focus::DataSet::kContractCommitment:
      return kContractCommitment;
    case focus::DataSet::kInvoiceDetail:
      return kInvoiceDetail;
    case focus::DataSet::kBillingPeriod:
      return kBillingPeriod;
  }
  return {};
}

std::span<const TableGroup> GroupTable(focus::DataSet data_set) {
  switch (data_set) {
    case focus::DataSet::kCostAndUsage:
      return kCostAndUsageGroups;
    case focus::DataSet::kContractCommitment:
      return kContractCommitmentGroups;
    case focus::DataSet::kInvoiceDetail:
      return kInvoiceDetailGroups;
    case focus::DataSet::kBillingPeriod:
      return kBillingPeriodGroups;
  }
  return {};
}

}  // namespace flyball::check
