// The command line: every option is declared here, once, and documented in docs/CLI.md (tools/tidy
// compares them).
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>

#include "app/command.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "model/focus.h"
#include "os/files.h"
#include "os/process.h"

namespace flyball::app {
namespace {

std::string DefaultHome() {
  if (const char* home = std::getenv("FLYBALL_HOME"); home != nullptr && *home != '\0') return home;
  const char* user = std::getenv("HOME");
  return std::string(user != nullptr ? user : ".") + "/.local/share/flyball";
}

std::string Absolute(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::absolute(path, ignored).lexically_normal().string();
}

struct Options {
  std::string home = DefaultHome();
  std::string format = "table";
  ImportArgs import;
  SyncArgs sync;
  QueryArgs query;
  CheckArgs check;
  ExportArgs exported;
  CompactArgs compact;
  ForecastSeriesArgs forecast_series;
  ForecastArgs forecast;
  RateArgs rate;
  PricesArgs prices;
  ExchangeArgs exchange;
  DemoArgs demo;
  ServeArgs serve;
  TokenArgs token;
  KeysArgs keys;
  BudgetsArgs budgets;
  NotifyArgs notify;
  GatewayArgs gateway;
  MockVendorArgs mock_vendor;
  ReconcileArgs reconcile;
  WatchArgs watch;
  LiveWatchArgs live_watch;
  RootCauseArgs root_cause;
  ServicesArgs services;
};

// Options that every command has.
CLI::App* Command(CLI::App& app, const char* name, const char* what, Options& options) {
  CLI::App* command = app.add_subcommand(name, what);
  command->add_option("--home", options.home, "the folder of the ledger (or FLYBALL_HOME)");
  command->add_option("--format", options.format, "table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  return command;
}

void AddQueryOptions(CLI::App* command, QueryArgs& query) {
  command->add_option("--from", query.from, "from this date, instant or month on");
  command->add_option("--to", query.to, "up to, but without, this date, instant or month");
  command->add_option("--where", query.where,
                      "filters: 'provider=AWS;team=search,ads;tag:env!=dev'");
  command->add_option("--as-of", query.as_of, "the ledger as it was at this commit");
}

void AddImport(CLI::App& app, Options& options) {
  // --format of `import` names the format of the input or that of the report, as their words
  // differ.
  CLI::App* command = app.add_subcommand("import", "bring bills into the ledger, as one commit");
  command
      ->add_option("FILE", options.import.files,
                   "bills, FOCUS or a vendor's own: CSV (.gz, .zst), JSON, Parquet")
      ->required();
  command->add_option("--home", options.home, "the folder of the ledger (or FLYBALL_HOME)");
  command->add_option("--source", options.import.source,
                      "where the bill comes from; a new bill replaces its periods");
  command
      ->add_option_function<std::vector<std::string>>(
          "--format",
          [&options](const std::vector<std::string>& words) {
            for (const std::string& word : words) {
              const bool report = word == "table" || word == "json";
              (report ? options.format : options.import.input_format) = word;
            }
          },
          "of the input: focus-csv, aws-cur, ... (docs/NATIVE.md); of the report: table, json")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--memory", options.import.memory, "most memory to use, such as 256MiB");
  command->add_option("--currency", options.import.currency,
                      "of rows that name none, such as USD; else they go to the quarantine");
  command->add_option("--rows-expected", options.import.rows_expected,
                      "refuse files that have another number of rows in all");
  command->add_flag("--dry-run", options.import.dry_run,
                    "say all that would happen, change nothing");
  command->add_flag("--beside", options.import.beside,
                    "also when another source has the same invoice: both count");
  CLI::App* worker = app.add_subcommand("import-worker", "")->group("");
  worker->add_option("FILE", options.import.files)->required();
  worker->add_option("--home", options.home)->required();
  worker->add_option("--source", options.import.source);
  worker->add_option("--input-format", options.import.input_format);
  worker->add_option("--memory", options.import.memory);
  worker->add_option("--currency", options.import.currency);
  worker->add_option("--author", options.import.author);
  worker->add_option("--rows-expected", options.import.rows_expected);
}

void AddSync(CLI::App& app, Options& options) {
  CLI::App* command =
      Command(app, "sync", "import what is new in the sources of estate.yaml", options);
  command->add_option("SOURCE", options.sync.sources, "their names; all if absent");
  command->add_option("--max-rate", options.sync.max_rate, "fetch at most so much a second: 20MiB");
  command->add_option("--memory", options.sync.memory, "most memory for an import");
  command->add_flag("--dry-run", options.sync.dry_run, "say what is new, fetch and change nothing");
  command->add_flag("--accept-key", options.sync.accept_key,
                    "a new key of a vendor's API is one of the same organisation");
}

void AddCheck(CLI::App& app, Options& options) {
  CheckArgs& args = options.check;
  CLI::App* command = app.add_subcommand("check", "check bills against every rule of FOCUS");
  command->add_option("FILE", args.files, "FOCUS files: CSV (.gz, .zst), JSON lines, Parquet")
      ->required();
  command->add_option("--focus", args.version, "the version to check against; else what fits")
      ->check(CLI::IsMember({"1.0", "1.1", "1.2", "1.3", "1.4"}));
  const auto data_sets = focus::DataSetNames();
  command
      ->add_option("--dataset", args.data_set,
                   "CostAndUsage, ContractCommitment, InvoiceDetail or BillingPeriod")
      ->check(CLI::IsMember(std::vector<std::string>(data_sets.begin(), data_sets.end())));
  command->add_option("--model", args.model, "run the rules of a published Requirements Model");
  command->add_option("--supports", args.supports,
                      "applicability criteria of the model that hold, or 'all'");
  command->add_option("--threads", args.threads, "read with so many threads")
      ->check(CLI::Range(0, 64));
  command->add_option("--fix", args.fix,
                      "write the file with its form repaired to this new CSV file, and check that");
  command->add_flag("--all", args.all, "list what was passed, too");
  command->add_option("--home", options.home, "taken as by every command; a check needs none");
  command->add_option("--format", options.format, "table, json, csv or junit")
      ->check(CLI::IsMember({"table", "json", "csv", "junit"}));
}

void AddLedgerForecast(CLI::App* command, ForecastArgs& args) {
  command->add_option("--by", args.by, "dimensions, such as team,model: every level adds up");
  command->add_option("--measure", args.measure, "effective_cost, billed_cost, usage, ...");
  command->add_option("--where", args.where, "filters: 'provider=AWS;team=search,ads'");
  command->add_option("--horizon", args.horizon, "3mo (whole months), 12w, 28d or 48h");
  command->add_option("--levels", args.levels, "of the ranges, in percent: 50,80,95");
  command->add_option("--as-of", args.as_of, "the ledger as it was at this commit");
  command->add_option("--in", args.currency, "in this currency");
  command->add_flag("--fast", args.fast, "leave the slow methods out");
}

void AddForecastParts(CLI::App& forecast, Options& options) {
  ForecastArgs& args = options.forecast;
  CLI::App* accuracy =
      Command(forecast, "accuracy", "forecasts that were made, beside what came", options);
  accuracy->add_option("--by", args.by, "only those by these dimensions");
  accuracy->add_option("--measure", args.measure, "only those of this measure");
  accuracy->add_option("--where", args.where, "only those with these filters");
  CLI::App* outlook =
      Command(forecast, "outlook", "whether budgets will hold, and when they break", options);
  outlook->add_option("--levels", args.levels, "of the ranges, in percent: 50,80,95");
  CLI::App* backtest =
      Command(forecast, "backtest", "how well it would have been forecast before", options);
  backtest->add_option("FILE", args.series.file, "series, as `forecast series` reads them");
  AddLedgerForecast(backtest, args);
  backtest->add_option("--season", args.series.season, "of a file: steps of its seasons; or none");
  backtest->add_option("--members", args.series.members, "of a file: only these methods");
  backtest
      ->add_option("--threads", args.series.threads, "of a file: work on so many series at once")
      ->check(CLI::Range(0, 256));
  backtest->add_option("--origins", args.origins, "forecast from so many, a horizon apart")
      ->check(CLI::Range(1, 52));
  for (CLI::App* part : {accuracy, outlook, backtest}) {
    part->callback([&args, part] { args.what = part->get_name(); });
  }
}

void AddForecast(CLI::App& app, Options& options) {
  CLI::App* forecast = Command(app, "forecast", "what comes next, with ranges", options);
  forecast->require_subcommand(0, 1);
  AddLedgerForecast(forecast, options.forecast);
  forecast->add_option("--grain", options.forecast.grain, "hour, day or month");
  AddForecastParts(*forecast, options);
  ForecastSeriesArgs& args = options.forecast_series;
  CLI::App* command = Command(*forecast, "series", "forecast every series of a file", options);
  command->add_option("FILE", args.file, "series, long or wide: CSV (.gz, .zst); - standard input")
      ->required();
  command->add_option("--season", args.season, "steps of its seasons, such as 24,168; or none");
  command->add_option("--horizon", args.horizon, "steps to forecast; else by the file's step")
      ->check(CLI::Range(1, 10'000));
  command->add_option("--levels", args.levels, "of the ranges, in percent: 50,80,95");
  command->add_option("--members", args.members, "only these methods, such as fold,mstl");
  command->add_flag("--fast", args.fast, "leave the slow methods out, for many thousand series");
  command->add_option("--threads", args.threads, "work on so many series at once")
      ->check(CLI::Range(0, 256));
}

void AddQueries(CLI::App& app, Options& options) {
  CLI::App* query = Command(app, "query", "ask the ledger what was spent", options);
  query->add_option("--measures", options.query.measures,
                    "billed_cost, effective_cost, list_cost, contracted_cost, usage, charges");
  query->add_option("--by", options.query.by, "dimensions, such as driver,stage or tag:env");
  query->add_option("--grain", options.query.grain, "none, hour, day, week or month");
  query->add_option("--top", options.query.top, "this many groups, the rest as (other)");
  query->add_option("--basis", options.query.basis,
                    "what ranks: effective, billed, list, contracted");
  query->add_option("--in", options.query.currency,
                    "in this currency, at the imported exchange rate of each day");
  AddQueryOptions(query, options.query);
  CLI::App* rows = Command(app, "rows", "show the charges behind a figure", options);
  rows->add_option("--offset", options.query.offset, "skip this many");
  rows->add_option("--limit", options.query.limit, "show this many");
  AddQueryOptions(rows, options.query);
}

void AddExport(CLI::App& app, Options& options) {
  ExportArgs& args = options.exported;
  CLI::App* command = app.add_subcommand("export", "write charges as a FOCUS file");
  command->add_option("--home", options.home, "the folder of the ledger (or FLYBALL_HOME)");
  command->add_option("--focus", args.version, "the version to write: 1.2, 1.3 or 1.4")
      ->check(CLI::IsMember({"1.2", "1.3", "1.4"}));
  command
      ->add_option_function<std::vector<std::string>>(
          "--format",
          [&](const std::vector<std::string>& words) {
            for (const std::string& word : words) {
              const bool of_file = word == "csv" || word == "parquet";
              (of_file ? args.file_format : options.format) = word;
            }
          },
          "of the file: csv, parquet; of the report: table, json")
      ->take_all()
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"csv", "parquet", "table", "json"}));
  command->add_option("--out", args.out, "the file to write")->required();
  command->add_flag("--x-columns", args.x_columns, "write the x_ columns, too");
  command->add_flag("--force", args.force, "replace a file that is there");
  AddQueryOptions(command, args.query);
}

void AddPrices(CLI::App& app, Options& options) {
  CLI::App* rate = Command(app, "rate", "what a call costs, line by line", options);
  rate->add_option("--model", options.rate.model, "the model that was called")->required();
  rate->add_option("--provider", options.rate.provider, "whose it is, where several have it");
  rate->add_option("--at", options.rate.at, "at the prices of this date or instant; now if absent");
  rate->add_option("--tier", options.rate.tier, "standard, batch, flex, priority or fast");
  rate->add_option("--region", options.rate.region, "of a price that differs by region");
  rate->add_option("--usage", options.rate.usage,
                   "counts by bucket, as JSON; - reads standard input")
      ->required();
  rate->add_option("--dialect", options.rate.dialect,
                   "the usage is a vendor's own object: openai-chat, openai-responses, anthropic, "
                   "gemini, bedrock");
  rate->add_option("--prices", options.rate.prices, "at the prices of this file");
  rate->add_option("--missing", options.rate.missing, "of prices: deny, ceiling or free");
  CLI::App* prices = app.add_subcommand("prices", "bring prices in, show and compare them");
  prices->require_subcommand(1);
  CLI::App* import = Command(*prices, "import", "keep public price files in the home", options);
  import
      ->add_option("FILE", options.prices.files,
                   "the LiteLLM map, the genai-prices document, or our own format")
      ->required();
  CLI::App* show = Command(*prices, "show", "all prices of a model, with their sources", options);
  show->add_option("MODEL", options.prices.model, "the model")->required();
  show->add_option("--at", options.prices.at, "only those of this date or instant");
  show->add_option("--provider", options.prices.provider, "only those of this provider");
  CLI::App* diff = Command(*prices, "diff", "where two lists disagree", options);
  diff->add_option("LIST", options.prices.files,
                   "two of: an import's id, a file, 'builtin'; the newest two if absent")
      ->expected(0, 2);
  diff->add_option("--at", options.prices.at, "at the prices of this date or instant");
}

void AddExchange(CLI::App& app, Options& options) {
  ExchangeArgs& args = options.exchange;
  CLI::App* exchange = app.add_subcommand("exchange", "bring exchange rates in and show them");
  exchange->require_subcommand(1);
  CLI::App* import =
      Command(*exchange, "import", "keep files of exchange rates in the home", options);
  import->add_option("FILE", args.files, "of the European Central Bank: eurofxref-hist.csv")
      ->required();
  import->add_flag("--own", args.own, "rates of your own, which count above the bank's");
  CLI::App* show = Command(*exchange, "show", "the rates, with their days and files", options);
  show->add_option("CURRENCY", args.currency, "the days of this one, newest first");
  show->add_option("--at", args.at, "the rates that hold on this date");
  show->add_option("--limit", args.limit, "of one currency, show this many days");
}

void AddServers(CLI::App& app, Options& options) {
  for (const auto& [name, what] : {std::pair{"serve", "serve the page and the API"},
                                   std::pair{"up", "start Flyball: all that this machine runs"}}) {
    CLI::App* command = Command(app, name, what, options);
    command->add_option("--listen", options.serve.listen, "ADDRESS:PORT; port 0 takes a free one");
    command->add_option("--memory", options.serve.memory, "most memory for queries");
    command
        ->add_option("--query-timeout", options.serve.query_timeout_s,
                     "seconds after which a question is ended")
        ->check(CLI::Range(1, kQueryTimeoutMaxS));
    command->add_option("--web-dir", options.serve.web_dir,
                        "serve the page from this folder (development)");
    if (std::string_view(name) == "up") {
      command->add_flag("--demo", options.serve.demo,
                        "fill an empty ledger with the demonstration estate first");
    }
  }
}

void AddKeys(CLI::App& app, Options& options) {
  CLI::App* keys =
      Command(app, "keys", "the keys with which applications call the gateway", options);
  keys->require_subcommand(1);
  const auto action = [&](const char* name, const char* what) {
    CLI::App* command = keys->add_subcommand(name, what)->fallthrough();
    command->callback([&options, name] { options.keys.action = name; });
    return command;
  };
  CLI::App* create = action("create", "make a key; it is shown once");
  create->add_option("--name", options.keys.name, "its name, for people");
  create->add_option("--team", options.keys.team, "the team that it charges");
  create->add_option("--project", options.keys.project, "the project that it charges");
  create->add_option("--use-case", options.keys.use_case, "the use case that it charges");
  create->add_option("--models", options.keys.models, "models that it may use: gpt-*,claude-3");
  create->add_option("--expires", options.keys.expires, "a date or an instant");
  create->add_flag_callback("--json", [&options] { options.format = "json"; }, "--format json");
  action("list", "list all keys");
  action("revoke", "let a key in no more")
      ->add_option("KEY", options.keys.which, "its id or name")
      ->required();
}

void AddLiveWatch(CLI::App& watch, Options& options) {
  LiveWatchArgs& args = options.live_watch;
  const auto action = [&](const char* name, const char* what) {
    CLI::App* command = Command(watch, name, what, options);
    command->callback([&args, name] { args.action = name; });
    return command;
  };
  CLI::App* list = action("list", "the incidents that the live watch has found, newest first");
  list->add_flag("--anomalies", args.anomalies, "anomalies instead of incidents");
  list->add_option("--state", args.state,
                   "open,acknowledged,resolved,expected; of anomalies active,ended");
  list->add_option("--kind", args.kind, "of anomalies: burn,spike,ramp,missing,stuck,price");
  const auto one = [&](const char* name, const char* what, const char* id) {
    CLI::App* command = action(name, what);
    command->add_option(id, args.id, "its id")->required();
    return command;
  };
  one("show", "one incident or anomaly", "ID");
  for (CLI::App* command : {one("ack", "say that somebody looks at an incident", "INCIDENT"),
                            one("resolve", "say that an incident is over", "INCIDENT")}) {
    command->add_option("--owner", args.owner, "who looks after it");
    command->add_option("--note", args.note, "a line for its timeline");
  }
  one("feedback", "say whether an anomaly was expected", "ANOMALY")
      ->add_option("WORD", args.feedback, "expected or not_expected")
      ->required()
      ->check(CLI::IsMember({"expected", "not_expected"}));
}

void AddServices(CLI::App& watch, Options& options) {
  ServicesArgs& args = options.services;
  CLI::App* services = Command(
      watch, "services", "which node of a call graph is the root of a target's trouble", options);
  services
      ->add_option("METRICS", args.file,
                   "CSV of the window: timestamp,node,metric,value, or a column for each "
                   "(.gz, .zst); - reads standard input")
      ->required();
  services->add_option("--graph", args.graph, "CSV: caller,callee, or a matrix")->required();
  services->add_option("--target", args.target, "the node that suffers")->required();
  services->add_option("--metric", args.metric, "latency, availability or requests")
      ->required()
      ->check(CLI::IsMember({"latency", "availability", "requests"}));
  services->add_option("--normal", args.normal, "CSV of rows in which nothing was wrong");
  services->add_option("--since", args.since,
                       "when the window begins; without --normal the rows before it are normal");
}

void AddWatch(CLI::App& app, Options& options) {
  CLI::App* watch =
      app.add_subcommand("watch", "anomalies of live spend and of a series, and their causes");
  watch->require_subcommand(1);
  AddLiveWatch(*watch, options);
  CLI::App* replay =
      Command(*watch, "replay", "score each point of a series, in one pass", options);
  replay
      ->add_option("FILE", options.watch.file,
                   "CSV: timestamp,value (.gz, .zst); - reads standard input")
      ->required();
  RootCauseArgs& args = options.root_cause;
  CLI::App* cause =
      Command(*watch, "rootcause", "which combinations explain a difference", options);
  cause->add_option("FILE", args.file, "CSV with a header (.gz, .zst); - reads standard input")
      ->required();
  cause->add_option("--dims", args.dimensions, "the columns of the dimensions: a,b,c")->required();
  cause->add_option("--actual", args.actual, "the column of what was")->required();
  cause->add_option("--predicted", args.predicted, "the column of what was expected")->required();
  cause
      ->add_option("--min-share", args.least_share,
                   "leave out causes that explain less of the difference")
      ->check(CLI::Range(0.0, 1.0));
  AddServices(*watch, options);
}

void AddBudgets(CLI::App& app, Options& options) {
  CLI::App* budgets =
      Command(app, "budgets", "what is spent, held and left of each budget", options);
  budgets->require_subcommand(0, 1);
  BudgetsArgs& args = options.budgets;
  const auto action = [&](const char* name, const char* what) {
    CLI::App* command = budgets->add_subcommand(name, what)->fallthrough();
    command->callback([&args, name] { args.action = name; });
    return command;
  };
  CLI::App* set = action("set", "make a budget, or change it at once");
  set->add_option("--scope", args.scope, "organisation, team=NAME, key=ID, tag:NAME=VALUE, ...");
  set->add_option("--amount", args.amount, "the limit, in money");
  set->add_option("--currency", args.currency, "of the amount, such as EUR");
  set->add_option("--tokens", args.tokens, "the limit, in tokens");
  set->add_option("--window", args.window, "minute to year, or 'rolling 24 hours' (month)");
  set->add_option("--zone", args.zone, "the time zone in which the window begins");
  set->add_option("--mode", args.mode, "strict or quantile");
  set->add_option("--counts", args.counts, "ledger: every charge (default); gateway: calls alone");
  set->add_option("--warn", args.warn, "percentages of the limit, such as 50,80");
  set->add_option("--name", args.name, "its name; by default scope and window");
  const auto hardness = [&](const char* flag, const char* word, const char* what) {
    return set->add_flag_callback(flag, [&args, word] { args.hardness = word; }, what);
  };
  hardness("--soft", "soft", "tell when it is exceeded")
      ->excludes(hardness("--hard", "hard", "refuse what would exceed it (default)"));
  for (const auto& [name, what] : {std::pair{"freeze", "refuse every call under it"},
                                   std::pair{"unfreeze", "let calls through again"},
                                   std::pair{"remove", "count and refuse no more"}}) {
    action(name, what)->add_option("BUDGET", args.name, "its name")->required();
  }
}

void AddNotify(CLI::App& app, Options& options) {
  CLI::App* notify =
      Command(app, "notify", "tell people: receivers and what waits for them", options);
  notify->require_subcommand(1);
  CLI::App* test =
      notify->add_subcommand("test", "send a message to receivers of the estate")->fallthrough();
  test->add_option("RECEIVER", options.notify.to, "names; by default all");
  notify->add_subcommand("list", "what was sent, what waits, and why")->fallthrough();
}

void AddMockVendor(CLI::App& app, Options& options) {
  CLI::App* command =
      Command(app, "mock-vendor", "play the vendors' APIs, by a script, with an invoice", options);
  command->add_option("--listen", options.mock_vendor.listen,
                      "ADDRESS:PORT; port 0 takes a free one");
  command->add_option("--script", options.mock_vendor.script, "a JSON file: how it behaves");
}

void AddReconcile(CLI::App& app, Options& options) {
  CLI::App* command =
      Command(app, "reconcile", "compare the gateway's calls with vendors' bills, by day and model",
              options);
  ReconcileArgs& args = options.reconcile;
  CLI::Option* period = command->add_option(
      "--period", args.period,
      "compare the ledger's billing period, such as 2026-10, with its invoices");
  const auto of_calls = [&](CLI::Option* option) { option->excludes(period); };
  const auto of_period = [&](CLI::Option* option) { return option->needs(period); };
  of_calls(
      command->add_option("--vendor", args.vendor, "only of this vendor; whose the invoice is"));
  of_calls(command->add_option("--from", args.from, "from this day on (UTC)"));
  of_calls(
      command->add_option("--to", args.to, "before this day; with --from, the days of the bill"));
  of_calls(command->add_option(
      "--bill", args.bill,
      "a vendor's invoice (JSON) or a FOCUS file; else the bills in the ledger"));
  of_calls(command->add_flag("--rows", args.rows, "list the calls and charges behind each figure"));
  of_calls(
      command->add_flag("--apply", args.apply, "bring our charges in the ledger to the bill's"));
  of_period(command->add_option("--invoice", args.invoices,
                                "FOCUS InvoiceDetail or BillingPeriod, 'AWS=1234.56 USD', or "
                                "'AWS=none' to forget"))
      ->allow_extra_args(false);
  CLI::Option* reopen =
      of_period(command->add_flag("--reopen", args.reopen, "open the period again"));
  CLI::Option* close = of_period(
      command->add_flag("--close", args.close, "close the period: no import restates it any more"));
  close->excludes(reopen);
  command
      ->add_flag("--accept-differences", args.accept_differences,
                 "close it although an invoice differs without a reason")
      ->needs(close);
}

void AddMaintenance(CLI::App& app, Options& options) {
  Command(app, "commits", "list the commits of the ledger", options);
  Command(app, "classify", "put the changed rules of estate.yaml in force", options);
  Command(app, "rebuild", "verify every file and derive the store anew", options);
  Command(app, "migrate", "bring an older home to this version", options);
  CLI::App* compact = Command(app, "compact", "join small files; no answer changes", options);
  compact->add_option("--small", options.compact.small, "join files below this size");
  CLI::App* demo = Command(app, "demo", "make the demonstration estate and import it", options);
  demo->add_option("--seed", options.demo.seed, "another seed, another enterprise");
  demo->add_option("--rows", options.demo.rows, "about this many charges");
  demo->add_option("--out", options.demo.out, "write the bills into this folder");
  demo->add_flag("--one-file", options.demo.one_file, "all charges in one FOCUS 1.4 file");
  demo->add_flag("!--no-import", options.demo.import, "only write the files");
  CLI::App* token = Command(app, "token", "make an access token; it is shown once", options);
  token->add_option("--name", options.token.name, "whose it is");
}

int Dispatch(const std::string& command, const Environment& environment, const Options& options) {
  if (command == "import") return RunImport(environment, options.import);
  if (command == "sync") return RunSync(environment, options.sync);
  if (command == "import-worker") return RunImportWorker(environment, options.import);
  if (command == "check") return RunCheck(environment, options.check);
  if (command == "forecast series") return RunForecastSeries(environment, options.forecast_series);
  if (command.starts_with("forecast")) return RunForecast(environment, options.forecast);
  if (command == "query") return RunQuery(environment, options.query);
  if (command == "rows") return RunRows(environment, options.query);
  if (command == "export") return RunExport(environment, options.exported);
  if (command == "commits") return RunCommits(environment);
  if (command == "classify") return RunClassify(environment);
  if (command == "compact") return RunCompact(environment, options.compact);
  if (command == "rebuild") return RunRebuild(environment);
  if (command == "migrate") return RunMigrate(environment);
  if (command == "rate") return RunRate(environment, options.rate);
  if (command.starts_with("keys ")) return RunKeys(environment, options.keys);
  if (command.starts_with("budgets")) return RunBudgets(environment, options.budgets);
  if (command == "notify test") return RunNotifyTest(environment, options.notify);
  if (command == "notify list") return RunNotifyList(environment);
  if (command == "publish") return RunPublish(environment);
  if (command == "reconcile") return RunReconcile(environment, options.reconcile);
  if (command == "gateway") return RunGateway(environment, options.gateway);
  if (command == "prices import") return RunPricesImport(environment, options.prices);
  if (command == "prices show") return RunPricesShow(environment, options.prices);
  if (command == "prices diff") return RunPricesDiff(environment, options.prices);
  if (command == "exchange import") return RunExchangeImport(environment, options.exchange);
  if (command == "exchange show") return RunExchangeShow(environment, options.exchange);
  if (command == "watch replay") return RunWatchReplay(environment, options.watch);
  if (command.starts_with("watch ") && !options.live_watch.action.empty()) {
    return RunLiveWatch(environment, options.live_watch);
  }
  if (command == "watch rootcause") return RunRootCause(environment, options.root_cause);
  if (command == "watch services") return RunWatchServices(environment, options.services);
  if (command == "demo") return RunDemo(environment, options.demo);
  if (command == "serve") return RunServe(environment, options.serve);
  if (command == "up") return RunUp(environment, options.serve);
  if (command == "mock-vendor") return RunMockVendor(environment, options.mock_vendor);
  return RunToken(environment, options.token);
}

// A word in the place of the command that is none; the parser itself only says that one is missing.
std::optional<Error> UnknownCommand(CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-' || !app.get_subcommands().empty()) return std::nullopt;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  const std::string_view nearest = Nearest(argv[1], {names.begin(), names.end()});
  return Error{Code::kInvalidArgument,
               "'" + std::string(argv[1]) + "' is no command",
               nearest.empty() ? "`flyball --help` lists them"
                               : "did you mean '" + std::string(nearest) + "'?",
               {}};
}

Status CheckHome(const std::string& home) {
  if (home.empty()) {
    return Fail(Code::kInvalidArgument, "--home is empty", "name the folder of the ledger");
  }
  std::error_code ignored;
  if (!std::filesystem::exists(home, ignored) || std::filesystem::is_directory(home, ignored)) {
    return {};
  }
  return Fail(Code::kInvalidArgument, "the home '" + home + "' is not a folder",
              "name the folder of the ledger");
}

// One file a slice and month, and a thousand connections: the soft limit of most systems is too
// low.
void RaiseFileLimit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &files);
}

