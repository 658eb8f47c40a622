#include "reconcile/remedy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "rates/rate.h"

namespace flyball::reconcile {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kMillionDigits = 6;

// A price of the book as a call met it.
struct Found {
  rates::PriceHit hit;
  rates::UnitPrice price;
  rates::ServiceTier tier{};
  std::string region;
  int64_t input_tokens = 0;
};
const std::string& ModelOf(const CallFact& call) {
  return call.end.model.empty() ? call.dispatch.model : call.end.model;
}
// As the call would meet it at another time.
std::optional<Found> FindAt(Instant at, const std::string& vendor, Bucket meter,
                            const CallFact& call, const rates::PriceBook& book) {
  Found found;
  found.region = metered::RegionOf(call.dispatch, call.end);
  const Result<rates::PriceHit> hit = book.Find({vendor, ModelOf(call), at, found.region});
  const Result<rates::ServiceTier> tier =
      call.end.tier.empty() ? rates::ServiceTier::kStandard : rates::ParseTier(call.end.tier);
  if (!hit || !tier) return std::nullopt;
  found.hit = *hit;
  found.tier = *tier;
  Usage usage;
  for (const metered::Line& line : call.end.lines) {
    if (!usage.Add(line.meter, line.quantity)) return std::nullopt;
  }
  found.input_tokens = usage.InputTokens();
  const Result<rates::UnitPrice> price =
      rates::FindUnitPrice(*hit, found.tier, found.input_tokens, meter);
  if (!price) return std::nullopt;
  found.price = *price;
  return found;
}
std::optional<Found> Find(const std::string& vendor, Bucket meter, const CallFact& call,
                          const rates::PriceBook& book) {
  return FindAt(call.dispatch.at, vendor, meter, call, book);
}

// "2.5 USD per million tokens"
std::string PriceText(Bucket meter, Money price, const std::string& currency) {
  const BucketInfo& info = Info(meter);
  if (!info.token) return fmt::format("{} {} per {}", price.ToString(), currency, info.price_unit);
  return fmt::format("{} {} per million tokens",
                     FormatDecimal(price.units(), Money::scale() - kMillionDigits), currency);
}

std::string DaysText(const Fault& fault) {
  std::string text = fmt::format("on {} days from {}", fault.days, FormatDate(fault.first));
  text += fmt::format(" to {}: {} {} by the bill, {} by the book", FormatDate(fault.last),
                      fault.theirs.ToString(), fault.currency, fault.ours.ToString());
  if (!fault.stated) text += "; that the bill counts as we do is assumed, it does not say so";
  return text;
}

std::string Percent(Money factor) {
  const int128 one = Money::Parse("1")->units();
  const int128 off = factor.units() < one ? one - factor.units() : factor.units() - one;
  return fmt::format("a {} of {} %", factor.units() < one ? "discount" : "surcharge",
                     FormatDecimal(off, Money::scale() - 2));
}

FaultWords PriceWords(const Fault& fault, const rates::PriceBook& book) {
  FaultWords words;
  const std::optional<PricePlace> place = PlaceOf(fault, book);
  std::string where = "no list of the book has it any more";
  if (place) {
    where = place->list.empty() ? fmt::format("the contract {}", place->contract)
                                : fmt::format("{} of the list {}", place->source, place->list);
    if (place->checked != rates::kAlways) {
      where += fmt::format(", checked {}", FormatDate(place->checked));
    }
  }
  words.text = fmt::format(
      "{} {} {}: calls were settled at {} ({}); {} would explain the bill {}", fault.vendor,
      fault.model, fault.meter, PriceText(fault.book.meter, fault.book.price, fault.currency),
      where, PriceText(fault.book.meter, fault.price, fault.currency), DaysText(fault));
  if (!place) {
    words.remedy =
        "state the price in a file of your own (docs/PRICES.md): flyball prices import "
        "FILE";
  } else if (place->now == fault.price) {
    words.remedy = "the book has this price by now: `flyball reconcile --apply` mends these days";
  } else if (!place->contract.empty()) {
    words.remedy = fmt::format(
        "change the price in the file of the contract {} and import it anew (flyball prices import "
        "FILE), or claim the difference from the vendor",
        place->contract);
  } else if (place->by_hour) {
    words.remedy =
        "the list has other prices at some hours of the day, which a bill of days does not tell: "
        "import a newer list that has the price: flyball prices import FILE";
  } else {
    words.remedy =
        "import `price_file` of the JSON report, or a newer list that has the price: "
        "flyball prices import FILE";
  }
  return words;
}

FaultWords DiscountWords(const Fault& fault, const rates::PriceBook& book) {
  FaultWords words{fmt::format("{}: {} over all models would explain the bill {}", fault.vendor,
                               Percent(fault.factor), DaysText(fault)),
                   "if the contract says so, write `price_file` of the JSON report into a file and "
                   "import it as the contract's prices: flyball prices import FILE"};
  std::set<std::string> by_hour;
  for (const auto& [price, model, call] : fault.all) {
    if (call == nullptr) continue;
    const std::optional<Found> found = Find(fault.vendor, price.meter, *call, book);
    if (found && !found->hit.period->windows.empty()) by_hour.insert(model);
  }
  if (!by_hour.empty()) {
    words.remedy +=
        fmt::format("; without {}, whose list has other prices at some hours of the day",
                    fmt::join(by_hour, ", "));
  }
  return words;
}

}  // namespace

