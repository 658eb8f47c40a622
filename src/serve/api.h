// Api: the handlers behind the route table, and what they share. Internal to serve/; service.h is
// the door.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forecast/question.h"
#include "health/sources.h"
#include "ingest/otlp/otlp.h"
#include "ingest/reporting.h"
#include "os/files.h"
#include "rates/exchange_store.h"
#include "serve/answer_cache.h"
#include "serve/desk_queue.h"
#include "serve/events.h"
#include "serve/imports.h"
#include "serve/metrics.h"
#include "serve/service.h"
#include "serve/tokens.h"
#include "serve/upload.h"

namespace flyball::serve {

enum class Access : uint8_t {
  kOpen,   // never needs a token
  kRead,   // needs one when others can reach the server
  kWrite,  // always needs one
};

struct Call {
  const net::Request& request;
  std::vector<std::string>
      path_values;     // of the {names} in the route's path, in their order; plain names
  std::string author;  // the name of the caller's token, "" without one
};

class Api {
 public:
  Api(Settings settings, ledger::Ledger& ledger, Clock& clock, Hooks hooks);

  // Reads.
  net::Response Health(const Call& call);
  net::Response Query(const Call& call);
  net::Response Rows(const Call& call);
  net::Response ListCommits(const Call& call);
  net::Response GetCommit(const Call& call);
  net::Response GetEstate(const Call& call);
  net::Response Explain(const Call& call);
  net::Response GetQuarantine(const Call& call);
  net::Response GetExchange(const Call& call);
  net::Response GetDataHealth(const Call& call);
  net::Response GetMonthHealth(const Call& call);
  net::Response GetQuerySchema(const Call& call);
  net::Response GetOpenApi(const Call& call);
  net::Response GetMetrics(const Call& call);
  net::Response GetImport(const Call& call);
  // Writes.
  net::Response PostImport(const Call& call);
  net::Response PostClassify(const Call& call);
  net::Response PostPeriod(const Call& call);
  net::Response PostCompact(const Call& call);
  net::Response PostExport(const Call& call);
  // OTLP; the path says the signal.
  net::Response PostOtlp(const Call& call);
  // Of the gateway's desk: the same path there, or the key of the path revoked.
  net::Response AskDesk(const Call& call);
  // Of forecasts; the path says which.
  net::Response AskForecast(const Call& call);
  net::Response Notifications(const Call& call);
  net::Response RevokeKey(const Call& call);

  // Of the live watch: the same path there.
  net::Response AskWatch(const Call& call);

  void AddListener(std::shared_ptr<net::EventStream> listener);
  void AnnounceCommits();

  Settings settings;
  ledger::Ledger& ledger;
  Clock& clock;
  Hooks hooks;
  TokenStore tokens;
  Metrics metrics;
  EventHub events;

 private:
  Result<std::string> Forecast(const std::string& path, const forecast::Fields& fields);
  Result<std::string> BudgetsNow();
  net::Response AtDesk(std::string method, std::string path, std::string body);
  bool RulesAreStale();
  Result<std::string> TakeOtlp(otlp::Signal signal, otlp::Encoding encoding,
                               const net::Request& request);
  Result<std::string> TakeSpans(otlp::Encoding encoding, std::string_view body);
  Result<AnswerCache::Text> Answer(const ledger::CostQuery& query, ledger::AnswerFormat format);
  Result<std::string> AnswerBatch(const std::string& body);
  std::string AnswerOne(const std::string& query_json);
  Result<std::string> RowsJson(const std::string& body);
  Result<std::string> ExportJson(const std::string& body);
  Result<std::string> CommitsJson(const net::Request& request);
  Result<std::string> ExplainJson(const std::string& body);
  Result<std::shared_ptr<const estate::RuleSet>> EstateNow();
  health::Ask AskLedger();
  Result<std::string> DataHealthJson();
  Result<std::string> MonthHealthJson(const std::string& name);
  struct QuarantineFile {
    std::string path;
    std::optional<int64_t> rows;  // when the import says how many there are
  };
  Result<QuarantineFile> FindQuarantine(const std::string& id);
  Result<std::string> QuarantineLines(const std::string& id);
  Result<std::string> QuarantineJson(const std::string& id, const net::Request& request);
  Result<std::string> CommitOrNull(Result<std::optional<flyball::ledger::Commit>> commit);
  Result<ImportJob> JobFromJson(const Call& call);
  Result<ImportJob> JobFromUpload(const Upload& upload, const std::string& author);
  Status CheckServerPath(const std::string& path, const Call& call) const;

  struct OtlpCounts {
    std::atomic<uint64_t> kept = 0, repeated = 0, passed_over = 0, rejected = 0;
  };

  int64_t started_us_;
  std::mutex otlp_mutex_;  // one request's spans in memory at a time
  OtlpCounts otlp_counts_;
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
  ingest::LiveCharges live_;
  rates::ExchangeStore exchange_;
  AnswerCache cache_;
  health::QuarantineReasons quarantine_reasons_;
  std::mutex estate_mutex_;
  std::string estate_text_;  // that estate_now_ was made of
  std::shared_ptr<const estate::RuleSet> estate_now_;
  std::mutex announce_mutex_;
  int64_t announced_ = 0;  // sequence of the newest commit that listeners know of
  std::mutex rules_mutex_;
  std::optional<int64_t> rules_looked_us_;  // when the ledger was asked last, and at which commit
  std::string rules_head_;
  bool rules_stale_ = false;

 public:
  std::atomic<bool> stopping = false;
  ImportQueue imports;  // last: their threads use the rest
  DeskQueue desk{"the gateway's desk"};
  DeskQueue forecasts{"a forecast"};  // one at a time; it may ask the desk
};

inline constexpr std::string_view kOtlpPath = "/v1/";

struct Parameter {
  std::string_view name;
  std::string_view in;    // "path" or "query"
  std::string_view type;  // "string", "integer", "boolean"
  std::string_view about;
};
struct Route {
  std::string_view method;
  std::string_view path;  // "/api/v1/commits/{id}"
  Access access;
  std::string_view summary;
  std::span<const Parameter> parameters;
  std::string_view request;   // the name of a schema, or "" for no body
  std::string_view response;  // the name of a schema, or a media type when it is no JSON
  net::Response (Api::*handler)(const Call&);  // nullptr: a stream of events
};
// Every route, in the order of the document.
std::span<const Route> Routes();

struct Match {
  const Route* route =
      nullptr;  // nullptr: the path is known but not with this method, or not known at all
  std::vector<std::string> path_values;
  std::vector<std::string_view> methods;  // that the path knows; empty: the path is not known
};
// HEAD matches GET. A {name} in a path matches plain names only.
Match FindRoute(std::string_view method, std::string_view path);

// The OpenAPI 3.1 document of Routes() and the schemas.
std::string MakeOpenApi(std::string_view version);
struct NamedSchema {
  std::string_view name;
  std::string_view json;
};
std::span<const NamedSchema> Schemas();

// Refuses JSON that is nested deeper than any document of ours, before a parser recurses into it.
Status CheckJsonDepth(std::string_view json);
// An integer parameter of the query string.
Result<int64_t> IntParameter(const net::Request& request, const std::string& name,
                             int64_t otherwise, int64_t low, int64_t high);

}  // namespace flyball::serve
