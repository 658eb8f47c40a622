#include "gateway/life_process.h"

#include <limits>
#include <utility>

#include "gateway/desk.h"
#include "gateway/recovery.h"
#include "guard/test_guard.h"

namespace flyball::gateway {
namespace {

constexpr int64_t kSyncMaxUs = 400'000;

}  // namespace

LifeMachine::LifeMachine(uint64_t seed, const net::SimNetPlan& plan, std::string keys)
    : random(seed * 2 + 1),
      clock(guard::kTestStart),
      net(clock, timers, random, plan),
      disk(os::SimFilesOptions{seed, 0, std::numeric_limits<uint64_t>::max()}),
      files(disk, seed + 7),
      real_files(os::MakeRealFiles()),
      keys_home(std::move(keys)) {}

std::string LifeCalls() { return os::JoinPath(GatewayFolder(kLifeHome), "calls"); }

Result<std::unique_ptr<LifeProcess>> LifeProcess::Start(LifeMachine& machine,
                                                        const LifeConfig& config,
                                                        LifeVendors& vendors, LifeBook& book) {
  std::unique_ptr<LifeProcess> process(new LifeProcess(machine, config));
  LifeProcess& p = *process;
  FB_CHECK(machine.files.MakeDirs(GatewayFolder(kLifeHome)));
  p.wal_ = FB_TRY(guard::Wal::Open(machine.files, GuardFolder(kLifeHome),
                                   "boot " + std::to_string(machine.boot), config.guard));
  p.log_ = FB_TRY(RecoverCalls(machine.files, LifeCalls(), *p.wal_, machine.Now()));
  FB_CHECK(p.PutInForce(config.budgets));
  p.keys_.emplace(*machine.real_files, machine.keys_home);
  p.random_ = Random(machine.random.Next());
  GatewaySettings settings = config.settings;
  if (config.syncs_beside) {
    settings.beside = [&p](auto job, auto done) { p.RunBeside(std::move(job), std::move(done)); };
  }
  p.gateway_.emplace(std::move(settings), config.prices, *p.wal_, *p.log_, *p.keys_, machine.clock,
                     p.random_);
  p.gateway_->SetCurrencies(config.currencies);
  p.gateway_->SetAccessLog(
      std::make_unique<AccessLog>(machine.files, os::JoinPath(kLifeHome, "access.log")));
  p.watch_.emplace(*p.gateway_, *p.wal_, *p.log_, book, config.mutation);
  p.proxy_ = std::make_unique<Proxy>(ProxyOptions{}, LifeVendors::Endpoints(), *p.watch_,
                                     machine.timers, vendors);
  return process;
}

// The proxy ends what runs; when the files are dead, nothing of that gets anywhere.
LifeProcess::~LifeProcess() { proxy_.reset(); }

Status LifeProcess::PutInForce(const std::vector<budget::Budget>& budgets) {
  return ApplyEstate(machine_.files, kLifeHome, budgets, config_.currencies, *wal_, machine_.Now());
}

// One job at a time, which is all that the gateway asks for.
void LifeProcess::RunBeside(std::function<Status()> job, std::function<void(const Status&)> done) {
  beside_ =
      std::make_unique<net::Timer>(machine_.timers, [job = std::move(job), done = std::move(done)] {
        const auto tell = done;
        tell(job());
      });
  beside_->SetAfter(machine_.random.Between(0, kSyncMaxUs));
}

Status LifeProcess::Finish() {
  proxy_.reset();
  (void)gateway_->Commit();  // its failure is told
  FB_CHECK(log_->WriteEnds());
  if (const auto sync = log_->StartSync()) FB_CHECK(sync());
  return {};
}

}  // namespace flyball::gateway
