// Commands: one file a command, each a plain function from its arguments to an exit code. main.cc
// reads the command line and is the only place that makes the real clock and the real disk.
//
// Exit codes: 0 done; 1 the check found something; 2 wrong usage or bad input; 3 it could not be
// done. With --format json standard output is one document; messages always go to standard error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ledger/cost_query.h"
#include "os/files.h"

namespace flyball::app {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFound = 1;

struct Environment {
  std::string home;     // absolute
  std::string format;   // "table", "json" or "csv"
  std::string program;  // this executable, absolute: children are started from it
  os::Files& files;
  Clock& clock;
  bool terminal = false;  // standard error is one: progress may be drawn

  bool json() const { return format == "json"; }
};

// Prints the error (as JSON on standard output too, with --format json) and gives its exit code.
int Report(const Environment& environment, const Error& error);
int Report(std::string_view format, const Error& error);
// Writes to standard output, adding the last line break. What can't be written ends the program
// with exit code 3.
void Print(std::string_view text);
// One line on standard error.
void Say(std::string_view text);
// "user@host" or so: who does this, for commits.
std::string Author();
// A progress line on a terminal, nothing in a pipe. False once the user wants to stop.
bool ShowProgress(const Environment& environment, std::string_view what, uint64_t done,
                  uint64_t total);
void EndProgress(const Environment& environment);

struct ImportArgs {
  std::vector<std::string> files;
  std::string source;
  std::string input_format;  // "focus-csv", ...; empty: detect
  std::string currency;      // of rows that name none, such as "USD"
  std::string memory = "2GiB";
  std::string author;  // of the worker; otherwise the user
  bool dry_run = false;
  bool beside = false;                   // also when another source has the same bill
  std::optional<int64_t> rows_expected;  // what a manifest says that the files have in all
};
int RunImport(const Environment& environment, const ImportArgs& args);
// The child of a server: stages, prints the staged import as JSON, commits nothing.
int RunImportWorker(const Environment& environment, const ImportArgs& args);

struct SyncArgs {
  std::vector<std::string> sources;  // none: all
  std::string max_rate;              // a second, such as 20MiB
  std::string memory = "2GiB";
  bool dry_run = false;
  bool accept_key = false;  // keys of vendors' APIs that are new are of the same organisations
};
int RunSync(const Environment& environment, const SyncArgs& args);

struct QueryArgs {
  std::string measures = "effective_cost";
  std::string by, grain = "none", from, to, where, basis = "effective", as_of, currency;
  int top = 0;
  int64_t offset = 0, limit = 100;  // of `rows`
};
int RunQuery(const Environment& environment, const QueryArgs& args);
int RunRows(const Environment& environment, const QueryArgs& args);
// Their answers in JSON, from the server that runs or the ledger itself.
Result<std::string> AnswerQuery(const Environment& environment, const QueryArgs& args);
Result<std::string> FetchRows(const Environment& environment, const QueryArgs& args);
Result<ledger::CostQuery> ParseQueryArgs(const QueryArgs& args);

struct ExportArgs {
  QueryArgs query;  // from, to, where, as_of
  std::string version = "1.4", file_format = "csv", out;
  bool x_columns = false, force = false;
};
int RunExport(const Environment& environment, const ExportArgs& args);

int RunCommits(const Environment& environment);
int RunClassify(const Environment& environment);
struct CompactArgs {
  std::string small = "64MiB";
};
int RunCompact(const Environment& environment, const CompactArgs& args);
int RunRebuild(const Environment& environment);
int RunMigrate(const Environment& environment);

struct CheckArgs {
  std::vector<std::string> files;
  std::string version, data_set, model;  // empty: what fits the header; our own rules
  std::vector<std::string> supports;
  int threads = 0;
  std::string fix;   // write the file with its form repaired here
  bool all = false;  // the table lists what passed, too
};
int RunCheck(const Environment& environment, const CheckArgs& args);

struct ForecastSeriesArgs {
  std::string file;    // "-": standard input
  std::string season;  // "24,168", "none"; empty: by the file
  std::string levels = "80,95", members;
  bool fast = false;
  int horizon = 0;  // 0: by the file
  int threads = 0;  // 0: one a processor
};
int RunForecastSeries(const Environment& environment, const ForecastSeriesArgs& args);
// The report of a backtest of the file's series, as JSON.
Result<std::string> BacktestFile(const Environment& environment, const ForecastSeriesArgs& args,
                                 size_t origins);

// Of the ledger. What is empty is not said.
struct ForecastArgs {
  std::string what;  // "", "accuracy", "outlook", "backtest"
  std::string by, measure, where, horizon, levels, grain, as_of, currency;
  bool fast = false;
  int origins = 4;            // of a backtest
  ForecastSeriesArgs series;  // of a backtest: a file instead of the ledger
};
int RunForecast(const Environment& environment, const ForecastArgs& args);

struct RateArgs {
  std::string model, provider, at, tier, region, usage, prices;
  std::string dialect = "buckets";
  std::string missing = "deny";
};
int RunRate(const Environment& environment, const RateArgs& args);

struct PricesArgs {
  std::vector<std::string> files;  // of import; of diff the two lists, or none
  std::string model, provider, at;
};
int RunPricesImport(const Environment& environment, const PricesArgs& args);
int RunPricesShow(const Environment& environment, const PricesArgs& args);
int RunPricesDiff(const Environment& environment, const PricesArgs& args);

struct ExchangeArgs {
  std::vector<std::string> files;  // of import
  bool own = false;                // of the company, above the bank's
  std::string currency, at;        // of show
  int64_t limit = 30;
};
int RunExchangeImport(const Environment& environment, const ExchangeArgs& args);
int RunExchangeShow(const Environment& environment, const ExchangeArgs& args);

struct DemoArgs {
  std::string out;  // empty: home/demo
  uint64_t seed = 1788;
  int64_t rows = 250'000;
  bool one_file = false;
  bool import = true;
};
int RunDemo(const Environment& environment, const DemoArgs& args);
// Stands while the bills are imported, so that a demonstration that was stopped half-way is
// finished and not shown as whole.
std::string UnfinishedDemo(const Environment& environment);

inline constexpr int kQueryTimeoutMaxS = 3600;
struct ServeArgs {
  std::string listen = "127.0.0.1:8080";
  std::string web_dir;
  std::string memory = "1GiB";
  int query_timeout_s = 30;
  bool gateway = false;  // of `up`: keep a gateway running
  bool demo = false;     // of `up`: make the demonstration estate when the ledger is empty
};
int RunServe(const Environment& environment, const ServeArgs& args);
int RunUp(const Environment& environment, const ServeArgs& args);

struct KeysArgs {
  std::string action;  // "create", "list", "revoke"
  std::string name, team, project, use_case, expires;
  std::optional<std::string> models;  // separated by commas; nothing: all
  std::string which;                  // to revoke: id or name
};
int RunKeys(const Environment& environment, const KeysArgs& args);

struct BudgetsArgs {
  std::string action;  // "": show all; "set", "freeze", "unfreeze", "remove"
  // Of `set`: what is empty is not said.
  std::string name, scope, amount, tokens, currency, window, zone, mode, warn, counts;
  std::string hardness;  // "hard" or "soft"
};
int RunBudgets(const Environment& environment, const BudgetsArgs& args);

struct GatewayArgs {
  std::string listen;  // empty: what the estate says
};
int RunGateway(const Environment& environment, const GatewayArgs& args);

int RunPublish(const Environment& environment);
// The gateway's calls alone, without words. An error is that of the first month that could not be
// published; the others are.
Status PublishCalls(const Environment& environment);

struct ReconcileArgs {
  std::string vendor, from, to;
  std::string bill;                   // a file; empty: what is in the ledger
  std::string period;                 // "2026-10": the month's invoices instead of calls
  std::vector<std::string> invoices;  // files, or totals as typed
  bool close = false, reopen = false, accept_differences = false;
  bool rows = false;
  bool apply = false;
};
int RunReconcile(const Environment& environment, const ReconcileArgs& args);

struct WatchArgs {
  std::string file;  // "-": standard input
};
int RunWatchReplay(const Environment& environment, const WatchArgs& args);
struct RootCauseArgs {
  std::string file, dimensions, actual, predicted;
  double least_share = 0;
};
int RunRootCause(const Environment& environment, const RootCauseArgs& args);
struct ServicesArgs {
  std::string file, graph, target, metric;
  std::string normal, since;  // one of them, or both
};
int RunWatchServices(const Environment& environment, const ServicesArgs& args);

struct LiveWatchArgs {
  std::string action;      // "list", "show", "ack", "resolve", "feedback"
  bool anomalies = false;  // listed instead of incidents
  std::string state, kind;
  std::string id;
  std::string owner, note;
  std::string feedback;  // "expected", "not_expected"
};
int RunLiveWatch(const Environment& environment, const LiveWatchArgs& args);

struct NotifyArgs {
  std::vector<std::string> to;  // receivers; empty: all of the estate
};
int RunNotifyTest(const Environment& environment, const NotifyArgs& args);
int RunNotifyList(const Environment& environment);

struct MockVendorArgs {
  std::string listen = "127.0.0.1:8090";
  std::string script;  // a file; empty: the defaults
};
int RunMockVendor(const Environment& environment, const MockVendorArgs& args);

struct TokenArgs {
  std::string name;
};
int RunToken(const Environment& environment, const TokenArgs& args);

}  // namespace flyball::app
