// flyball gateway: the LLM gateway. Wiring only.
#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/beside.h"
#include "app/command.h"
#include "app/gateway_config.h"
#include "app/remote.h"
#include "app/spans.h"
#include "base/log.h"
#include "base/text.h"
#include "estate/estate.h"
#include "gateway/desk.h"
#include "gateway/governor.h"
#include "gateway/proxy.h"
#include "gateway/recovery.h"
#include "net/loop.h"
#include "net/tcp.h"
#include "os/process.h"
#include "os/secret.h"
#include "serve/service.h"

namespace flyball::app {
namespace {

constexpr int64_t kDrainUs = 30'000'000;  // what a call that runs gets to finish in

Result<GatewayConfig> ReadConfig(const Environment& environment) {
  GatewayConfig config = FB_TRY(ReadGatewayConfig(environment));
  if (config.estate.gateway.upstreams.empty()) {
    return Fail(Code::kFailedPrecondition,
                "'" + config.files.front() + "' names no upstream of the gateway",
                "write gateway: {upstreams: [{name, dialect, base_url, "
                "key_env, models}]}");
  }
  return config;
}

// The vendors' keys come from the environment and stay in memory.
Result<std::vector<std::string>> ReadVendorKeys(const std::vector<estate::Upstream>& upstreams) {
  std::vector<std::string> keys;
  for (const estate::Upstream& upstream : upstreams) {
    const char* key = upstream.key_env.empty() ? "" : std::getenv(upstream.key_env.c_str());
    if (key == nullptr || (*key == '\0' && !upstream.key_env.empty())) {
      return Fail(
          Code::kFailedPrecondition,
          fmt::format("the upstream '{}' needs the variable {}", upstream.name, upstream.key_env),
          "set it in the environment of `flyball gateway`");
    }
    keys.emplace_back(key);
  }
  return keys;
}

// "https://host[:port][/path]", as estate.yaml was checked to say.
Result<gateway::Upstream> ToProxyUpstream(const Environment& environment,
                                          const estate::Upstream& upstream) {
  std::string_view rest = upstream.base_url;
  gateway::Upstream to;
  to.endpoint.tls = rest.starts_with("https://");
  rest.remove_prefix(to.endpoint.tls ? 8 : 7);
  to.host = rest.substr(0, rest.find('/'));
  const bool has_port = to.host.find(':', to.host.rfind(']') + 1) != std::string::npos;
  const std::string full = has_port ? to.host : to.host + (to.endpoint.tls ? ":443" : ":80");
  const HostPort where = FB_TRY(ParseHostPort(full));
  to.endpoint.host = where.host;
  to.endpoint.port = where.port;
  if (!upstream.ca_file.empty()) {
    // Relative to the home, where estate.yaml stands; an absolute path stays one.
    to.endpoint.ca_file = std::filesystem::path(environment.home) / upstream.ca_file;
    if (Status usable = net::CheckCaFile(to.endpoint.ca_file); !usable) {
      return Fail(std::move(usable).error().At(upstream.place));
    }
  }
  return to;
}

// Budgets, exchange rates and prices of a configuration. On an error nothing has changed.
Status PutInForce(const Environment& environment, const GatewayConfig& config, guard::Wal& wal,
                  gateway::Currencies* currencies) {
  const guard::Moment now{environment.clock.Now(), environment.clock.MonotonicUs()};
  *currencies = {gateway::PriceCurrencies(*config.book, config.estate.gateway.upstreams, now.wall),
                 config.estate.exchange_rates};
  FB_CHECK(gateway::ApplyEstate(environment.files, environment.home, config.estate.budgets,
                                *currencies, wal, now));
  // Those that were set at run time are not the estate's: they refuse their own calls only.
  for (const guard::StatusRow& row : wal.guard().Statuses(now)) {
    const std::optional<budget::Budget> budget = wal.guard().BudgetOf(row.name);
    if (!budget || budget::FormatScope(budget->scope) != row.scope) continue;
    if (const Status counted = gateway::CheckCurrency(*budget, *currencies); !counted) {
      log::Warn("a budget refuses calls for want of an exchange rate",
                {{"budget", row.name}, {"why", counted.error().ToString()}});
    }
  }
  return {};
}

// What has changed in the home while the gateway runs. False: not all of it is in force, and it has
// to be tried again; `fault` tells why.
bool Renew(const Environment& environment, GatewayConfig& config, const estate::Gateway& running,
           guard::Wal& wal, gateway::GovernedGateway* governor, log::LastingFault* fault) {
  const bool same_gateway = SameGateway(config.estate.gateway, running);
  if (!same_gateway) config.estate.gateway = running;
  gateway::Currencies currencies;
  if (fault->IsNews(PutInForce(environment, config, wal, &currencies))) {
    log::Error("what has changed can't be put in force as a whole; it is tried again",
               {{"why", fault->why()}});
  }
  if (fault->lasts()) return false;
  if (!same_gateway) {
    log::Warn("what estate.yaml says under 'gateway' counts from the gateway's next start");
  }
  governor->SetBook(config.book);
  governor->SetCurrencies(std::move(currencies));
  log::Info("what has changed in estate.yaml and prices is in force",
            {{"budgets", std::to_string(config.estate.budgets.size())}});
  return true;
}

// Settles the guard's calls of unknown cost by vendors' bills, at the start and as they are
// applied. It reads them in a thread of its own: a long bill must not keep the log from its sync.
class EvidenceWatch {
 public:
  EvidenceWatch(const Environment& environment, std::string folder, guard::Wal& wal,
                net::Loop& loop)
      : environment_(environment),
        folder_(std::move(folder)),
        wal_(wal),
        beside_(loop),
        timer_(loop.timers(), [this] { Look(); }) {
    timer_.SetAtTurnEnd();
  }
  // The gateway stops: what is being read ends at its next step.
  ~EvidenceWatch() { ends_ = true; }

