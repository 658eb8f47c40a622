#include "app/invoices.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "app/commits.h"
#include "app/open_ledger.h"
#include "app/remote.h"
#include "app/table.h"
#include "base/hash.h"
#include "base/text.h"
#include "ingest/records.h"
#include "ledger/cost_query.h"
#include "ledger/ledger.h"
#include "model/dimension.h"
#include "model/focus.h"
#include "reconcile/ladder.h"
#include "reconcile/statement.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;
using reconcile::Ladder;
using reconcile::LedgerSum;
using reconcile::Statement;

struct Month {
  std::string name;  // "2026-10"
  Instant start, end;
};

Result<Month> MonthOf(const std::string& text) {
  const Instant start = FB_TRY(ParseUserInstant(text));
  if (text.size() != 7 || FloorMonth(start) != start) {
    return Fail(Code::kInvalidArgument, "--period is a month, such as 2026-10");
  }
  return Month{text, start, AddMonths(start, 1)};
}

std::string NameOf(Instant month) { return FormatDate(month).substr(0, 7); }

// The answer to a question about billing periods.
Result<Json> Ask(const Environment& environment, QueryArgs args,
                 const std::vector<std::string>& months) {
  Environment in_json = environment;
  in_json.format = "json";
  const std::vector<ledger::Filter> where = {{"billing_period", false, months}};
  args.where = ledger::FormatWhere(where);
  Json answer = Json::parse(FB_TRY(AnswerQuery(in_json, args)), nullptr, false);
  if (!answer.is_object() || !answer.contains("rows")) {
    return Fail(Code::kInternal, "the answer of the ledger cannot be read");
  }
  return answer;
}

// What is said of nothing is told from a value by the label alone.
std::string Said(const Json& row, const char* name) {
  const std::string text = row.contains(name) && row[name].is_string() ? row.value(name, "") : "";
  return text == dimension::kNone ? "" : text;
}

Result<std::vector<LedgerSum>> SumsOf(const Environment& environment, QueryArgs args,
                                      const std::vector<std::string>& months,
                                      const std::string& also_by) {
  args.measures = "billed_cost,charges";
  args.by = "invoice_issuer,invoice,billing_account,charge_category,service,confidence,currency," +
            also_by;
  args.basis = "billed";
  const Json answer = FB_TRY(Ask(environment, args, months));
  std::map<std::vector<std::string>, LedgerSum> sums;
  for (const Json& row : answer["rows"]) {
    LedgerSum sum;
    sum.issuer = Said(row, "invoice_issuer");
    sum.invoice = Said(row, "invoice");
    sum.account = Said(row, "billing_account");
    sum.category = Said(row, "charge_category");
    sum.service = Said(row, "service");
    sum.currency = Said(row, "currency");
    sum.provider = Said(row, "provider");
    sum.period = Said(row, "billing_period");
    const Money billed = FB_TRY(Money::Parse(row.value("billed_cost", "")));
    LedgerSum& all = sums.try_emplace({sum.issuer, sum.invoice, sum.account, sum.category,
                                       sum.service, sum.currency, sum.provider, sum.period},
                                      sum)
                         .first->second;
    all.billed = FB_TRY(all.billed.Plus(billed));
    if (Said(row, "confidence") == "estimate") all.estimate = FB_TRY(all.estimate.Plus(billed));
    all.charges += std::stoll(row.value("charges", "0"));
  }
  std::vector<LedgerSum> all;
  for (auto& [key, sum] : sums) all.push_back(std::move(sum));
  return all;
}

// BilledCost in quarantine, of the live imports that are about this month alone: of others it is
// not known which month it is of. `commits`: newest first.
Result<std::vector<std::pair<std::string, Money>>> QuarantinedIn(const Json& commits,
                                                                 const std::string& month) {
  std::set<std::string> closed;
  std::map<std::string, Money> amounts;
  for (const Json& commit : commits) {
    bool live = false, other = false;
    for (const Json& slice : commit.value("opens", Json::array())) {
      if (closed.contains(slice.value("id", ""))) continue;
      (slice.value("period", "") == month ? live : other) = true;
    }
    for (const Json& id : commit.value("closes", Json::array())) {
      if (id.is_string()) closed.insert(id.get<std::string>());
    }
    if (!live || other || !commit.contains("import")) continue;
    for (const auto& [currency, sums] :
         commit["import"].value("billed_cost_by_currency", Json::object()).items()) {
      const Result<Money> amount = Money::Parse(sums.value("quarantined", "0"));
      if (amount) amounts[currency] = FB_TRY(amounts[currency].Plus(*amount));
    }
  }
  return std::vector<std::pair<std::string, Money>>(amounts.begin(), amounts.end());
}

