#include "watch/desk.h"

#include <nlohmann/json.hpp>

#include "watch/test_live.h"

namespace flyball::watch {
namespace {

using Json = nlohmann::json;

class WatchDesk : public LiveTest {
 protected:
  void SetUp() override {
    for (int i = 0; i < 3; ++i) {
      Anomaly anomaly;
      anomaly.kind = i == 2 ? Kind::kMissing : Kind::kBurn;
      anomaly.series = {Level::kKey, "key-" + std::to_string(i), "USD"};
      anomaly.suspect = {"key", "key-" + std::to_string(i)};
      anomaly.began = anomaly.opened = anomaly.updated = now_;
      watcher_.book().Open(std::move(anomaly), now_);
    }
  }
  Result<std::string> Ask(const std::string& method, const std::string& path,
                          const std::string& body = "",
                          std::map<std::string, std::string> query = {}) {
    return Administer(&watcher_, {method, path, std::move(query), body, "ana"}, now_);
  }
  Json Get(const std::string& path, std::map<std::string, std::string> query = {}) {
    const auto told = Ask("GET", path, "", std::move(query));
    EXPECT_TRUE(told) << told.error().ToString();
    return told ? Json::parse(*told) : Json();
  }
  Code CodeOf(const Result<std::string>& told) { return told ? Code{} : told.error().code; }
};

TEST_F(WatchDesk, ListsAreFilteredPagesNewestFirst) {
  EXPECT_EQ(Get("/anomalies")["total"], 3);
  EXPECT_EQ(Get("/anomalies")["anomalies"][0]["id"], "anomaly-3");
  EXPECT_EQ(Get("/anomalies", {{"kind", "missing"}})["total"], 1);
  EXPECT_EQ(Get("/anomalies", {{"kind", "missing,burn"}, {"state", "ended"}})["total"], 0);
  EXPECT_EQ(Get("/anomalies", {{"incident", "incident-2"}})["anomalies"][0]["id"], "anomaly-2");
  const Json page = Get("/incidents", {{"offset", "1"}, {"limit", "1"}});
  EXPECT_EQ(page["total"], 3);
  ASSERT_EQ(page["incidents"].size(), 1u);
  EXPECT_EQ(page["incidents"][0]["id"], "incident-2");
  EXPECT_EQ(Get("/incidents/incident-1")["suspect"]["value"], "key-0");
  EXPECT_EQ(Get("/watch")["series_max"], kSeriesMax);
}

TEST_F(WatchDesk, PeopleSayWhatBecomesOfAnIncident) {
  const std::string path = "/incidents/incident-1";
  now_.us += 90 * kMicrosPerSecond;
  ASSERT_TRUE(Ask("POST", path, R"({"state":"acknowledged","owner":"bo","note":"mine"})"));
  ASSERT_TRUE(Ask("POST", path, R"({"note":"revoked the key"})"));
  ASSERT_TRUE(Ask("POST", path, R"({"state":"resolved"})"));
  Json incident = Get(path);
  EXPECT_EQ(incident["state"], "resolved");
  EXPECT_EQ(incident["owner"], "bo");
  EXPECT_EQ(incident["resolve_s"], 90);
  const Json& timeline = incident["timeline"];
  ASSERT_EQ(timeline.size(), 5u);  // opened, owner, acknowledged, note, resolved
  EXPECT_EQ(timeline[2]["text"], "mine");
  EXPECT_EQ(timeline[3]["by"], "ana");
  ASSERT_TRUE(Ask("POST", path, R"({"state":"open"})"));
  EXPECT_TRUE(Get(path)["resolved"].is_null());
}

TEST_F(WatchDesk, WrongWordsAreRefused) {
  EXPECT_EQ(CodeOf(Ask("GET", "/anomalies", "", {{"kind", "noise"}})), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(Ask("GET", "/anomalies", "", {{"limit", "many"}})), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(Ask("GET", "/anomalies", "", {{"limit", "1001"}})), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(Ask("GET", "/anomalies/anomaly-9")), Code::kNotFound);
  EXPECT_EQ(CodeOf(Ask("GET", "/incidents/anomaly-1")), Code::kNotFound);
  EXPECT_EQ(CodeOf(Ask("GET", "/elsewhere")), Code::kNotFound);
  EXPECT_EQ(CodeOf(Ask("POST", "/incidents/incident-9", "{}")), Code::kNotFound);
  for (const char* body :
       {"", "[]", R"({"state":"gone"})", R"({"state":7})", R"({"mood":"bad"})"}) {
    EXPECT_EQ(CodeOf(Ask("POST", "/incidents/incident-1", body)), Code::kInvalidArgument) << body;
  }
  EXPECT_EQ(CodeOf(Ask("POST", "/incidents/incident-1",
                       Json{{"note", std::string(kNoteMaxBytes + 1, 'x')}}.dump())),
            Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(Ask("POST", "/anomalies/anomaly-1", R"({"feedback":"maybe"})")),
            Code::kInvalidArgument);
}

TEST_F(WatchDesk, DamagedRecordsAreRefusedAndOthersLeftAlone) {
  Book book;
  EXPECT_TRUE(book.Restore(R"({"stand":{"at":"2026-11-25T12:00:00Z"}})"));
  EXPECT_FALSE(book.Restore(R"({"anomaly":{"id":"anomaly-1"}})"));
  EXPECT_FALSE(book.Restore(R"({"incident":[]})"));
  EXPECT_FALSE(book.Restore(R"({"expected":{"kind":"noise"}})"));
  EXPECT_TRUE(book.anomalies().empty());
}

TEST_F(WatchDesk, TheBookIsBounded) {
  for (size_t i = 0; i < kAnomaliesKept + 100; ++i) {
    Anomaly anomaly;
    anomaly.series.currency = "USD";
    anomaly.suspect = {"key", std::to_string(i)};
    anomaly.began = anomaly.opened = anomaly.updated = now_;
    anomaly.ended = now_;
    watcher_.book().Open(std::move(anomaly), now_);
    watcher_.TakeEffects();
  }
  EXPECT_EQ(watcher_.book().anomalies().size(), kAnomaliesKept);
  EXPECT_EQ(watcher_.book().incidents().size(), kIncidentsKept);
  EXPECT_NE(watcher_.book().Find("anomaly-1"), nullptr);  // lasts
  EXPECT_EQ(watcher_.book().Find("anomaly-4"), nullptr);
}

}  // namespace
}  // namespace flyball::watch
