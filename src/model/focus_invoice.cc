// FOCUS, Invoice Detail (22 columns) and Billing Period (6), both since 1.4.
// Source: FOCUS_Spec, specification/datasets/invoice_detail and billing_period.
#include "model/focus_tables.h"

namespace flyball::focus {
namespace {

using enum ColumnType;
using enum Version;
using tables::kNotNull;
using tables::kNullable;
using tables::Rows;

constexpr Rows kInv{DataSet::kInvoiceDetail};
constexpr Rows kBil{DataSet::kBillingPeriod};

constexpr std::string_view kChargeCategories[] = {"Usage", "Purchase", "Tax", "Credit",
                                                  "Adjustment"};
constexpr std::string_view kInvoiceIssueStatuses[] = {"Open", "Issued", "Voided"};
constexpr std::string_view kBillingPeriodStatuses[] = {"Open", "Closed"};

// Conditions: the column must be there when the data generator ...
constexpr std::string_view kPaidInOtherCurrency = "is paid in another currency than it bills in";
constexpr std::string_view kSumsDifferently = "sums an invoice differently in the payment currency";
constexpr std::string_view kTakesOrderNumbers = "takes purchase order numbers";

// A row: name, type, nullable, since, then its condition and its allowed values where it has them.
constexpr std::array kInvoiceDetail = {
    kInv.Mandatory("BilledCost", kMoney, kNotNull, k1_4),
    kInv.Mandatory("BillingAccountId", kText, kNotNull, k1_4),
    kInv.Mandatory("BillingCurrency", kText, kNotNull, k1_4),
    kInv.Mandatory("BillingPeriodEnd", kInstant, kNotNull, k1_4),
    kInv.Mandatory("BillingPeriodStart", kInstant, kNotNull, k1_4),
    kInv.Mandatory("ChargeCategory", kText, kNotNull, k1_4, kChargeCategories),
    kInv.Mandatory("InvoiceDetailCreated", kInstant, kNotNull, k1_4),
    kInv.Mandatory("InvoiceDetailDescription", kText, kNullable, k1_4),
    kInv.Mandatory("InvoiceDetailGrain", kJson, kNullable, k1_4),
    kInv.Mandatory("InvoiceDetailId", kText, kNotNull, k1_4),
    kInv.Mandatory("InvoiceDetailLastUpdated", kInstant, kNotNull, k1_4),
    kInv.Mandatory("InvoiceId", kText, kNotNull, k1_4),
    kInv.Mandatory("InvoiceIssueDate", kInstant, kNullable, k1_4),
    kInv.Mandatory("InvoiceIssueStatus", kText, kNotNull, k1_4, kInvoiceIssueStatuses),
    kInv.Mandatory("InvoiceIssuerName", kText, kNotNull, k1_4),
    kInv.Conditional("PaymentCurrency", kText, kNotNull, k1_4, kPaidInOtherCurrency),
    kInv.Conditional("PaymentCurrencyBilledCost", kMoney, kNotNull, k1_4, kPaidInOtherCurrency),
    kInv.Conditional("PaymentCurrencyInvoiceDetailId", kText, kNotNull, k1_4, kSumsDifferently),
    kInv.Mandatory("PaymentDueDate", kInstant, kNullable, k1_4),
    kInv.Mandatory("PaymentTerms", kText, kNotNull, k1_4),
    kInv.Conditional("PurchaseOrderNumber", kText, kNullable, k1_4, kTakesOrderNumbers),
    kInv.Mandatory("ReferenceInvoiceId", kText, kNotNull, k1_4),
};
static_assert(tables::WellFormed(kInvoiceDetail));
static_assert(tables::CountIn(kInvoiceDetail, k1_3) == 0);
static_assert(tables::CountIn(kInvoiceDetail, k1_4) == 22);
static_assert(tables::CountIn(kInvoiceDetail, k1_5Draft) == 22);

constexpr std::array kBillingPeriod = {
    kBil.Mandatory("BillingPeriodCreated", kInstant, kNotNull, k1_4),
    kBil.Mandatory("BillingPeriodEnd", kInstant, kNotNull, k1_4),
    kBil.Mandatory("BillingPeriodLastUpdated", kInstant, kNotNull, k1_4),
    kBil.Mandatory("BillingPeriodStart", kInstant, kNotNull, k1_4),
    kBil.Mandatory("BillingPeriodStatus", kText, kNotNull, k1_4, kBillingPeriodStatuses),
    kBil.Mandatory("InvoiceIssuerName", kText, kNotNull, k1_4),
};
static_assert(tables::WellFormed(kBillingPeriod));
static_assert(tables::CountIn(kBillingPeriod, k1_3) == 0);
static_assert(tables::CountIn(kBillingPeriod, k1_4) == 6);
static_assert(tables::CountIn(kBillingPeriod, k1_5Draft) == 6);

}  // namespace

std::span<const Column> tables::InvoiceDetail() { return kInvoiceDetail; }
std::span<const Column> tables::BillingPeriod() { return kBillingPeriod; }

}  // namespace flyball::focus
