// Anomalies and incidents over the API, with the real desk of the watch behind it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "serve/api.h"
#include "serve/test_home.h"
#include "watch/desk.h"

namespace flyball::serve {
namespace {

using Json = nlohmann::json;

struct WatchRoutes : ::testing::Test {
  void SetUp() override {
    ASSERT_TRUE(EnsureAdminToken(home.path(), clock));
    watch::Anomaly anomaly;
    anomaly.series = {watch::Level::kKey, "key-1", "USD"};
    anomaly.suspect = {"key", "key-1"};
    anomaly.path = {{"key", "key-1"}, {"team", "labs"}};
    anomaly.began = anomaly.opened = anomaly.updated = clock.Now();
    watcher.book().Open(std::move(anomaly), clock.Now());
    hooks.ask_watch = [this](const WatchQuestion& question) {
      return watch::Administer(
          &watcher,
          {question.method, question.path, question.query, question.body, question.author},
          clock.Now());
    };
    Settings settings;
    settings.home = home.path();
    service.emplace(settings, ledger, clock, hooks);
  }
  net::Response Send(net::Request request, bool token = false) {
    if (token) request.headers["authorization"] = "Bearer " + home.Token();
    const Result<net::BodyPlan> plan = service->Admit(request);
    return plan ? service->Handle(request) : service->Refuse(401, plan.error());
  }

  TestHome home;
  SimClock clock{Instant{1'795'608'000'000'000}};  // 2026-11-25T12:00:00Z
  FakeLedger ledger;
  watch::Watcher watcher;
  Hooks hooks;
  std::optional<Service> service;
};

TEST_F(WatchRoutes, EverybodyReadsAndTheTokenNamesWhoWrites) {
  const net::Response listed = Send(Ask("GET", "/api/v1/anomalies"));
  ASSERT_EQ(listed.status, 200);
  const Json anomaly = Json::parse(listed.body)["anomalies"][0];
  EXPECT_EQ(anomaly["evidence"]["where"][2]["values"][0], "labs");
  // The evidence is a cost query that can be asked as it stands.
  EXPECT_TRUE(ledger::ParseQueryJson(anomaly["evidence"].dump()));
  net::Request filtered = Ask("GET", "/api/v1/incidents");
  filtered.query["state"] = "resolved";
  EXPECT_EQ(Json::parse(Send(filtered).body)["total"], 0);

  const net::Request word = Ask("POST", "/api/v1/incidents/incident-1", R"({"owner":"bo"})");
  EXPECT_EQ(Send(word).status, 401);
  const net::Response said = Send(word, true);
  ASSERT_EQ(said.status, 200) << said.body;
  EXPECT_EQ(Json::parse(said.body)["timeline"].back()["by"], "admin");
  const net::Request feedback =
      Ask("POST", "/api/v1/anomalies/anomaly-1", R"({"feedback":"expected"})");
  EXPECT_EQ(Send(feedback).status, 401);
  EXPECT_EQ(Send(feedback, true).status, 200);
  EXPECT_EQ(Json::parse(Send(Ask("GET", "/api/v1/incidents/incident-1")).body)["state"],
            "expected");
  EXPECT_EQ(Json::parse(Send(Ask("GET", "/api/v1/watch")).body)["expected_patterns"].size(), 1u);
}

TEST_F(WatchRoutes, WhatIsWrongIsRefused) {
  EXPECT_EQ(Send(Ask("GET", "/api/v1/anomalies/anomaly-7")).status, 404);
  EXPECT_EQ(Send(Ask("DELETE", "/api/v1/incidents/incident-1"), true).status, 405);
  EXPECT_EQ(Send(Ask("POST", "/api/v1/incidents/incident-1", "{"), true).status, 400);
  const std::string deep(10'000, '[');
  EXPECT_EQ(Send(Ask("POST", "/api/v1/incidents/incident-1", deep), true).status, 400);
  hooks.ask_watch = {};
  Settings settings;
  settings.home = home.path();
  service.emplace(settings, ledger, clock, hooks);
  EXPECT_EQ(Send(Ask("GET", "/api/v1/incidents")).status, 501);
}

}  // namespace
}  // namespace flyball::serve