// Days of the month, until now, on which an issuer that charges on most days charged nothing.
Result<std::map<std::string, std::vector<std::string>>> DaysWithout(const Environment& environment,
                                                                    QueryArgs args,
                                                                    const Month& month) {
  args.measures = "charges";
  args.by = "invoice_issuer";
  args.grain = "day";
  const Json answer = FB_TRY(Ask(environment, args, {month.name}));
  std::map<std::string, std::set<std::string>> days;
  for (const Json& row : answer["rows"]) {
    days[Said(row, "invoice_issuer")].insert(row.value("period", ""));
  }
  std::map<std::string, std::vector<std::string>> without;
  const Instant end = std::min(month.end, FloorDay(environment.clock.Now()));
  const int64_t all = (end.us - month.start.us) / kMicrosPerDay;
  for (const auto& [issuer, there] : days) {
    if (static_cast<int64_t>(there.size()) * 2 < all) continue;  // it bills by the month or so
    for (Instant day = month.start; day < end; day.us += kMicrosPerDay) {
      if (!there.contains(FormatDate(day))) without[issuer].push_back(FormatDate(day));
    }
  }
  return without;
}

// What the command line tells of a month. An invoice may be spread over several files, so lines are
// gathered before any replace what was known.
struct News {
  std::vector<std::string> forgotten;  // issuers
  Statement told;                      // lines and status
};

// A total as typed, of an invoice one; or whose lines are to be forgotten.
Status TakeTyped(const std::string& what, News* news) {
  if (std::optional<std::string> issuer = reconcile::ParseForgotten(what)) {
    news->forgotten.push_back(*std::move(issuer));
    return {};
  }
  reconcile::InvoiceLine line = FB_TRY(reconcile::ParseInvoiceTotal(what));
  const bool again =
      std::ranges::any_of(news->told.lines, [&](const reconcile::InvoiceLine& other) {
        return ToLower(other.issuer) == ToLower(line.issuer) && other.currency == line.currency &&
               (other.invoice == line.invoice || other.invoice.empty() || line.invoice.empty());
      });
  if (again) {
    return Fail(Code::kInvalidArgument, "'" + what + "' is about an invoice that was given already",
                "give each invoice once");
  }
  news->told.lines.push_back(std::move(line));
  return {};
}

// A file of FOCUS's InvoiceDetail or BillingPeriod, or a total as typed.
Status Take(const std::string& what, const Month& month, News* news) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(what, ignored)) return TakeTyped(what, news);
  const std::string name = std::filesystem::path(what).filename().string();
  const ingest::TextTable table = FB_TRY(ingest::ReadTable(what));
  const std::vector<std::string_view> names(table.columns.begin(), table.columns.end());
  const std::optional<focus::Detection> detection = focus::Detect(names);
  if (detection && detection->data_set == focus::DataSet::kBillingPeriod) {
    return TakeBillingPeriods(table.columns, table.rows, name, month.start, &news->told);
  }
  std::vector<reconcile::InvoiceLine> lines =
      FB_TRY(reconcile::ReadInvoiceDetail(table.columns, table.rows, name, month.start));
  if (lines.empty()) {
    return Fail(Code::kInvalidArgument, fmt::format("'{}' has no line of {}", name, month.name),
                "name the month that the invoice is of: --period 2026-10");
  }
  std::ranges::move(lines, std::back_inserter(news->told.lines));
  return {};
}

Result<News> ReadNews(const ReconcileArgs& args, const Month& month) {
  News news;
  for (const std::string& what : args.invoices) FB_CHECK(Take(what, month, &news));
  return news;
}

