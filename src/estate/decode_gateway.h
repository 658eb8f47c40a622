// The estate's `gateway`, `budgets` and `exchange_rates`: where LLM calls go, and how much they may
// cost.
#pragma once

#include <vector>

#include "base/result.h"
#include "estate/decode_util.h"
#include "estate/estate.h"

namespace flyball::estate {

Result<Gateway> DecodeGateway(At map);
// Budgets without a name get that of their scope and window. `currency` is the estate's.
Result<std::vector<budget::Budget>> DecodeBudgets(At list, const std::string& currency);
Result<std::vector<ExchangeRate>> DecodeExchangeRates(At list);

}  // namespace flyball::estate
