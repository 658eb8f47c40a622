// Small graphs worked out by hand.
#include "watch/services.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace flyball::watch {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kNormalRows = 60;

// Something that is not constant, and not random.
double Wobble(size_t row, size_t node) {
  return std::sin(static_cast<double>(row * (node + 3)) * 1.7 + static_cast<double>(node));
}

// A shop of nodes that answer in 0.1 s to 100 requests a row, of which none fail, each by itself.
class Shop {
 public:
  explicit Shop(CallGraph graph, size_t rows = 5) : graph_(std::move(graph)) {
    normal_.rows = kNormalRows;
    window_.rows = rows;
    size_t index = 0;
    for (const auto& [name, callees] : graph_) {
      for (ServiceTable* table : {&normal_, &window_}) {
        NodeMetrics& node = table->nodes[name];
        for (size_t row = 0; row < table->rows; ++row) {
          node.latency.push_back(0.1 + 0.002 * Wobble(row, index));
          node.availability.push_back(100);
          node.requests.push_back(100 + std::round(2 * Wobble(row, index)));
        }
      }
      ++index;
    }
  }

  // Rows 2 and on of the window.
  Shop& Slow(const std::string& node, double seconds) {
    for (size_t row = 2; row < window_.rows; ++row) window_.nodes[node].latency[row] += seconds;
    return *this;
  }
  Shop& Failing(const std::string& node, double percent) {
    for (size_t row = 2; row < window_.rows; ++row) {
      window_.nodes[node].availability[row] -= percent;
    }
    return *this;
  }
  Shop& Traffic(const std::string& node, double factor) {
    for (size_t row = 2; row < window_.rows; ++row) window_.nodes[node].requests[row] *= factor;
    return *this;
  }

  Result<ServiceAnswer> Ask(const std::string& target,
                            ServiceMetric metric = ServiceMetric::kLatency) const {
    return FindServiceCauses({graph_, normal_, window_, target, metric});
  }
  std::vector<std::string> Roots(const std::string& target,
                                 ServiceMetric metric = ServiceMetric::kLatency) const {
    std::vector<std::string> roots;
    const auto answer = Ask(target, metric);
    if (!answer) return {answer.error().message};
    for (const ServiceCause& cause : answer->causes) {
      if (cause.root) roots.push_back(cause.node);
    }
    return roots;
  }

  CallGraph graph_;
  ServiceTable normal_, window_;
};

using Names = std::vector<std::string>;
const CallGraph kChain = {{"page", {"cart"}}, {"cart", {"stock"}}, {"stock", {}}};
const CallGraph kFanIn = {
    {"page", {"cart", "search"}}, {"cart", {"stock"}}, {"search", {"stock"}}, {"stock", {}}};

TEST(Services, NothingWrongIsAnEmptyAnswer) {
  for (const ServiceMetric metric :
       {ServiceMetric::kLatency, ServiceMetric::kAvailability, ServiceMetric::kRequests}) {
    const auto answer = Shop(kChain).Ask("page", metric);
    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(answer->causes.empty());
  }
}

TEST(Services, AChainEndsAtTheNodeWhoseOwnTimeGrew) {
  EXPECT_EQ(Shop(kChain).Slow("page", 0.5).Roots("page"), Names{"page"});
  EXPECT_EQ(Shop(kChain).Slow("page", 0.5).Slow("cart", 0.5).Roots("page"), Names{"cart"});
  const Shop shop = Shop(kChain).Slow("page", 0.5).Slow("cart", 0.5).Slow("stock", 0.5);
  EXPECT_EQ(shop.Roots("page"), Names{"stock"});
  const auto answer = shop.Ask("page");
  ASSERT_FALSE(answer->causes.empty());
  const ServiceCause& cause = answer->causes[0];
  EXPECT_EQ(cause.path, (Names{"page", "cart", "stock"}));
  EXPECT_NEAR(cause.usual, 0.1, 0.005);
  EXPECT_NEAR(cause.now, 0.6, 0.005);
  EXPECT_NEAR(cause.excess, 50, 5);  // 0.5 s x 100 requests
  EXPECT_GT(cause.score, 0.9);
  EXPECT_LE(cause.score, 1);
}

TEST(Services, TroubleBesideTheTargetOrBehindACalmNodeIsNotItsCause) {
  // The target is calm: nothing is told of what is slow elsewhere.
  EXPECT_EQ(Shop(kChain).Slow("stock", 0.5).Roots("page"), Names{});
  // `cart` is calm, so what is slow behind it cannot have slowed `page`.
  EXPECT_EQ(Shop(kChain).Slow("page", 0.5).Slow("stock", 0.5).Roots("page"), Names{"page"});
  // `page` calls `cart`, not the other way round.
  EXPECT_EQ(Shop(kChain).Slow("page", 0.5).Slow("cart", 0.5).Roots("cart"), Names{"cart"});
}

TEST(Services, FanInNamesTheSharedNodeAndTwoCausesByTheirShare) {
  EXPECT_EQ(Shop(kFanIn)
                .Slow("page", 0.4)
                .Slow("cart", 0.2)
                .Slow("search", 0.2)
                .Slow("stock", 0.4)
                .Roots("page"),
            Names{"stock"});
  EXPECT_EQ(Shop(kFanIn).Slow("page", 0.8).Slow("cart", 0.2).Slow("search", 0.6).Roots("page"),
            (Names{"search", "cart"}));
}