Status Apply(const News& news, Statement* statement) {
  for (const std::string& issuer : news.forgotten) {
    if (reconcile::ForgetLines(issuer, statement) > 0) continue;
    return Fail(Code::kNotFound, "no invoice of '" + issuer + "' is known in this month");
  }
  TakeLines(news.told.lines, statement);
  for (const auto& [issuer, status] : news.told.status) statement->status[issuer] = status;
  return {};
}

struct Look {
  Month month;
  Statement statement;
  reconcile::Ladders ladders;
  std::string commit;
  std::map<std::string, std::vector<std::string>> days_without;
  std::optional<bool> equal;  // not known while no invoice is
};

// Reports run side by side; who writes waits a little for another who does.
Result<os::HomeLock> LockStatements(const Environment& environment) {
  constexpr int kTries = 50;
  constexpr std::chrono::milliseconds kPause{100};
  FB_CHECK(environment.files.MakeDirs(reconcile::StatementFolder(environment.home)));
  for (int i = 1;; ++i) {
    Result<os::HomeLock> lock = os::HomeLock::Acquire(reconcile::StatementLock(environment.home));
    if (lock || i == kTries) return lock;
    std::this_thread::sleep_for(kPause);
  }
}

// Keeps since when each difference is known, and the invoices that were given.
Status Keep(const Environment& environment, const ReconcileArgs& args, const News& news,
            Look* look) {
  Statement noted = look->statement;
  reconcile::NoteSteps(look->ladders, environment.clock.Now(), &noted);
  const bool same = args.invoices.empty() && noted.seen == look->statement.seen;
  look->statement = std::move(noted);
  if (same) return {};
  os::Files& files = environment.files;
  const os::HomeLock lock = FB_TRY(LockStatements(environment));
  // Another may have written since this one read.
  Statement now = FB_TRY(reconcile::ReadStatement(files, environment.home, look->month.name));
  FB_CHECK(Apply(news, &now));
  reconcile::NoteSteps(look->ladders, environment.clock.Now(), &now);
  return reconcile::WriteStatement(files, environment.home, look->month.name, now);
}

Result<Look> LookAt(const Environment& environment, const ReconcileArgs& args) {
  Look look;
  look.month = FB_TRY(MonthOf(args.period));
  if (!ledger::HomeExists(environment.files, environment.home)) {
    return Fail(Code::kNotFound, "there is no ledger in '" + environment.home + "'",
                "import its bills first");
  }
  look.statement =
      FB_TRY(reconcile::ReadStatement(environment.files, environment.home, look.month.name));
  const News news = FB_TRY(ReadNews(args, look.month));
  FB_CHECK(Apply(news, &look.statement));
  // All questions are about one state of the ledger.
  const Json commits = Json::parse(FB_TRY(ListCommits(environment)), nullptr, false);
  if (commits.empty()) return Fail(Code::kFailedPrecondition, "the ledger is empty");
  look.commit = commits.front().value("id", "");
  QueryArgs at;
  at.as_of = look.commit;
  const std::vector<LedgerSum> sums =
      FB_TRY(SumsOf(environment, at, {look.month.name}, "provider"));
  QueryArgs of_this_month = at;
  of_this_month.from = FormatInstant(look.month.start);
  of_this_month.to = FormatInstant(look.month.end);
  const std::vector<LedgerSum> around = FB_TRY(
      SumsOf(environment, of_this_month,
             {NameOf(AddMonths(look.month.start, -1)), NameOf(look.month.end)}, "billing_period"));
  look.ladders = FB_TRY(reconcile::MakeLadders(
      {look.statement.lines, sums, around, FB_TRY(QuarantinedIn(commits, look.month.name))}));
  look.days_without = FB_TRY(DaysWithout(environment, at, look.month));
  if (!look.ladders.invoices.empty()) {
    look.equal = std::ranges::all_of(look.ladders.invoices,
                                     [](const Ladder& ladder) { return ladder.steps.empty(); });
  }
  FB_CHECK(Keep(environment, args, news, &look));
  return look;
}

// ---- the report

