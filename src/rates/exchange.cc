#include "rates/exchange.h"

#include <fmt/format.h>

#include <algorithm>

namespace flyball::rates {
namespace {

constexpr std::string_view kImportHint =
    "import a file that has it: `flyball exchange import eurofxref-hist.csv`, from "
    "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip";

// Rates are below 10^12 and count 1e-12, so each fits a ratio.
static_assert(Money::scale() == 12);

auto FirstAfter(std::span<const ExchangeTable::Quote> quotes, Instant day) {
  return std::upper_bound(
      quotes.begin(), quotes.end(), day,
      [](Instant wanted, const ExchangeTable::Quote& quote) { return wanted < quote.rate.day; });
}

}  // namespace

bool IsCurrencyCode(std::string_view text) {
  return text.size() == 3 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string_view FormatName(ExchangeFormat format) {
  return format == ExchangeFormat::kEcb ? "ecb" : "ecb-data";
}

void ExchangeTable::Add(std::string source, const ExchangeFile& file) {
  const auto index = static_cast<uint32_t>(sources_.size());
  sources_.push_back(std::move(source));
  for (const auto& [currency, stated] : file.rates) {
    std::vector<Quote>& have = rates_[currency];
    std::vector<Quote> merged;
    merged.reserve(have.size() + stated.size());
    auto old = have.begin();
    for (const DayRate& rate : stated) {
      while (old != have.end() && old->rate.day < rate.day) merged.push_back(*old++);
      if (old != have.end() && old->rate.day == rate.day) ++old;
      merged.push_back({rate, index});
    }
    merged.insert(merged.end(), old, have.end());
    have = std::move(merged);
  }
}

int64_t ExchangeTable::CountOtherThan(const ExchangeTable& before) const {
  int64_t others = 0;
  for (const auto& [currency, quotes] : rates_) {
    const std::span<const Quote> old = before.All(currency);
    auto at = old.begin();
    for (const Quote& quote : quotes) {
      while (at != old.end() && at->rate.day < quote.rate.day) ++at;
      if (at == old.end()) break;
      others += at->rate.day == quote.rate.day && at->rate.per_euro != quote.rate.per_euro ? 1 : 0;
    }
  }
  return others;
}

bool ExchangeTable::Uses(uint32_t source) const {
  return std::ranges::any_of(rates_, [source](const auto& of) {
    return std::ranges::find(of.second, source, &Quote::source) != of.second.end();
  });
}

std::vector<std::string> ExchangeTable::Currencies() const {
  std::vector<std::string> names;
  for (const auto& [currency, quotes] : rates_) names.push_back(currency);
  if (!names.empty()) {
    names.insert(std::upper_bound(names.begin(), names.end(), kEuro), std::string(kEuro));
  }
  return names;
}

std::span<const ExchangeTable::Quote> ExchangeTable::All(std::string_view currency) const {
  const auto found = rates_.find(currency);
  return found == rates_.end() ? std::span<const Quote>() : found->second;
}

Result<ExchangeTable::Quote> ExchangeTable::Find(std::string_view currency, Instant day) const {
  const auto fail = [&](std::string_view what, std::string_view hint) {
    return Fail(Code::kFailedPrecondition,
                fmt::format("there is no exchange rate of {} for {}: {}",
                            currency.empty() ? "charges without a currency" : currency,
                            FormatDate(day), what),
                std::string(hint));
  };
  if (rates_.empty()) return fail("none were imported", kImportHint);
  const std::span<const Quote> quotes = All(currency);
  if (quotes.empty()) {
    return fail("no imported file has this currency",
                fmt::format("leave its charges out (where currency!={}), or ask for each currency "
                            "as it was billed",
                            currency));
  }
  const auto after = FirstAfter(quotes, day);
  if (after == quotes.begin()) {
    return fail(fmt::format("the first is of {}", FormatDate(quotes.front().rate.day)),
                kImportHint);
  }
  const Quote& quote = *std::prev(after);
  if (day.us - quote.rate.day.us > kCarryDaysMax * kMicrosPerDay) {
    const bool ahead = after == quotes.end();
    return fail(fmt::format("the last before it is of {}, more than {} days back",
                            FormatDate(quote.rate.day), kCarryDaysMax),
                ahead ? fmt::format("{}; charges of days that are yet to come have none: ask for "
                                    "the days before them",
                                    kImportHint)
                      : std::string(kImportHint));
  }
  return quote;
}

Result<PairRate> ExchangeTable::Between(std::string_view from, std::string_view to,
                                        Instant day) const {
  PairRate pair;
  pair.day = day;
  if (from == to) return pair;
  // amount / (from per euro) * (to per euro)
  for (const bool is_to : {false, true}) {
    const std::string_view currency = is_to ? to : from;
    if (currency == kEuro) continue;
    const Quote quote = FB_TRY(Find(currency, day));
    (is_to ? pair.numerator : pair.denominator) = quote.rate.per_euro.units();
    pair.day = std::min(pair.day, quote.rate.day);
    if (std::ranges::find(pair.sources, quote.source) == pair.sources.end()) {
      pair.sources.push_back(quote.source);
    }
  }
  constexpr int128 kOne = 1'000'000'000'000;
  if (from == kEuro) pair.denominator = kOne;
  if (to == kEuro) pair.numerator = kOne;
  return pair;
}

std::string ExchangeJson(const ExchangeTable& table, std::optional<Instant> at) {
  std::string out = fmt::format(R"({{"base":"{}","currencies":[)", kEuro);
  bool first = true;
  for (const std::string& currency : table.Currencies()) {
    const std::span<const ExchangeTable::Quote> quotes = table.All(currency);
    if (quotes.empty()) continue;  // the euro itself
    const Result<ExchangeTable::Quote> quote =
        table.Find(currency, at ? FloorDay(*at) : quotes.back().rate.day);
    if (!quote) continue;
    // Currencies are letters, the names of sources those of our own files: nothing to escape.
    out += fmt::format(
        R"({}{{"currency":"{}","per_euro":"{}","day":"{}","first_day":"{}","last_day":"{}","source":"{}"}})",
        first ? "" : ",", currency, quote->rate.per_euro.ToString(), FormatDate(quote->rate.day),
        FormatDate(quotes.front().rate.day), FormatDate(quotes.back().rate.day),
        table.sources()[quote->source]);
    first = false;
  }
  out += R"(],"sources":[)";
  for (size_t i = 0; i < table.sources().size(); ++i) {
    out += fmt::format("{}\"{}\"", i > 0 ? "," : "", table.sources()[i]);
  }
  return out + "]}";
}

}  // namespace flyball::rates
