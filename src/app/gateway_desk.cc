#include "app/gateway_desk.h"

#include "app/remote.h"
#include "gateway/desk.h"
#include "gateway/keys.h"
#include "os/files.h"

namespace flyball::app {
namespace {

// A gateway that does not answer must not keep the server from stopping.
constexpr int kDeskTimeoutMs = 10'000;
// Windows end while nobody opens the guard.
constexpr int64_t kKeptUs = 15 * kMicrosPerSecond;

Result<std::optional<Remote>> FindGateway(const Environment& environment) {
  return Remote::FindAt(environment, gateway::GatewayLock(environment.home));
}

Result<std::string> AskGateway(Remote& gateway, std::string_view method, const std::string& path,
                               const std::string& body) {
  gateway.set_timeout_ms(kDeskTimeoutMs);
  return method == "GET" ? gateway.Get(path) : gateway.Post(path, body);
}

// No gateway runs: the guard is opened for this one request.
Result<std::string> AskOpened(const Environment& environment, std::string_view method,
                              const std::string& path, const std::string& body) {
  const gateway::Desk desk = FB_TRY(gateway::OpenDesk(environment.files, environment.home));
  const guard::Moment now{environment.clock.Now(), environment.clock.MonotonicUs()};
  return gateway::Administer(*desk.wal, method, path, body, now);
}

}  // namespace

Result<std::string> AskDesk(const Environment& environment, std::string_view method,
                            const std::string& path, const std::string& body) {
  std::optional<Remote> running = FB_TRY(FindGateway(environment));
  return running ? AskGateway(*running, method, path, body)
                 : AskOpened(environment, method, path, body);
}

Result<std::string> ServedDesk::AskBudgets(std::string_view method, const std::string& path,
                                           const std::string& body) {
  std::optional<Remote> running = FB_TRY(FindGateway(environment_));
  if (running || method != "GET") kept_.clear();
  if (running) return AskGateway(*running, method, path, body);
  if (method != "GET") return AskOpened(environment_, method, path, body);
  const std::string snapshot =
      os::JoinPath(gateway::GuardFolder(environment_.home), std::string(guard::kSnapshotName));
  if (!environment_.files.Exists(snapshot)) return std::string("[]");
  const int64_t now_us = environment_.clock.MonotonicUs();
  if (!kept_.empty() && now_us - kept_us_ < kKeptUs && os::StampOf(snapshot) == kept_stamp_) {
    return kept_;
  }
  kept_ = FB_TRY(AskOpened(environment_, method, path, body));
  kept_stamp_ = os::StampOf(snapshot);
  kept_us_ = now_us;
  return kept_;
}

Result<std::string> ServedDesk::Ask(std::string_view method, std::string_view path,
                                    const std::string& body) {
  if (path.starts_with("/keys")) {
    return gateway::AdministerKeys(environment_.files, environment_.home, environment_.clock,
                                   method, path, body);
  }
  constexpr std::string_view kBudgets = "/budgets";
  if (!path.starts_with(kBudgets)) return Fail(Code::kNotFound, "the desk has no such page");
  return AskBudgets(
      method, std::string(gateway::kDeskPath) + std::string(path.substr(kBudgets.size())), body);
}

}  // namespace flyball::app