int64_t AgeDays(const Environment& environment, const Look& look, const Ladder& ladder,
                const reconcile::Step& step) {
  const auto seen = look.statement.seen.find(StepKey(ladder, step));
  if (seen == look.statement.seen.end()) return 0;
  return (environment.clock.Now().us - seen->second.us) / kMicrosPerDay;
}

std::string StatusOf(const Look& look, const std::string& issuer) {
  for (const auto& [name, status] : look.statement.status) {
    if (ToLower(name) == ToLower(issuer)) return status;
  }
  return {};
}

Json LadderJson(const Environment& environment, const Look& look, const Ladder& ladder) {
  Json json{{"issuer", ladder.issuer},
            {"invoice", ladder.invoice.empty() ? Json() : Json(ladder.invoice)},
            {"currency", ladder.currency},
            {"invoiced", ladder.invoiced.ToString()},
            {"ledger", ladder.ledger.ToString()},
            {"difference", ladder.difference().ToString()},
            {"estimate", ladder.estimate.ToString()}};
  const std::string status = StatusOf(look, ladder.issuer);
  json["billing_period_status"] = status.empty() ? Json() : Json(status);
  Json& steps = json["steps"] = Json::array();
  for (const reconcile::Step& step : ladder.steps) {
    steps.push_back({{"reason", StepReasonName(step.reason)},
                     {"amount", step.amount.ToString()},
                     {"account", step.account},
                     {"category", step.category},
                     {"service", step.service},
                     {"text", step.text},
                     {"age_days", AgeDays(environment, look, ladder, step)}});
  }
  return json;
}

