// Settlement: what an answer's usage costs, line by line.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "estate/estate.h"
#include "gateway/answer_meter.h"
#include "gateway/call_facts.h"
#include "gateway/dialect.h"
#include "model/metered_call.h"
#include "rates/rate.h"
#include "rates/usage_dialect.h"

namespace flyball::gateway {

struct Settlement {
  Money cost;
  std::string currency;
  int64_t tokens = 0;
  int64_t tokens_output = 0;
  std::string tier;
  std::string region;     // that the answer names
  bool declared = false;  // a price of it is the policy's, and no known one
  std::vector<metered::Line> lines;
};

// By the model that answered, or the one that was asked for where the book knows only that.
// INVALID_ARGUMENT, NOT_FOUND: the usage can't be read or priced exactly; the call counts at its
// bound.
Result<Settlement> SettlementOf(Dialect dialect, const AnswerMeter& meter, const CallFacts& facts,
                                const estate::Upstream& upstream, const rates::PriceBook& book,
                                Instant now, rates::MissingPrice missing);

// Where an answer that broke off was being served, as far as it came to say so; "" for what it did
// not: the bill of a call at its bound is priced by it.
struct ServedAt {
  std::string tier, region;
};
ServedAt ServedAtOf(Dialect dialect, const AnswerMeter& meter);

}  // namespace flyball::gateway
