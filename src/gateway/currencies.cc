#include "gateway/currencies.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace flyball::gateway {
namespace {

bool Serves(const estate::Upstream& upstream, const rates::ModelPrices& model) {
  if (!upstream.provider.empty() &&
      rates::CanonicalProvider(upstream.provider) != rates::CanonicalProvider(model.provider)) {
    return false;
  }
  const auto matches = [&](const std::string& name) {
    return std::any_of(upstream.models.begin(), upstream.models.end(),
                       [&](const std::string& glob) { return GlobMatch(glob, name); });
  };
  return matches(model.model) || std::any_of(model.aliases.begin(), model.aliases.end(), matches);
}

}  // namespace

std::vector<std::string> PriceCurrencies(const rates::PriceBook& book,
                                         const std::vector<estate::Upstream>& upstreams,
                                         Instant now) {
  std::set<std::string> found;
  for (const rates::Layer& layer : book.layers()) {
    for (const rates::ModelPrices& model : layer.models) {
      const bool served =
          std::any_of(upstreams.begin(), upstreams.end(),
                      [&](const estate::Upstream& upstream) { return Serves(upstream, model); });
      if (!served) continue;
      for (const rates::RegionPrices& region : model.regions) {
        for (const rates::PricePeriod& period : region.periods) {
          if (period.to > now) found.insert(period.currency);
        }
      }
    }
  }
  if (found.empty()) found.insert("USD");  // what is free is counted in
  return {found.begin(), found.end()};
}

Status CheckCurrency(const budget::Budget& budget, const Currencies& currencies) {
  if (budget.measure != budget::Measure::kMoney) return {};
  for (const std::string& priced : currencies.of_prices) {
    const bool known = priced == budget.currency ||
                       std::any_of(currencies.rates.begin(), currencies.rates.end(),
                                   [&](const estate::ExchangeRate& rate) {
                                     return rate.from == priced && rate.to == budget.currency;
                                   });
    if (known) continue;
    return Fail(Code::kFailedPrecondition,
                fmt::format("the budget '{}' is in {}, calls are priced in {}, and there is no "
                            "exchange rate from {} to {}",
                            budget.name, budget.currency, priced, priced, budget.currency),
                fmt::format("state it in estate.yaml, as in exchange_rates: [{{ from: {}, to: {}, "
                            "rate: \"1.25\" }}]",
                            priced, budget.currency));
  }
  return {};
}

Status ApplyRates(const std::vector<estate::ExchangeRate>& rates, guard::Guard& guard) {
  guard.ClearRates();
  for (const estate::ExchangeRate& rate : rates) {
    FB_CHECK(guard.SetRate(rate.from, rate.to, rate.rate));
  }
  return {};
}

}  // namespace flyball::gateway
