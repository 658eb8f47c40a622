// Statement: what is known of a month's invoices, kept beside the ledger, so that a difference has
// an age and need not be given again.
//
//   home/invoices/<YYYY-MM>.json   lines, the vendors' word on the billing period, and since when
//   each
//                                  difference is known
#pragma once

#include <map>
#include <string>
#include <vector>

#include "os/files.h"
#include "reconcile/invoice.h"
#include "reconcile/ladder.h"

namespace flyball::reconcile {

struct Statement {
  std::vector<InvoiceLine> lines;
  std::map<std::string, std::string> status;  // by issuer: "Open", "Closed" (FOCUS BillingPeriod)
  std::map<std::string, Instant> seen;        // by StepKey: since when
};

// `month`: "2026-10". Empty where nothing is kept; DATA_LOSS when it cannot be read.
Result<Statement> ReadStatement(os::Files& files, const std::string& home,
                                const std::string& month);
// Atomic. Its caller holds the lock at StatementLock.
Status WriteStatement(os::Files& files, const std::string& home, const std::string& month,
                      const Statement& statement);
std::string StatementFolder(const std::string& home);
std::string StatementLock(const std::string& home);

// Replaces what was known of the same invoices; a line without an invoice's id, all of its issuer's
// in that currency, and the other way round.
void TakeLines(std::vector<InvoiceLine> lines, Statement* statement);
// Forgets the lines of an issuer; how many there were.
size_t ForgetLines(const std::string& issuer, Statement* statement);
// Of FOCUS's BillingPeriod; rows of other periods are left out. INVALID_ARGUMENT when none is of
// this.
Status TakeBillingPeriods(std::span<const std::string> columns, std::span<const Cells> rows,
                          const std::string& name, Instant period, Statement* statement);

// What a step is known by: its place and amount.
std::string StepKey(const Ladder& ladder, const Step& step);
// Notes new differences as seen now and forgets those that are gone.
void NoteSteps(const Ladders& ladders, Instant now, Statement* statement);

}  // namespace flyball::reconcile
