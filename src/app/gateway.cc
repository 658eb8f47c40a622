// flyball gateway: the LLM gateway. Wiring only.
#include <fmt/format.h>

#include <cstdlib>
#include <thread>

#include "app/command.h"
#include "app/price_sources.h"
#include "app/remote.h"
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
#include "serve/service.h"

namespace flyball::app {
namespace {

constexpr int64_t kDrainUs = 30'000'000;  // what a call that runs gets to finish in
constexpr std::string_view kListenDefault = "127.0.0.1:8081";

Result<estate::Estate> ReadEstate(const Environment& environment) {
  const std::string path = os::JoinPath(environment.home, "estate.yaml");
  const std::string snapshot = FB_TRY(estate::LoadEstate(environment.files, path));
  estate::Estate estate = FB_TRY(estate::RuleSet::Compile(snapshot))->estate();
  if (estate.gateway.upstreams.empty()) {
    return Fail(Code::kFailedPrecondition, "'" + path + "' names no upstream of the gateway",
                "write gateway: {upstreams: [{name, dialect, base_url, "
                "key_env, models}]}");
  }
  return estate;
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
Result<gateway::Upstream> ToProxyUpstream(const estate::Upstream& upstream) {
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
  return to;
}

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
  const estate::Estate estate = FB_TRY(ReadEstate(environment));
  const std::string listen = !args.listen.empty()             ? args.listen
                             : !estate.gateway.listen.empty() ? estate.gateway.listen
                                                              : std::string(kListenDefault);
  const HostPort where = FB_TRY(ParseHostPort(listen));
  gateway::GatewaySettings settings;
  settings.upstreams = estate.gateway.upstreams;
  settings.upstream_keys = FB_TRY(ReadVendorKeys(settings.upstreams));
  if (estate.gateway.output_limit > 0) settings.output_limit = estate.gateway.output_limit;
  std::vector<gateway::Upstream> upstreams;
  for (const estate::Upstream& upstream : settings.upstreams) {
    upstreams.push_back(FB_TRY(ToProxyUpstream(upstream)));
  }
  const auto book = std::make_shared<const rates::PriceBook>(FB_TRY(OpenPrices(environment, "")));
  gateway::Desk desk = FB_TRY(gateway::OpenDesk(environment.files, environment.home));
  FB_CHECK(serve::EnsureAdminToken(environment.home, environment.clock));
  settings.admin_token =
      Trim(FB_TRY(environment.files.ReadAll(os::JoinPath(environment.home, "token"))));
  const guard::Moment now{environment.clock.Now(), environment.clock.MonotonicUs()};
  gateway::CallLog calls = FB_TRY(gateway::RecoverCalls(
      environment.files, os::JoinPath(gateway::GatewayFolder(environment.home), "calls"), *desk.wal,
      now));
  FB_TRY(gateway::SettleByEvidence(
      environment.files, os::JoinPath(gateway::GatewayFolder(environment.home), "calls"), *desk.wal,
      now));
  FB_CHECK(
      gateway::ApplyEstate(environment.files, environment.home, estate.budgets, *desk.wal, now));
  gateway::KeyStore keys(environment.files, environment.home);
  uint64_t seed = 0;
  SecureRandomBytes(reinterpret_cast<uint8_t*>(&seed), sizeof seed);
  Random random(seed);
  gateway::GovernedGateway governor(std::move(settings), book, *desk.wal, calls, keys,
                                    environment.clock, random);
  net::Loop loop(environment.clock);
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
  loop.Run();
  return {};
}

}  // namespace

int RunGateway(const Environment& environment, const GatewayArgs& args) {
  const Status served = ServeGateway(environment, args);
  return served ? kExitDone : Report(environment, served.error());
}

}  // namespace flyball::app
