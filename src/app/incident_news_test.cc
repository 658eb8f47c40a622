#include "app/incident_news.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace flyball::app {
namespace {

using Json = nlohmann::json;

Json Incident() {
  return {{"id", "incident-3"},
          {"state", "open"},
          {"title", "key agent-7 spends 40 times its pace"},
          {"owner", ""},
          {"suspect", {{"dimension", "key"}, {"value", "agent-7"}}},
          {"currency", "USD"},
          {"amount", "3.5"},
          {"loss_per_hour", 12.0},
          {"began", "2026-11-27T15:00:00Z"},
          {"opened", "2026-11-27T15:00:02Z"},
          {"anomalies", {"anomaly-9"}}};
}

Json Anomaly() {
  return {{"id", "anomaly-9"}, {"kind", "burn"}, {"path", {{"team", "labs"}, {"key", "agent-7"}}}};
}

TEST(IncidentNews, AnIncidentIsANoticeWithItsSuspectAndPath) {
  const Result<notice::Notice> notice = NoticeOf(Incident().dump(), Anomaly().dump());
  ASSERT_TRUE(notice) << notice.error().ToString();
  EXPECT_TRUE(notice::Validate(*notice));
  EXPECT_EQ(notice->id, "incident-3@2026-11-27T15:00:02Z");
  EXPECT_EQ(notice->kind, "incident");
  EXPECT_EQ(notice->severity, notice::Severity::kWarning);
  EXPECT_EQ(notice->labels,
            (notice::Labels{{"key", "agent-7"}, {"anomaly", "burn"}, {"team", "labs"}}));
  EXPECT_EQ(notice->amount, Money::Parse("3.5").value());
  EXPECT_EQ(notice->text,
            "An estimated 3.5 USD beyond what was expected, about 12.00 USD an hour.");
  EXPECT_EQ(notice->page, "#/incidents/incident-3");
  EXPECT_EQ(Json::parse(notice->detail).at("anomaly"), Anomaly());
}

TEST(IncidentNews, WhatIsDearIsCritical) {
  Json incident = Incident();
  incident["loss_per_hour"] = 100.0;
  EXPECT_EQ(NoticeOf(incident.dump(), "")->severity, notice::Severity::kCritical);
  incident["loss_per_hour"] = 1.0;
  incident["amount"] = "100";
  EXPECT_EQ(NoticeOf(incident.dump(), "")->severity, notice::Severity::kCritical);
}

TEST(IncidentNews, StatesAreThoseOfNotices) {
  Json incident = Incident();
  const std::pair<const char*, notice::State> kStates[] = {
      {"acknowledged", notice::State::kAcknowledged},
      {"resolved", notice::State::kResolved},
      {"expected", notice::State::kResolved}};
  for (const auto& [state, expected] : kStates) {
    incident["state"] = state;
    EXPECT_EQ(NoticeOf(incident.dump(), "")->state, expected);
  }
}

TEST(IncidentNews, WhatIsNoIncidentIsRefused) {
  for (const char* text : {"", "[]", "{}", R"({"id":3})"}) EXPECT_FALSE(NoticeOf(text, "")) << text;
}

}  // namespace
}  // namespace flyball::app
