// Service: the HTTP API of the control plane and the embedded page.
//
// One table of routes (serve/routes.cc) says for each what it does, what it takes and answers, and
// whether it needs a token; requests are dispatched from it and the OpenAPI document is generated
// from it. Service takes plain settings and references, so a test needs its constructor and nothing
// else; sockets stand in net/, wiring in app/.
//
//   Service service(settings, ledger, clock, hooks);
//   auto server = FB_TRY(service.Listen(options));   // net::Server; Drain it, then Stop the
//   service
//
// Who may do what: bound to loopback, reads are free and everything that writes needs a token;
// bound elsewhere everything but /api/v1/health needs one (Authorization: Bearer, or Basic with the
// token as password, so that a browser can ask for it). Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ingest/otlp/span_log.h"
#include "ledger/ledger.h"
#include "net/http.h"

namespace flyball::serve {

// Named limits.
inline constexpr int kBatchQueriesMax = 32;      // in one POST /api/v1/query
inline constexpr int kCommitsPageDefault = 100;  // of GET /api/v1/commits
inline constexpr int kCommitsPageMax = 1000;
inline constexpr int kQuarantinePageMax = 1000;  // of GET /api/v1/quarantine
inline constexpr uint64_t kQuarantineDownloadMaxBytes = 64ull << 20;
inline constexpr size_t kImportsWaitingMax = 16;      // more are refused with RESOURCE_EXHAUSTED
inline constexpr size_t kImportsRememberedMax = 256;  // finished jobs that can still be asked for
inline constexpr size_t kImportFilesMax = 256;        // of one import
inline constexpr size_t kEventListenersMax = 64;
inline constexpr size_t kDeskWaitingMax = 64;  // requests of budgets and keys at a time
inline constexpr size_t kDeskBodyMaxBytes = 64u << 10;
inline constexpr size_t kForecastBodyMaxBytes = 64u << 10;

struct ImportJob {
  std::vector<std::string> files;  // absolute paths
  std::string source;              // empty: from the first file's name
  std::string format;              // "focus-csv", ...; empty: detect
  std::string currency;            // of rows that name none; empty: they go to the quarantine
  std::string author;
  uint64_t memory_bytes = 0;  // 0: the default of imports
  bool dry_run = false;
  bool beside = false;                   // also when another source has the same bill
  std::optional<int64_t> rows_expected;  // what a manifest says that the files have in all
};
// False: cancel, and answer CANCELLED.
using ImportProgress = std::function<bool(uint64_t done, uint64_t total)>;

// A question to the live watch (watch/desk.h): `path` is that of the API below /api/v1.
struct WatchQuestion {
  std::string method, path;
  std::map<std::string, std::string> query;
  std::string body;
  std::string author;  // the name of the caller's token
};

struct AccessLine {
  std::string_view method, path, peer;
  int status = 0;
  uint64_t bytes = 0;
  int64_t latency_us = 0;
};

struct Hooks {
  // Imports in a child process, publishes, and answers the JSON contract of `flyball import`.
  // Called from one thread of the service, one job at a time. Ends soon once the token is stopped,
  // also while there is no progress to tell.
  std::function<Result<std::string>(const ImportJob&, const ImportProgress&,
                                    const std::stop_token&)>
      run_import;
  // The desk of the home's gateway: budgets and keys. GET and POST of "/budgets",
  // "/budgets/freeze", "/budgets/remove", "/keys" and "/keys/revoke", in JSON both ways. Called
  // from one thread of the service, one request at a time; it may wait for another process.
  std::function<Result<std::string>(std::string_view method, std::string_view path,
                                    const std::string& body)>
      ask_desk;
  // The live watch: anomalies and incidents. GET and POST of "/anomalies", "/incidents" and one of
  // them, GET of "/watch". Called from any thread; waits for nothing.
  std::function<Result<std::string>(const WatchQuestion&)> ask_watch;
  // What people have been told, as GET /api/v1/notifications answers it. From any thread.
  std::function<std::string()> notifications;
  // Where calls of OTLP spans are kept; null: none are taken.
  otlp::SpanLog* span_log = nullptr;
  // No bodies, no query strings, no tokens. May be called from any thread.
  std::function<void(const AccessLine&)> access_log;
};

struct Settings {
  std::string home;
  std::string version;  // of the program, for /health
  // False: bound to an address that others can reach, so every request needs a token.
  bool loopback = true;
  std::string
      web_dir;  // serves the page from this folder instead of the embedded one (development)
  // Folders that POST /api/v1/imports may name files in. Empty: any file, for who shows the
  // token of home/token from this machine.
  std::vector<std::string> import_dirs;
  uint64_t answer_cache_bytes = 32ull << 20;
  int batch_threads = 4;  // that answer the queries of one batch
};

class Service {
 public:
  Service(Settings settings, ledger::Ledger& ledger, Clock& clock, Hooks hooks);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Starts a server for this service; upload_dir defaults to home/tmp. The service must outlive it.
  Result<std::unique_ptr<net::Server>> Listen(net::ServerOptions options);

  // What Listen connects; public for tests without sockets.
  net::Response Handle(const net::Request& request);
  Result<net::BodyPlan> Admit(const net::Request& head);
  net::Response Refuse(int status, const Error& error);

  // Tells the listeners of /api/v1/events about commits that were made since the last call. Called
  // by the service itself after what it does; by others that commit to the same ledger (a tailer)
  // after theirs.
  void AnnounceCommits();
  // Tells the listeners of /api/v1/events something else: `data` is one JSON document. From any
  // thread; a listener that does not keep up is dropped, so nothing waits.
  void Announce(std::string_view event, std::string_view data);
  // Cancels the import that runs, waits for the desk, and refuses what waits for them.
  void Stop();

  std::string OpenApiJson() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The first "admin" token of a home, written to home/token (mode 0600) for the command line of the
// same user; nothing when there is one. Only hashes of tokens are kept elsewhere
// (home/tokens.json).
Status EnsureAdminToken(const std::string& home, Clock& clock);
// A new token, shown once: only its SHA-256 is kept. ALREADY_EXISTS when the name is taken.
Result<std::string> CreateToken(const std::string& home, const std::string& name, Clock& clock);

}  // namespace flyball::serve