std::optional<PricePlace> PlaceOf(const Fault& fault, const rates::PriceBook& book) {
  if (fault.kind != FaultKind::kPrice || fault.call == nullptr) return std::nullopt;
  const std::optional<Found> found = Find(fault.vendor, fault.book.meter, *fault.call, book);
  if (!found) return std::nullopt;
  PricePlace place;
  const rates::PriceHit& hit = found->hit;
  place.contract = hit.contract != nullptr ? hit.contract->contract : hit.period->contract;
  if (found->price.reason != rates::PriceReason::kContract) {
    place.list = hit.layer->name;
    place.source = hit.source().name;
    place.url = hit.source().url;
    place.checked = hit.source().checked;
  }
  place.tier = rates::TierName(found->tier);
  place.region = found->region;
  place.by_hour = !hit.period->windows.empty();
  place.now = found->price.price;
  return place;
}

FaultWords WordsOf(const Fault& fault, const rates::PriceBook& book) {
  const std::string meter = fault.meter.empty() ? "of all meters" : fault.meter;
  switch (fault.kind) {
    case FaultKind::kPrice:
      return PriceWords(fault, book);
    case FaultKind::kQuantity:
      return {
          fmt::format("{} {} {}: we count {} where the bill counts {}, in the same ratio on "
                      "each day and at the same price, {}",
                      fault.vendor, fault.model, meter, FormatDecimal(fault.our_count, 0),
                      FormatDecimal(fault.their_count, 0), DaysText(fault)),
          "compare the usage of one answer with the bill (flyball reconcile --rows), and report "
          "the meter; `flyball reconcile --apply` mends these days"};
    case FaultKind::kDiscount:
      return DiscountWords(fault, book);
    case FaultKind::kUndetermined:
      break;
  }
  std::string text = fmt::format(
      "{} {} {}: not determined which price would explain the bill, its days have too few "
      "different mixes of meters, {}",
      fault.vendor, fault.model, meter, DaysText(fault));
  if (!fault.factor.is_zero()) {
    text += fmt::format("; {} on all of them would", Percent(fault.factor));
  }
  return {text, "compare with a bill that tells meters apart, or that is about more days"};
}

