// flyball serve, flyball up: the control plane. Wiring only.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/check_import.h"
#include "app/children.h"
#include "app/command.h"
#include "app/day_watch.h"
#include "app/estate_now.h"
#include "app/gateway_desk.h"
#include "app/incident_news.h"
#include "app/live_watch.h"
#include "app/notifier.h"
#include "app/open_ledger.h"
#include "app/other_spend.h"
#include "app/remote.h"
#include "app/spans.h"
#include "app/worker.h"
#include "base/log.h"
#include "base/text.h"
#include "ledger/ledger.h"
#include "net/http.h"
#include "os/process.h"
#include "serve/service.h"

namespace flyball::app {
namespace {

// What a request that runs gets to finish in when the server is told to stop; then it is ended.
constexpr int kDrainMs = 2000;
constexpr int64_t kPublishEveryUs = 5 * 60 * kMicrosPerSecond;
constexpr int64_t kGatewayAgainUs = 2 * kMicrosPerSecond;

Status MakeDemoIfEmpty(const Environment& environment) {
  if (ledger::HomeExists(environment.files, environment.home)) {
    const auto ledger = FB_TRY(OpenLedger(environment));
    const bool unfinished = environment.files.Exists(UnfinishedDemo(environment));
    if (!ledger->Head().empty() && !unfinished) return {};
  }
  Say("flyball: making the demonstration estate");
  Environment quiet = environment;
  quiet.format = "table";
  if (RunDemo(quiet, DemoArgs{}) != kExitDone) {
    return Fail(Code::kUnavailable, "the demonstration estate could not be made");
  }
  return {};
}

void LogAccess(const serve::AccessLine& line) {
  log::Info("request", {{"method", std::string(line.method)},
                        {"path", std::string(line.path)},
                        {"status", std::to_string(line.status)},
                        {"bytes", std::to_string(line.bytes)},
                        {"latency_us", std::to_string(line.latency_us)},
                        {"peer", std::string(line.peer)}});
}

// Whether the estate names upstreams; one that can't be read names none: the page says what is
// wrong with it.
bool UpstreamsNamed(EstateNow& estate) {
  const auto rules = estate.Get();
  return rules && !(*rules)->estate().gateway.upstreams.empty();
}

// What runs beside the server: the closed hours of the gateway's calls come into the ledger, and
// `up` keeps a gateway while the estate names upstreams.
std::vector<std::unique_ptr<Child>> StartChildren(const Environment& environment,
                                                  const ServeArgs& args, EstateNow& estate) {
  std::vector<std::unique_ptr<Child>> children;
  children.push_back(std::make_unique<Child>(
      environment, Child::Plan{"publish",
                               {"publish", "--format", "json", "--home", environment.home},
                               kPublishEveryUs,
                               false}));
  if (!args.gateway) return children;
  children.push_back(std::make_unique<Child>(
      environment,
      Child::Plan{
          "gateway", {"gateway", "--home", environment.home}, kGatewayAgainUs, true, [&estate] {
            return UpstreamsNamed(estate);
          }}));
  return children;
}

Result<ledger::LedgerOptions> LedgerOptionsOf(const Environment& environment,
                                              const ServeArgs& args) {
  const int64_t memory = ParseBytes(args.memory);
  if (memory < kMemoryMinBytes) {
    return Fail(Code::kInvalidArgument, fmt::format("--memory '{}' is too little", args.memory),
                "at least " + FormatBytes(kMemoryMinBytes));
  }
  ledger::LedgerOptions options;
  options.home = environment.home;
  options.memory_bytes = static_cast<uint64_t>(memory);
  options.question_limit_us = args.query_timeout_s * kMicrosPerSecond;
  return options;
}

Status Serve(const Environment& environment, const ServeArgs& args) {
  const HostPort listen = FB_TRY(ParseHostPort(args.listen));
  const ledger::LedgerOptions ledger_options = FB_TRY(LedgerOptionsOf(environment, args));
  const int stop = FB_TRY(os::InstallStopSignals());
  FB_CHECK(RefuseWhileServed(environment, "serve"));
  if (args.demo) FB_CHECK(MakeDemoIfEmpty(environment));
  const auto ledger =
      FB_TRY(ledger::Ledger::Open(ledger_options, environment.files, environment.clock));
  FB_CHECK(serve::EnsureAdminToken(environment.home, environment.clock));

  serve::Settings settings;
  settings.home = environment.home;
  settings.version = FLYBALL_VERSION;
  settings.loopback = net::IsLoopback(listen.host);
  settings.web_dir = args.web_dir;
  serve::Hooks hooks;
  hooks.run_import = [&](const serve::ImportJob& job, const serve::ImportProgress& progress,
                         const std::stop_token& cancelled) -> Result<std::string> {
    std::string report = FB_TRY(ImportInChild(environment, *ledger, job, progress, cancelled));
    CheckImportedInChild(environment, job.files, report, cancelled);
    return report;
  };
  ServedDesk desk(environment);
  hooks.ask_desk = [&](std::string_view method, std::string_view path, const std::string& body) {
    return desk.Ask(method, path, body);
  };
  otlp::SpanLog span_log(environment.files, SpansFolder(environment));
  hooks.span_log = &span_log;
  hooks.access_log = LogAccess;
  EstateNow estate(environment);
  // Who is told of anomalies and incidents: the pages that listen. Set before the watch starts.
  std::function<void(const watch::Effect&)> tell;
  const std::unique_ptr<LiveWatch> watch = FB_TRY(
      LiveWatch::Open(environment, estate, [&tell](const watch::Effect& effect) { tell(effect); }));
  hooks.ask_watch = [&watch](const serve::WatchQuestion& question) { return watch->Ask(question); };
  const std::unique_ptr<Notifier> notifier = FB_TRY(Notifier::Start(environment, estate));
  hooks.notifications = [&] { return notifier->ListJson(); };
  serve::Service service(settings, *ledger, environment.clock, hooks);
  IncidentNews news(*watch, *notifier);
  tell = [&service, &news](const watch::Effect& effect) {
    if (effect.event != "pattern") service.Announce(effect.event, effect.json);
    news.Changed(effect);
  };
  net::ServerOptions server_options;
  server_options.address = listen.host;
  server_options.port = listen.port;
  const auto server = FB_TRY(service.Listen(server_options));
  FB_CHECK(ledger->Announce(UrlOf(ReachableHost(listen.host), server->port())));
  Print(fmt::format("Flyball serves http://{} from {}", UrlOf(listen.host, server->port()),
                    environment.home));
  {
    const std::vector<std::unique_ptr<Child>> children = StartChildren(environment, args, estate);
    const OtherSpend other_spend(environment, *ledger);
    watch->Start();
    news.Start();
    std::optional<DayWatch> days;
    days.emplace(
        environment, *ledger, [&watch] { return watch->settings(); },
        [&watch](std::vector<watch::Anomaly> odd) { watch->TellDays(std::move(odd)); });
    os::WaitForStop(stop);
    days.reset();
    watch->Stop();
    news.Stop();
  }
  service.Stop();
  server->Drain(kDrainMs);
  ledger->StopQuestions();  // what still runs has nobody left to answer
  return {};
}

}  // namespace

int RunServe(const Environment& environment, const ServeArgs& args) {
  const Status served = Serve(environment, args);
  return served ? kExitDone : Report(environment, served.error());
}

int RunUp(const Environment& environment, const ServeArgs& args) {
  ServeArgs all = args;
  all.gateway = true;
  return RunServe(environment, all);
}

int RunToken(const Environment& environment, const TokenArgs& args) {
  const Result<std::string> token = serve::CreateToken(
      environment.home, args.name.empty() ? Author() : args.name, environment.clock);
  if (!token) return Report(environment, token.error());
  Print(environment.json() ? nlohmann::json{{"token", *token}}.dump() : *token);
  Say("flyball: the token is not shown again");
  return kExitDone;
}

}  // namespace flyball::app
