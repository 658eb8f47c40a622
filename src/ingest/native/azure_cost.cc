// Azure cost details, of Enterprise Agreements and Microsoft Customer Agreements, actual and
// amortised. Names are compared without regard to case; EA and MCA differ in some.
//
// The two kinds state the same use twice. Actual: commitments are bought, their use costs nothing.
// Amortised: no purchase, the use and what lay unused carry the fee. BilledCost is the actual's,
// EffectiveCost the amortised's. Imported together, each charge is taken from the file that knows
// it: use of commitments from the amortised, everything else from the actual.
#include "base/text.h"
#include "ingest/native/formats.h"
#include "ingest/native/texts.h"

namespace flyball::native {
namespace {

std::string_view Cost(const Row& row) { return row.First({"costinbillingcurrency", "cost"}); }

// A charge of a reservation or savings plan: its purchase, its use, or what of it lay unused.
bool IsCommitted(const Row& row) {
  return EqualsIgnoreCase(row["pricingmodel"], "reservation") ||
         EqualsIgnoreCase(row["pricingmodel"], "savingsplan") ||
         ContainsNoCase(row["chargetype"], "unused");
}
// Of a commitment: what was bought, or taken back.
bool IsPurchase(const Row& row) {
  return EqualsIgnoreCase(row["chargetype"], "purchase") ||
         EqualsIgnoreCase(row["chargetype"], "refund");
}

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
    if (EqualsIgnoreCase(row["chargetype"], type.lower)) d[At("ChargeCategory")] = type.category;
  }
  const std::string_view frequency = row["frequency"];
  d[At("ChargeFrequency")] = EqualsIgnoreCase(frequency, "onetime")     ? "One-Time"
                             : EqualsIgnoreCase(frequency, "recurring") ? "Recurring"
                                                                        : "Usage-Based";
  const std::string_view model = row["pricingmodel"];
  d[At("PricingCategory")] = EqualsIgnoreCase(model, "ondemand") ? "Standard"
                             : EqualsIgnoreCase(model, "spot")   ? "Dynamic"
                             : IsCommitted(row)                  ? "Committed"
                                                                 : "";
  if (d[At("ChargeCategory")] == "Usage" && d[At("PricingCategory")].empty()) {
    d[At("PricingCategory")] = "Standard";
  }
  const bool marketplace = EqualsIgnoreCase(row["publishertype"], "marketplace");
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
  const bool spend = EqualsIgnoreCase(row["pricingmodel"], "savingsplan") ||
                     ContainsNoCase(row["chargetype"], "savingsplan");
  d[At("CommitmentDiscountCategory")] = spend ? "Spend" : "Usage";
  d[At("CommitmentDiscountType")] = spend ? "Savings Plan" : "Reservation";
  if (EqualsIgnoreCase(row["chargetype"], "refund")) {
    // As Microsoft's own FOCUS has it: a purchase taken back.
    d[At("ChargeCategory")] = "Purchase";
    d[At("ChargeClass")] = "Correction";
  }
  if (IsPurchase(row)) return;
  d[At("CommitmentDiscountStatus")] =
      ContainsNoCase(row["chargetype"], "unused") ? "Unused" : "Used";
}

// "10K", "100 Hours", "1 GB/Month": prices are for so many units, quantities count one. The power
// of ten, and the unit behind it; none where the number is another.
struct Block {
  int power = 0;
  std::string_view unit;
};
std::optional<Block> BlockOf(std::string_view measure) {
  Block block;
  size_t at = 0;
  if (measure.empty()) return block;
  if (measure[0] != '1') return std::nullopt;
  for (++at; at < measure.size() && (measure[at] == '0' || measure[at] == ','); ++at) {
    block.power += measure[at] == '0' ? 1 : 0;
  }
  if (at < measure.size() && measure[at] >= '0' && measure[at] <= '9') return std::nullopt;
  const bool alone = at + 1 >= measure.size() || measure[at + 1] == ' ';
  if (at < measure.size() && alone && (measure[at] == 'K' || measure[at] == 'M')) {
    block.power += measure[at++] == 'K' ? 3 : 6;
  }
  block.unit = measure.substr(std::min(measure.find_first_not_of(' ', at), measure.size()));
  return block;
}

