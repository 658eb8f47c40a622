// flyball exchange import, show.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/price_sources.h"
#include "app/table.h"
#include "base/text.h"
#include "rates/exchange_store.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

struct Imported {
  std::string file;
  rates::ExchangeStore::Added added;
};

Result<std::vector<Imported>> ImportAll(const Environment& environment, const ExchangeArgs& args) {
  rates::ExchangeStore store(environment.files, environment.home);
  std::vector<Imported> imported;
  for (const std::string& file : args.files) {
    const std::string bytes =
        FB_TRY(ReadWholeFile(environment, file, "of exchange rates", rates::kExchangeFileBytesMax));
    Result<rates::ExchangeStore::Added> added = store.Add(bytes, environment.clock.Now(), args.own);
    if (!added) {
      if (added.error().place.file.empty()) added.error().place.file = file;
      return Fail(std::move(added).error());
    }
    imported.push_back({file, *std::move(added)});
  }
  return imported;
}

Json ImportJson(const Imported& imported) {
  const rates::ExchangeFile& file = imported.added.file;
  return Json{{"file", imported.file},
              {"format", rates::FormatName(file.format)},
              {"id", imported.added.stored.id},
              {"sha256", imported.added.stored.sha256},
              {"unchanged", imported.added.unchanged},
              {"currencies", file.rates.size()},
              {"rates", file.stated},
              {"missing", file.missing},
              {"restated", imported.added.restated},
              {"first_day", FormatDate(file.first_day)},
              {"last_day", FormatDate(file.last_day)}};
}

void Show(const Environment& environment, const Json& json, const Table& table) {
  if (environment.json()) {
    Print(json.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    Print(environment, table);
  }
}

using Quote = rates::ExchangeTable::Quote;

struct Shown {
  Json json;
  Table table{{"currency", "day", "per EUR", "first day", "last day", "source"}, {}};
};

// The days of one currency, newest first.
Result<Shown> ShowDays(const rates::ExchangeTable& table, const ExchangeArgs& args,
                       std::optional<Instant> at) {
  std::vector<Quote> quotes;
  if (at) {
    quotes.push_back(FB_TRY(table.Find(args.currency, FloorDay(*at))));
  } else {
    const std::span<const Quote> all = table.All(args.currency);
    if (all.empty()) {
      return Fail(Code::kNotFound, fmt::format("no rates of '{}' were imported", args.currency),
                  "`flyball exchange show` lists the currencies that have some");
    }
    quotes.assign(all.rbegin(), all.rend());
    quotes.resize(std::min(quotes.size(), static_cast<size_t>(args.limit)));
  }
  Shown shown;
  Json list = Json::array();
  for (const Quote& quote : quotes) {
    const std::string& source = table.sources()[quote.source];
    const std::string day = FormatDate(quote.rate.day), rate = quote.rate.per_euro.ToString();
    list.push_back({{"day", day}, {"per_euro", rate}, {"source", source}});
    shown.table.rows.push_back({args.currency, day, rate, "", "", source});
  }
  shown.json = {{"base", rates::kEuro}, {"currency", args.currency}, {"rates", list}};
  return shown;
}

Shown ShowCurrencies(const rates::ExchangeTable& table, std::optional<Instant> at) {
  Shown shown;
  shown.json = Json::parse(rates::ExchangeJson(table, at), nullptr, false);
  for (const Json& each : shown.json["currencies"]) {
    auto& row = shown.table.rows.emplace_back();
    for (const char* key : {"currency", "day", "per_euro", "first_day", "last_day", "source"}) {
      row.push_back(each[key].get<std::string>());
    }
  }
  return shown;
}

Result<Shown> ShowRates(const Environment& environment, const ExchangeArgs& args) {
  if (args.limit < 1) return Fail(Code::kInvalidArgument, "--limit is from 1 on");
  if (!args.currency.empty() && !rates::IsCurrencyCode(args.currency)) {
    return Fail(Code::kInvalidArgument, fmt::format("'{}' is no currency", args.currency),
                "write the three letters of ISO 4217, such as USD");
  }
  std::optional<Instant> at;
  if (!args.at.empty()) at = FB_TRY(ParseUserInstant(args.at));
  rates::ExchangeStore store(environment.files, environment.home);
  const auto table = FB_TRY(store.Table());
  if (table->empty()) {
    return Fail(Code::kNotFound, "no exchange rates were imported",
                "download https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip, unpack it, "
                "and `flyball exchange import eurofxref-hist.csv`");
  }
  if (args.currency == rates::kEuro) {
    return Fail(Code::kInvalidArgument, "every rate is to one euro", "name another currency");
  }
  return args.currency.empty() ? ShowCurrencies(*table, at) : ShowDays(*table, args, at);
}

}  // namespace

int RunExchangeImport(const Environment& environment, const ExchangeArgs& args) {
  const Result<std::vector<Imported>> imported = ImportAll(environment, args);
  if (!imported) return Report(environment, imported.error());
  Json json{{"imports", Json::array()}};
  Table table{{"file", "currencies", "rates", "first day", "last day", "restated", "kept as"}, {}};
  for (const Imported& one : *imported) {
    json["imports"].push_back(ImportJson(one));
    const rates::ExchangeFile& file = one.added.file;
    table.rows.push_back(
        {one.file, std::to_string(file.rates.size()), std::to_string(file.stated),
         FormatDate(file.first_day), FormatDate(file.last_day),
         one.added.restated == 0 ? "" : std::to_string(one.added.restated),
         one.added.unchanged ? one.added.stored.id + ": unchanged" : one.added.stored.id});
  }
  Show(environment, json, DropEmptyColumns(table));
  return kExitDone;
}

int RunExchangeShow(const Environment& environment, const ExchangeArgs& args) {
  const Result<Shown> shown = ShowRates(environment, args);
  if (!shown) return Report(environment, shown.error());
  Show(environment, shown->json, DropEmptyColumns(shown->table));
  return kExitDone;
}

}  // namespace flyball::app
