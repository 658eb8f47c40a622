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

std::string SnapshotOf(const std::string& home) {
  return os::JoinPath(os::JoinPath(gateway::GatewayFolder(home), "guard"), "guard.snapshot");
}

}  // namespace

Result<std::string> AskDesk(const Environment& environment, std::string_view method,
                            const std::string& path, const std::string& body) {
  std::optional<Remote> running =
      FB_TRY(Remote::FindAt(environment, gateway::GatewayLock(environment.home)));
  if (running) {
    running->set_timeout_ms(kDeskTimeoutMs);
    return method == "GET" ? running->Get(path) : running->Post(path, body);
  }
  const gateway::Desk desk = FB_TRY(gateway::OpenDesk(environment.files, environment.home));
  const guard::Moment now{environment.clock.Now(), environment.clock.MonotonicUs()};
  return gateway::Administer(*desk.wal, method, path, body, now);
}

Result<std::string> ServedDesk::AskBudgets(std::string_view method, const std::string& path,
                                           const std::string& body) {
  const std::string snapshot = SnapshotOf(environment_.home);
  const bool running =
      FB_TRY(Remote::FindAt(environment_, gateway::GatewayLock(environment_.home))).has_value();
  if (running || method != "GET") {
    kept_.clear();
    return AskDesk(environment_, method, path, body);
  }
  if (!environment_.files.Exists(snapshot)) return std::string("[]");
  const int64_t now_us = environment_.clock.MonotonicUs();
  if (!kept_.empty() && now_us - kept_us_ < kKeptUs && os::StampOf(snapshot) == kept_stamp_) {
    return kept_;
  }
  const gateway::Desk desk = FB_TRY(gateway::OpenDesk(environment_.files, environment_.home));
  kept_ =
      FB_TRY(gateway::Administer(*desk.wal, "GET", path, "", {environment_.clock.Now(), now_us}));
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
