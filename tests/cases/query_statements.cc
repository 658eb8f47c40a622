// Statements that ask: query and rows.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "ledger/report_in.h"
#include "ledger/slice_writer.h"
#include "rates/exchange_store.h"
#include "world.h"

namespace flyball::cases {
namespace {

struct Question {
  ledger::CostQuery query;
  std::vector<std::string> columns;  // of `rows`
  int64_t offset = 0, limit = 100;
};

std::vector<std::string> SplitList(const std::string& text) {
  std::vector<std::string> items;
  for (std::string_view item : SplitText(text, ',')) items.emplace_back(Trim(item));
  return items;
}

Status ReadOption(const World& world, const std::string& option, const std::string& value,
                  Question* question) {
  ledger::CostQuery& query = question->query;
  if (option == "--measures") {
    query.measures = SplitList(value);
  } else if (option == "--by") {
    query.by = SplitList(value);
  } else if (option == "--grain") {
    query.grain = FB_TRY(ledger::ParseGrain(value));
  } else if (option == "--from") {
    query.from = FB_TRY(ParseUserInstant(value));
  } else if (option == "--to") {
    query.to = FB_TRY(ParseUserInstant(value));
  } else if (option == "--where") {
    query.where = FB_TRY(ledger::ParseWhere(value));
  } else if (option == "--top") {
    query.top = atoi(value.c_str());
  } else if (option == "--basis") {
    query.basis = value;
  } else if (option == "--as-of") {
    query.as_of = world.CommitOf(value);
  } else if (option == "--in") {
    query.currency = value;
  } else if (option == "--columns") {
    question->columns = SplitList(value);
  } else if (option == "--limit") {
    question->limit = atoi(value.c_str());
  } else if (option == "--offset") {
    question->offset = atoi(value.c_str());
  } else {
    return Fail(Code::kInvalidArgument, "there is no option " + option);
  }
  return {};
}

// A query statement may also be the JSON document, in one pair of quotes: query
// '{"measures":["billed_cost"]}'.
Result<Question> ReadQuestion(const World& world, const Statement& statement) {
  Question question;
  if (statement.args.size() == 1 && statement.args.front().starts_with('{')) {
    question.query = FB_TRY(ledger::ParseQueryJson(statement.args.front()));
    return question;
  }
  question.query.measures = {"billed_cost"};
  if (statement.args.size() % 2 != 0) {
    return Fail(Code::kInvalidArgument, "options come in pairs: --by provider");
  }
  for (size_t i = 0; i < statement.args.size(); i += 2) {
    FB_CHECK(ReadOption(world, statement.args[i], statement.args[i + 1], &question));
  }
  return question;
}

Status CheckTotals(const ledger::QueryAnswer& answer) {
  std::map<std::string, std::vector<int128>> sums;
  for (const ledger::AnswerRow& row : answer.rows) {
    std::vector<int128>& sum = sums[row.currency];
    sum.resize(answer.measures.size());
    for (size_t m = 0; m < row.measures.size(); ++m) sum[m] += row.measures[m];
  }
  if (sums != answer.totals)
    return Fail(Code::kInternal, "the totals are not the sums of the rows");
  return {};
}

// Every level of the ledger gives the same answer.
Status CheckLevels(ledger::Ledger& ledger, const ledger::CostQuery& query,
                   ledger::QueryAnswer answer) {
  for (ledger::ReadFrom level : {ledger::ReadFrom::kRollup, ledger::ReadFrom::kRows}) {
    ledger::QueryAnswer other = FB_TRY(ledger.Query(query, level));
    answer.read_from = other.read_from;
    if (ledger::AnswerJson(answer) != ledger::AnswerJson(other)) {
      return Fail(Code::kInternal, "read from " + other.read_from +
                                       " the answer is another one: " + ledger::AnswerJson(other));
    }
  }
  return {};
}

// Every answer is checked against the charges behind it: as many as the measure `charges` says.
Status CheckRowsBehind(ledger::Ledger& ledger, ledger::CostQuery query) {
  query.measures = {"charges"};
  query.by.clear();
  query.grain = ledger::Grain::kNone;
  query.top = 0;
  ledger::QueryAnswer answer = FB_TRY(ledger.Query(query));
  int128 charges = 0;
  for (const auto& [currency, totals] : answer.totals) charges += totals[0];
  ledger::RowsPage page = FB_TRY(ledger.Rows(query, 0, 1));
  if (page.total != charges) {
    return Fail(Code::kInternal, "the answer stands for " + FormatDecimal(charges, 0) +
                                     " charges, and " + std::to_string(page.total) +
                                     " rows are found behind it");
  }
  return {};
}

// The answer as billed, read from every level.
Result<ledger::QueryAnswer> Ask(ledger::Ledger& ledger, const ledger::CostQuery& query) {
  ledger::QueryAnswer answer = FB_TRY(ledger.Query(query));
  FB_CHECK(CheckTotals(answer));
  FB_CHECK(CheckLevels(ledger, query, answer));
  FB_CHECK(CheckRowsBehind(ledger, query));
  return answer;
}

// In a reporting currency, where the grain makes no difference to the totals.
Result<ledger::QueryAnswer> AskIn(World& world, ledger::Ledger& ledger,
                                  const ledger::CostQuery& query) {
  FB_CHECK(ledger::Validate(query));
  rates::ExchangeStore store(world.files(), world.Home());
  const auto table = FB_TRY(store.Table());
  const ledger::QueryAnswer billed = FB_TRY(Ask(ledger, ledger::ReportingQuery(query)));
  ledger::QueryAnswer answer = FB_TRY(ledger::ReportIn(query, billed, *table));
  FB_CHECK(CheckTotals(answer));
  if (query.grain == ledger::Grain::kHour) return answer;
  for (const ledger::Grain grain :
       {ledger::Grain::kNone, ledger::Grain::kDay, ledger::Grain::kWeek, ledger::Grain::kMonth}) {
    ledger::CostQuery other = query;
    other.grain = grain;
    if (FB_TRY(ledger::ReportIn(other, billed, *table)).totals != answer.totals) {
      return Fail(Code::kInternal,
                  fmt::format("by {} the totals are others", ledger::GrainName(grain)));
    }
  }
  return answer;
}

void AddConversion(const ledger::Conversion& conversion, Outcome* outcome) {
  for (const auto& [currency, sums] : conversion.billed) {
    std::vector<std::string> cells;
    for (const int128 sum : sums) cells.push_back(FormatDecimal(sum, Money::scale()));
    outcome->facts.push_back({fmt::format("billed {} {}", currency, JoinCells(cells))});
  }
  for (const ledger::UsedRate& rate : conversion.rates) {
    outcome->facts.push_back({fmt::format("rates {} {} to {} of {} to {}", rate.billed,
                                          rate.lowest.ToString(), rate.highest.ToString(),
                                          FormatDate(rate.rates_from), FormatDate(rate.rates_to))});
    outcome->facts.push_back(
        {fmt::format("carried {} {} of {}", rate.billed, rate.days_carried, rate.days)});
  }
}

}  // namespace

Result<Outcome> RunQuery(World& world, const Statement& statement) {
  Question question = FB_TRY(ReadQuestion(world, statement));
  ledger::Ledger* ledger = FB_TRY(world.Ledger());
  const ledger::QueryAnswer answer =
      FB_TRY(question.query.currency.empty() ? Ask(*ledger, question.query)
                                             : AskIn(world, *ledger, question.query));
  if (answer.query_hash != ledger::QueryHash(question.query)) {
    return Fail(Code::kInternal, "the answer carries the hash of another query");
  }

  Outcome outcome;
  std::string columns;
  for (const std::string& column : answer.columns)
    columns += (columns.empty() ? "" : ", ") + column;
  outcome.facts = {{"read_from " + answer.read_from}, {"columns " + columns}};
  if (answer.conversion) AddConversion(*answer.conversion, &outcome);
  bool has_currency =
      std::find(answer.columns.begin(), answer.columns.end(), "currency") != answer.columns.end();
  for (const ledger::AnswerRow& row : answer.rows) {
    std::vector<std::string> cells = row.dimensions;
    if (answer.totals.size() > 1 && !has_currency) cells.push_back(row.currency);
    for (size_t m = 0; m < row.measures.size(); ++m) {
      cells.push_back(FormatDecimal(row.measures[m], ledger::MeasureScale(answer.measures[m])));
    }
    outcome.rows.push_back(JoinCells(cells));
  }
  for (const auto& [currency, totals] : answer.totals) {
    std::vector<std::string> cells;
    for (size_t m = 0; m < totals.size(); ++m) {
      cells.push_back(FormatDecimal(totals[m], ledger::MeasureScale(answer.measures[m])));
    }
    outcome.facts.push_back({"total " + currency + " " + JoinCells(cells)});
  }
  return outcome;
}

Result<Outcome> ShowRows(World& world, const Statement& statement) {
  Question question = FB_TRY(ReadQuestion(world, statement));
  ledger::Ledger* ledger = FB_TRY(world.Ledger());
  ledger::RowsPage page = FB_TRY(ledger->Rows(question.query, question.offset, question.limit));
  Outcome outcome;
  outcome.facts = {{"total " + std::to_string(page.total)}};
  std::vector<size_t> shown;
  for (const std::string& column : question.columns) {
    auto found = std::find(page.columns.begin(), page.columns.end(), column);
    if (found == page.columns.end())
      return Fail(Code::kNotFound, "the rows have no column " + column);
    shown.push_back(static_cast<size_t>(found - page.columns.begin()));
  }
  for (const auto& row : page.rows) {
    std::vector<std::string> cells;
    for (size_t column : shown) cells.push_back(row[column].value_or("(null)"));
    outcome.rows.push_back(JoinCells(cells));
  }
  return outcome;
}

// export NAME [--focus 1.3] [--x-columns yes] [--where W]...: a file to check and import again; its
// end says in which format.
Result<Outcome> RunExport(World& world, const Statement& statement) {
  ledger::ExportRequest request;
  Question question;
  question.query.measures = {"effective_cost"};
  if (statement.args.size() % 2 != 1) {
    return Fail(Code::kInvalidArgument, "a file and options in pairs are expected");
  }
  const std::string& name = statement.args.front();
  if (name.ends_with(".parquet")) request.format = ledger::ExportFormat::kParquet;
  for (size_t i = 1; i < statement.args.size(); i += 2) {
    const std::string& option = statement.args[i];
    const std::string& value = statement.args[i + 1];
    if (option == "--focus") {
      request.version = FB_TRY(ledger::ParseExportVersion(value));
    } else if (option == "--x-columns") {
      request.x_columns = value == "yes";
    } else {
      FB_CHECK(ReadOption(world, option, value, &question));
    }
  }
  request.query = question.query;
  ledger::Ledger* ledger = FB_TRY(world.Ledger());
  const std::string staging = FB_TRY(ledger::MakeStagingDir(world.files(), world.Home()));
  request.path = os::JoinPath(staging, ledger::kExportFile);
  const ledger::Exported exported = FB_TRY(ledger->Export(request));
  FB_CHECK(world.files().Rename(request.path, world.InputPath(name)));
  FB_CHECK(world.files().RemoveTree(staging));
  Outcome outcome;
  outcome.facts = {{fmt::format("rows {}", exported.rows)}};
  for (const std::string& column : exported.columns) outcome.facts.push_back({"column " + column});
  return outcome;
}

}  // namespace flyball::cases
