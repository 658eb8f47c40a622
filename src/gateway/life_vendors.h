// The vendors of a simulated life (life_world.h): mock vendors by seed behind a dialer on the
// simulated network, and what each answer costs, by arithmetic that shares nothing with rates/.
// Test code only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/money.h"
#include "estate/estate.h"
#include "gateway/mock_vendor.h"
#include "gateway/proxy.h"
#include "net/sim_stream.h"
#include "rates/price_book.h"

namespace flyball::gateway {

// Two vendors speak OpenAI's dialect and have the models m0 and m1, two speak Anthropic's and have
// c0; each has prices of its own.
inline constexpr size_t kLifeVendors = 4;

// The vendors' clock: it goes with the machine's, and never jumps.
class LifeTrueClock final : public Clock {
 public:
  explicit LifeTrueClock(SimClock& machine) : start_(machine.Now()), machine_(machine) {}
  Instant Now() override { return {start_.us + machine_.MonotonicUs()}; }
  int64_t MonotonicUs() override { return machine_.MonotonicUs(); }

 private:
  const Instant start_;
  SimClock& machine_;
};

struct LifeBill {
  size_t vendor = 0;
  std::string client_id;  // of the client's request
  Money cost;
  int64_t tokens = 0;
};

class LifeVendors final : public net::Dialer {
 public:
  // `hostile`: some ignore limits, bill what they refuse, or count more input than there is.
  LifeVendors(uint64_t seed, bool hostile, net::SimNet& net, net::TimerWheel& timers, Clock& clock);

  static std::vector<estate::Upstream> Upstreams(Random& random);
  static std::vector<Upstream> Endpoints();
  static std::shared_ptr<const rates::PriceBook> Prices();

  std::unique_ptr<Attempt> Dial(const net::Endpoint& to, int64_t timeout_us, Done done) override;

  // What was billed since the last time.
  std::vector<LifeBill> TakeBills();
  const MockInvoice& invoice(size_t vendor) const { return vendors_[vendor]->invoice(); }
  static std::string Provider(size_t vendor);
  // From now on every connection is made.
  void BeKind() { kind_ = true; }

 private:
  Random random_;
  net::SimNet& net_;
  net::TimerWheel& timers_;
  bool kind_ = false;
  std::vector<std::unique_ptr<MockVendor>> vendors_;
  std::vector<size_t> seen_ = std::vector<size_t>(kLifeVendors);
};

}  // namespace flyball::gateway
