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
#include "health/month.h"
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
using health::Month;
using reconcile::Ladder;
using reconcile::Statement;
using Look = health::MonthLook;

// A question to the ledger of the home, or to its server.
Result<std::string> Ask(const Environment& environment, const ledger::CostQuery& query) {
  const std::optional<Remote> remote = FB_TRY(Remote::Find(environment));
  if (remote) return remote->Post("/api/v1/query", ledger::CanonicalJson(query));
  const auto ledger = FB_TRY(OpenLedger(environment));
  return ledger::AnswerJson(FB_TRY(ledger->Query(query)));
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
  const Instant at = environment.clock.Now();
  Statement noted = look->statement;
  reconcile::NoteSteps(look->ladders, at, &noted);
  const bool same = args.invoices.empty() && noted.seen == look->statement.seen;
  look->statement = std::move(noted);
  if (same) return {};
  os::Files& files = environment.files;
  const os::HomeLock lock = FB_TRY(LockStatements(environment));
  // Another may have written since this one read.
  Statement now = FB_TRY(reconcile::ReadStatement(files, environment.home, look->month.name));
  FB_CHECK(Apply(news, &now));
  reconcile::NoteSteps(look->ladders, at, &now);
  FB_CHECK(reconcile::WriteStatement(files, environment.home, look->month.name, now));
  look->statement.seen = std::move(now.seen);  // as the next report will say it
  return {};
}

Result<Look> LookAt(const Environment& environment, const ReconcileArgs& args) {
  const Month month = FB_TRY(health::ParseMonth(args.period));
  if (!ledger::HomeExists(environment.files, environment.home)) {
    return Fail(Code::kNotFound, "there is no ledger in '" + environment.home + "'",
                "import its bills first");
  }
  Statement statement =
      FB_TRY(reconcile::ReadStatement(environment.files, environment.home, month.name));
  const News news = FB_TRY(ReadNews(args, month));
  FB_CHECK(Apply(news, &statement));
  const auto ask = [&](const ledger::CostQuery& query) { return Ask(environment, query); };
  Look look = FB_TRY(health::LookAtMonth(
      month, std::move(statement), FB_TRY(ListCommits(environment)), ask, environment.clock.Now()));
  FB_CHECK(Keep(environment, args, news, &look));
  return look;
}

// ---- the report

std::string ReportJson(const Environment& environment, const Look& look) {
  return health::MonthJson(look, environment.clock.Now());
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
          std::to_string(AgeDays(look, ladder, step, environment.clock.Now())), step.text);
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
    std::string what = "in the ledger; no invoice was given";
    if (!ladder.corrections.is_zero()) {
      what += fmt::format("; {} of it corrects closed months", ladder.corrections.ToString());
    }
    table.rows.push_back({ladder.issuer, ladder.invoice, ladder.currency, "no invoice",
                          ladder.ledger.ToString(), "", std::move(what)});
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
  FB_CHECK(environment.files.MakeDirs(reconcile::StatementFolder(environment.home)));
  std::string commit = FB_TRY(SetClosed(environment, look.month.name, true, report));
  const std::string path = os::JoinPath(reconcile::StatementFolder(environment.home),
                                        fmt::format("{}-close-{}.json", look.month.name, commit));
  FB_CHECK(os::AtomicWrite(environment.files, path, report));
  return commit;
}

int Reopen(const Environment& environment, const ReconcileArgs& args) {
  const Result<Month> month = health::ParseMonth(args.period);
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
    Print(environment, table);
    Notes(*look);
    if (!closed.empty()) Say(fmt::format("flyball: {} is closed, commit {}", args.period, closed));
  }
  return look->equal.value_or(false) || !closed.empty() ? kExitDone : kExitFound;
}

}  // namespace flyball::app
