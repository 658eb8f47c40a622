#include "gateway/life_vendors.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/assert.h"
#include "gateway/sim_gateway.h"
#include "rates/price_file.h"

namespace flyball::gateway {
namespace {

// In millionths of a dollar a token.
struct Price {
  std::string_view model;
  int64_t input, cache_read, output;
};
struct Vendor {
  std::string_view provider;
  estate::UpstreamApi api;
  std::array<Price, 2> prices;
};
constexpr std::array<Vendor, kLifeVendors> kVendors = {{
    {"alpha", estate::UpstreamApi::kOpenAi, {{{"m0", 1000, 500, 2000}, {"m1", 300, 30, 7000}}}},
    {"beta",
     estate::UpstreamApi::kOpenAiCompatible,
     {{{"m0", 1100, 400, 2300}, {"m1", 290, 33, 7100}}}},
    {"gamma", estate::UpstreamApi::kAnthropic, {{{"c0", 900, 90, 4500}, {"c1", 1, 1, 1}}}},
    {"delta", estate::UpstreamApi::kAnthropic, {{{"c0", 950, 95, 4700}, {"c1", 1, 1, 1}}}},
}};

constexpr int64_t kDialUs = 1000;

std::string PerToken(int64_t millionths) { return fmt::format("0.{:06}", millionths); }

const Price& PriceOf(size_t vendor, std::string_view model) {
  for (const Price& price : kVendors.at(vendor).prices) {
    if (price.model == model) return price;
  }
  FB_ASSERT(false);
}

Money CostOf(size_t vendor, const MockBill& bill) {
  const Price& price = PriceOf(vendor, bill.model);
  const MockUsage& u = bill.usage;
  const int64_t millionths = u.input * price.input + u.cache_read * price.cache_read +
                             (u.output + u.reasoning) * price.output;
  return Money::FromUnits(int128{millionths} * 1'000'000);
}

// How a vendor behaves: now and then otherwise than it should.
std::string Script(Random& random, bool hostile) {
  const auto some = [&](int64_t low, int64_t high) { return random.Between(low, high); };
  const auto frames = [&] { return some(1, 40); };
  std::vector<std::string> rules;
  const auto rule = [&](int64_t percent, const std::string& what) {
    rules.push_back(fmt::format(R"({{"chance_percent":{},{}}})", percent, what));
  };
  rule(some(0, 12), R"("status":429,"retry_after_s":1)");
  rule(some(0, 8), R"("status":500)");
  rule(some(0, 8), R"("status":503,"bill_errors":true)");
  rule(some(0, 5), R"("status":400)");
  rule(some(0, 10),
       fmt::format(R"("reset_after_frames":{},"frame_ms":{})", some(0, 6), some(0, 9)));
  rule(some(0, 10), R"("no_usage":true)");
  // Too slow, and generates on for nobody.
  rule(some(0, 6), R"("first_byte_ms":9000)");
  rule(some(0, 6), R"("first_byte_ms":9000,"bill_after_disconnect":true)");
  rule(some(0, 15), fmt::format(R"("bill_after_disconnect":true,"frames":{},"frame_ms":{})",
                                frames(), some(1, 200)));
  rule(some(0, 10), R"("frames":30,"frame_ms":700)");
  rule(some(0, 20), fmt::format(R"("reasoning_tokens":{},"cached_percent":{},"frames":{})",
                                some(1, 16), some(0, 100), frames()));
  if (hostile) {
    rule(6, R"("ignore_max_tokens":true,"frames":400)");
    rule(3, R"("ignore_max_tokens":true,"frames":400,"frame_ms":20,"bill_after_disconnect":true)");
    rule(4, R"("input_tokens":9000)");
    rule(4, R"("status":422,"bill_errors":true)");
  }
  std::string script = fmt::format(
      R"({{"seed":{},"default":{{"frames":{},"frame_ms":{},"tokens_per_frame":{},"cached_percent":{}}},"rules":[)",
      random.Below(1'000'000), frames(), random.Chance(1, 2) ? 0 : some(1, 60), some(1, 3),
      random.Chance(1, 2) ? 0 : some(0, 100));
  for (const std::string& each : rules) script += (script.back() == '[' ? "" : ",") + each;
  return script + "]}";
}

}  // namespace

LifeVendors::LifeVendors(uint64_t seed, bool hostile, net::SimNet& net, net::TimerWheel& timers,
                         Clock& clock)
    : random_(seed), net_(net), timers_(timers) {
  for (size_t i = 0; i < kLifeVendors; ++i) {
    Result<MockScript> script = MockScript::Parse(Script(random_, hostile && i % 2 == 0));
    FB_ASSERT(script.has_value());
    vendors_.push_back(std::make_unique<MockVendor>(*std::move(script), timers, clock));
  }
}

std::string LifeVendors::Provider(size_t vendor) {
  return std::string(kVendors.at(vendor).provider);
}

std::vector<estate::Upstream> LifeVendors::Upstreams(Random& random) {
  std::vector<estate::Upstream> upstreams;
  for (const Vendor& vendor : kVendors) {
    estate::Upstream& upstream = upstreams.emplace_back();
    upstream.name = upstream.provider = vendor.provider;
    upstream.api = vendor.api;
    upstream.base_url = "https://" + upstream.name;
    upstream.models = {vendor.api == estate::UpstreamApi::kAnthropic ? "c*" : "m*"};
    upstream.priority = static_cast<int>(random.Between(1, 2));
    upstream.weight = static_cast<int>(random.Between(1, 3));
  }
  return upstreams;
}

std::vector<Upstream> LifeVendors::Endpoints() {
  std::vector<Upstream> endpoints;
  for (const Vendor& vendor : kVendors) {
    const std::string host(vendor.provider);
    endpoints.push_back({{host, 443, true}, host});
  }
  return endpoints;
}

std::shared_ptr<const rates::PriceBook> LifeVendors::Prices() {
  std::string models;
  for (const Vendor& vendor : kVendors) {
    for (const Price& price : vendor.prices) {
      models += fmt::format(
          R"({}{{"provider":"{}","model":"{}","source":"test","prices":[{{"per_unit":{{"input":"{}","cache_read":"{}","output":"{}"}}}}]}})",
          models.empty() ? "" : ",", vendor.provider, price.model, PerToken(price.input),
          PerToken(price.cache_read), PerToken(price.output));
    }
  }
  Result<rates::PriceFile> file = rates::ReadPriceFile(
      R"({"flyball_prices":1,"sources":[{"name":"test","checked":"2026-07-24"}],"models":[)" +
          models + "]}",
      {});
  FB_ASSERT(file.has_value());
  std::vector<rates::Layer> layers;
  layers.push_back(std::move(file->layer));
  Result<rates::PriceBook> book = rates::PriceBook::Build(std::move(layers));
  FB_ASSERT(book.has_value());
  return std::make_shared<const rates::PriceBook>(*std::move(book));
}

std::unique_ptr<net::Dialer::Attempt> LifeVendors::Dial(const net::Endpoint& to, int64_t timeout_us,
                                                        Done done) {
  const bool refuses = !kind_ && random_.Chance(1, 25);
  const bool is_slow = refuses && random_.Chance(1, 2);
  auto finish = [this, refuses, host = to.host, done = std::move(done)] {
    const Done call = done;  // what is called may drop this
    if (refuses) {
      call(Fail(Code::kUnavailable, "refused"));
      return;
    }
    net::SimNet::Ends ends = net_.Pair();
    for (size_t i = 0; i < kLifeVendors; ++i) {
      if (kVendors.at(i).provider == host) vendors_[i]->Accept(std::move(ends.second));
    }
    call(std::move(ends.first));
  };
  return std::make_unique<SimDial>(timers_, is_slow ? timeout_us : kDialUs, std::move(finish));
}

std::vector<LifeBill> LifeVendors::TakeBills() {
  std::vector<LifeBill> bills;
  for (size_t i = 0; i < kLifeVendors; ++i) {
    const std::vector<MockBill>& all = vendors_[i]->invoice().bills();
    for (; seen_[i] < all.size(); ++seen_[i]) {
      const MockBill& bill = all[seen_[i]];
      const MockUsage& u = bill.usage;
      bills.push_back(
          {i, bill.client_id, CostOf(i, bill),
           u.input + u.cache_read + u.cache_write_5m + u.cache_write_1h + u.output + u.reasoning});
    }
  }
  return bills;
}

}  // namespace flyball::gateway
