// Budgets and keys over the API, with the real guard of a home behind it.
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>

#include "gateway/desk.h"
#include "gateway/keys.h"
#include "os/files.h"
#include "serve/api.h"
#include "serve/test_home.h"

namespace flyball::serve {
namespace {

using Json = nlohmann::json;

constexpr char kBudgets[] = "/api/v1/budgets";
constexpr char kKeys[] = "/api/v1/keys";

struct DeskRoutes : ::testing::Test {
  void SetUp() override {
    ASSERT_TRUE(EnsureAdminToken(home.path(), clock));
    guard.emplace(gateway::OpenDesk(*files, home.path()).value());
    hooks.ask_desk = [this](std::string_view method, std::string_view path,
                            const std::string& body) -> Result<std::string> {
      if (path.starts_with("/keys")) {
        return gateway::AdministerKeys(*files, home.path(), clock, method, path, body);
      }
      const guard::Moment now{clock.Now(), clock.MonotonicUs()};
      const std::string at = "/flyball/v1" + std::string(path);
      return gateway::Administer(*guard->wal, method, at, body, now);
    };
    Settings settings;
    settings.home = home.path();
    service.emplace(settings, ledger, clock, hooks);
  }
  net::Response Send(const std::string& method, const std::string& path,
                     const std::string& body = "") {
    const net::Response response = service->Handle(Ask(method, path, body));
    if (!response.later) return response;
    std::promise<net::Response> told;
    response.later([&](net::Response later) { told.set_value(std::move(later)); });
    return told.get_future().get();
  }
  Json Told(const std::string& method, const std::string& path, const std::string& body = "") {
    const net::Response response = Send(method, path, body);
    EXPECT_EQ(response.status, 200) << response.body;
    return Json::parse(response.body, nullptr, false);
  }

