// LifeProcess: one process of the gateway in a simulated life (life_world.h), from its start to its
// death, made of what `flyball gateway` is made of: guard and journals, log of calls and recovery,
// estate, keys, governor, proxy. Simulated are the machine's clock, network, disk and randomness.
// Test code only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gateway/currencies.h"
#include "gateway/life_book.h"
#include "guard/test_files.h"
#include "net/sim_stream.h"
#include "os/sim_files.h"

namespace flyball::gateway {

// What outlives a process.
struct LifeMachine {
  LifeMachine(uint64_t seed, const net::SimNetPlan& plan, std::string keys);
  guard::Moment Now() { return {clock.Now(), clock.MonotonicUs()}; }

  Random random;
  SimClock clock;
  net::TimerWheel timers{0};
  net::SimNet net;
  os::SimFiles disk;
  guard::DyingFiles files;
  std::unique_ptr<os::Files> real_files;
  std::string keys_home;  // a folder of the real disk with keys.json and token
  int boot = 1;           // of the machine
};

inline constexpr char kLifeHome[] = "home";
std::string LifeCalls();  // the folder of the log of calls

// What the process is configured with.
struct LifeConfig {
  GatewaySettings settings;
  std::vector<budget::Budget> budgets;  // of the estate
  Currencies currencies;
  std::shared_ptr<const rates::PriceBook> prices;
  guard::Options guard;
  bool syncs_beside = false;  // a sync of the log takes some time, and the loop goes on
  LifeMutation mutation = LifeMutation::kNone;
};

class LifeProcess {
 public:
  // As `flyball gateway` starts. DATA_LOSS is what it must never find; other errors are the disk's.
  static Result<std::unique_ptr<LifeProcess>> Start(LifeMachine& machine, const LifeConfig& config,
                                                    LifeVendors& vendors, LifeBook& book);
  ~LifeProcess();

  guard::Wal& wal() { return *wal_; }
  Proxy& proxy() { return *proxy_; }
  const GatewayCounts& counts() const { return gateway_->counts(); }
  // The estate's budgets again, as they have been edited.
  Status PutInForce(const std::vector<budget::Budget>& budgets);
  // Ends as a process ends that was told to, once the proxy has drained.
  Status Finish();

 private:
  LifeProcess(LifeMachine& machine, const LifeConfig& config)
      : machine_(machine), config_(config) {}
  void RunBeside(std::function<Status()> job, std::function<void(const Status&)> done);

  LifeMachine& machine_;
  const LifeConfig& config_;
  std::unique_ptr<guard::Wal> wal_;
  std::optional<CallLog> log_;
  std::optional<KeyStore> keys_;
  Random random_{1};
  std::unique_ptr<net::Timer> beside_;
  std::optional<GovernedGateway> gateway_;
  std::optional<LifeWatch> watch_;
  std::unique_ptr<Proxy> proxy_;
};

}  // namespace flyball::gateway
