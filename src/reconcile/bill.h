// Bill: vendors' bills in the form that Match takes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rates/price_book.h"
#include "reconcile/match.h"

namespace flyball::reconcile {

// The days of a vendor's lines, from the first to the last, are what the bill covers of that
// vendor, unless the caller widens it. A calendar month without any of them ends a stretch: that
// bill is missing.
void CoverDaysOfLines(Bill* bill);

// Whether the text is a vendor's invoice in JSON, as the mock vendor tells it (docs/GATEWAY.md):
// {"requests":[{"id","model","at","usage":{"input":..}}]}.
bool IsInvoice(std::string_view text);
// It states quantities; what they cost is the price book's word at the time of each request, at the
// tier and in the region that the request states ("tier", "region"), else those of the call of ours
// that has its id. Of an answer that we don't know, the region is that of all our calls of the
// vendor, where they have one, and the tier is assumed to be standard. INVALID_ARGUMENT names the
// request that can't be read, NOT_FOUND the one that has no price.
Result<std::vector<BillLine>> ReadInvoice(std::string_view text, const std::string& name,
                                          const std::string& vendor, const rates::PriceBook& book,
                                          std::span<const CallFact> calls);

// FOCUS charges as the ledger shows them (ledger::Ledger::Rows): a header and cells. Charges of
// which we are the source ourselves, and estimates, are no bill and left out.
using Cells = std::vector<std::optional<std::string>>;
Result<std::vector<BillLine>> ReadCharges(std::span<const std::string> columns,
                                          std::span<const Cells> rows, const std::string& name,
                                          int64_t first_number);

}  // namespace flyball::reconcile
