#include "app/gateway_desk.h"

#include <chrono>
#include <thread>

#include "app/remote.h"
#include "estate/estate.h"
#include "gateway/currencies.h"
#include "gateway/desk.h"
#include "gateway/keys.h"
#include "os/files.h"

namespace flyball::app {
namespace {

// A gateway that does not answer must not keep the server from stopping.
constexpr int kDeskTimeoutMs = 10'000;
// Windows end while nobody opens the guard.
constexpr int64_t kKeptUs = 15 * kMicrosPerSecond;

// A gateway's own answer to all pages.
constexpr int64_t kFreshUs = kMicrosPerSecond;

// Who has the guard for a moment says no address; nor does a gateway that is about to.
Result<std::optional<Remote>> FindGateway(const Environment& environment) {
  int patience_ms = gateway::kDeskPatienceMs;
  for (;;) {
    auto found = Remote::FindAt(environment, gateway::GatewayLock(environment.home));
    if (found || found.error().code != Code::kFailedPrecondition || patience_ms <= 0) return found;
    std::this_thread::sleep_for(std::chrono::milliseconds(gateway::kDeskAgainMs));
    patience_ms -= gateway::kDeskAgainMs;
  }
}

Result<std::string> AskGateway(Remote& gateway, std::string_view method, const std::string& path,
                               const std::string& body) {
  gateway.set_timeout_ms(kDeskTimeoutMs);
  return method == "GET" ? gateway.Get(path) : gateway.Post(path, body);
}

// What charges in other currencies are counted by. An estate that can't be read has said so
// elsewhere; without its rates such charges are refused.
std::vector<estate::ExchangeRate> RatesOf(const Environment& environment) {
  const Result<std::string> snapshot =
      estate::LoadEstate(environment.files, os::JoinPath(environment.home, "estate.yaml"));
  if (!snapshot) return {};
  const auto rules = estate::RuleSet::Compile(*snapshot);
  if (!rules) return {};
  return (*rules)->estate().exchange_rates;
}

// No gateway runs: the guard is opened for this one request.
Result<std::string> AskOpened(const Environment& environment, std::string_view method,
                              const std::string& path, const std::string& body) {
  if (method == "GET" && !environment.files.Exists(environment.home)) {
    return Fail(Code::kNotFound, "there is no folder '" + environment.home + "'",
                "name a home; `flyball budgets set` begins one, as `flyball import FILE` does");
  }
  const gateway::Desk desk = FB_TRY(gateway::WaitForDesk(environment.files, environment.home));
  if (method != "GET") FB_CHECK(gateway::ApplyRates(RatesOf(environment), desk.wal->guard()));
  const guard::Moment now{environment.clock.Now(), environment.clock.MonotonicUs()};
  return gateway::Administer(*desk.wal, method, path, body, now);
}

// Through the gateway that runs, else with the guard opened; a gateway may begin in between.
Result<std::string> AskEither(const Environment& environment, std::string_view method,
                              const std::string& path, const std::string& body, bool* of_gateway) {
  for (bool again = true;; again = false) {
    std::optional<Remote> running = FB_TRY(FindGateway(environment));
    *of_gateway = running.has_value();
    if (running) return AskGateway(*running, method, path, body);
    Result<std::string> told = AskOpened(environment, method, path, body);
    if (told || told.error().code != Code::kAlreadyExists || !again) return told;
  }
}

}  // namespace

Result<std::string> AskDesk(const Environment& environment, std::string_view method,
                            const std::string& path, const std::string& body) {
  bool of_gateway = false;
  return AskEither(environment, method, path, body, &of_gateway);
}

Result<std::string> ServedDesk::LookAtBudgets() {
  const int64_t now_us = environment_.clock.MonotonicUs();
  const int64_t age_us = now_us - kept_us_;
  if (!kept_.empty() && of_gateway_ && age_us < kFreshUs) return kept_;
  const std::string snapshot =
      os::JoinPath(gateway::GuardFolder(environment_.home), std::string(guard::kSnapshotName));
  if (!FB_TRY(FindGateway(environment_))) {
    if (!environment_.files.Exists(snapshot)) return std::string("[]");
    const bool same = !kept_.empty() && !of_gateway_ && os::StampOf(snapshot) == kept_stamp_;
    if (same && age_us < kKeptUs) return kept_;
  }
  kept_.clear();
  kept_ = FB_TRY(AskEither(environment_, "GET", std::string(gateway::kDeskPath), "", &of_gateway_));
  kept_stamp_ = os::StampOf(snapshot);
  kept_us_ = now_us;
  return kept_;
}

Result<std::string> ServedDesk::AskBudgets(std::string_view method, const std::string& path,
                                           const std::string& body) {
  if (method == "GET" && path == gateway::kDeskPath) return LookAtBudgets();
  kept_.clear();
  return AskDesk(environment_, method, path, body);
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