TEST(Services, ErrorsAreCountedNotCompared) {
  // One request in a hundred of `page` fails, because one of `cart` does.
  EXPECT_EQ(Shop(kChain).Failing("page", 8).Failing("cart", 8).Roots("page",
                                                                     ServiceMetric::kAvailability),
            Names{"cart"});
  EXPECT_EQ(Shop(kChain).Failing("page", 0.1).Roots("page", ServiceMetric::kAvailability),
            Names{});  // a tenth of a request
}

TEST(Services, ThroughputIsFollowedToTheCallers) {
  const Shop less = Shop(kChain).Traffic("page", 0.3).Traffic("cart", 0.3).Traffic("stock", 0.3);
  EXPECT_EQ(less.Roots("stock", ServiceMetric::kRequests), Names{"page"});
  const auto answer = less.Ask("stock", ServiceMetric::kRequests);
  EXPECT_NEAR(answer->causes[0].excess, -0.7, 0.05);
  EXPECT_NEAR(answer->causes[0].now, 30, 3);
  EXPECT_EQ(
      Shop(kChain).Traffic("cart", 4).Traffic("stock", 4).Roots("stock", ServiceMetric::kRequests),
      Names{"cart"});
}

TEST(Services, CyclesAndCallsToItselfEnd) {
  const CallGraph cycle = {{"page", {"cart", "page"}}, {"cart", {"stock"}}, {"stock", {"page"}}};
  EXPECT_EQ(Shop(cycle).Slow("page", 0.5).Slow("cart", 0.5).Roots("page"), Names{"cart"});
  EXPECT_EQ(Shop(cycle).Slow("page", 0.5).Roots("page"), Names{"page"});
}

TEST(Services, ADriftSinceTheNormalRowsHidesNothing) {
  Shop shop(kChain);
  for (auto& [name, node] : shop.window_.nodes) {
    for (double& value : node.latency) value -= 0.05;  // all is faster than it was
  }
  EXPECT_EQ(shop.Roots("page"), Names{});
  shop.Slow("page", 0.06).Slow("cart", 0.06);  // hardly above the old normal
  EXPECT_EQ(shop.Roots("page"), Names{"cart"});
  EXPECT_TRUE(shop.Ask("page")->contrast);
}

TEST(Services, WhatIsNotMeasuredLetsTroublePassAndIsNoRoot) {
  Shop shop(kChain);
  shop.Slow("page", 0.5).Slow("stock", 0.5);
  shop.normal_.nodes.erase("cart");
  shop.window_.nodes["cart"].latency.clear();
  EXPECT_EQ(shop.Roots("page")[0], "stock");
  EXPECT_EQ(shop.Ask("page")->unmeasured, Names{"cart"});
}

TEST(Services, MissingRequestsAreThoseOfTheCallers) {
  Shop shop(kChain);
  shop.Slow("page", 0.5).Slow("cart", 0.5);
  shop.normal_.nodes["cart"].requests.clear();
  shop.window_.nodes["cart"].requests.clear();
  const auto answer = shop.Ask("page");
  ASSERT_FALSE(answer->causes.empty());
  EXPECT_EQ(answer->causes[0].node, "cart");
  EXPECT_TRUE(answer->causes[0].assumed);
}

TEST(Services, ConstantsAndHolesAreNoTrouble) {
  Shop shop(kChain);
  for (ServiceTable* table : {&shop.normal_, &shop.window_}) {
    for (auto& [name, node] : table->nodes) {
      node.latency.assign(table->rows, 0.1);
      node.requests.assign(table->rows, 100);
    }
  }
  EXPECT_EQ(shop.Roots("page"), Names{});
  for (size_t row = 0; row < kNormalRows; row += 3) shop.normal_.nodes["cart"].latency[row] = kNone;
  shop.window_.nodes["cart"].latency[0] = kNone;
  shop.window_.nodes["stock"].requests[1] = kNone;
  EXPECT_EQ(shop.Roots("page"), Names{});
  EXPECT_EQ(shop.Slow("page", 0.5).Slow("cart", 0.5).Roots("page"), Names{"cart"});
  shop.window_.nodes["page"].latency.assign(5, kNone);
  EXPECT_EQ(shop.Roots("page"), Names{});
}

TEST(Services, BadQuestionsAreRefused) {
  const Shop shop(kChain);
  EXPECT_EQ(shop.Ask("pages").error().code, Code::kNotFound);
  Shop hollow(kChain);
  hollow.normal_.nodes["page"].latency.assign(kNormalRows, kNone);
  EXPECT_EQ(hollow.Ask("page").error().code, Code::kInvalidArgument);
  hollow.normal_.nodes["page"].latency.clear();
  EXPECT_EQ(hollow.Ask("page").error().code, Code::kNotFound);
  EXPECT_EQ(Shop(kChain, 0).Ask("page").error().code, Code::kInvalidArgument);
  EXPECT_EQ(Shop(kChain, kNormalRows).Ask("page").error().code, Code::kInvalidArgument);
  Shop ragged(kChain);
  ragged.window_.nodes["cart"].latency.pop_back();
  EXPECT_EQ(ragged.Ask("page").error().code, Code::kInvalidArgument);
  Shop silent(kChain);
  silent.normal_.nodes["page"].requests.assign(kNormalRows, 0);
  EXPECT_EQ(silent.Ask("page").error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace flyball::watch
