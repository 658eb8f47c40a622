// Answers in a reporting currency, made of answers in the billing currencies.
//
// A charge is converted at the rate of the UTC day on which its charge period begins, whatever
// grain the question has: the ledger is asked for days (or hours), each sum of a day, group and
// billing currency is converted at that day's rate and rounded once, half to even, to 1e-12, and
// the results are added up. So the sums of days, weeks and months over the same groups agree to the
// last digit, and those of hours or of other groups to half of 1e-12 a converted sum. Sums of zero
// need no rate, nor do those in the reporting currency, which are taken as they are. What was
// billed is never changed: it stands beside.
#pragma once

#include "base/result.h"
#include "ledger/cost_query.h"
#include "rates/exchange.h"

namespace flyball::ledger {

// What is asked of the ledger for a query with a currency: all groups of all days.
CostQuery ReportingQuery(const CostQuery& query);
// The answer to `query` from the answer to ReportingQuery(query). FAILED_PRECONDITION: a rate is
// missing, see rates::ExchangeTable::Find. OUT_OF_RANGE: a sum leaves 38 digits.
Result<QueryAnswer> ReportIn(const CostQuery& query, const QueryAnswer& billed,
                             const rates::ExchangeTable& table);

}  // namespace flyball::ledger
