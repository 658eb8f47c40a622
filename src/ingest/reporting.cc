#include "ingest/reporting.h"

#include "ledger/report_in.h"

namespace flyball::ingest {

Result<LiveCharges::Answer> AnswerInCurrency(LiveCharges& live, ledger::Ledger& ledger,
                                             rates::ExchangeStore& exchange,
                                             const ledger::CostQuery& query) {
  if (query.currency.empty()) return live.Query(ledger, query);
  FB_CHECK(ledger::Validate(query));
  const auto table = FB_TRY(exchange.Table());
  Result<LiveCharges::Answer> billed = live.Query(ledger, ledger::ReportingQuery(query));
  if (!billed) {
    Error error = billed.error();
    if (error.code == Code::kOutOfRange) {
      error.message += " when it is asked day by day, each for its exchange rate";
      error.hint = "ask for fewer dimensions or a shorter time";
    }
    return Fail(std::move(error));
  }
  return LiveCharges::Answer{FB_TRY(ledger::ReportIn(query, billed->answer, *table)),
                             billed->through};
}

}  // namespace flyball::ingest
