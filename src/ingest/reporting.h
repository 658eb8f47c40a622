// The whole way of a cost query: the ledger, the gateway's live charges, and the reporting currency
// where one is asked for.
#pragma once

#include "base/result.h"
#include "ingest/live_charges.h"
#include "ledger/cost_query.h"
#include "ledger/ledger.h"
#include "rates/exchange_store.h"

namespace flyball::ingest {

// Errors are those of the ledger and of ledger::ReportIn.
Result<LiveCharges::Answer> AnswerInCurrency(LiveCharges& live, ledger::Ledger& ledger,
                                             rates::ExchangeStore& exchange,
                                             const ledger::CostQuery& query);

}  // namespace flyball::ingest
