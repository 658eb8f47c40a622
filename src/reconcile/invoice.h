// Invoice: what a vendor asks to be paid for a month, line by line or as a total that somebody
// typed.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"

namespace flyball::reconcile {

// What is empty is not stated: a line may be about an account or a service, or about neither.
struct InvoiceLine {
  std::string place;  // "line 7 of october.csv", "as typed"
  std::string issuer, invoice, currency;
  std::string account, category, service;
  std::string description;
  Money amount;
  bool operator==(const InvoiceLine&) const = default;
};

// FOCUS's InvoiceDetail (1.4): BilledCost, BillingCurrency, InvoiceId, InvoiceIssuerName are
// needed; lines of other billing periods, and of invoices that were voided or cancelled, are left
// out. InvoiceDetailGrain, a JSON object, may say the ServiceName of a line. INVALID_ARGUMENT names
// the column or line, or says that it is a Cost and Usage file.
using Cells = std::vector<std::optional<std::string>>;
Result<std::vector<InvoiceLine>> ReadInvoiceDetail(std::span<const std::string> columns,
                                                   std::span<const Cells> rows,
                                                   const std::string& name, Instant period);

// "AWS=1234.56 USD", or of one invoice "AWS/INV-1=1234.56 USD". INVALID_ARGUMENT else.
Result<InvoiceLine> ParseInvoiceTotal(std::string_view text);
// "AWS=none": whose lines are to be forgotten.
std::optional<std::string> ParseForgotten(std::string_view text);

}  // namespace flyball::reconcile
