#include "app/gateway_desk.h"

#include <atomic>
#include <nlohmann/json.hpp>

#include "app/test_home.h"
#include "gateway/desk.h"
#include "net/http.h"

namespace flyball::app {
namespace {

using Json = nlohmann::json;

class ServedDeskTest : public HomeTest {
 protected:
  Json Budgets() { return Json::parse(desk_.Ask("GET", "/budgets", "").value()); }
  os::FileStamp Snapshot() const {
    return os::StampOf(os::JoinPath(gateway::GuardFolder(home_), "guard.snapshot"));
  }

  ServedDesk desk_{environment_};
};

constexpr char kBudget[] = R"({"scope":"team=search","amount":"100"})";

TEST_F(ServedDeskTest, LookingDoesNotOpenTheGuardAgainWhileNobodyElseHas) {
  EXPECT_EQ(Budgets(), Json::array());
  EXPECT_EQ(Snapshot(), os::FileStamp{}) << "looking makes nothing";
  ASSERT_TRUE(desk_.Ask("POST", "/budgets", kBudget));
  ASSERT_EQ(Budgets().size(), 1u);
  const os::FileStamp opened = Snapshot();
  clock_.Advance(14 * kMicrosPerSecond);
  EXPECT_EQ(Budgets().size(), 1u);
  EXPECT_EQ(Snapshot(), opened);
  // Windows end without anybody's doing.
  clock_.Advance(2 * kMicrosPerSecond);
  EXPECT_EQ(Budgets().size(), 1u);
  EXPECT_NE(Snapshot(), opened);
}

TEST_F(ServedDeskTest, WhatAnotherProcessHasDoneIsSeenAtOnce) {
  ASSERT_TRUE(desk_.Ask("POST", "/budgets", kBudget));
  ASSERT_EQ(Budgets()[0]["limit"], "100");
  const std::string path(gateway::kDeskPath);
  ASSERT_TRUE(
      AskDesk(environment_, "POST", path, R"({"name":"team=search per month","amount":"7"})"));
  EXPECT_EQ(Budgets()[0]["limit"], "7");
  // And what went through the desk itself.
  ASSERT_TRUE(desk_.Ask("POST", "/budgets/freeze", R"({"name":"team=search per month"})"));
  EXPECT_EQ(Budgets()[0]["frozen"], true);
}

// Charges in another currency were refused until a gateway ran.
TEST_F(ServedDeskTest, WithoutAGatewayTheEstatesExchangeRatesHold) {
  Write("estate.yaml", "exchange_rates: [{ from: EUR, to: USD, rate: \"1.25\" }]\n");
  ASSERT_TRUE(desk_.Ask("POST", "/budgets", kBudget));
  const std::string told =
      R"({"budget":"team=search per month","commit":1,"values":[)"
      R"({"value":"","sums":[["2026-11-25T10:00:00Z","4000000000000","EUR"]]}]})";
  const Result<std::string> counted = desk_.Ask("POST", "/budgets/ledger", told);
  ASSERT_TRUE(counted) << counted.error().ToString();
  EXPECT_EQ(Budgets()[0]["unseen"], "5");
}

TEST_F(ServedDeskTest, AllPagesTogetherAskAGatewayOnceASecond) {
  std::atomic<int> asked = 0;
  const auto gateway = net::Server::Start({},
                                          [&](const net::Request&) {
                                            net::Response response;
                                            response.body = "[" + std::to_string(++asked) + "]";
                                            return response;
                                          },
                                          {}, {});
  ASSERT_TRUE(gateway) << gateway.error().ToString();
  ASSERT_TRUE(files_->MakeDirs(gateway::GatewayFolder(home_)));
  std::optional<os::HomeLock> lock(os::HomeLock::Acquire(gateway::GatewayLock(home_)).value());
  ASSERT_TRUE(lock->SetNote("127.0.0.1:" + std::to_string((*gateway)->port())));
  clock_.Advance(kMicrosPerSecond);
  EXPECT_EQ(Budgets(), Json::array({1}));
  EXPECT_EQ(Budgets(), Json::array({1}));
  clock_.Advance(kMicrosPerSecond);
  EXPECT_EQ(Budgets(), Json::array({2}));
  // A change is seen by the next look.
  ASSERT_TRUE(desk_.Ask("POST", "/budgets/freeze", "{}"));
  EXPECT_EQ(Budgets(), Json::array({4}));
  // The gateway ends: what it said last is not taken for the guard's own word.
  lock.reset();
  clock_.Advance(kMicrosPerSecond);
  EXPECT_EQ(Budgets(), Json::array());
}

}  // namespace
}  // namespace flyball::app
