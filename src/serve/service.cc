#include "serve/service.h"

#include "base/log.h"
#include "base/text.h"
#include "ingest/otlp/otlp.h"
#include "ledger/commit_json.h"
#include "os/files.h"
#include "serve/api.h"
#include "serve/assets.h"
#include "serve/reply.h"

namespace flyball::serve {
namespace {

constexpr std::string_view kEventsPath = "/api/v1/events";
// How long an answer to "is estate.yaml another one than the rules in force" holds: finding out
// reads the whole rulebook, and monitors ask for /health often.
constexpr int64_t kRulesLookAgainUs = 2 * kMicrosPerSecond;

int64_t NewestSequence(const ledger::Ledger& ledger) {
  const std::vector<ledger::Commit> commits = ledger.Commits();
  return commits.empty() ? 0 : commits.back().sequence;
}

std::string CommitEvent(const ledger::Commit& commit) {
  std::string out = fmt::format(R"({{"sequence":{},"id":)", commit.sequence);
  AppendJsonString(commit.id, &out);
  out += R"(,"kind":)";
  AppendJsonString(ledger::CommitKindName(commit.kind), &out);
  out += R"(,"source":)";
  AppendJsonString(commit.source, &out);
  return out + fmt::format(R"(,"rows":{}}})", ledger::RowsInSlices(commit));
}

}  // namespace

Api::Api(Settings settings_in, ledger::Ledger& ledger_in, Clock& clock_in, Hooks hooks_in)
    : settings(std::move(settings_in)),
      ledger(ledger_in),
      clock(clock_in),
      hooks(std::move(hooks_in)),
      tokens(settings.home),
      started_us_(clock.MonotonicUs()),
      live_(*files_, settings.home, clock),
      exchange_(*files_, settings.home),
      cache_(settings.answer_cache_bytes),
      announced_(NewestSequence(ledger)),
      imports(hooks.run_import) {}

void Api::AddListener(std::shared_ptr<net::EventStream> listener) {
  // Listening first: a commit in between is told twice rather than never.
  events.Add(listener);
  std::string hello = R"({"commit":)";
  AppendJsonString(ledger.Head(), &hello);
  listener->Send("hello", hello + "}");
}

void Api::AnnounceCommits() {
  std::lock_guard lock(announce_mutex_);
  for (const ledger::Commit& commit : ledger.Commits()) {
    if (commit.sequence > announced_) {
      announced_ = commit.sequence;
      events.Send("commit", CommitEvent(commit));
    }
  }
}

bool Api::RulesAreStale() {
  std::lock_guard lock(rules_mutex_);
  const int64_t now_us = clock.MonotonicUs();
  const std::string head = ledger.Head();
  if (!rules_looked_us_ || now_us - *rules_looked_us_ >= kRulesLookAgainUs || head != rules_head_) {
    rules_stale_ = ledger.RulesAreStale();
    rules_looked_us_ = now_us;
    rules_head_ = head;
  }
  return rules_stale_;
}

net::Response Api::Health(const Call&) {
  std::string out = R"({"status":"ok","version":)";
  AppendJsonString(settings.version, &out);
  out += fmt::format(R"(,"home_version":{},"commit":)", ledger::kHomeVersion);
  AppendJsonString(ledger.Head(), &out);
  return JsonReply(out + fmt::format(R"(,"uptime_s":{},"resident_bytes":{},"rules_stale":{}}})",
                                     (clock.MonotonicUs() - started_us_) / kMicrosPerSecond,
                                     ResidentBytes(), RulesAreStale()));
}

net::Response Api::GetMetrics(const Call&) {
  const AnswerCache::Stats cache = cache_.stats();
  const auto uptime_s =
      static_cast<uint64_t>((clock.MonotonicUs() - started_us_) / kMicrosPerSecond);
  std::string text = metrics.Text({
      {"flyball_commits", "Commits of the ledger.", "gauge", ledger.Commits().size()},
      {"flyball_answer_cache_hits_total", "Queries answered from memory.", "counter", cache.hits},
      {"flyball_answer_cache_misses_total", "Queries that the store answered.", "counter",
       cache.misses},
      {"flyball_answer_cache_bytes", "Memory of kept answers.", "gauge", cache.bytes},
      {"flyball_event_listeners", "Pages that listen for commits.", "gauge", events.size()},
      {"flyball_resident_bytes", "Resident memory of the server.", "gauge", ResidentBytes()},
      {"flyball_uptime_seconds", "Since the server started.", "gauge", uptime_s},
      {"flyball_otlp_calls_total", "Calls of OTLP spans that were kept.", "counter",
       otlp_counts_.kept},
      {"flyball_otlp_calls_repeated_total", "Calls of OTLP spans that were known already.",
       "counter", otlp_counts_.repeated},
      {"flyball_otlp_spans_passed_over_total", "OTLP spans that are no calls to a model.",
       "counter", otlp_counts_.passed_over},
      {"flyball_otlp_spans_rejected_total", "OTLP spans of calls that can't be metered.", "counter",
       otlp_counts_.rejected},
      {"flyball_bugs_total", "Impossible states that were survived.", "counter", log::BugCount()},
  });
  return Reply(200, "text/plain; version=0.0.4; charset=utf-8", std::move(text));
}

net::Response Api::GetOpenApi(const Call&) {
  return Reply(200, "application/vnd.oai.openapi+json", MakeOpenApi(settings.version));
}

struct Service::Impl {
  Impl(Settings settings, ledger::Ledger& ledger, Clock& clock, Hooks hooks)
      : api(std::move(settings), ledger, clock, std::move(hooks)) {}

