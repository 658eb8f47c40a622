#include "ingest/defects.h"

#include "base/assert.h"

namespace flyball::ingest {
namespace {

constexpr std::array<DefectInfo, kRepairCount> kRepairs = {{
    {"null_text", "A null was written as the text NULL, null, None, N/A or \\N."},
    {"empty_string_null", "A null was written as an empty text in quotes."},
    {"date_format",
     "A date was not written as YYYY-MM-DDTHH:MM:SSZ; a date without a zone is UTC."},
    {"us_date", "A date was written month first (9/18/24)."},
    {"allowed_value_case", "A value of a closed list was written in another case (Usage-based)."},
    {"blank_space", "Blanks stood around a number, a date or a value of a closed list."},
    {"plus_sign", "A number was written with a plus sign."},
    {"thousands_separator", "A number was written with commas between thousands."},
    {"currency_symbol", "A number was written with a currency symbol."},
    {"accounting_negative", "A negative number was written in parentheses."},
    {"currency_case", "The currency was not written in capitals."},
    {"cost_rounded",
     "A cost had digits beyond the twelfth; it was rounded half to even, the rest is the residue."},
    {"quantity_rounded",
     "A quantity or unit price had digits beyond the fifteenth; it was rounded half to even."},
    {"invalid_utf8", "A text was not UTF-8; the wrong bytes became U+FFFD."},
    {"missing_contracted_cost",
     "ContractedCost was missing: derived as ContractedUnitPrice x PricingQuantity, else assumed "
     "equal to ListCost (no negotiated discount is known), else to BilledCost."},
    {"missing_effective_cost",
     "EffectiveCost was missing: assumed 0 for the purchase of a commitment, else BilledCost."},
    {"missing_list_cost",
     "ListCost was missing: derived as ListUnitPrice x PricingQuantity, else assumed equal to "
     "ContractedCost, else to BilledCost."},
    {"missing_billing_period_start",
     "BillingPeriodStart was missing: derived as the month of ChargePeriodStart."},
    {"missing_billing_period_end",
     "BillingPeriodEnd was missing: assumed one month after BillingPeriodStart."},
    {"tags_normalised", "Tags were not one flat JSON object of texts; they were brought into it."},
    {"tags_unparsed", "Tags could not be read; they are kept whole under the key x_unparsed."},
    {"trailing_delimiter", "A row ended in empty fields beyond those of the header."},
    {"column_name_case", "A column was not written in the case of FOCUS.", true},
    {"column_without_x_prefix",
     "A column is not known to FOCUS and lacked the x_ prefix; it was given it.", true},
    {"reserved_column",
     "A column has a name that the ledger fills itself; it is kept as x_Input<name>.", true},
    {"empty_line", "A line was empty; it is no row.", true},
}};

constexpr std::array<DefectInfo, kFindingCount> kFindings = {{
    {"list_cost_product_mismatch",
     "ListUnitPrice x PricingQuantity differs from ListCost by more than a millionth."},
    {"contracted_cost_product_mismatch",
     "ContractedUnitPrice x PricingQuantity differs from ContractedCost by more than a millionth."},
    {"effective_cost_above_list_cost", "EffectiveCost is higher than ListCost."},
    {"contracted_cost_zero_with_list_cost",
     "ContractedCost is 0 although ListCost is not: savings computed from it mean nothing."},
    {"unknown_allowed_value", "A value is not on the closed list that FOCUS gives for its column."},
}};

constexpr std::array<DefectInfo, static_cast<size_t>(Fault::kCount)> kFaults = {{
    {"none", ""},
    {"ragged_row", "The row has not as many fields as the header."},
    {"unclosed_quote", "A quote that opens in the row is never closed."},
    {"not_json", "The line is no JSON object."},
    {"no_billed_cost", "The row has no BilledCost."},
    {"bad_number", "A number of the row cannot be read."},
    {"out_of_range", "A number of the row is larger than 38 digits hold."},
    {"too_fine", "BilledCost has digits too far behind the point to be summed."},
    {"no_currency", "The row has no BillingCurrency."},
    {"bad_currency", "BillingCurrency is no code of three letters."},
    {"no_charge_period", "The row has no ChargePeriodStart."},
    {"bad_date", "A date of the row cannot be read."},
}};
static_assert(!kRepairs.back().name.empty() && !kFindings.back().name.empty() &&
              !kFaults.back().name.empty());

}  // namespace

const DefectInfo& Info(Repair repair) { return kRepairs[static_cast<size_t>(repair)]; }
const DefectInfo& Info(Finding finding) { return kFindings[static_cast<size_t>(finding)]; }
const DefectInfo& Info(Fault fault) { return kFaults[static_cast<size_t>(fault)]; }

}  // namespace flyball::ingest