 private:
  static constexpr int64_t kLookEveryUs = 1'000'000;

  void Look() {
    timer_.SetAfter(kLookEveryUs);
    const Instant now = environment_.clock.Now();
    if (reading_) return;
    std::vector<os::FileStamp> stamps = os::StampsOf(gateway::LateEvidenceFiles(folder_, now));
    if (stamps == stamps_) return;
    stamps_ = std::move(stamps);  // before they are read: what comes meanwhile is read again
    reading_ = true;
    const auto read = std::make_shared<Result<gateway::LateEvidence>>();
    beside_.Run(
        [this, read, now] {
          *read = gateway::ReadLateEvidence(environment_.files, folder_, now,
                                            [this] { return ends_.load(); });
          return Status();
        },
        [this, read](const Status&) { Settle(*read); });
  }

  void Settle(const Result<gateway::LateEvidence>& read) {
    reading_ = false;
    Result<int64_t> settled = 0;
    if (read) {
      settled = gateway::SettleByEvidence(
          *read, wal_, {environment_.clock.Now(), environment_.clock.MonotonicUs()});
    } else {
      settled = Fail(read.error());
    }
    if (fault_.IsNews(settled)) {
      log::Error(
          "vendors' bills can't be counted; the calls that they tell of stay at their bounds",
          {{"why", fault_.why()}});
    }
    if (!settled) stamps_.clear();  // it is tried again
    if (settled && *settled > 0) {
      log::Info("calls at their bound are settled by vendors' bills",
                {{"calls", std::to_string(*settled)}});
    }
  }

  const Environment& environment_;
  const std::string folder_;
  guard::Wal& wal_;
  std::atomic<bool> ends_ = false;
  Beside beside_;  // after what it looks at
  std::vector<os::FileStamp> stamps_;
  bool reading_ = false;
  log::LastingFault fault_;
  net::Timer timer_;
};

// Ends the loop when the process is told to stop: calls that run are finished
// first.
class Stopper {
 public:
  Stopper(net::Loop& loop, gateway::Proxy& proxy, std::unique_ptr<net::Acceptor>& acceptor,
          int stop_descriptor)
      : thread_([&loop, &proxy, &acceptor, stop_descriptor] {
          os::WaitForStop(stop_descriptor);
          loop.Post([&loop, &proxy, &acceptor] {
            log::Info("stopping", {});
            acceptor.reset();
            proxy.Drain(kDrainUs, [&loop] { loop.Stop(); });
          });
        }) {}
  ~Stopper() { thread_.join(); }