int Main(int argc, char** argv) {
  CLI::App app{"Flyball: the governor for the compute cost of generative AI", "flyball"};
  app.set_version_flag("--version", FLYBALL_VERSION);
  app.require_subcommand(1);
  Options options;
  AddImport(app, options);
  AddSync(app, options);
  AddCheck(app, options);
  AddExport(app, options);
  AddForecast(app, options);
  AddQueries(app, options);
  AddPrices(app, options);
  AddExchange(app, options);
  AddServers(app, options);
  AddNotify(app, options);
  AddMockVendor(app, options);
  AddMaintenance(app, options);
  AddKeys(app, options);
  AddBudgets(app, options);
  Command(app, "publish", "bring the gateway's closed hours into the ledger", options);
  AddReconcile(app, options);
  AddWatch(app, options);
  CLI::App* gateway =
      Command(app, "gateway", "serve LLM calls, metered and within budgets", options);
  gateway->add_option("--listen", options.gateway.listen, "ADDRESS:PORT; port 0 takes a free one");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    if (const auto unknown = UnknownCommand(app, argc, argv)) {
      return Report(options.format, *unknown);
    }
    return Report(options.format, Error{Code::kInvalidArgument,
                                        error.what(),
                                        "`flyball --help` and `flyball COMMAND --help` say more",
                                        {}});
  }
  if (const Status home = CheckHome(options.home); !home) {
    return Report(options.format, home.error());
  }
  // What a call costs is asked by programs first; people ask for the table.
  if (CLI::App* rate = app.get_subcommand("rate"); rate->parsed() && rate->count("--format") == 0) {
    options.format = "json";
  }
  umask(S_IRWXG | S_IRWXO);  // bills are nobody else's business
  const auto files = os::MakeRealFiles();
  const auto clock = MakeSystemClock();
  std::error_code ignored;
  const Environment environment{Absolute(options.home),
                                options.format,
                                std::filesystem::read_symlink("/proc/self/exe", ignored).string(),
                                *files,
                                *clock,
                                isatty(STDERR_FILENO) == 1};
  RaiseFileLimit();
  std::string command = app.get_subcommands().front()->get_name();
  for (const CLI::App* part : app.get_subcommands().front()->get_subcommands()) {
    command += " " + part->get_name();
  }
  log::Options logging;
  // A server's log is its story; a command says what it has to say by itself.
  logging.level = command == "serve" || command == "up" || command == "gateway" ? log::Level::kInfo
                                                                                : log::Level::kWarn;
  log::Configure(logging);
  // Others end at the first Ctrl-C, as they leave a whole state at any moment.
  const std::set<std::string> pollers{"import",  "sync",      "check",       "import-worker",
                                      "publish", "reconcile", "demo",        "serve",
                                      "up",      "gateway",   "mock-vendor", "forecast"};
  if (pollers.contains(command.substr(0, command.find(' ')))) (void)os::InstallStopSignals();
  return Dispatch(command, environment, options);
}

}  // namespace
}  // namespace flyball::app

int main(int argc, char** argv) {
  try {
    return flyball::app::Main(argc, argv);
  } catch (const std::exception& error) {
    // No library's exception should come this far.
    flyball::app::Say(std::string("flyball: something broke that should not: ") + error.what());
    return flyball::ExitCode(flyball::Code::kInternal);
  }
}