  TestHome home;
  std::unique_ptr<os::Files> files = os::MakeRealFiles();
  SimClock clock{Instant{1'795'608'000'000'000}};  // 2026-11-25T12:00:00Z
  FakeLedger ledger;
  std::optional<gateway::Desk> guard;
  Hooks hooks;
  std::optional<Service> service;
};

TEST_F(DeskRoutes, ABudgetIsSetSeenEditedFrozenAndRemoved) {
  EXPECT_EQ(Told("GET", kBudgets), Json::array());
  const Json made = Told("POST", kBudgets,
                         R"({"scope":"team=search","amount":"100.000000000001","warn":[50,80],)"
                         R"("window":"week","mode":"quantile"})");
  const std::string name = made["name"];
  const Json rows = Told("GET", kBudgets);
  ASSERT_EQ(rows.size(), 1u);
  for (const char* member :
       {"scope", "window", "limit", "settled", "held", "remaining", "resets_at", "max_overspend"}) {
    EXPECT_TRUE(rows[0].contains(member)) << member;
  }
  EXPECT_EQ(rows[0]["limit"], "100.000000000001");
  EXPECT_EQ(rows[0]["warn"], Json({50, 80}));
  EXPECT_EQ(rows[0]["max_overspend_why"], "quantile");
  // Of an edit by its name, what is not said stays.
  const Json edited = Told("POST", kBudgets, Json{{"name", name}, {"amount", "250"}}.dump());
  EXPECT_EQ(edited["limit"], "250");
  for (const char* member : {"scope", "window", "zone", "hard", "mode", "warn", "currency"}) {
    EXPECT_EQ(edited[member], rows[0][member]) << member;
  }
  const std::string freeze = std::string(kBudgets) + "/freeze";
  EXPECT_EQ(Told("POST", freeze, Json{{"name", name}}.dump())["frozen"], true);
  EXPECT_EQ(Told("POST", freeze, Json{{"name", name}, {"frozen", false}}.dump())["frozen"], false);
  Told("POST", std::string(kBudgets) + "/remove", Json{{"name", name}}.dump());
  EXPECT_EQ(Told("GET", kBudgets), Json::array());
}

TEST_F(DeskRoutes, AKeyIsShownOnceAndRevoked) {
  const Json made = Told(
      "POST", kKeys, R"({"name":"app","team":"search","models":["gpt-*"],"expires":"2027-01-01"})");
  EXPECT_TRUE(made["key"].get<std::string>().starts_with("fbk_"));
  const std::string listed = Send("GET", kKeys).body;
  EXPECT_EQ(listed.find("fbk_"), std::string::npos);
  EXPECT_EQ(listed.find("sha256"), std::string::npos);
  EXPECT_EQ(Json::parse(listed)["keys"][0]["team"], "search");
  const std::string id = made["id"];
  EXPECT_EQ(Told("DELETE", std::string(kKeys) + "/" + id)["revoked"], true);
  EXPECT_EQ(Told("GET", kKeys)["keys"][0]["revoked"], true);
  EXPECT_EQ(Send("DELETE", std::string(kKeys) + "/nobody").status, 404);
}

TEST_F(DeskRoutes, WhatIsWrongIsRefusedInTheShapeOfEveryRoute) {
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  for (const std::string& body :
       {std::string(), std::string("[]"), deep, std::string(kDeskBodyMaxBytes + 1, ' '),
        std::string(R"({"scope":"team=a"})"), std::string(R"({"scope":"team=a","amount":"-1"})"),
        std::string(R"({"scope":"team=a","amount":1.5})"),
        std::string(R"({"scope":"team=a","amount":"1","hrad":true})")}) {
    const net::Response response = Send("POST", kBudgets, body);
    EXPECT_EQ(response.status, 400) << body.substr(0, 60) << response.body;
    EXPECT_EQ(Json::parse(response.body)["error"]["code"], "INVALID_ARGUMENT");
  }
  EXPECT_EQ(Send("POST", kBudgets, R"({"name":"nobody","amount":"1"})").status, 404);
  for (const char* body : {"", "[]", R"({"nmae":"x"})", R"({"models":"gpt"})", R"({"team":7})",
                           R"({"expires":"soon"})"}) {
    EXPECT_EQ(Send("POST", kKeys, body).status, 400) << body;
  }
  EXPECT_EQ(Told("GET", kBudgets), Json::array());
  EXPECT_TRUE(Told("GET", kKeys)["keys"].empty());
}

TEST_F(DeskRoutes, AServerWithoutADeskAndOneThatStopsSaySo) {
  service->Stop();
  EXPECT_EQ(Send("GET", kBudgets).status, 503);
  Settings settings;
  settings.home = home.path();
  service.emplace(settings, ledger, clock, Hooks{});
  EXPECT_EQ(Send("GET", kBudgets).status, 501);
}

// A gateway that does not answer holds none of the server's threads, and a bounded queue.
TEST_F(DeskRoutes, WhoWaitsForTheDeskIsBounded) {
  std::promise<void> begun, go;
  auto gone = go.get_future().share();
  hooks.ask_desk = [&, first = true](std::string_view, std::string_view,
                                     const std::string&) mutable -> Result<std::string> {
    if (first) begun.set_value();
    first = false;
    gone.wait();
    return "[]";
  };
  Settings settings;
  settings.home = home.path();
  service.emplace(settings, ledger, clock, hooks);
  std::mutex mutex;
  std::map<int, size_t> statuses;
  const auto ask = [&] {
    service->Handle(Ask("GET", kBudgets)).later([&](const net::Response& later) {
      std::lock_guard lock(mutex);
      ++statuses[later.status];
    });
  };
  ask();
  begun.get_future().wait();
  for (size_t i = 0; i < kDeskWaitingMax + 3; ++i) ask();
  {
    std::lock_guard lock(mutex);
    EXPECT_EQ(statuses, (std::map<int, size_t>{{429, 3}}));
  }
  go.set_value();
  service->Stop();
  EXPECT_EQ(statuses[200] + statuses[503], kDeskWaitingMax + 1);
}

}  // namespace
}  // namespace flyball::serve
