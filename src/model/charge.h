// Charge: the columns of a row of the ledger, in the order in which slices store them.
//
// A charge is one row in the shape of FOCUS 1.4 with the AI columns of the 1.5 draft, then
// Flyball's own columns under the x_ prefix. Any other x_ column of an input follows after these,
// kept as it is, as text.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/column.h"

namespace flyball::charge {

// All FOCUS columns of Cost and Usage that stand in 1.4 or the 1.5 draft, alphabetically, then our
// own. charge.cc asserts that they are those of the FOCUS table.
inline constexpr std::array<std::string_view, 86> kColumnNames = {
    "AllocatedMethodDetails", "AllocatedMethodId", "AllocatedResourceId", "AllocatedResourceName",
    "AllocatedTags", "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName",
    "BillingAccountType", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "CapacityReservationId", "CapacityReservationStatus", "ChargeCategory", "ChargeClass",
    "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart",
    "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName",
    "CommitmentDiscountQuantity", "CommitmentDiscountStatus", "CommitmentDiscountType",
    "CommitmentDiscountUnit", "CommitmentProgramEligibilityDetails", "ConsumedQuantity",
    "ConsumedUnit", "ContractApplied", "ContractedCost", "ContractedUnitPrice", "CredentialDetails",
    "CredentialId", "EffectiveCost", "HostProviderName", "InvoiceDetailId", "InvoiceId",
    "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory", "PricingCurrency",
    "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice", "PricingQuantity", "PricingUnit", "PrincipalId", "RegionId",
    "RegionName", "ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName",
    "ServiceProviderName", "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceDetails",
    "SkuPriceId", "SubAccountId", "SubAccountName", "SubAccountType", "Tags",
    // What the source itself states, or a rule sets (model/dimension.h).
    "x_Team", "x_Project", "x_UseCase", "x_Model", "x_CostDriver", "x_LifecycleStage", "x_AiClass",
    "x_Environment", "x_WorkloadId", "x_RequestId",
    "x_EnergyWh",    // quantity
    "x_GpuSeconds",  // quantity
    "x_Msu",         // quantity
    "x_Confidence",  // "estimate" | "final"
    "x_Lineage",     // "Column=derived;Column=assumed", empty when all was observed
    "x_SourceFile",
    "x_SourceLine",  // int64; the line of the input where the record starts, 1 = first line of the
                     // file
    "x_Signature",   // uint64; see model/signature.h
};
inline constexpr int kColumnCount = static_cast<int>(kColumnNames.size());

// Index of a column that code names, found when the code is compiled; a misspelt name doesn't
// compile. At("BilledCost").
consteval int At(std::string_view name) {
  for (int i = 0; i < kColumnCount; ++i) {
    if (kColumnNames[static_cast<size_t>(i)] == name) return i;
  }
  throw "no charge has such a column";
}

// The indexes that are named most.
inline constexpr int kBilledCost = At("BilledCost");
inline constexpr int kEffectiveCost = At("EffectiveCost");
inline constexpr int kListCost = At("ListCost");
inline constexpr int kContractedCost = At("ContractedCost");
inline constexpr int kConsumedQuantity = At("ConsumedQuantity");
inline constexpr int kConsumedUnit = At("ConsumedUnit");
inline constexpr int kBillingCurrency = At("BillingCurrency");
inline constexpr int kBillingPeriodStart = At("BillingPeriodStart");
inline constexpr int kBillingPeriodEnd = At("BillingPeriodEnd");
inline constexpr int kChargePeriodStart = At("ChargePeriodStart");
inline constexpr int kChargePeriodEnd = At("ChargePeriodEnd");
inline constexpr int kTags = At("Tags");
inline constexpr int kLineage = At("x_Lineage");
inline constexpr int kSourceFile = At("x_SourceFile");
inline constexpr int kSourceLine = At("x_SourceLine");
inline constexpr int kSignature = At("x_Signature");

// Names and types, in the order of kColumnNames. Costs are kMoney, quantities and unit prices
// kQuantity.
std::span<const ColumnSpec> Columns();
// -1 when there is no such column. Exact case. One hash look-up.
int IndexOf(std::string_view name);

// Measures that rollups carry, in this order, as (measure name, column): billed_cost BilledCost,
// effective_cost EffectiveCost, list_cost ListCost, contracted_cost ContractedCost, usage
// ConsumedQuantity.
struct MeasureColumn {
  std::string_view measure;
  std::string_view column;
  ColumnType type;
};
std::span<const MeasureColumn> Measures();

}  // namespace flyball::charge