// Prices are in the pricing currency, costs in the billing currency.
void FillPrices(const Row& row, Draft* draft) {
  Draft& d = *draft;
  const std::string_view pricing = row.First({"pricingcurrency", "pricingcurrencycode"});
  const bool same = pricing.empty() || pricing == d[charge::kBillingCurrency];
  const std::optional<Block> block = BlockOf(row["unitofmeasure"]);
  d[At("PricingQuantity")] = block ? Shifted(row["quantity"], -block->power) : std::string();
  if (block && !block->unit.empty()) d[charge::kConsumedUnit] = block->unit;
  if (const std::string_view list = row["paygcostinbillingcurrency"]; !list.empty()) {
    d[charge::kListCost] = list;
  } else if (same && !row["paygprice"].empty() && !d[At("PricingQuantity")].empty()) {
    d[charge::kListCost] = Times(row["paygprice"], d[At("PricingQuantity")]);
  }
  if (same) return;
  d[At("PricingCurrencyListUnitPrice")] = std::move(d[At("ListUnitPrice")]);
  d[At("PricingCurrencyContractedUnitPrice")] = std::move(d[At("ContractedUnitPrice")]);
  d[At("ListUnitPrice")].clear();
  d[At("ContractedUnitPrice")].clear();
}

// What this file and the other of a pair both state.
void NotePair(const Draft& d, std::string_view cost,
              std::map<std::pair<std::string, std::string>, RawDecimalSum>* sums) {
  if (!cost.empty())
    (*sums)[{d[charge::kBillingPeriodStart], d[charge::kBillingCurrency]}].Add(cost);
}

void FillCommon(const Row& row, Draft* draft) {
  Draft& d = *draft;
  const std::string_view month = row.First({"billingperiodstartdate", "date"});
  FillPeriod(month, InstantOf(row["date"]), DayAfter(row["date"]), &d);
  FillKinds(row, draft);
  FillServiceKind(std::string(row["metercategory"]) + " " + std::string(row["servicefamily"]) +
                      " " + std::string(row["consumedservice"]),
                  draft);
  FillPrices(row, draft);
  FillCommitment(row, draft);
  if (d[At("ChargeCategory")] != "Usage") {
    for (int column : {charge::kListCost, charge::kConsumedQuantity, charge::kConsumedUnit,
                       At("ListUnitPrice"), At("ContractedUnitPrice")}) {
      d[column].clear();
    }
  }
}

void ActualCode(const Row& row, const Context& context, std::vector<Draft>* drafts) {
  if (context.pair != nullptr && IsCommitted(row) && !IsPurchase(row) && IsZero(Cost(row))) {
    drafts->clear();  // the amortised file states it, with its cost
    return;
  }
  Draft& d = drafts->front();
  FillCommon(row, &d);
  d[charge::kBilledCost] = Cost(row);
  d[charge::kEffectiveCost] =
      IsCommitted(row) && IsPurchase(row) ? std::string_view("0") : Cost(row);
  if (!IsCommitted(row)) d[charge::kContractedCost] = Cost(row);
  if (context.pair != nullptr && !IsCommitted(row)) NotePair(d, Cost(row), &context.pair->actual);
}

void AmortisedCode(const Row& row, const Context& context, std::vector<Draft>* drafts) {
  Draft& d = drafts->front();
  FillCommon(row, &d);
  if (context.pair != nullptr && !IsCommitted(row)) {
    NotePair(d, Cost(row), &context.pair->amortised);
    drafts->clear();  // the actual file states it
    return;
  }
  d[charge::kEffectiveCost] = Cost(row);
  d[charge::kBilledCost] = IsCommitted(row) ? std::string_view("0") : Cost(row);
  if (!IsCommitted(row)) d[charge::kContractedCost] = Cost(row);
}

// Whether the file states amortised costs: the first charge of a commitment that can tell.
const Format* Refine(const Row& row) {
  if (!IsCommitted(row)) return nullptr;
  if (IsPurchase(row)) return IsZero(Cost(row)) ? nullptr : FindFormat("azure-cost");
  const bool use =
      EqualsIgnoreCase(row["chargetype"], "usage") || ContainsNoCase(row["chargetype"], "unused");
  if (!use || IsZero(Cost(row))) return nullptr;  // small use rounds to nothing in either
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
      Copy("BillingAccountId", "billingprofileid", "billingaccountid"),
      Copy("BillingAccountName", "billingprofilename", "billingaccountname"),
      Copy("SubAccountId", "subscriptionid", "subscriptionguid"),
      Copy("SubAccountName", "subscriptionname"),
      Copy("InvoiceId", "invoiceid"),
      Copy("ChargeDescription", "productname", "product", "metername"),
      Copy("ConsumedQuantity", "quantity"),
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
  format.derived = Joined(
      {kPeriodColumns,
       kServiceKindColumns,
       {"ConsumedUnit", "PricingQuantity", "PricingCurrencyListUnitPrice",
        "PricingCurrencyContractedUnitPrice", "ChargeClass", "BilledCost", "EffectiveCost",
        "ListCost", "ContractedCost", "ChargeCategory", "ChargeFrequency", "PricingCategory",
        "ServiceProviderName", "CommitmentDiscountId", "CommitmentDiscountName",
        "CommitmentDiscountCategory", "CommitmentDiscountType", "CommitmentDiscountStatus"}});
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