  // Counts and logs an answer that is about to go out.
  void Finish(const net::Request& request, std::string_view route, int64_t started_us,
              const net::Response& response) {
    const int64_t latency_us = api.clock.MonotonicUs() - started_us;
    api.metrics.CountRequest(route, response.status, latency_us);
    if (api.hooks.access_log) {
      const uint64_t bytes = response.shared_body            ? response.shared_body->size()
                             : !response.static_body.empty() ? response.static_body.size()
                                                             : response.body.size();
      api.hooks.access_log(
          {request.method, request.path, request.peer, response.status, bytes, latency_us});
    }
  }

  net::Response Dispatch(const net::Request& request, const Match& match);

  Api api;
};

net::Response Service::Impl::Dispatch(const net::Request& request, const Match& match) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (match.methods.empty() && reads) {
    return ServeAsset(request, api.settings.web_dir);
  }
  if (match.methods.empty() && request.path != "*") {
    return ErrorReply(Error{Code::kNotFound,
                            "there is nothing at '" + request.path + "'",
                            "see /api/v1/openapi.json for what there is",
                            {}});
  }
  if (match.route != nullptr && match.route->handler != nullptr) {
    const std::string author =
        api.tokens.NameOf(TokenOf(request.Header("authorization"))).value_or("");
    return (api.*match.route->handler)(Call{request, match.path_values, author});
  }
  std::string allow = "OPTIONS";
  for (std::string_view method : match.methods) {
    allow += method == "GET" ? ", GET, HEAD" : ", " + std::string(method);
  }
  net::Response response =
      request.method == "OPTIONS"
          ? Reply(204, "text/plain", {})
          : ErrorReply(405, Error{Code::kUnimplemented,
                                  request.method + " is not done at '" + request.path + "'",
                                  "it takes " + allow,
                                  {}});
  response.headers.emplace_back("Allow", allow);
  return response;
}

Service::Service(Settings settings, ledger::Ledger& ledger, Clock& clock, Hooks hooks)
    : impl_(std::make_unique<Impl>(std::move(settings), ledger, clock, std::move(hooks))) {}
Service::~Service() = default;