namespace {

// One price of the file: in force during [from, to).
struct Mended {
  Instant from{rates::kAlways}, to{rates::kForever};
  rates::ServiceTier tier{};
  int64_t above = 0;
  bool inclusive = false;
  Bucket meter{};
  Money price;
  bool said_again = false;  // the list's own; what a fault says of this size comes before it
};
struct Place {
  std::string vendor, model, region, currency;
  auto operator<=>(const Place&) const = default;
};
using ByPlace = std::map<Place, std::vector<Mended>>;

// A contract's price without a size would hold at every size: the other sizes of the list's price
// are said again.
void AddBands(const Found& found, Mended mended, std::vector<Mended>* all) {
  std::vector<Mended> bands;
  size_t reached = 0;
  for (const rates::SizeBand& band : found.hit.card->tiers[static_cast<size_t>(found.tier)]) {
    const Money* price = band.prices.Find(mended.meter);
    if (price == nullptr) continue;
    if (band.Reached(found.input_tokens)) reached = bands.size();
    Mended& each = bands.emplace_back(mended);
    each.above = band.above;
    each.inclusive = band.inclusive;
    each.price = *price;
    each.said_again = true;
  }
  if (bands.empty()) bands.push_back(mended);
  bands[reached].price = mended.price;
  bands[reached].said_again = false;
  all->insert(all->end(), bands.begin(), bands.end());
}

// Of the days [from, to), those between which no list and no contract changes its prices of the
// model: one list may answer where another has none.
std::vector<Period> Stretches(const std::string& vendor, const std::string& model, Instant from,
                              Instant to, const rates::PriceBook& book) {
  std::set<Instant> edges = {from, to}, torn;  // days of two prices are left out
  const auto add = [&](Instant edge) {
    if (edge > from && edge < to) edges.insert(edge);
  };
  for (const auto& [layer, prices] : book.All(vendor, model)) {
    for (const rates::RegionPrices& region : prices->regions) {
      for (const rates::PricePeriod& period : region.periods) {
        for (const Instant edge : {period.from, period.to}) {
          if (edge == rates::kAlways || edge == rates::kForever) continue;
          const Instant day = FloorDay(edge);
          add(day);
          if (day == edge) continue;
          add(Instant{day.us + kMicrosPerDay});
          torn.insert(day);
        }
      }
    }
  }
  std::vector<Period> stretches;
  for (auto edge = edges.begin(); std::next(edge) != edges.end(); ++edge) {
    if (!torn.contains(*edge)) stretches.push_back({*edge, *std::next(edge)});
  }
  return stretches;
}

// Where the book has the price that is at fault, and no other: what it has before and after stays,
// as do a contract's prices, and those of lists that have others at some hours of the day, which
// our own format can't say.
void AddPrice(const Fault& fault, const BookPrice& of, const CallFact* call, Money price,
              const rates::PriceBook& book, ByPlace* all) {
  if (call == nullptr) return;
  const std::optional<Found> found = Find(fault.vendor, of.meter, *call, book);
  if (!found || found->price.price == price) return;
  Mended mended;
  mended.tier = found->tier;
  mended.meter = of.meter;
  mended.price = price;
  const Instant from = fault.begins ? fault.first : rates::kAlways;
  const Instant to = fault.ends ? Instant{fault.last.us + kMicrosPerDay} : rates::kForever;
  for (const Period& days : Stretches(fault.vendor, ModelOf(*call), from, to, book)) {
    const std::optional<Found> here = FindAt(days.start, fault.vendor, of.meter, *call, book);
    if (!here || here->price.price != found->price.price) continue;
    const rates::PricePeriod& period = *here->hit.period;
    if (here->hit.contract != nullptr || !period.contract.empty() || !period.windows.empty() ||
        period.currency != fault.currency) {
      continue;
    }
    mended.from = days.start;
    mended.to = days.end;
    AddBands(*here, mended, &(*all)[{fault.vendor, fault.model, found->region, fault.currency}]);
  }
}

// In our own format a card's dates hold for all of its prices: each stretch between the days on
// which anything changes says all that is in force in it.
Json Rows(std::vector<Mended> all) {
  std::ranges::partition(all, &Mended::said_again);
  std::set<Instant> edges = {rates::kAlways, rates::kForever};
  for (const Mended& each : all) edges.insert({each.from, each.to});
  Json rows = Json::array();
  for (auto edge = edges.begin(); std::next(edge) != edges.end(); ++edge) {
    const Instant from = *edge, to = *std::next(edge);
    std::map<std::tuple<rates::ServiceTier, int64_t, bool>, Json> cards;
    for (const Mended& each : all) {
      if (each.from > from || each.to < to) continue;
      Json& row = cards[{each.tier, each.above, each.inclusive}];
      if (row.is_null()) {
        row = Json::object();
        if (from != rates::kAlways) row["from"] = FormatDate(from);
        if (to != rates::kForever) row["to"] = FormatDate(to);
        row["tier"] = rates::TierName(each.tier);
        if (each.above > 0) row["above"] = each.above;
        if (each.inclusive) row["inclusive"] = true;
      }
      const BucketInfo& info = Info(each.meter);
      const int scale = Money::scale() - (info.token ? static_cast<int>(kMillionDigits) : 0);
      row[info.token ? "per_million" : "per_unit"][std::string(info.name)] =
          FormatDecimal(each.price.units(), scale);
    }
    for (auto& [key, row] : cards) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

std::string PriceFileOf(std::span<const Fault> faults, const rates::PriceBook& book,
                        Instant today) {
  ByPlace places;
  for (const Fault& fault : faults) {
    if (fault.kind == FaultKind::kPrice) {
      AddPrice(fault, fault.book, fault.call, fault.price, book, &places);
    }
    if (fault.kind != FaultKind::kDiscount) continue;
    for (const auto& [price, model, call] : fault.all) {
      const Result<Money> mended =
          Multiply(price.price, Quantity::FromUnits(fault.factor.units() * 1000));
      Fault of_model = fault;
      of_model.model = model;
      if (mended) AddPrice(of_model, price, call, *mended, book, &places);
    }
  }
  if (places.empty()) return {};
  const std::string source = "vendors' bills";
  Json file{{"flyball_prices", 1},
            {"contract", "by the bills until " + FormatDate(today)},
            {"sources", {{{"name", source}, {"checked", FormatDate(today)}}}},
            {"models", Json::array()}};
  for (auto& [place, prices] : places) {
    Json model{{"provider", place.vendor},
               {"model", place.model},
               {"source", source},
               {"currency", place.currency}};
    if (!place.region.empty()) model["region"] = place.region;
    model["prices"] = Rows(std::move(prices));
    file["models"].push_back(std::move(model));
  }
  return file.dump();
}

}  // namespace flyball::reconcile
