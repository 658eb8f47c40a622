#include "base/text.h"
#include "os/files.h"
#include "serve/api.h"

namespace flyball::serve {
namespace {

constexpr Parameter kOffset = {"offset", "query", "integer", "How many to leave out."};
constexpr Parameter kLimit = {"limit", "query", "integer", "How many to answer at most."};

constexpr Parameter kQueryParameters[] = {
    {"format", "query", "string", "json (default), csv or table; of a single query."},
};
constexpr Parameter kPage[] = {kOffset, kLimit};
constexpr Parameter kCommitParameters[] = {
    {"id", "path", "string", "Id, unique beginning of one, or sequence number."},
};
constexpr Parameter kQuarantineParameters[] = {
    {"id", "path", "string", "A commit, or the slice that the quarantine file is named after."},
    kOffset,
    kLimit,
    {"format", "query", "string",
     "json (default): a page; jsonl: the whole file, a row a line, for download."},
};
constexpr Parameter kMonthParameters[] = {
    {"month", "path", "string", "A billing period, such as 2026-10."},
};
constexpr Parameter kExchangeParameters[] = {
    {"at", "query", "string",
     "The rates that hold on this date; of each currency its newest if absent."},
};
constexpr Parameter kImportParameters[] = {
    {"async", "query", "boolean",
     "1: answer 202 with a job at once instead of the report when it is done."},
    {"filename", "query", "string", "Of a file that is the body itself."},
    {"source", "query", "string", "Idem."},
    {"format", "query", "string", "Idem."},
    {"currency", "query", "string", "Idem."},
    {"dry_run", "query", "boolean", "Idem."},
    {"beside", "query", "boolean", "Idem."},
};
constexpr Parameter kJobParameters[] = {
    {"job", "path", "string", "The id that POST /api/v1/imports?async=1 gave."},
};

constexpr Parameter kMeasure = {"measure", "query", "string",
                                "effective_cost (default) or another measure of a cost query."};
constexpr Parameter kBy = {"by", "query", "string",
                           "Dimensions, such as team,model; every level of them is answered."};
constexpr Parameter kWhere = {"where", "query", "string", "Filters: provider=AWS;team=search,ads."};
constexpr Parameter kLevels = {"levels", "query", "string", "Of the ranges, in percent: 50,80,95."};
constexpr Parameter kForecastHorizon = {"horizon", "query", "string",
                                        "3mo (whole months), 12w, 28d or 48h."};
constexpr Parameter kForecastGrain = {"grain", "query", "string", "hour, day or month."};
constexpr Parameter kAsOf = {"as_of", "query", "string", "The ledger as it was at this commit."};
constexpr Parameter kCurrency = {"currency", "query", "string", "The reporting currency."};
constexpr Parameter kFast = {"fast", "query", "boolean", "Without the slow methods."};
constexpr Parameter kForecastParameters[] = {
    kBy, kMeasure, kWhere, kForecastHorizon, kLevels, kForecastGrain, kAsOf, kCurrency, kFast};
constexpr Parameter kBacktestParameters[] = {
    kBy,     kMeasure,
    kWhere,  kForecastHorizon,
    kLevels, kForecastGrain,
    kAsOf,   kCurrency,
    kFast,   {"origins", "query", "integer", "How many, a horizon apart; 4 if absent."}};
constexpr Parameter kAccuracyParameters[] = {kBy, kMeasure, kWhere};
constexpr Parameter kOutlookParameters[] = {kLevels};

constexpr Parameter kKeyParameters[] = {
    {"key", "path", "string", "Id of the key."},
};

constexpr Parameter kAnomaliesParameters[] = {
    {"state", "query", "string", "active or ended; both if absent."},
    {"kind", "query", "string",
     "burn, spike, ramp, missing, stuck, price: one or several, with commas."},
    {"incident", "query", "string", "Those of one incident."},
    kOffset,
    kLimit,
};
constexpr Parameter kIncidentsParameters[] = {
    {"state", "query", "string",
     "open, acknowledged, resolved, expected: one or several, with commas; all if absent."},
    kOffset,
    kLimit,
};
constexpr Parameter kAnomalyParameters[] = {
    {"id", "path", "string", "Id of the anomaly."},
};
constexpr Parameter kIncidentParameters[] = {
    {"id", "path", "string", "Id of the incident."},
};

constexpr Route kRoutes[] = {
    {"GET",
     "/api/v1/health",
     Access::kOpen,
     "Whether the server works, and on which commit.",
     {},
     "",
     "Health",
     &Api::Health},
    {"POST", "/api/v1/query", Access::kRead,
     "Answers a cost query, or several: {\"queries\": [...]} gives {\"answers\": [...]}.",
     kQueryParameters, "QueryOrBatch", "AnswerOrBatch", &Api::Query},
    {"POST",
     "/api/v1/rows",
     Access::kRead,
     "The charges behind an answer, dearest first, of equals the newest.",
     {},
     "RowsQuestion",
     "RowsPage",
     &Api::Rows},
    {"GET", "/api/v1/commits", Access::kRead,
     "The commits of the ledger, newest first, without the lineage of columns.", kPage, "",
     "CommitsPage", &Api::ListCommits},
    {"GET", "/api/v1/commits/{id}", Access::kRead, "One commit, whole.", kCommitParameters, "",
     "Commit", &Api::GetCommit},
    {"GET",
     "/api/v1/estate",
     Access::kRead,
     "The estate in force: teams, projects, use cases, models, environments, sources.",
     {},
     "",
     "Estate",
     &Api::GetEstate},
    {"POST",
     "/api/v1/explain",
     Access::kRead,
     "Why a charge has its dimensions: which rule set each.",
     {},
     "ExplainQuestion",
     "Explanation",
     &Api::Explain},
    {"GET", "/api/v1/quarantine/{id}", Access::kRead,
     "Rows of an import that could not be repaired, with line and reason.", kQuarantineParameters,
     "", "QuarantinePage", &Api::GetQuarantine},
    {"GET",
     "/api/v1/health/sources",
     Access::kRead,
     "What is known of each source of bills: how far it reaches, which days are missing, what lies "
     "in quarantine, how it conforms to FOCUS.",
     {},
     "",
     "SourcesHealth",
     &Api::GetDataHealth},
    {"GET", "/api/v1/health/months/{month}", Access::kRead,
     "A billing period beside its invoices: the ladder from each to the ledger.", kMonthParameters,
     "", "MonthHealth", &Api::GetMonthHealth},
    {"GET", "/api/v1/exchange", Access::kRead,
     "The exchange rates that were imported: of each currency its rate to the euro, with its day "
     "and "
     "file.",
     kExchangeParameters, "", "ExchangeRates", &Api::GetExchange},
    {"POST", "/api/v1/imports", Access::kWrite,
     "Imports bills: files of the server (JSON) or uploaded ones (multipart/form-data, or one file "
     "as the body).",
     kImportParameters, "ImportRequest", "ImportReport", &Api::PostImport},
    {"GET", "/api/v1/imports/{job}", Access::kRead,
     "How far an import is, and its report when it is over.", kJobParameters, "", "ImportJob",
     &Api::GetImport},
    {"POST",
     "/api/v1/classify",
     Access::kWrite,
     "Brings the rules of estate.yaml into force; a commit when they differ.",
     {},
     "Empty",
     "CommitOrNull",
     &Api::PostClassify},
    {"POST",
     "/api/v1/compact",
     Access::kWrite,
     "Joins small slices without changing an answer.",
     {},
     "CompactRequest",
     "CommitOrNull",
     &Api::PostCompact},
    {"POST",
     "/api/v1/periods",
     Access::kWrite,
     "Closes a billing period, so that no import restates it, or opens it again.",
     {},
     "PeriodRequest",
     "CommitOrNull",
     &Api::PostPeriod},
    {"POST",
     "/api/v1/exports",
     Access::kWrite,
     "Writes the charges behind a query as a FOCUS file into the home's tmp, for a command on this "
     "machine.",
     {},
     "ExportRequest",
     "ExportReport",
     &Api::PostExport},
    {"GET",
     "/api/v1/budgets",
     Access::kRead,
     "The budgets of the gateway: limit, settled, held, remaining, the most that can be overspent.",
     {},
     "",
     "Budgets",
     &Api::AskDesk},
    {"POST",
     "/api/v1/budgets",
     Access::kWrite,
     "Makes a budget or changes it at once; what it has counted stays.",
     {},
     "BudgetRequest",
     "Budget",
     &Api::AskDesk},
    {"POST",
     "/api/v1/budgets/freeze",
     Access::kWrite,
     "Refuses every call under a budget, or admits them again.",
     {},
     "FreezeRequest",
     "Budget",
     &Api::AskDesk},
    {"POST",
     "/api/v1/budgets/remove",
     Access::kWrite,
     "Takes a budget away; its count comes back if it is made again.",
     {},
     "RemoveRequest",
     "Removed",
     &Api::AskDesk},
    {"GET", "/api/v1/forecast", Access::kRead,
     "What the ledger will say, at every level of some dimensions, adding up; kept as a vintage.",
     kForecastParameters, "", "Forecast", &Api::AskForecast},
    {"POST",
     "/api/v1/forecast",
     Access::kRead,
     "The same, with the question in the body.",
     {},
     "ForecastQuestion",
     "Forecast",
     &Api::AskForecast},
    {"GET", "/api/v1/forecast/accuracy", Access::kRead,
     "Forecasts that were made, beside what came.", kAccuracyParameters, "", "ForecastAccuracy",
     &Api::AskForecast},
    {"GET", "/api/v1/forecast/outlook", Access::kRead,
     "Every budget to the end of its window: expected spend, probability and date of an overrun.",
     kOutlookParameters, "", "BudgetOutlook", &Api::AskForecast},
    {"GET", "/api/v1/forecast/backtest", Access::kRead,
     "How well the ledger's series would have been forecast from days in the past.",
     kBacktestParameters, "", "Backtest", &Api::AskForecast},
    {"GET",
     "/api/v1/notifications",
     Access::kRead,
     "What was sent to the receivers of the estate, newest first, what waits, and why.",
     {},
     "",
     "Notifications",
     &Api::Notifications},
    {"GET",
     "/api/v1/keys",
     Access::kRead,
     "The keys with which applications call the gateway, without the keys themselves.",
     {},
     "",
     "Keys",
     &Api::AskDesk},
    {"POST",
     "/api/v1/keys",
     Access::kWrite,
     "Makes a key; only this answer shows it.",
     {},
     "KeyRequest",
     "CreatedKey",
     &Api::AskDesk},
    {"DELETE", "/api/v1/keys/{key}", Access::kWrite,
     "Revokes a key. It stays in the list, so that what was spent with it keeps its name.",
     kKeyParameters, "", "Key", &Api::RevokeKey},
    {"GET", "/api/v1/anomalies", Access::kRead,
     "Anomalies of live spend, newest first: since when, how much, who is behind it, what to do.",
     kAnomaliesParameters, "", "Anomalies", &Api::AskWatch},
    {"GET", "/api/v1/anomalies/{id}", Access::kRead, "One anomaly.", kAnomalyParameters, "",
     "Anomaly", &Api::AskWatch},
    {"POST", "/api/v1/anomalies/{id}", Access::kWrite,
     "Says that an anomaly was expected, so that its like is not told again, or that it was not.",
     kAnomalyParameters, "AnomalyWord", "Anomaly", &Api::AskWatch},
    {"GET", "/api/v1/incidents", Access::kRead,
     "Incidents, newest first: anomalies that belong together, with state, owner and timeline.",
     kIncidentsParameters, "", "Incidents", &Api::AskWatch},
    {"GET", "/api/v1/incidents/{id}", Access::kRead, "One incident.", kIncidentParameters, "",
     "Incident", &Api::AskWatch},
    {"POST", "/api/v1/incidents/{id}", Access::kWrite,
     "Acknowledges, resolves or reopens an incident, gives it an owner or a note.",
     kIncidentParameters, "IncidentWord", "Incident", &Api::AskWatch},
    {"GET",
     "/api/v1/watch",
     Access::kRead,
     "What the live watch looks for, and how much it watches.",
     {},
     "",
     "Watch",
     &Api::AskWatch},
    {"POST",
     "/v1/traces",
     Access::kWrite,
     "OTLP: spans of GenAI calls become charges; each span counts once.",
     {},
     "Otlp",
     "OtlpAnswer",
     &Api::PostOtlp},
    {"POST",
     "/v1/metrics",
     Access::kWrite,
     "OTLP: taken, and not metered; spans are.",
     {},
     "Otlp",
     "OtlpAnswer",
     &Api::PostOtlp},
    {"POST",
     "/v1/logs",
     Access::kWrite,
     "OTLP: taken, and not metered; spans are.",
     {},
     "Otlp",
     "OtlpAnswer",
     &Api::PostOtlp},
    {"GET",
     "/api/v1/events",
     Access::kRead,
     "Server-sent events: `hello` with the newest commit, then `commit` for each new one, and "
     "`anomaly` and `incident` when one changes.",
     {},
     "",
     "text/event-stream",
     nullptr},
    {"GET",
     "/api/v1/schema/query.json",
     Access::kRead,
     "The JSON Schema of a cost query.",
     {},
     "",
     "application/schema+json",
     &Api::GetQuerySchema},
    {"GET",
     "/api/v1/openapi.json",
     Access::kRead,
     "This document.",
     {},
     "",
     "application/vnd.oai.openapi+json",
     &Api::GetOpenApi},
    {"GET",
     "/metrics",
     Access::kRead,
     "Counters for Prometheus.",
     {},
     "",
     "text/plain",
     &Api::GetMetrics},
};

bool PathMatches(std::string_view pattern, std::string_view path,
                 std::vector<std::string>* values) {
  const auto wanted = SplitText(pattern, '/');
  const auto given = SplitText(path, '/');
  if (wanted.size() != given.size()) {
    return false;
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i].starts_with('{')) {
      if (wanted[i] != given[i]) {
        return false;
      }
    } else if (os::IsPlainName(given[i])) {
      values->emplace_back(given[i]);
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

Match FindRoute(std::string_view method, std::string_view path) {
  Match match;
  for (const Route& route : Routes()) {
    std::vector<std::string> values;
    if (!PathMatches(route.path, path, &values)) {
      continue;
    }
    match.methods.push_back(route.method);
    if (route.method == (method == "HEAD" ? "GET" : method)) {
      match.route = &route;
      match.path_values = std::move(values);
    }
  }
  return match;
}

}  // namespace flyball::serve
