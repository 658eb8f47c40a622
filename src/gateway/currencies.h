// Currencies: budgets may be in another one than the prices of calls. Which exchange rates that
// takes is asked when a budget is configured, so that a rate that is missing is told once and does
// not refuse each call.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "estate/estate.h"
#include "guard/guard.h"
#include "model/budget.h"
#include "rates/price_book.h"

namespace flyball::gateway {

struct Currencies {
  std::vector<std::string> of_prices;  // what calls may cost in
  std::vector<estate::ExchangeRate> rates;
};

// The currencies of what the book knows of the models that the upstreams serve, from `now` on.
std::vector<std::string> PriceCurrencies(const rates::PriceBook& book,
                                         const std::vector<estate::Upstream>& upstreams,
                                         Instant now);
// FAILED_PRECONDITION names the rate that is missing, and where it is stated.
Status CheckCurrency(const budget::Budget& budget, const Currencies& currencies);
// These rates and no others, for holds taken from now on.
Status ApplyRates(const std::vector<estate::ExchangeRate>& rates, guard::Guard& guard);

}  // namespace flyball::gateway