std::string ReportJson(const Environment& environment, const Look& look) {
  Json json{{"period", look.month.name},
            {"commit", look.commit},
            {"equal", look.equal ? Json(*look.equal) : Json()}};
  json["invoices"] = Json::array();
  for (const Ladder& ladder : look.ladders.invoices) {
    json["invoices"].push_back(LadderJson(environment, look, ladder));
  }
  json["without_invoice"] = Json::array();
  for (const Ladder& ladder : look.ladders.without_invoice) {
    json["without_invoice"].push_back({{"issuer", ladder.issuer},
                                       {"invoices", ladder.invoice},
                                       {"currency", ladder.currency},
                                       {"ledger", ladder.ledger.ToString()},
                                       {"estimate", ladder.estimate.ToString()}});
  }
  json["days_without_charges"] = Json::object();
  for (const auto& [issuer, days] : look.days_without) json["days_without_charges"][issuer] = days;
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

Table ReportTable(const Environment& environment, const Look& look) {
  Table table;
  table.header = {"issuer", "invoice", "currency", "step", "amount", "days", "what"};
  for (const Ladder& ladder : look.ladders.invoices) {
    const auto row = [&](std::string step, Money amount, std::string days, std::string what) {
      table.rows.push_back({ladder.issuer, ladder.invoice, ladder.currency, std::move(step),
                            amount.ToString(), std::move(days), std::move(what)});
    };
    row("invoice", ladder.invoiced, "", "");
    for (const reconcile::Step& step : ladder.steps) {
      row(std::string(StepReasonName(step.reason)), step.amount,
          std::to_string(AgeDays(environment, look, ladder, step)), step.text);
    }
    const std::string status = StatusOf(look, ladder.issuer);
    std::string what = status.empty() ? "" : "billing period " + ToLower(status);
    if (!ladder.estimate.is_zero()) {
      what +=
          fmt::format("{}{} is an estimate", what.empty() ? "" : ", ", ladder.estimate.ToString());
    }
    row("ledger", ladder.ledger, "", what);
  }
  for (const Ladder& ladder : look.ladders.without_invoice) {
    table.rows.push_back({ladder.issuer, ladder.invoice, ladder.currency, "no invoice",
                          ladder.ledger.ToString(), "", "in the ledger; no invoice was given"});
  }
  return table;
}

void Notes(const Look& look) {
  for (const auto& [issuer, days] : look.days_without) {
    Say(fmt::format("flyball: {} has no charge on {} days of {}, the first {}", issuer, days.size(),
                    look.month.name, days.front()));
  }
  if (look.statement.lines.empty()) {
    Say("flyball: no invoice of this month is known: --invoice FILE, or --invoice 'AWS=1234.56 "
        "USD'");
  }
}

// ---- the close

bool IsOpenQuestion(const reconcile::Step& step) {
  return step.reason == reconcile::StepReason::kUnexplained ||
         step.reason == reconcile::StepReason::kMissing ||
         step.reason == reconcile::StepReason::kEstimate ||
         step.reason == reconcile::StepReason::kQuarantined;
}

Status MayClose(const Environment& environment, const ReconcileArgs& args, const Look& look) {
  if (environment.clock.Now() < look.month.end) {
    return Fail(Code::kFailedPrecondition, look.month.name + " is not over",
                "close it when its bills are final");
  }
  if (args.accept_differences) return {};
  for (const Ladder& ladder : look.ladders.invoices) {
    for (const reconcile::Step& step : ladder.steps) {
      if (!IsOpenQuestion(step)) continue;
      return Fail(Code::kFailedPrecondition,
                  fmt::format("{} of {} {} is {}: {}", step.amount.ToString(), ladder.issuer,
                              ladder.invoice, StepReasonName(step.reason), step.text),
                  "mend it, or close with --accept-differences");
    }
  }
  return {};
}

// The id of the commit that closes the period or opens it again.
Result<std::string> SetClosed(const Environment& environment, const std::string& period,
                              bool closed, const std::string& report) {
  const std::string hash = report.empty() ? "" : Sha256Hex(report);
  const std::optional<Remote> remote = FB_TRY(Remote::Find(environment));
  if (remote) {
    const Json body{{"period", period}, {"closed", closed}, {"report_hash", hash}};
    const Json answer =
        Json::parse(FB_TRY(remote->Post("/api/v1/periods", body.dump())), nullptr, false);
    return answer.value("commit", Json::object()).value("id", "");
  }
  const auto ledger = FB_TRY(OpenLedger(environment));
  return FB_TRY(ledger->SetClosed(period, closed, Author(), hash)).id;
}

// The report lies beside the month's invoices, under the commit that it closed.
Result<std::string> Close(const Environment& environment, const ReconcileArgs& args,
                          const Look& look) {
  FB_CHECK(MayClose(environment, args, look));
  const std::string report = ReportJson(environment, look);
  std::string commit = FB_TRY(SetClosed(environment, look.month.name, true, report));
  const std::string path = os::JoinPath(reconcile::StatementFolder(environment.home),
                                        fmt::format("{}-close-{}.json", look.month.name, commit));
  FB_CHECK(os::AtomicWrite(environment.files, path, report));
  return commit;
}

int Reopen(const Environment& environment, const ReconcileArgs& args) {
  const Result<Month> month = MonthOf(args.period);
  if (!month) return Report(environment, month.error());
  const Result<std::string> commit = SetClosed(environment, month->name, false, "");
  if (!commit) return Report(environment, commit.error());
  Print(environment.json() ? Json{{"period", month->name}, {"reopened", *commit}}.dump()
                           : month->name + " is open again, commit " + *commit);
  return kExitDone;
}

}  // namespace

int RunInvoices(const Environment& environment, const ReconcileArgs& args) {
  if (args.reopen) return Reopen(environment, args);
  const Result<Look> look = LookAt(environment, args);
  if (!look) return Report(environment, look.error());
  std::string closed;
  if (args.close) {
    Result<std::string> commit = Close(environment, args, *look);
    if (!commit) return Report(environment, commit.error());
    closed = *std::move(commit);
  }
  if (environment.json()) {
    Json report = Json::parse(ReportJson(environment, *look));
    if (!closed.empty()) report["closed"] = closed;
    Print(report.dump(2, ' ', false, Json::error_handler_t::replace));
  } else {
    const Table table = ReportTable(environment, *look);
    Print(environment.format == "csv" ? CsvText(table) : TableText(table));
    Notes(*look);
    if (!closed.empty()) Say(fmt::format("flyball: {} is closed, commit {}", args.period, closed));
  }
  return look->equal.value_or(false) || !closed.empty() ? kExitDone : kExitFound;
}

}  // namespace flyball::app
