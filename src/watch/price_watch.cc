#include "watch/price_watch.h"

#include <algorithm>

namespace flyball::watch {

PriceWatch::Watched& PriceWatch::At(const std::string& name) {
  const auto [found, is_new] = watched_.try_emplace(name);
  if (is_new) {
    if (watched_.size() > kPricesWatched) {
      watched_.erase(used_.back());
      used_.pop_back();
    }
    used_.push_front(name);
    found->second.used = used_.begin();
  } else {
    used_.splice(used_.begin(), used_, found->second.used);
  }
  return found->second;
}

std::optional<PriceRise> PriceWatch::Take(const metered::Dispatch& dispatch,
                                          const metered::End& end, bool learns) {
  if (end.basis != metered::Basis::kExact) return std::nullopt;
  std::optional<PriceRise> rise;
  const std::string& model = end.model.empty() ? dispatch.model : end.model;
  for (const metered::Line& line : end.lines) {
    if (line.unit_price.units() <= 0) continue;
    const std::string meter(Info(line.meter).name);
    Watched& watched =
        At(dispatch.upstream + '\n' + model + '\n' + metered::RegionOf(dispatch, end) + '\n' +
           end.tier + '\n' + meter + '\n' + dispatch.currency);
    const bool is_known = std::ranges::find(watched.known, line.unit_price) != watched.known.end();
    if (is_known) {
      ++watched.calls;
      continue;
    }
    const Money highest =
        watched.known.empty() ? Money() : *std::ranges::max_element(watched.known);
    const bool rises = line.unit_price.units() * 100 > highest.units() * (100 + kPriceRisePercent);
    if (learns || watched.calls < kPriceCallsLeast || !rises) {
      if (watched.known.size() >= kPricesKnown) watched.known.erase(watched.known.begin());
      watched.known.push_back(line.unit_price);
      ++watched.calls;
      continue;
    }
    if (line.unit_price != watched.rising) {
      watched.rising = line.unit_price;
      watched.rising_calls = 0;
      watched.rising_since = end.at;
      watched.beyond = 0;
    }
    const int64_t per = std::max<int64_t>(Info(line.meter).per, 1);
    watched.beyond += (line.unit_price.units() - highest.units()) * line.quantity / per;
    if (++watched.rising_calls < kPriceCallsTold) continue;
    watched.known.push_back(line.unit_price);
    if (rise && rise->beyond.units() >= watched.beyond) continue;  // of several meters the dearest
    rise = PriceRise{model,
                     dispatch.currency,
                     meter,
                     highest,
                     line.unit_price,
                     watched.rising_since,
                     Money::FromUnits(watched.beyond)};
  }
  return rise;
}

}  // namespace flyball::watch
