// flyball query, flyball rows: the same cost query, through the server when one runs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/open_ledger.h"
#include "app/remote.h"
#include "app/table.h"
#include "base/text.h"
#include "ingest/reporting.h"
#include "ledger/cost_query.h"
#include "ledger/ledger.h"

namespace flyball::app {
namespace {

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  for (std::string_view word : SplitText(text, ',')) {
    if (!Trim(word).empty()) words.emplace_back(Trim(word));
  }
  return words;
}

}  // namespace

Result<ledger::CostQuery> ParseQueryArgs(const QueryArgs& args) {
  ledger::CostQuery query;
  query.measures = Words(args.measures);
  query.by = Words(args.by);
  query.grain = FB_TRY(ledger::ParseGrain(args.grain));
  if (!args.from.empty()) query.from = FB_TRY(ParseUserInstant(args.from));
  if (!args.to.empty()) query.to = FB_TRY(ParseUserInstant(args.to));
  query.where = FB_TRY(ledger::ParseWhere(args.where));
  query.top = args.top;
  query.basis = args.basis;
  query.as_of = args.as_of;
  query.currency = args.currency;
  FB_CHECK(ledger::Validate(query));
  return query;
}

Result<std::string> AnswerQuery(const Environment& environment, const QueryArgs& args) {
  const ledger::CostQuery query = FB_TRY(ParseQueryArgs(args));
  const ledger::AnswerFormat format = FB_TRY(ledger::ParseAnswerFormat(environment.format));
  const std::optional<Remote> remote = FB_TRY(Remote::Find(environment));
  if (remote) {
    return remote->Post("/api/v1/query?format=" + environment.format, ledger::CanonicalJson(query));
  }
  const auto ledger = FB_TRY(OpenLedger(environment));
  ingest::LiveCharges live(environment.files, environment.home, environment.clock);
  rates::ExchangeStore exchange(environment.files, environment.home);
  return ingest::LiveAnswerText(FB_TRY(ingest::AnswerInCurrency(live, *ledger, exchange, query)),
                                format);
}

namespace {

nlohmann::ordered_json PageJson(const ledger::RowsPage& page) {
  nlohmann::ordered_json json;
  json["columns"] = page.columns;
  json["rows"] = nlohmann::ordered_json::array();
  for (const auto& row : page.rows) {
    auto& cells = json["rows"].emplace_back(nlohmann::ordered_json::array());
    for (const auto& cell : row) {
      cells.push_back(cell ? nlohmann::ordered_json(*cell) : nlohmann::ordered_json());
    }
  }
  json["total"] = page.total;
  json["commit"] = page.commit;
  return json;
}

}  // namespace

Result<std::string> FetchRows(const Environment& environment, const QueryArgs& args) {
  const ledger::CostQuery query = FB_TRY(ParseQueryArgs(args));
  const std::optional<Remote> remote = FB_TRY(Remote::Find(environment));
  if (remote) {
    const std::string body = fmt::format(R"({{"query":{},"offset":{},"limit":{}}})",
                                         ledger::CanonicalJson(query), args.offset, args.limit);
    return remote->Post("/api/v1/rows", body);
  }
  const auto ledger = FB_TRY(OpenLedger(environment));
  const ledger::RowsPage page = FB_TRY(ledger->Rows(query, args.offset, args.limit));
  return PageJson(page).dump();
}

int RunQuery(const Environment& environment, const QueryArgs& args) {
  const Result<std::string> answer = AnswerQuery(environment, args);
  if (!answer) return Report(environment, answer.error());
  Print(*answer);
  return kExitDone;
}

int RunRows(const Environment& environment, const QueryArgs& args) {
  if (args.offset < 0 || args.limit < 1 || args.limit > 10'000) {
    return Report(
        environment,
        Error{Code::kInvalidArgument, "--offset is from 0 on, --limit from 1 to 10000", "", {}});
  }
  const Result<std::string> answer = FetchRows(environment, args);
  if (!answer) return Report(environment, answer.error());
  if (environment.json()) {
    Print(*answer);
    return kExitDone;
  }
  const auto page = nlohmann::ordered_json::parse(*answer, nullptr, false);
  Table table;
  table.header = page["columns"].get<std::vector<std::string>>();
  for (const auto& row : page["rows"]) {
    auto& cells = table.rows.emplace_back();
    for (const auto& cell : row) cells.push_back(cell.is_null() ? "" : cell.get<std::string>());
  }
  Print(environment.format == "csv" ? CsvText(table) : TableText(DropEmptyColumns(table)));
  Say(fmt::format("{} of {} charges", table.rows.size(), page["total"].get<int64_t>()));
  return kExitDone;
}

}  // namespace flyball::app
