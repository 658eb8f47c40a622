// Azure cost details, of Enterprise Agreements and Microsoft Customer Agreements, actual and
// amortised. Names are compared without regard to case; EA and MCA differ in some.
//
// The two kinds state the same use twice. Actual: commitments are bought, their use costs nothing.
// Amortised: no purchase, the use and what lay unused carry the fee. BilledCost is the actual's,
// EffectiveCost the amortised's. Imported together, each charge is taken from the file that knows
// it: use of commitments from the amortised, everything else from the actual.
#include "ingest/native/formats.h"
#include "ingest/native/texts.h"

namespace flyball::native {
namespace {

std::string_view Cost(const Row& row) { return row.First({"costinbillingcurrency", "cost"}); }

// A charge of a reservation or savings plan: its purchase, its use, or what of it lay unused.
bool IsCommitted(const Row& row) {
  return EqualsNoCase(row["pricingmodel"], "reservation") ||
         EqualsNoCase(row["pricingmodel"], "savingsplan") ||
         ContainsNoCase(row["chargetype"], "unused");
}
bool IsPurchase(const Row& row) { return EqualsNoCase(row["chargetype"], "purchase"); }

struct ChargeType {
  std::string_view lower, category;
};
constexpr ChargeType kChargeTypes[] = {
    {"usage", "Usage"},
    {"purchase", "Purchase"},
    {"refund", "Adjustment"},
    {"tax", "Tax"},
    {"unusedreservation", "Usage"},
    {"unusedsavingsplan", "Usage"},
    {"roundingadjustment", "Adjustment"},
    {"adjustment", "Adjustment"},
    {"credit", "Credit"},
};

void FillKinds(const Row& row, Draft* draft) {
  Draft& d = *draft;
  d[At("ChargeCategory")] = row["chargetype"];
  for (const ChargeType& type : kChargeTypes) {
    if (EqualsNoCase(row["chargetype"], type.lower)) d[At("ChargeCategory")] = type.category;
  }
  const std::string_view frequency = row["frequency"];
  d[At("ChargeFrequency")] = EqualsNoCase(frequency, "onetime")     ? "One-Time"
                             : EqualsNoCase(frequency, "recurring") ? "Recurring"
                                                                    : "Usage-Based";
  const std::string_view model = row["pricingmodel"];
  d[At("PricingCategory")] = EqualsNoCase(model, "ondemand") ? "Standard"
                             : EqualsNoCase(model, "spot")   ? "Dynamic"
                             : IsCommitted(row)              ? "Committed"
                                                             : "";
  if (d[At("ChargeCategory")] == "Usage" && d[At("PricingCategory")].empty()) {
    d[At("PricingCategory")] = "Standard";
  }
  const bool marketplace = EqualsNoCase(row["publishertype"], "marketplace");
  const std::string_view publisher = row["publishername"];
  d[At("ServiceProviderName")] = marketplace && !publisher.empty() ? publisher : "Microsoft";
}

void FillCommitment(const Row& row, Draft* draft) {
  Draft& d = *draft;
  if (!IsCommitted(row)) return;
  const std::string_view benefit = row.First({"benefitid", "reservationid", "productorderid"});
  d[At("CommitmentDiscountId")] = benefit;
  d[At("CommitmentDiscountName")] =
      row.First({"benefitname", "reservationname", "productordername"});
  const bool spend = EqualsNoCase(row["pricingmodel"], "savingsplan") ||
                     ContainsNoCase(row["chargetype"], "savingsplan");
  d[At("CommitmentDiscountCategory")] = spend ? "Spend" : "Usage";
  d[At("CommitmentDiscountType")] = spend ? "Savings Plan" : "Reservation";
  if (IsPurchase(row)) return;
  d[At("CommitmentDiscountStatus")] =
      ContainsNoCase(row["chargetype"], "unused") ? "Unused" : "Used";
}

void FillCommon(const Row& row, Draft* draft) {
  Draft& d = *draft;
  const std::string_view month = row.First({"billingperiodstartdate", "date"});
  d[charge::kBillingPeriodStart] = MonthOf(month);
  d[charge::kBillingPeriodEnd] = MonthAfter(month);
  d[charge::kChargePeriodStart] = InstantOf(row["date"]);
  d[charge::kChargePeriodEnd] = DayAfter(row["date"]);
  FillKinds(row, draft);
  FillServiceKind(std::string(row["metercategory"]) + " " + std::string(row["servicefamily"]) +
                      " " + std::string(row["consumedservice"]),
                  draft);
  FillCommitment(row, draft);
  const std::string_view list = row.First({"paygcostinbillingcurrency"});
  if (!list.empty()) {
    d[charge::kListCost] = list;
  } else if (!row["paygprice"].empty() && !row["quantity"].empty() &&
             row["exchangeratepricingtobilling"].empty()) {
    d[charge::kListCost] = Times(row["paygprice"], row["quantity"]);
  }
  if (d[At("ChargeCategory")] != "Usage") {
    for (int column : {charge::kListCost, charge::kConsumedQuantity, charge::kConsumedUnit,
                       At("ListUnitPrice"), At("ContractedUnitPrice")}) {
      d[column].clear();
    }
  }
}

void ActualCode(const Row& row, const Context& context, std::vector<Draft>* drafts) {
  if (context.paired && IsCommitted(row) && !IsPurchase(row) && IsZero(Cost(row))) {
    drafts->clear();  // the amortised file states it, with its cost
    return;
  }
  Draft& d = drafts->front();
  FillCommon(row, &d);
  d[charge::kBilledCost] = Cost(row);
  d[charge::kEffectiveCost] =
      IsCommitted(row) && IsPurchase(row) ? std::string_view("0") : Cost(row);
  if (!IsCommitted(row)) d[charge::kContractedCost] = Cost(row);
}

void AmortisedCode(const Row& row, const Context& context, std::vector<Draft>* drafts) {
  if (context.paired && !IsCommitted(row)) {
    drafts->clear();  // the actual file states it
    return;
  }
  Draft& d = drafts->front();
  FillCommon(row, &d);
  d[charge::kEffectiveCost] = Cost(row);
  d[charge::kBilledCost] = IsCommitted(row) ? std::string_view("0") : Cost(row);
  if (!IsCommitted(row)) d[charge::kContractedCost] = Cost(row);
}

// Whether the file states amortised costs: the first charge of a commitment that can tell.
const Format* Refine(const Row& row) {
  if (!IsCommitted(row)) return nullptr;
  if (IsPurchase(row)) return IsZero(Cost(row)) ? nullptr : FindFormat("azure-cost");
  if (IsZero(Cost(row))) return nullptr;  // small use rounds to nothing in either
  return FindFormat("azure-amortised");
}

Format Azure() {
  Format format;
  format.page =
      "https://learn.microsoft.com/azure/cost-management-billing/automate/"
      "understand-usage-details-fields";
  format.spell = LowerCase;
  format.needs = {"metercategory", "chargetype", "date"};
  format.rules = {
      Copy("BillingCurrency", "billingcurrency", "billingcurrencycode"),
      Copy("BillingAccountId", "billingaccountid", "billingprofileid"),
      Copy("BillingAccountName", "billingaccountname", "billingprofilename"),
      Copy("SubAccountId", "subscriptionid", "subscriptionguid"),
      Copy("SubAccountName", "subscriptionname"),
      Copy("InvoiceId", "invoiceid"),
      Copy("ChargeDescription", "productname", "product", "metername"),
      Copy("ConsumedQuantity", "quantity"),
      Copy("ConsumedUnit", "unitofmeasure"),
      Copy("PricingQuantity", "quantity"),
      Copy("PricingUnit", "unitofmeasure"),
      Copy("PricingCurrency", "pricingcurrency", "pricingcurrencycode"),
      Copy("ListUnitPrice", "paygprice"),
      Copy("ContractedUnitPrice", "unitprice"),
      Copy("ResourceId", "resourceid", "instanceid"),
      Copy("ResourceName", "resourcename"),
      Copy("ResourceType", "consumedservice"),
      Copy("RegionId", "resourcelocationnormalized", "resourcelocation", "location"),
      Copy("RegionName", "resourcelocation", "location", "meterregion"),
      Copy("AvailabilityZone", "availabilityzone"),
      Copy("ServiceName", "metercategory"),
      Copy("SkuId", "productid", "meterid"),
      Copy("SkuPriceId", "partnumber", "productid"),
      Copy("SkuMeter", "metername"),
      Copy("Tags", "tags"),
      Copy("x_Project", "costcenter"),
      Always("HostProviderName", "Microsoft"),
      Always("InvoiceIssuerName", "Microsoft"),
  };
  format.derived = {"BilledCost",
                    "EffectiveCost",
                    "ListCost",
                    "ContractedCost",
                    "BillingPeriodStart",
                    "BillingPeriodEnd",
                    "ChargePeriodStart",
                    "ChargePeriodEnd",
                    "ChargeCategory",
                    "ChargeFrequency",
                    "PricingCategory",
                    "ServiceProviderName",
                    "ServiceCategory",
                    "ServiceSubcategory",
                    "CommitmentDiscountId",
                    "CommitmentDiscountName",
                    "CommitmentDiscountCategory",
                    "CommitmentDiscountType",
                    "CommitmentDiscountStatus"};
  return format;
}

}  // namespace

Format AzureCost() {
  Format format = Azure();
  format.name = "azure-cost";
  format.title = "Azure cost details, actual (EA and MCA)";
  format.code = ActualCode;
  format.costs = {"costinbillingcurrency|cost"};
  format.refine = Refine;
  return format;
}

Format AzureAmortised() {
  Format format = Azure();
  format.name = "azure-amortised";
  format.title = "Azure cost details, amortised (EA and MCA)";
  format.code = AmortisedCode;
  format.costs = {"costinbillingcurrency|cost"};
  format.costs_are = charge::kEffectiveCost;
  return format;
}

}  // namespace flyball::native
