// Ladder: from what an invoice asks to what the ledger has of its month, step by step. The steps of
// a ladder add up to the difference, to the last digit; each names where it is and why.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "reconcile/invoice.h"

namespace flyball::reconcile {

// Charges of one billing period that agree in all of these.
struct LedgerSum {
  std::string issuer, invoice, currency, account, category, service;
  std::string provider;  // another name under which an invoice may call its issuer
  std::string period;    // of a neighbour: its billing period
  // The closed month that these charges correct (ledger/correction.h); empty: they correct none.
  std::string correction;
  Money billed;
  Money estimate;  // what of it is marked as an estimate
  int64_t charges = 0;
};

enum class StepReason : uint8_t {
  kRounding,     // within half of the currency's last digit for each line, of 100 at most
  kTax,          // taxes of which one side knows more
  kCredit,       // credits, likewise
  kTiming,       // the ledger bills these charges of the month in a neighbouring period
  kNotInvoiced,  // in the ledger and not on the invoice
  kMissing,      // on the invoice and not in the ledger
  kQuarantined,  // what the import could not read
  kCorrection,   // booked here of a month that was closed, or of this month in a later one
  kEstimate,     // no more than those charges there that are estimates still
  kUnexplained,
};
std::string_view StepReasonName(StepReason reason);  // "rounding", "not invoiced", ...

struct Step {
  StepReason reason{};
  Money amount;                            // ledger - invoiced
  Money invoiced, ledger;                  // what each side has there
  Money estimate;                          // of an estimate: what is one there, whatever its sign
  std::string account, category, service;  // where; empty: not told
  std::string line;                        // of the invoice, that it is by itself; empty: none
  // Of timing: where the ledger has it. Of a correction: the month that it corrects, or where it is
  // booked, when that is what the ledger lacks.
  std::string other_period;
  std::string text;  // for people, of all this
};

struct Ladder {
  std::string issuer, invoice, currency;  // invoice: of several "A + B"; empty: all of the issuer
  Money invoiced, ledger;
  Money estimate;     // what of the ledger's sum is an estimate
  Money corrections;  // what of it corrects months that were closed
  std::vector<Step> steps;
  Money difference() const { return Money::FromUnits(ledger.units() - invoiced.units()); }
};

struct LadderInput {
  std::string month;  // "2026-10", the period
  std::span<const InvoiceLine> lines;
  std::span<const LedgerSum> sums;  // of the period
  // Charges for this month that are billed in the period before or after.
  std::span<const LedgerSum> neighbours;
  // BilledCost in quarantine of the imports whose charges the sums are, by currency.
  std::vector<std::pair<std::string, Money>> quarantined;
};
struct Ladders {
  std::vector<Ladder> invoices;         // by issuer, invoice and currency
  std::vector<Ladder> without_invoice;  // what the ledger has of issuers that no line is of
};
// Issuers are compared without regard to case; a name that is no issuer of the ledger may be that
// of the provider of one. An invoice id that the ledger does not know stands for all charges of its
// issuer that have no invoice's id.
Result<Ladders> MakeLadders(const LadderInput& input);

}  // namespace flyball::reconcile
