#include "gateway/life_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

#include "base/assert.h"
#include "base/hash.h"
#include "gateway/desk.h"
#include "gateway/external.h"
#include "guard/records.h"
#include "os/secret.h"

namespace flyball::gateway {
namespace {

constexpr int kSteps = 60;
constexpr size_t kClientsMax = 6;
constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();
constexpr int kStartsMax = 20;
constexpr uint64_t kFailuresPerMillion = 3000;

constexpr std::array<std::string_view, 2> kSecrets = {"fbk_zero", "fbk_one"};
constexpr std::string_view kToken = "fba_admin";

net::SimNetPlan AnyNet(Random random) {
  net::SimNetPlan plan;
  plan.piece_max_bytes = static_cast<size_t>(random.Between(40, 3000));
  plan.pipe_max_bytes = random.Chance(1, 3) ? 2048 : 1u << 20;
  plan.delay_max_us = random.Chance(1, 2) ? 0 : random.Between(1, 20'000);
  return plan;
}

// What a guard counts. Its leases are promises, which may be larger than they need to be.
std::string CountsOf(guard::Guard& guard) {
  std::string counts;
  const Status read = guard::ForEachRecord(guard.Snapshot(), [&](guard::Record&& record) {
    if (auto* cell = std::get_if<guard::CellRecord>(&record)) cell->lease = 0;
    std::visit([&](const auto& each) { guard::Write(each, &counts); }, record);
  });
  FB_ASSERT(read.has_value());
  return counts;
}

// How late a deadline is noticed: the tick of the proxy, and what an event may take.
constexpr int64_t kLateUs = kGovernorTickUs + 100'000;

}  // namespace

Status WriteLifeKeys(const std::string& folder) {
  std::string keys;
  for (size_t i = 0; i < kSecrets.size(); ++i) {
    keys += fmt::format(
        R"({}{{"id":"k{}","name":"k{}",{}"created":"2026-01-01","revoked":false,"sha256":"{}"}})",
        i == 0 ? "" : ",", i, i, i == 0 ? R"("team":"t0",)" : "", Sha256Hex(kSecrets.at(i)));
  }
  FB_CHECK(os::MakeRealFiles()->MakeDirs(os::JoinPath(folder, "gateway")));
  FB_CHECK(os::WriteSecret(os::JoinPath(folder, "gateway/keys.json"),
                           R"({"version":1,"keys":[)" + keys + "]}\n"));
  return os::WriteSecret(os::JoinPath(folder, "token"), std::string(kToken) + "\n");
}

LifeTally& LifeTally::operator+=(const LifeTally& other) {
  asked += other.asked;
  answered += other.answered;
  refused += other.refused;
  attempts += other.attempts;
  billed += other.billed;
  exact += other.exact;
  at_bound += other.at_bound;
  deaths += other.deaths;
  power_cuts += other.power_cuts;
  edits += other.edits;
  faults += other.faults;
  aborts += other.aborts;
  retries += other.retries;
  streams_cut += other.streams_cut;
  external += other.external;
  return *this;
}

Life::Life(uint64_t seed, LifeFaults faults, const std::string& keys, ChargesOf charges, bool tells)
    : tells_(tells),
      machine_(seed, AnyNet(Random(seed + 11)), keys),
      random_(machine_.random),
      climate_{random_.Chance(1, 2), random_.Chance(1, 3), random_.Chance(1, 3),
               random_.Chance(2, 3), random_.Chance(1, 2), random_.Chance(1, 4),
               random_.Chance(1, 2)},
      book_(&wrong_, machine_.clock, climate_.edits, faults.audit),
      vendors_clock_(machine_.clock),
      vendors_(seed + 13, climate_.hostile, machine_.net, machine_.timers, vendors_clock_),
      charges_(std::move(charges)),
      cut_at_(kNever),
      latest_(machine_.clock.Now()) {
  machine_.files.LieAbout(faults.lie_about);
  config_.settings.upstreams = LifeVendors::Upstreams(random_);
  config_.settings.output_limit = random_.Between(16, 80);
  config_.settings.attempt_timeout_us = random_.Between(2, 8) * kMicrosPerSecond;
  // Not below the time that a connection may take.
  config_.settings.call_max_us =
      random_.Chance(1, 3) ? random_.Between(6, 20) * kMicrosPerSecond : kMicrosPerHour;
  config_.budgets = guard::AnyBudgets(random_);
  budget::Budget francs = guard::MakeBudget("francs", "provider=beta", guard::Usd("15"), "day");
  francs.currency = "CHF";
  config_.budgets.push_back(francs);
  config_.currencies.of_prices = {"USD"};
  config_.currencies.rates = {
      {"USD", "CHF", Money::FromUnits(random_.Between(600'000'000, 1'400'000'000) * 1000)}};
  config_.prices = LifeVendors::Prices();
  config_.guard = guard::TestOptions(true);
  config_.guard.lease_parts = static_cast<int>(random_.Between(1, 40));
  config_.guard.quantile_samples_min = 2;
  config_.guard.mutation_for_tests = faults.guard;
  config_.syncs_beside = climate_.syncs_elsewhere;
  config_.mutation = faults.gateway;
}

void Life::Tell(const std::string& what) const {
  if (!tells_) return;
  std::fprintf(stderr, "%10lld us  %s\n", static_cast<long long>(machine_.timers.now_us()),
               what.c_str());
}

std::string Life::Live() {
  Start();
  for (int step = 0; step < kSteps && wrong_.empty(); ++step) {
    Act();
    for (uint64_t n = random_.Below(60); n > 0 && wrong_.empty(); --n) Event();
  }
  if (wrong_.empty()) Finish();
  clients_.clear();
  machine_.files.Die();
  process_.reset();
  return wrong_;
}

// ---- the process, and its machine

void Life::Start() {
  for (int attempt = 0; process_ == nullptr; ++attempt) {
    if (attempt == kStartsMax) return Fail("the gateway can't be started");
    if (PowerIsOff()) LosePower();
    if (attempt > 2) machine_.disk.SetFailuresPerMillion(0);
    machine_.files.Revive();
    auto process = LifeProcess::Start(machine_, config_, vendors_, book_);
    if (process) {
      process_ = *std::move(process);
    } else {
      Tell("start: " + process.error().ToString());
      if (process.error().code == Code::kDataLoss) {
        return Fail("start: " + process.error().ToString());
      }
    }
  }
  machine_.disk.SetFailuresPerMillion(climate_.bad_disk ? kFailuresPerMillion : 0);
  estate_waits_ = false;
  Tell("the gateway serves");
}

void Life::Kill(const char* why) {
  Tell(why);
  machine_.files.Die();
  process_.reset();
  machine_.files.Revive();
  book_.Died();
}

// As one is told to: what runs gets some time to end.
void Life::StopWell() {
  Tell("the gateway stops");
  bool is_done = false;
  process_->proxy().Drain(random_.Between(0, 5) * kMicrosPerSecond, [&] { is_done = true; });
  const int64_t until_us = machine_.clock.MonotonicUs() + 10 * kMicrosPerSecond;
  while (!is_done && !machine_.files.dead() && !PowerIsOff() && Step(until_us)) {
  }
  for (const LifeBill& bill : vendors_.TakeBills()) book_.Bill(bill);
  (void)process_->Finish();  // its failure is told
  Kill("stopped");
}

void Life::LosePower() {
  machine_.disk.PowerCut();
  ++machine_.boot;
  ++tally_.power_cuts;
  cut_at_ = kNever;
  lost_tail_ = true;
  Tell("the power is back");
}

// All that a second recovery could change.
std::string Life::DiskOf() const {
  std::string all;
  os::SimFiles& disk = const_cast<os::SimFiles&>(machine_.disk);
  for (const std::string& name : disk.List(LifeCalls()).value_or(std::vector<std::string>())) {
    all += name + "\n" + disk.ReadAll(os::JoinPath(LifeCalls(), name)).value_or("") + "\n";
  }
  return all;
}

// Dying at once and starting again changes nothing.
void Life::CheckRecovery() {
  if (cut_at_ != kNever) return;  // what is looked at must stay as it is
  Kill("killed, twice");
  Start();
  if (process_ == nullptr) return;
  machine_.disk.SetFailuresPerMillion(0);
  (void)process_->wal().guard().Statuses(machine_.Now());  // lets go of windows that are over
  const std::string counts = CountsOf(process_->wal().guard());
  const std::string disk = DiskOf();
  Kill("again");
  Start();
  if (process_ == nullptr) return;
  machine_.disk.SetFailuresPerMillion(0);
  (void)process_->wal().guard().Statuses(machine_.Now());
  if (CountsOf(process_->wal().guard()) != counts) Fail("a second recovery finds another guard");
  if (DiskOf() != disk) Fail("a second recovery changes the log of calls");
  machine_.disk.SetFailuresPerMillion(climate_.bad_disk ? kFailuresPerMillion : 0);
}

// ---- events

// One piece over the network, else the next timer. False: nothing is left to do before the time.
bool Life::Step(int64_t until_us) {
  if (!machine_.net.Step()) {
    const int64_t next_us = machine_.timers.NextUs();
    if (next_us > until_us) return false;
    machine_.clock.Advance(std::max<int64_t>(next_us - machine_.clock.MonotonicUs(), 0));
    machine_.timers.Advance(machine_.clock.MonotonicUs());
  }
  return true;
}

void Life::Event() {
  (void)Step(std::numeric_limits<int64_t>::max() - 1);
  After();
}

void Life::RunFor(int64_t us) {
  const int64_t until_us = machine_.clock.MonotonicUs() + us;
  while (wrong_.empty() && Step(until_us)) After();
}

void Life::After() {
  latest_ = std::max(latest_, machine_.clock.Now());
  for (const LifeBill& bill : vendors_.TakeBills()) {
    ++tally_.billed;
    Tell(fmt::format("{} bills {} for {}", LifeVendors::Provider(bill.vendor), bill.cost.ToString(),
                     bill.client_id));
    book_.Bill(bill);
  }
  if (machine_.files.dead() || PowerIsOff()) {
    ++tally_.deaths;
    Kill(PowerIsOff() ? "the power goes" : "the process dies");
    Start();
  }
  if (process_ == nullptr) return;
  if (estate_waits_) estate_waits_ = !process_->PutInForce(config_.budgets);
  book_.Check(process_->wal().guard(), kLateUs + machine_.net.plan().delay_max_us);
  std::erase_if(clients_, [this](LifeClient& client) {
    if (client.is_garbled) Fail("a client gets what is no answer");
    if (!client.is_over()) return false;
    for (const int status : client.statuses) {
      tally_.answered += status == 200 ? 1 : 0;
      tally_.refused += status == 429 ? 1 : 0;
    }
    return true;
  });
}

// ---- what happens

void Life::Act() {
  // After a failed sync only a start helps.
  if (process_->wal().guard().stopped() && random_.Chance(1, 4)) {
    Kill("restarted, as it stands still");
    return Start();
  }
  const uint64_t what = random_.Below(100);
  if (what < 50) return Ask();
  if (what < 58) {  // a client leaves, whatever it waits for
    if (clients_.empty()) return;
    LifeClient& client = AnyClient();
    if (client.waits()) ++tally_.aborts;
    Tell("a client leaves");
    client.end.Leave();
    return;
  }
  if (what < 62) {
    if (machine_.net.pairs() == 0) return;
    Tell("a connection breaks");
    const size_t recent = std::min<size_t>(machine_.net.pairs(), 12);
    return machine_.net.Break(machine_.net.pairs() - 1 - random_.Below(recent));
  }
  if (what < 68) return climate_.edits ? AskDesk() : Ask();
  if (what < 71) return climate_.edits ? EditEstate() : Ask();
  if (what < 72) return TellLedger();
  if (what < 76) return ArmDeath();
  if (what < 80) return JumpClock();
  if (what < 82) {
    if (climate_.deaths) StopWell(), Start();
    return;
  }
  if (what < 84) return climate_.deaths ? CheckRecovery() : Ask();
  if (what < 94) return RunFor(random_.Between(1, 3'000'000));
  Tell("time passes");
  if (random_.Chance(1, 2)) return RunFor(random_.Between(1, 40) * kMicrosPerSecond);
  // In one leap, as for a machine that sleeps.
  machine_.clock.Advance(random_.Between(1, 120) * 60 * kMicrosPerSecond);
  machine_.timers.Advance(machine_.clock.MonotonicUs());
  After();
}

LifeClient& Life::AnyClient() {
  auto at = clients_.begin();
  std::advance(at, static_cast<ptrdiff_t>(random_.Below(clients_.size())));
  return *at;
}

void Life::Ask() {
  if (clients_.size() < kClientsMax && (clients_.empty() || random_.Chance(1, 2))) {
    net::SimNet::Ends ends = machine_.net.Pair();
    clients_.emplace_back(std::move(ends.second));
    process_->proxy().Accept(std::move(ends.first), "10.0.0.1");
  }
  LifeClient& client = AnyClient();
  if (client.is_over() || client.asked > static_cast<int>(client.statuses.size()) + 2) return;
  if (random_.Chance(1, 12)) client.end.hears_at_most = random_.Below(4000);  // it reads no more
  ++tally_.asked;
  client.Ask(Request());
}

std::string Life::Request() {
  const std::string id = fmt::format("r{}", ++requests_);
  std::string_view target;
  const std::string body = Body(&target);
  const size_t key = random_.Below(kSecrets.size());
  std::string request = fmt::format(
      "POST {} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {}\r\n"
      "x-client-request-id: {}\r\nContent-Length: {}\r\n",
      target, kSecrets.at(key), id, body.size());
  if (key == 1) request += fmt::format("x-flyball-team: t{}\r\n", random_.Below(2));
  if (random_.Chance(1, 2)) {
    static constexpr std::array<std::string_view, 3> kCustomers = {"ann", "bob", "cy"};
    request += fmt::format("x-flyball-end-customer: {}\r\n", kCustomers.at(random_.Below(3)));
  }
  if (random_.Chance(1, 3)) request += "x-flyball-tags: env=prod\r\n";
  Tell(fmt::format("{} asks {} {}", id, target, body));
  return request + "\r\n" + body;
}

std::string Life::Body(std::string_view* target) {
  const std::string model = fmt::format("m{}", random_.Below(2));
  const std::string text(static_cast<size_t>(random_.Below(300)), 'x');
  const int64_t most = random_.Between(16, 120);
  const bool limits = random_.Chance(3, 4);
  const std::string stream = random_.Chance(2, 3) ? R"(,"stream":true)" : "";
  switch (random_.Below(8)) {
    case 0:
      *target = "/v1/embeddings";
      return fmt::format(R"({{"model":"m0","input":"{}"}})", text);
    case 1:
      *target = "/v1/responses";
      return fmt::format(R"({{"model":"{}","input":"{}"{}{}}})", model, text,
                         limits ? fmt::format(R"(,"max_output_tokens":{})", most) : "", stream);
    case 2:
    case 3:
      *target = "/v1/messages";
      return fmt::format(
          R"({{"model":"c0","max_tokens":{},"messages":[{{"role":"user","content":"{}"}}]{}}})",
          most, text, stream);
    case 4:
      if (random_.Chance(1, 3)) {
        *target = "/v1/messages/count_tokens";
        return R"({"model":"c0","messages":[{"role":"user","content":"hi"}]})";
      }
      [[fallthrough]];
    default:
      break;
  }
  *target = "/v1/chat/completions";
  const bool usage = !stream.empty() && random_.Chance(1, 3);
  const bool twice = stream.empty() && random_.Chance(1, 8);
  return fmt::format(R"({{"model":"{}","messages":[{{"role":"user","content":"{}"}}]{}{}{}{}}})",
                     model, text, limits ? fmt::format(R"(,"max_tokens":{})", most) : "", stream,
                     usage ? R"(,"stream_options":{"include_usage":true})" : "",
                     twice ? R"(,"n":2)" : "");
}

// Edits at run time, over the network as the command line does.
void Life::AskDesk() {
  ++tally_.edits;
  const budget::Budget& budget = config_.budgets[random_.Below(config_.budgets.size())];
  const bool tokens = budget.measure == budget::Measure::kTokens;
  std::string path(kDeskPath);
  std::string body = fmt::format(R"({{"name":"{}")", budget.name);
  switch (random_.Below(6)) {
    case 0:
      path += "/freeze";
      body += R"(,"frozen":true)";
      break;
    case 1:
      path += "/freeze";
      body += R"(,"frozen":false)";
      break;
    case 2:
      body += fmt::format(R"(,"hard":{})", random_.Chance(1, 2));
      break;
    case 3:
      body += fmt::format(R"(,"mode":"{}")", random_.Chance(1, 2) ? "strict" : "quantile");
      break;
    default:
      body += fmt::format(R"(,"{}":"{}")", tokens ? "tokens" : "amount",
                          random_.Between(1, tokens ? 20'000 : 60));
      break;
  }
  Post(path, body + "}");
}

// What the ledger has in a budget beside the calls, as the server tells it.
void Life::TellLedger() {
  ++tally_.external;
  const budget::Budget& budget = config_.budgets[random_.Below(config_.budgets.size())];
  const bool tokens = budget.measure == budget::Measure::kTokens;
  External external{budget.name, static_cast<uint64_t>(++ledger_commit_), {}};
  External::Value& value = external.values.emplace_back();
  if (budget.scope.is_each()) value.value = "ann";
  External::Sum& sum = value.sums.emplace_back();
  sum.at = machine_.clock.Now();
  sum.amount = budget.limit * random_.Between(0, 60) / 100;
  if (!tokens) sum.currency = budget.currency;
  Post(std::string(kDeskLedgerPath), ExternalJson(external));
}

void Life::Post(const std::string& path, const std::string& body) {
  Tell("the desk: " + path + " " + body);
  net::SimNet::Ends ends = machine_.net.Pair();
  clients_.emplace_back(std::move(ends.second));
  process_->proxy().Accept(std::move(ends.first), "10.0.0.2");
  clients_.back().Ask(
      fmt::format("POST {} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {}\r\n"
                  "Content-Length: {}\r\n\r\n{}",
                  path, kToken, body.size(), body));
}

void Life::EditEstate() {
  ++tally_.edits;
  budget::Budget& budget = config_.budgets[random_.Below(config_.budgets.size())];
  if (random_.Chance(1, 4)) {
    budget.window = budget::ParseWindow(guard::AnyWindow(random_), budget.window.zone).value();
  } else {
    budget.limit = std::max<budget::Amount>(budget.limit * random_.Between(3, 20) / 10, 1);
  }
  Tell("the estate has another " + budget.name + ": " +
       budget::FormatAmount(budget.measure, budget.limit) + " a " +
       budget::FormatWindow(budget.window));
  estate_waits_ = !process_->PutInForce(config_.budgets);
  After();
}

// At any operation of the disk from now on, which may be done in part.
void Life::ArmDeath() {
  if (climate_.cuts && cut_at_ == kNever && random_.Chance(1, 2)) {
    const uint64_t after = random_.Below(30);
    machine_.disk.CutPowerAfter(after);
    cut_at_ = machine_.disk.operation_count() + after + 1;
  } else if (climate_.deaths) {
    machine_.files.DieAfter(random_.Below(20));
  }
}

void Life::JumpClock() {
  if (!climate_.jumps) return;
  static constexpr std::array<int64_t, 4> kUnits = {kMicrosPerSecond, 60 * kMicrosPerSecond,
                                                    kMicrosPerHour, kMicrosPerDay};
  machine_.clock.JumpWall(random_.Between(-20, 30) * kUnits.at(random_.Below(kUnits.size())));
  Tell("the clock says " + FormatInstant(machine_.clock.Now()));
  After();
}

}  // namespace flyball::gateway
