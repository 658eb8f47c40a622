// The rules of the 1.2 model that have a sentence and no check ("Dynamic"), one line each: how the
// data decides it, or why no data can. A decision is by contradiction: what the sentence forbids
// and the data shows, fails; where the data could show it and does not, the rule is passed.
#include <algorithm>

#include "check/model.h"

namespace flyball::check {
namespace {

using enum GroupCheck;
using enum HeaderCheck;

constexpr DynamicRule Rows(std::string_view id, std::string_view when, std::string_view must) {
  DynamicRule rule;
  rule.id = id;
  rule.when = when;
  rule.must = must;
  return rule;
}
constexpr DynamicRule Kind(std::string_view id, std::string_view what) {
  DynamicRule rule;
  rule.id = id;
  rule.must = what;
  return rule;
}
constexpr DynamicRule Open(std::string_view id, std::string_view reason) {
  DynamicRule rule;
  rule.id = id;
  rule.reason = reason;
  return rule;
}
constexpr DynamicRule NoData(std::string_view id, std::string_view reason) {
  DynamicRule rule = Open(id, reason);
  rule.binds_no_data = true;
  return rule;
}
constexpr DynamicRule Grouped(std::string_view id, GroupCheck check, std::string_view key,
                              std::string_view value, std::string_view when = {}) {
  DynamicRule rule;
  rule.id = id;
  rule.group = static_cast<int>(check);
  rule.key = key;
  rule.value = value;
  rule.when = when;
  return rule;
}
constexpr DynamicRule Header(std::string_view id, HeaderCheck check) {
  DynamicRule rule;
  rule.id = id;
  rule.header = static_cast<int>(check);
  return rule;
}

constexpr std::string_view kNeedsPriceList = "needs the provider's price list";
constexpr std::string_view kNeedsEarlier = "needs an earlier delivery of the same charges";
constexpr std::string_view kNeedsMeaning = "needs to know what the provider means";
constexpr std::string_view kNeedsTaxed = "needs to know which charges a tax is on";
constexpr std::string_view kNeedsScope =
    "only the provider knows within which scope an identifier is unique";
constexpr std::string_view kBindsDocuments =
    "it binds documents that the provider publishes beside the data";
constexpr std::string_view kBindsSpecification = "it binds the specification's own text, not data";

#define FB_USED "ChargeCategory = 'Usage' and CommitmentDiscountStatus = 'Used'"
#define FB_UNUSED "CommitmentDiscountStatus = 'Unused'"
#define FB_BOUGHT "ChargeCategory = 'Purchase' and CommitmentDiscountId is not null"
#define FB_CHARGED "ChargeCategory in ('Usage', 'Purchase')"
// A list price that was converted differs with the exchange rate.
#define FB_ONE_CURRENCY "PricingCurrency is null or PricingCurrency = BillingCurrency"
// A price or cost in another currency than the bill's shows where both prices are one number.
#define FB_OTHER_CURRENCY                                            \
  "PricingCurrency is not null and BillingCurrency is not null and " \
  "PricingCurrency != BillingCurrency"

constexpr DynamicRule kAttributes[] = {
    Kind("DateTimeFormat-A-001-M", "@dates offset"),
    Kind("DateTimeFormat-A-002-M", "@dates not-iso"),
    Kind("DateTimeFormat-A-004-M", "@dates no-t"),
    Kind("DateTimeFormat-A-005-M", "@dates no-time"),
    Kind("DateTimeFormat-A-006-M", "@dates no-z"),
    Rows("CurrencyFormat-A-001-C", "BillingCurrency is not null",
         "not fact(BillingCurrency, no-code)"),
    Rows("CurrencyFormat-A-002-C", "PricingCurrency is not null and fact(PricingCurrency, no-code)",
         "not fact(PricingCurrency, bad-string) and not fact(PricingCurrency, bad-currency)"),
    Kind("NumericFormat-A-001-O", "@custom odd-number"),
    Kind("NumericFormat-A-002-M", "@numbers no-number"),
    Kind("NumericFormat-A-003-M", "@numbers not-plain"),
    Kind("NumericFormat-A-004-M", "@numbers fraction"),
    Kind("NumericFormat-A-005-M", "@numbers times-ten"),
    Kind("NumericFormat-A-006-M", "@numbers exponent-plus"),
    Kind("NumericFormat-A-007-M", "@numbers math-symbol"),
    Kind("NumericFormat-A-008-M", "@numbers extra"),
    Kind("NumericFormat-A-009-M", "@numbers comma"),
    Kind("NumericFormat-A-010-M", "@numbers plus-sign"),
    Kind("NumericFormat-A-011-M", "@numbers odd-negative"),
    NoData("NumericFormat-A-012-M", kBindsSpecification),
    NoData("NumericFormat-A-013-O", kBindsDocuments),
    Kind("StringHandling-A-001-M", "@texts bad-utf8"),
    Kind("StringHandling-A-002-O", "@custom bad-string"),
    Kind("StringHandling-A-003-M", "@texts padded"),
    Open("StringHandling-A-004-M", kNeedsEarlier),
    Open("StringHandling-A-005-M", kNeedsEarlier),
    Grouped("StringHandling-A-006-M", kOneValue, "ResourceId", "ResourceType"),
    Kind("StringHandling-A-007-M", "@filled blank"),
    Header("ColumnHandling-A-001-M", kPascalCase),
    Header("ColumnHandling-A-002-M", kExactNames),
    Header("ColumnHandling-A-003-M", kAlphanumeric),
    Header("ColumnHandling-A-004-O", kNoAcronyms),
    Header("ColumnHandling-A-005-O", kShortNames),
    NoData("ColumnHandling-A-006-M", kBindsSpecification),
    NoData("ColumnHandling-A-008-M", kBindsSpecification),
    Header("ColumnHandling-A-010-M", kCustomPrefix),
    Header("ColumnHandling-A-011-O", kCustomNames),
    Header("ColumnHandling-A-012-O", kFocusFirst),
    Header("ColumnHandling-A-013-O", kFocusFirst),
    Kind("UnitFormat-A-001-M", "@units unit-form"),
    Kind("UnitFormat-A-003-M", "@units unit-case"),
    Kind("UnitFormat-A-004-C", "@units unit-unknown"),
    Kind("KeyValueFormat-A-001-M", "@key-values no-object"),
    Kind("KeyValueFormat-A-002-M", "@key-values same-key"),
    Kind("KeyValueFormat-A-003-M", "@key-values nested"),
    Kind("KeyValueFormat-A-004-M", "@key-values nested"),
    Kind("NullHandling-A-001-C", "@all null-text"),
    Kind("NullHandling-A-002-M", "@all null-badly-written"),
};

constexpr DynamicRule kDiscounts[] = {
    Rows("DiscountHandling-A-001-C",
         "CommitmentDiscountId is not null and ChargeCategory = 'Usage' and ChargeClass != "
         "'Correction' and BilledCost is not null",
         "BilledCost >= 0"),
    Rows("DiscountHandling-A-003-C", FB_USED " and ChargeClass != 'Correction'", "BilledCost = 0"),
    Rows("DiscountHandling-A-004-C", FB_USED " and ChargeClass != 'Correction'", "BilledCost = 0"),
    Rows("DiscountHandling-A-006-C",
         "CommitmentDiscountStatus is not null or CommitmentDiscountCategory is not null or "
         "PricingCategory = 'Committed'",
         "CommitmentDiscountId is not null"),
    Open("DiscountHandling-A-007-C", kNeedsMeaning),
    Rows("DiscountHandling-A-009-C", FB_USED " and ChargeClass != 'Correction'", "BilledCost = 0"),
    Rows("DiscountHandling-A-010-C",
         FB_USED
         " and ChargeClass != 'Correction' and ListCost > 0 and CommitmentDiscountQuantity > 0",
         "EffectiveCost > 0"),
    Grouped("DiscountHandling-A-011-C", kUsageIsPurchase, "CommitmentDiscountId", ""),
    Rows("DiscountHandling-A-012-C", FB_BOUGHT, "ResourceId = CommitmentDiscountId"),
    Rows("DiscountHandling-A-013-C",
         "CommitmentDiscountId is not null and ResourceId = CommitmentDiscountId and "
         "CommitmentDiscountStatus is null",
         "ChargeCategory = 'Purchase'"),
    Rows("DiscountHandling-A-014-C",
         "ChargeCategory = 'Usage' and PricingCategory = 'Committed' and ResourceId != "
         "CommitmentDiscountId",
         "CommitmentDiscountStatus = 'Used'"),
    Rows("DiscountHandling-A-015-C", FB_USED, "CommitmentDiscountId is not null"),
    Rows("DiscountHandling-A-016-C", FB_USED,
         "ResourceId is not null and ResourceId != CommitmentDiscountId"),
    Grouped("DiscountHandling-A-017-C", kUnusedIsShown, "CommitmentDiscountId", ""),
    Rows("DiscountHandling-A-018-C", FB_UNUSED, "ChargeCategory = 'Usage'"),
    Rows("DiscountHandling-A-019-C", FB_UNUSED, "ResourceId = CommitmentDiscountId"),
    Rows("DiscountHandling-A-020-C", FB_CHARGED " and ChargeClass != 'Correction'",
         "not (BilledCost < 0)"),
    // Of the columns.
    Grouped("CommitmentDiscountName-C-006-C", kOneValue, "CommitmentDiscountId",
            "CommitmentDiscountName"),
    Rows("CommitmentDiscountId-C-004-C", "CommitmentDiscountId is not null",
         "CommitmentDiscountCategory is not null or CommitmentDiscountStatus is not null or "
         "CommitmentDiscountType is not null or PricingCategory = 'Committed'"),
    Rows("CommitmentDiscountId-C-005-C",
         "CommitmentDiscountCategory is not null or CommitmentDiscountStatus is not null or "
         "CommitmentDiscountType is not null or CommitmentDiscountName is not null or "
         "CommitmentDiscountQuantity is not null or PricingCategory = 'Committed'",
         "CommitmentDiscountId is not null"),
    Grouped("CommitmentDiscountId-C-007-M", kOneValue, "CommitmentDiscountId",
            "CommitmentDiscountCategory CommitmentDiscountType"),
    Open("CommitmentDiscountId-C-008-C", kNeedsScope),
    Grouped("CommitmentDiscountUnit-C-008-M", kOneValue, "CommitmentDiscountId",
            "CommitmentDiscountUnit"),
    Rows("CommitmentDiscountUnit-C-009-M",
         "CommitmentDiscountCategory = 'Spend' and CommitmentDiscountUnit is not null",
         "CommitmentDiscountUnit = BillingCurrency or CommitmentDiscountUnit = PricingCurrency"),
    Open("CommitmentDiscountUnit-C-010-C", kNeedsMeaning),
    Rows("CommitmentDiscountQuantity-C-009-M", "CommitmentDiscountQuantity is not null",
         "not fact(CommitmentDiscountQuantity, no-number)"),
    Grouped("CommitmentDiscountQuantity-C-011-C", kQuantityIsPurchased, "CommitmentDiscountId", ""),
    Grouped("CommitmentDiscountQuantity-C-012-C", kQuantityIsPurchased, "CommitmentDiscountId", ""),
    Rows("CommitmentDiscountQuantity-C-014-C",
         FB_USED " and CommitmentDiscountQuantity is not null and ChargeClass != 'Correction'",
         "CommitmentDiscountQuantity > 0"),
    Rows("CommitmentDiscountQuantity-C-015-C",
         FB_UNUSED " and ChargeCategory = 'Usage' and CommitmentDiscountQuantity is not null and "
                   "ChargeClass != 'Correction'",
         "CommitmentDiscountQuantity > 0"),
    Rows("CapacityReservationId-C-004-C", "CapacityReservationId is not null",
         "CapacityReservationStatus is not null or ChargeCategory != 'Usage'"),
    Rows("CapacityReservationId-C-006-C", "CapacityReservationStatus is not null",
         "CapacityReservationId is not null"),
    Grouped("CapacityReservationId-C-008-M", kOneValue, "CapacityReservationId", "RegionId"),
    Open("CapacityReservationId-C-009-O", kNeedsScope),
    Rows("CapacityReservationStatus-C-007-C", "CapacityReservationStatus = 'Unused'",
         "not (ConsumedQuantity > 0)"),
    Rows("CapacityReservationStatus-C-008-C",
         "CapacityReservationId is not null and ChargeCategory = 'Usage' and ConsumedQuantity > 0",
         "CapacityReservationStatus = 'Used'"),
};

constexpr DynamicRule kAccounts[] = {
    Grouped("BillingAccountId-C-004-M", kOneValue, "BillingAccountId", "BillingAccountType"),
    Open("BillingAccountId-C-005-O", kNeedsScope),
    Rows(
        "BillingAccountType-C-006-M", "BillingAccountType is not null",
        "not fact(BillingAccountType, bad-string) and not fact(BillingAccountType, padded) and not "
        "fact(BillingAccountType, control-character)"),
    Rows("SubAccountType-C-006-M", "SubAccountType is not null",
         "not fact(SubAccountType, bad-string) and not fact(SubAccountType, padded) and not "
         "fact(SubAccountType, control-character)"),
    Open("SubAccountId-C-004-C", kNeedsMeaning),
    Rows("SubAccountId-C-005-C", "SubAccountName is not null or SubAccountType is not null",
         "SubAccountId is not null"),
    Rows("BillingPeriodStart-C-004-M",
         "BillingPeriodStart is not null and BillingPeriodEnd is not null",
         "BillingPeriodStart < BillingPeriodEnd and not fact(BillingPeriodStart, last-second)"),
    Rows("BillingPeriodEnd-C-004-M",
         "BillingPeriodStart is not null and BillingPeriodEnd is not null",
         "BillingPeriodEnd > BillingPeriodStart and not fact(BillingPeriodEnd, last-second)"),
    Rows("ChargePeriodStart-C-004-M",
         "ChargePeriodStart is not null and ChargePeriodEnd is not null",
         "ChargePeriodStart < ChargePeriodEnd"),
    Rows("ChargePeriodEnd-C-004-M", "ChargePeriodStart is not null and ChargePeriodEnd is not null",
         "ChargePeriodEnd > ChargePeriodStart and not fact(ChargePeriodEnd, last-second)"),
    Rows("AvailabilityZone-C-003-C", "AvailabilityZone is not null",
         "RegionId is not null and ChargeCategory != 'Tax'"),
    Rows("RegionId-C-004-C", "AvailabilityZone is not null or RegionName is not null",
         "RegionId is not null"),
    Open("ResourceId-C-004-C", kNeedsMeaning),
    Rows("ResourceId-C-005-C", "ResourceName is not null or ResourceType is not null",
         "ResourceId is not null"),
    Grouped("ResourceId-C-007-M", kOneValue, "ResourceId", "ResourceType"),
    Open("ResourceId-C-008-O", kNeedsScope),
    Rows("ResourceName-C-004-C", "ResourceId is null", "ResourceName is null"),
    Grouped("ResourceName-C-005-C", kOneValue, "ResourceId ChargePeriodStart", "ResourceName"),
    Rows("ResourceName-C-006-C", "ResourceName is not null and ResourceId is not null",
         "ResourceName != ResourceId"),
    Open("ServiceName-C-006-C", kNeedsMeaning),
    Open("ServiceName-C-009-C", kNeedsMeaning),
    NoData("ChargeDescription-C-004-O", kBindsDocuments),
    Rows("ChargeClass-C-003-C",
         "ChargeClass is not null and ChargePeriodStart is not null and BillingPeriodStart is not "
         "null",
         "ChargePeriodStart < BillingPeriodStart"),
    Rows("ChargeClass-C-004-C",
         FB_CHARGED " and BilledCost < 0 and ChargePeriodEnd <= BillingPeriodStart",
         "ChargeClass = 'Correction'"),
    Rows("InvoiceId-C-007-C", "InvoiceId is not null", "BillingAccountId is not null"),
};

constexpr DynamicRule kCosts[] = {
    Rows("BilledCost-C-006-M", "BilledCost is not null", "BillingCurrency is not null"),
    Grouped("BilledCost-C-007-M", kInvoiceSum, "InvoiceId", ""),
    Grouped("BillingCurrency-C-005-M", kOneValue, "InvoiceIssuerName InvoiceId", "BillingCurrency"),
    Rows("EffectiveCost-C-006-M", "EffectiveCost is not null and BillingCurrency is not null",
         "PricingCurrency is null or PricingCurrency = BillingCurrency or "
         "PricingCurrencyEffectiveCost is null or EffectiveCost = 0 or EffectiveCost != "
         "PricingCurrencyEffectiveCost"),
    Open("EffectiveCost-C-009-C", kNeedsTaxed),
    Rows("EffectiveCost-C-010-C", "ChargeCategory = 'Credit'", "EffectiveCost = BilledCost"),
    Grouped("EffectiveCost-C-012-C", kUsageIsPurchase, "CommitmentDiscountId", ""),
    Grouped("EffectiveCost-C-013-C", kUsageIsUsedAndUnused, "CommitmentDiscountId", ""),
    Rows("ContractedCost-C-005-M", "ContractedCost is not null", "BillingCurrency is not null"),
    Open("ContractedCost-C-007-C", kNeedsTaxed),
    Rows("ContractedCost-C-008-C", "ChargeCategory = 'Credit'", "ContractedCost = BilledCost"),
    Rows("ContractedCost-C-009-C",
         "ContractedUnitPrice is not null and PricingQuantity is not null and ChargeClass != "
         "'Correction'",
         "ContractedUnitPrice * PricingQuantity = ContractedCost"),
    Rows("ListCost-C-005-M", "ListCost is not null", "BillingCurrency is not null"),
    Open("ListCost-C-007-C", kNeedsTaxed),
    Rows("ListCost-C-008-C", "ChargeCategory = 'Credit'", "ListCost = BilledCost"),
    Rows("ListUnitPrice-C-009-M", "ListUnitPrice > 0 and " FB_OTHER_CURRENCY,
         "ListUnitPrice != PricingCurrencyListUnitPrice"),
    Rows("ContractedUnitPrice-C-010-C", "ContractedUnitPrice > 0 and " FB_OTHER_CURRENCY,
         "ContractedUnitPrice != PricingCurrencyContractedUnitPrice"),
    Rows("PricingQuantity-C-009-C",
         "PricingQuantity is not null and ChargeClass != 'Correction' and (ContractedUnitPrice is "
         "not null or ListUnitPrice is not null)",
         "ContractedUnitPrice * PricingQuantity = ContractedCost and ListUnitPrice * "
         "PricingQuantity = ListCost"),
    Rows("PricingCurrencyListUnitPrice-C-009-M", "PricingCurrencyListUnitPrice is not null",
         "PricingCurrency is not null"),
    Rows("PricingCurrencyContractedUnitPrice-C-004-C", "ChargeCategory = 'Tax'",
         "PricingCurrencyContractedUnitPrice is null"),
    Rows("PricingCurrencyContractedUnitPrice-C-005-C",
         FB_CHARGED " and ChargeClass != 'Correction'",
         "PricingCurrencyContractedUnitPrice is not null"),
    Rows("PricingCurrencyContractedUnitPrice-C-008-C",
         "PricingCurrencyContractedUnitPrice is not null",
         "PricingCurrencyContractedUnitPrice >= 0"),
    Rows("PricingCurrencyContractedUnitPrice-C-009-C",
         "PricingCurrencyContractedUnitPrice is not null", "PricingCurrency is not null"),
    Rows("PricingCurrencyEffectiveCost-C-005-M", FB_BOUGHT " and ChargeFrequency = 'One-Time'",
         "PricingCurrencyEffectiveCost = 0"),
    Rows("PricingCurrencyEffectiveCost-C-006-M", "PricingCurrencyEffectiveCost is not null",
         "PricingCurrency is not null"),
    Rows("ConsumedQuantity-C-008-C", "ConsumedQuantity is not null",
         "not fact(ConsumedQuantity, no-number)"),
    Open("PricingUnit-C-008-M", kNeedsPriceList),
    Open("PricingUnit-C-009-C", "needs the invoice's own units"),
    Open("PricingCategory-C-008-C", kNeedsMeaning),
    Rows("PricingCategory-C-009-C", FB_USED, "PricingCategory = 'Committed'"),
    Open("PricingCategory-C-010-C", kNeedsMeaning),
    Open("PricingCategory-C-011-C", kNeedsMeaning),
};

constexpr DynamicRule kSkus[] = {
    Grouped("SkuMeter-C-006-O", kOneValue, "SkuId", "SkuMeter"),
    Grouped("SkuPriceId-C-009-M", kOneValue,
            "SkuPriceId BillingAccountId PricingUnit BillingCurrency", "ListUnitPrice",
            FB_ONE_CURRENCY),
    Grouped("SkuPriceId-C-010-M", kOneValue,
            "SkuPriceId BillingPeriodStart PricingUnit BillingCurrency", "ListUnitPrice",
            FB_ONE_CURRENCY),
    Rows("SkuPriceId-C-012-C", FB_CHARGED " and SkuPriceId is not null", "ServiceName is not null"),
    Open("SkuPriceId-C-013-M", kNeedsPriceList),
    Rows("SkuPriceId-C-014-C",
         FB_CHARGED " and SkuPriceId is not null and ChargeClass != 'Correction'",
         "ListUnitPrice is not null"),
    Rows("SkuPriceId-C-015-C",
         FB_CHARGED " and SkuPriceId is not null and ChargeClass != 'Correction'",
         "ContractedUnitPrice is not null"),
    Rows("SkuPriceDetails-C-002-O", "SkuPriceDetails is not null",
         "not fact(SkuPriceDetails, key-case)"),
    Rows("SkuPriceDetails-C-007-M", "SkuPriceDetails is not null", "SkuPriceId is not null"),
    Open("SkuPriceDetails-C-008-M", kNeedsPriceList),
    Open("SkuPriceDetails-C-009-C", kNeedsPriceList),
    Rows("SkuPriceDetails-C-010-C", "SkuPriceDetails is not null",
         "not fact(SkuPriceDetails, shadowed)"),
    Grouped("SkuPriceDetails-C-013-O", kOneValue, "SkuPriceId", "SkuPriceDetails"),
    Grouped("SkuPriceDetails-C-014-O", kOneValue, "SkuPriceId", "SkuPriceDetails"),
    Rows("SkuPriceDetails-C-016-O", "SkuPriceDetails is not null",
         "not fact(SkuPriceDetails, property-type) and not fact(SkuPriceDetails, key-spelling)"),
    Rows("SkuPriceDetails-C-017-C", "SkuPriceDetails is not null",
         "not fact(SkuPriceDetails, key-no-prefix)"),
    Open("SkuPriceDetails-C-018-C", kNeedsPriceList),
    Rows("SkuPriceDetails-C-020-M", "SkuPriceDetails is not null",
         "not fact(SkuPriceDetails, key-spelling)"),
    Rows("SkuPriceDetails-C-021-M", "SkuPriceDetails is not null",
         "not fact(SkuPriceDetails, property-type)"),
    Open("SkuPriceDetails-C-022-C", kNeedsPriceList),
    Grouped("SkuId-C-008-M", kOneValue, "SkuId", "SkuMeter"),
    Grouped("SkuId-C-009-M", kOneValue, "SkuPriceId", "SkuId"),
    Grouped("SkuId-C-010-M", kOneValue, "SkuId", "ServiceName"),
    Rows("SkuId-C-011-C", FB_CHARGED " and SkuId is not null", "ServiceName is not null"),
};

constexpr DynamicRule kTags[] = {
    Open("Tags-C-004-M", "needs the tags as the provider has them"),
    Open("Tags-C-005-M", "needs the tags as the provider has them"),
    Rows("Tags-C-006-M", "Tags is not null", "not fact(Tags, null-value)"),
    Rows("Tags-C-008-M", "Tags is not null",
         "not fact(Tags, empty-value) and not fact(Tags, null-value)"),
    NoData("Tags-C-009-M", kBindsDocuments),
    Open("Tags-C-010-C", "needs the tags as the provider has them"),
    Open("Tags-C-012-M", "needs the provider's tag prefixes"),
    NoData("Tags-C-013-M", kBindsDocuments),
    Open("Tags-C-015-C", "needs the provider's tag schemes"),
    Open("Tags-C-016-C", "needs the provider's tag schemes"),
    Open("Tags-C-017-M", "needs the provider's tag schemes"),
};
#undef FB_USED
#undef FB_UNUSED
#undef FB_BOUGHT
#undef FB_CHARGED
#undef FB_OTHER_CURRENCY
#undef FB_ONE_CURRENCY

// Where the check of the published 1.2 model contradicts the sentence beside it.
struct Mistake {
  std::string_view id, what;
  std::string_view only_in = {};  // the one model that has it; empty: all that we know
};
constexpr Mistake kMistakes[] = {
    {"EffectiveCost-C-005-C",
     "the sentence speaks of purchases that cover future charges; the condition takes every "
     "purchase, so that subscriptions billed by the period fail (FOCUS_Spec 2673)"},
    {"CommitmentDiscountStatus-C-003-C", "the sentence says null, the check not null", "1.2"},
    {"CommitmentDiscountStatus-C-004-C",
     "the sentence says where CommitmentDiscountId is not null, the condition where it is null"},
    {"CommitmentDiscountStatus-C-005-M",
     "the specification allows Used and Unused; the check asks for Active, Expired or Pending"},
    {"CommitmentDiscountQuantity-C-010-C",
     "the sentence says where ChargeCategory is Purchase, the condition where it is null"},
    {"ConsumedQuantity-C-006-C",
     "the sentence says where ChargeClass is not Correction, the condition where it is"},
    {"PricingCurrencyEffectiveCost-C-004-M", "the check looks at PricingCurrencyListUnitPrice"},
    {"Tags-C-003-C", "the sentence says where Tags is not null, the condition where it is null"},
    {"ResourceName-C-005-C",
     "the sentence says where ResourceId is not null, the condition where it is null"},
    {"PricingCurrencyContractedUnitPrice-C-012-C",
     "the sentence says where SkuPriceId is not null, the condition where it is null "
     "(focus_validator 143)"},
    {"BilledCost-C-005-C",
     "the sentence speaks of payments received by a third party; the condition compares the names "
     "of provider and invoice issuer, which differ where one company bills for another"},
};

}  // namespace

const DynamicRule* FindDynamic(std::string_view id) {
  for (std::span<const DynamicRule> rules :
       {std::span<const DynamicRule>(kAttributes), std::span<const DynamicRule>(kDiscounts),
        std::span<const DynamicRule>(kAccounts), std::span<const DynamicRule>(kCosts),
        std::span<const DynamicRule>(kSkus), std::span<const DynamicRule>(kTags)}) {
    auto found = std::ranges::find(rules, id, &DynamicRule::id);
    if (found != rules.end()) return &*found;
  }
  return nullptr;
}

std::string_view KnownMistake(std::string_view id, std::string_view model_version) {
  if (id.starts_with("CAU-")) id.remove_prefix(4);
  auto found = std::ranges::find(kMistakes, id, &Mistake::id);
  if (found == std::end(kMistakes)) return {};
  const bool here = found->only_in.empty() || found->only_in == model_version;
  return here ? found->what : std::string_view();
}

}  // namespace flyball::check
