// FOCUS, Contract Commitment: 13 columns in 1.3, 30 from 1.4 on.
// Source: FOCUS_Spec, specification/datasets/contract_commitment.
#include "model/focus_tables.h"

namespace flyball::focus {
namespace {

using enum ColumnType;
using enum Version;
using tables::kNotNull;
using tables::kNullable;
using tables::Rows;

constexpr Rows kCct{DataSet::kContractCommitment};

constexpr std::string_view kBenefitCategories[] = {"Discount", "Monetary Pool", "Availability",
                                                   "Other"};
constexpr std::string_view kCategories[] = {"Spend", "Usage"};
constexpr std::string_view kFulfillmentIntervals[] = {
    "Hourly",      "Daily",  "Weekly",      "Monthly",       "Quarterly",
    "Semi-Annual", "Annual", "Full Period", "Transactional", "Custom",
};
constexpr std::string_view kLifecycleStatuses[] = {
    "Proposed", "Pending", "Active", "Exhausted", "Expired", "Canceled", "Superseded",
};
constexpr std::string_view kModels[] = {"Continuous", "Discontinuous"};
constexpr std::string_view kOfferCategories[] = {"Public", "Negotiated"};
constexpr std::string_view kPaymentIntervals[] = {
    "One-Time", "Monthly", "Quarterly", "Semi-Annual", "Annual", "Custom",
};
constexpr std::string_view kPaymentModels[] = {"No Upfront", "Partial Upfront", "All Upfront"};

// Conditions: the column must be there when the data generator ...
constexpr std::string_view kPartialUpfront = "offers partial upfront payment";
constexpr std::string_view kPricesInOtherCurrency = "prices in another currency than it bills in";

// A row: name, type, nullable, since, then its condition and its allowed values where it has them.
constexpr std::array kColumns = {
    kCct.Mandatory("BillingCurrency", kText, kNullable, k1_3),
    kCct.Mandatory("ContractCommitmentApplicability", kJson, kNotNull, k1_4),
    kCct.Mandatory("ContractCommitmentBenefitCategory", kText, kNotNull, k1_4, kBenefitCategories),
    kCct.Mandatory("ContractCommitmentCategory", kText, kNotNull, k1_3, kCategories),
    kCct.Mandatory("ContractCommitmentCost", kMoney, kNullable, k1_3),
    kCct.Mandatory("ContractCommitmentCreated", kInstant, kNotNull, k1_4),
    kCct.Mandatory("ContractCommitmentDescription", kText, kNullable, k1_3),
    kCct.Mandatory("ContractCommitmentDiscountPercentage", kQuantity, kNullable, k1_4),
    kCct.Mandatory("ContractCommitmentDurationType", kText, kNotNull, k1_4),
    kCct.Mandatory("ContractCommitmentFulfillmentInterval", kText, kNotNull, k1_4,
                   kFulfillmentIntervals),
    kCct.Mandatory("ContractCommitmentId", kText, kNotNull, k1_3),
    kCct.Mandatory("ContractCommitmentLastUpdated", kInstant, kNotNull, k1_4),
    kCct.Mandatory("ContractCommitmentLifecycleStatus", kText, kNotNull, k1_4, kLifecycleStatuses),
    kCct.Mandatory("ContractCommitmentModel", kText, kNotNull, k1_4, kModels),
    kCct.Mandatory("ContractCommitmentOfferCategory", kText, kNotNull, k1_4, kOfferCategories),
    kCct.Mandatory("ContractCommitmentPaymentInterval", kText, kNotNull, k1_4, kPaymentIntervals),
    kCct.Mandatory("ContractCommitmentPaymentModel", kText, kNotNull, k1_4, kPaymentModels),
    kCct.Conditional("ContractCommitmentPaymentUpfrontPercentage", kQuantity, kNotNull, k1_4,
                     kPartialUpfront),
    kCct.Mandatory("ContractCommitmentPeriodEnd", kInstant, kNotNull, k1_3),
    kCct.Mandatory("ContractCommitmentPeriodStart", kInstant, kNotNull, k1_3),
    kCct.Mandatory("ContractCommitmentQuantity", kQuantity, kNullable, k1_3),
    kCct.Mandatory("ContractCommitmentType", kText, kNotNull, k1_3),
    kCct.Mandatory("ContractCommitmentUnit", kText, kNullable, k1_3),
    kCct.Mandatory("ContractId", kText, kNotNull, k1_3),
    kCct.Mandatory("ContractPeriodEnd", kInstant, kNotNull, k1_3),
    kCct.Mandatory("ContractPeriodStart", kInstant, kNotNull, k1_3),
    kCct.Mandatory("InvoiceIssuerName", kText, kNotNull, k1_4),
    kCct.Conditional("PricingCurrency", kText, kNotNull, k1_4, kPricesInOtherCurrency),
    kCct.Conditional("PricingCurrencyContractCommitmentCost", kMoney, kNullable, k1_4,
                     kPricesInOtherCurrency),
    kCct.Mandatory("ServiceProviderName", kText, kNotNull, k1_4),
};
static_assert(tables::WellFormed(kColumns));
static_assert(tables::CountIn(kColumns, k1_2) == 0);
static_assert(tables::CountIn(kColumns, k1_3) == 13);
static_assert(tables::CountIn(kColumns, k1_4) == 30);
static_assert(tables::CountIn(kColumns, k1_5Draft) == 30);

}  // namespace

std::span<const Column> tables::ContractCommitment() { return kColumns; }

}  // namespace flyball::focus