net::Response Service::Handle(const net::Request& request) {
  const int64_t started_us = impl_->api.clock.MonotonicUs();
  const Match match = FindRoute(request.method, request.path);
  const std::string_view route = match.route != nullptr  ? match.route->path
                                 : match.methods.empty() ? "page"
                                                         : "other";
  net::Response response = impl_->Dispatch(request, match);
  if (!response.later) {
    impl_->Finish(request, route, started_us, response);
    return response;
  }
  // What is logged must outlive the request.
  net::Request head;
  head.method = request.method;
  head.path = request.path;
  head.peer = request.peer;
  response.later = [this, head, route, started_us,
                    begin = std::move(response.later)](std::function<void(net::Response)> answer) {
    begin([this, head, route, started_us, answer](net::Response later) {
      impl_->Finish(head, route, started_us, later);
      answer(std::move(later));
    });
  };
  return response;
}

Result<net::BodyPlan> Service::Admit(const net::Request& head) {
  const Match match = FindRoute(head.method, head.path);
  const Access access = match.route != nullptr ? match.route->access : Access::kRead;
  // What a proxy on this machine passes on comes from elsewhere, whatever the socket says.
  const bool local = impl_->api.settings.loopback && !IsForwarded(head);
  const bool needs_token = access == Access::kWrite || (!local && access != Access::kOpen);
  if (needs_token && !impl_->api.tokens.NameOf(TokenOf(head.Header("authorization")))) {
    if (impl_->api.hooks.access_log) {
      impl_->api.hooks.access_log({head.method, head.path, head.peer, 401, 0, 0});
    }
    const bool given = !head.Header("authorization").empty();
    return Fail(Code::kUnauthenticated,
                given ? "the token is not known here" : "this needs a token",
                "send 'Authorization: Bearer TOKEN' with what `flyball token` gives, or with the "
                "content of the file 'token' in the home folder");
  }
  net::BodyPlan plan;
  if (match.route == nullptr) return plan;
  // Bills come in any size: they go to a file.
  plan.to_file = match.route->path == "/api/v1/imports" && MediaType(head) != "application/json";
  if (match.route->path.starts_with(kOtlpPath)) plan.body_max_bytes = otlp::kBodyMaxBytes;
  return plan;
}

net::Response Service::Refuse(int status, const Error& error) {
  impl_->api.metrics.CountRefusal(status);
  net::Response response = ErrorReply(status, error);
  if (status == 401) {
    // A browser asks its user for the token only when it can't load the page itself without.
    response.headers.emplace_back("WWW-Authenticate",
                                  impl_->api.settings.loopback
                                      ? "Bearer realm=\"flyball\""
                                      : "Basic realm=\"flyball\", charset=\"UTF-8\"");
  }
  return response;
}

Result<std::unique_ptr<net::Server>> Service::Listen(net::ServerOptions options) {
  if (options.upload_dir.empty()) {
    options.upload_dir = os::JoinPath(impl_->api.settings.home, "tmp");
  }
  std::map<std::string, net::Server::Subscriber> event_paths;
  event_paths[std::string(kEventsPath)] = [this](const net::Request&,
                                                 std::shared_ptr<net::EventStream> stream) {
    impl_->api.AddListener(std::move(stream));
  };
  return net::Server::Start(
      options, [this](const net::Request& request) { return Handle(request); },
      [this](const net::Request& head) { return Admit(head); }, std::move(event_paths),
      [this](int status, const Error& error) { return Refuse(status, error); });
}

void Service::AnnounceCommits() { impl_->api.AnnounceCommits(); }
void Service::Announce(std::string_view event, std::string_view data) {
  impl_->api.events.Send(event, data);
}
void Service::Stop() {
  impl_->api.stopping = true;
  impl_->api.imports.Stop();
  impl_->api.desk.Stop();
  impl_->api.forecasts.Stop();
}
std::string Service::OpenApiJson() const { return MakeOpenApi(impl_->api.settings.version); }

}  // namespace flyball::serve