 private:
  std::thread thread_;
};

Status ServeGateway(const Environment& environment, const GatewayArgs& args) {
  const int stop = FB_TRY(os::InstallStopSignals());
  GatewayConfig config = FB_TRY(ReadConfig(environment));
  const estate::Estate& estate = config.estate;
  const std::string listen = !args.listen.empty()             ? args.listen
                             : !estate.gateway.listen.empty() ? estate.gateway.listen
                                                              : std::string(kGatewayListenDefault);
  const HostPort where = FB_TRY(ParseHostPort(listen));
  gateway::GatewaySettings settings;
  settings.upstreams = estate.gateway.upstreams;
  settings.upstream_keys = FB_TRY(ReadVendorKeys(settings.upstreams));
  if (estate.gateway.output_limit > 0) settings.output_limit = estate.gateway.output_limit;
  if (!estate.gateway.missing_price.empty()) {
    settings.missing_price = FB_TRY(rates::ParseMissingPrice(estate.gateway.missing_price));
  }
  std::vector<gateway::Upstream> upstreams;
  for (const estate::Upstream& upstream : settings.upstreams) {
    upstreams.push_back(FB_TRY(ToProxyUpstream(environment, upstream)));
  }
  gateway::Desk desk = FB_TRY(gateway::WaitForDesk(environment.files, environment.home));
  FB_CHECK(serve::EnsureAdminToken(environment.home, environment.clock));
  const guard::Moment now{environment.clock.Now(), environment.clock.MonotonicUs()};
  const std::string calls_folder = os::JoinPath(gateway::GatewayFolder(environment.home), "calls");
  gateway::CallLog calls =
      FB_TRY(gateway::RecoverCalls(environment.files, calls_folder, *desk.wal, now));
  gateway::Currencies currencies;
  FB_CHECK(PutInForce(environment, config, *desk.wal, &currencies));
  net::Loop loop(environment.clock);
  Beside beside(loop);
  settings.beside = [&beside](auto job, auto done) { beside.Run(std::move(job), std::move(done)); };
  EvidenceWatch evidence(environment, calls_folder, *desk.wal, loop);
  gateway::KeyStore keys(environment.files, environment.home);
  uint64_t seed = 0;
  SecureRandomBytes(reinterpret_cast<uint8_t*>(&seed), sizeof seed);
  Random random(seed);
  gateway::GovernedGateway governor(std::move(settings), config.book, *desk.wal, calls, keys,
                                    environment.clock, random);
  governor.SetCurrencies(currencies);
  if (const std::string& log = estate.gateway.access_log; !log.empty()) {
    const bool as_it_is = log == "-" || log.starts_with('/');
    governor.SetAccessLog(std::make_unique<gateway::AccessLog>(
        environment.files, as_it_is ? log : os::JoinPath(environment.home, log)));
  }
  const auto dialer = FB_TRY(net::MakeDialer(loop, net::DialerOptions{}));
  gateway::Proxy proxy(gateway::ProxyOptions{}, std::move(upstreams), governor, loop.timers(),
                       *dialer);
  auto acceptor = std::make_unique<net::Acceptor>(
      loop, FB_TRY(net::ListenOn(where.host, where.port)), [&](net::Fd fd, std::string peer) {
        proxy.Accept(net::MakeTcpStream(loop, std::move(fd)), std::move(peer));
      });
  const std::string address = UrlOf(where.host, acceptor->port());
  FB_CHECK(desk.lock.SetNote(UrlOf(ReachableHost(where.host), acceptor->port())));
  Print(fmt::format("Flyball's gateway serves http://{} from {}", address, environment.home));
  Stopper stopper(loop, proxy, acceptor, stop);
  log::LastingFault fault;
  ConfigWatch watch(environment, config, [&](GatewayConfig changed) {
    loop.Post([&, changed = std::make_shared<GatewayConfig>(std::move(changed))] {
      if (!Renew(environment, *changed, estate.gateway, *desk.wal, &governor, &fault)) {
        watch.TellAgain();
      }
    });
  });
  loop.Run();
  const Status synced_beside = beside.Finish();
  (void)governor.Commit();  // its failure is told
  FB_CHECK(calls.WriteEnds());
  if (const auto sync = calls.StartSync()) FB_CHECK(sync());
  return synced_beside;
}

}  // namespace

int RunGateway(const Environment& environment, const GatewayArgs& args) {
  const Status served = ServeGateway(environment, args);
  return served ? kExitDone : Report(environment, served.error());
}

}  // namespace flyball::app
