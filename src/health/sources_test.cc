#include "health/sources.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "health/conformance.h"
#include "sources/last_sync.h"

namespace flyball::health {
namespace {

using Json = nlohmann::json;

Instant At(const char* text) { return ParseUserInstant(text).value(); }

struct SourcesTest : testing::Test {
  void SetUp() override { std::filesystem::remove_all(home); }
  void TearDown() override { std::filesystem::remove_all(home); }

  void Declare(const std::string& name, estate::SourceKind kind) {
    estate::Source source;
    source.name = name;
    source.kind = kind;
    estate.sources.push_back(std::move(source));
  }
  // One import with one slice a period.
  ledger::Commit& Import(const std::string& source, const std::vector<std::string>& periods,
                         int64_t quarantined = 0) {
    ledger::Commit commit;
    commit.sequence = static_cast<int64_t>(commits.size()) + 1;
    commit.id = "commit" + std::to_string(commit.sequence);
    commit.source = source;
    commit.content_hash = "hash" + std::to_string(commit.sequence);
    commit.time = now;
    commit.facts.rows_quarantined = quarantined;
    if (quarantined > 0) commit.facts.billed_cost_by_currency["USD"].quarantined = "2.5";
    for (const std::string& period : periods) {
      ledger::Slice slice;
      slice.id = commit.id + "-" + period;
      slice.source = source;
      slice.period = period;
      slice.rows = 10;
      slice.billed_by_currency["USD"] = Money::Parse("100").value();
      std::erase_if(live, [&](const ledger::Slice& other) {
        return other.source == source && other.period == period;
      });
      live.push_back(slice);
      commit.opens.push_back(slice);
    }
    commits.push_back(std::move(commit));
    return commits.back();
  }
  Json Look() {
    const auto ask = [this](const ledger::CostQuery& query) -> Result<std::string> {
      asked.push_back(query);
      return query.where.empty() ? answer : old_answer;
    };
    QuarantineReasons reasons;
    const Result<std::string> text =
        SourcesJson({estate, commits, live, closed, ask, *files, home, now, reasons});
    EXPECT_TRUE(text.has_value()) << text.error().message;
    return Json::parse(text.value_or("{}"));
  }
  Json Source(const std::string& name) {
    const Json health = Look();
    for (const Json& source : health["sources"]) {
      if (source["name"] == name) return source;
    }
    ADD_FAILURE() << "no source " << name << " in " << health.dump();
    return {};
  }

  std::string home = testing::TempDir() + "health_sources";
  std::unique_ptr<os::Files> files = os::MakeRealFiles();
  estate::Estate estate;
  std::vector<ledger::Commit> commits;
  std::vector<ledger::Slice> live;
  std::vector<std::string> closed;
  std::vector<ledger::CostQuery> asked;
  std::string answer = R"({"rows":[],"currency":null})";
  std::string old_answer = R"({"rows":[],"currency":null})";
  Instant now = At("2026-11-10T12:00:00Z");
};

TEST_F(SourcesTest, PartsOfASourceAreOne) {
  Declare("aws", estate::SourceKind::kS3);
  Declare("aws.eu", estate::SourceKind::kS3);
  Declare("openai", estate::SourceKind::kNamed);
  EXPECT_EQ(OwnerOf("aws", estate.sources), "aws");
  EXPECT_EQ(OwnerOf("aws.october.csv", estate.sources), "aws");
  EXPECT_EQ(OwnerOf("aws.eu.october.csv", estate.sources), "aws.eu");
  EXPECT_EQ(OwnerOf("aws.corrections-2026-10", estate.sources), "aws");
  EXPECT_EQ(OwnerOf("lone.corrections-2026-10", estate.sources), "lone");
  EXPECT_EQ(OwnerOf("awsome", estate.sources), "awsome");
  // A name alone has no files that could be parts of it.
  EXPECT_EQ(OwnerOf("openai.csv", estate.sources), "openai.csv");

  Import("aws.september.csv", {"2026-09"});
  Import("aws.october.csv", {"2026-10"});
  const Json aws = Source("aws");
  EXPECT_EQ(aws["parts"], Json({"aws.october.csv", "aws.september.csv"}));
  EXPECT_EQ(aws["charges"], 20);
  EXPECT_EQ(aws["billed"]["USD"], "200");
  EXPECT_EQ(aws["periods"][0]["period"], "2026-10");
}

TEST_F(SourcesTest, TheDaysEndWithTheNewestMonthOrToday) {
  Import("aws", {"2026-09"});
  EXPECT_EQ(Look()["to"], "2026-10-01");
  EXPECT_EQ(Look()["from"], "2026-07-31");
  Import("gcp", {"2026-11", "2027-01"});  // what is ahead does not count
  EXPECT_EQ(Look()["to"], "2026-11-11");
  live.clear();
  EXPECT_EQ(Look()["to"], "2026-11-11");
}

TEST_F(SourcesTest, HoursBehindCountFromTheEndOfTheLastDay) {
  Import("aws", {"2026-11"});
  answer = R"({"currency":"USD","rows":[
    {"period":"2026-11-07","source":"aws","charges":"3","billed_cost":"1.5"},
    {"period":"2026-11-08","source":"aws","charges":"3","billed_cost":"1.5"}]})";
  Json aws = Source("aws");
  EXPECT_EQ(aws["reaches"], "2026-11-08");
  EXPECT_EQ(aws["hours_behind"], 36);
  EXPECT_EQ(aws["days"].back()["state"], "after");
  EXPECT_EQ(asked.front().as_of, commits.back().id);
  now = At("2026-11-08T20:00:00Z");
  EXPECT_EQ(Source("aws")["hours_behind"], 0);
}

TEST_F(SourcesTest, TheLastDayOfAnOldSourceIsLookedFor) {
  Import("aws", {"2026-11"});
  Import("old", {"2025-03"});
  old_answer = R"({"currency":"USD","rows":[
    {"period":"2025-03-30","source":"old","charges":"1","billed_cost":"1"}]})";
  const Json old = Source("old");
  EXPECT_EQ(old["reaches"], "2025-03-30");
  EXPECT_EQ(old["days"].back()["state"], "after");
  EXPECT_EQ(old["days"].back()["charges"], 0);
}

TEST_F(SourcesTest, WhatBeganEarlierInTheFirstMonthShownMissesItsFirstDays) {
  Import("aws", {"2026-07", "2026-08", "2026-09"});
  Json rows = Json::array();
  for (const char* day : {"2026-07-30", "2026-08-02", "2026-08-03", "2026-09-30"}) {
    rows.push_back({{"period", day}, {"source", "aws"}, {"charges", "1"}, {"billed_cost", "1"}});
  }
  answer = Json{{"currency", "USD"}, {"rows", rows}}.dump();
  const Json aws = Source("aws");
  EXPECT_EQ(asked.front().from, At("2026-07-01"));
  ASSERT_EQ(aws["days"].size(), 62u);
  EXPECT_EQ(aws["days"][0]["day"], "2026-07-31");
  EXPECT_NE(aws["days"][0]["state"], "before") << "it charged the day before";
  EXPECT_EQ(aws["days"][2]["state"], "full");

  answer = R"({"currency":"USD","rows":[
    {"period":"2026-08-02","source":"aws","charges":"1","billed_cost":"1"}]})";
  EXPECT_EQ(Source("aws")["days"][0]["state"], "before");
}

TEST_F(SourcesTest, SeveralCurrenciesOfADayStayApart) {
  Import("aws", {"2026-11"});
  answer = R"({"currency":null,"rows":[
    {"period":"2026-11-08","source":"aws","currency":"EUR","charges":"1","billed_cost":"2"},
    {"period":"2026-11-08","source":"aws","currency":"USD","charges":"3","billed_cost":"1.5"}]})";
  const Json aws = Source("aws");
  for (const Json& day : aws["days"]) {
    if (day["day"] != "2026-11-08") continue;
    EXPECT_EQ(day["charges"], 4);
    EXPECT_EQ(day["billed"], Json({{"EUR", "2"}, {"USD", "1.5"}}));
  }
}

TEST_F(SourcesTest, RowsInQuarantineAreThoseOfLiveImports) {
  ASSERT_TRUE(files->MakeDirs(home + "/quarantine"));
  const std::string row = R"({"file":"a.csv","line":3,"code":"bad_number","reason":"x","raw":"y"})";
  Import("aws", {"2026-10"}, 7);
  ASSERT_TRUE(os::AtomicWrite(*files, home + "/quarantine/commit1-2026-10.jsonl", row + "\n"));
  EXPECT_EQ(Source("aws")["quarantine"]["rows"], 7);
  EXPECT_EQ(Source("aws")["quarantine"]["reasons"], Json({{"bad_number", 1}}));
  EXPECT_EQ(Source("aws")["quarantine"]["cost"], Json({{"USD", "2.5"}}));
  // The restated bill is whole: nothing is left to work through.
  Import("aws", {"2026-10"});
  EXPECT_EQ(Source("aws")["quarantine"]["rows"], 0);
  // No row of it was kept.
  Import("gcp", {}, 4);
  const Json gcp = Source("gcp");
  EXPECT_EQ(gcp["quarantine"]["imports"][0]["id"], "commit3");
  EXPECT_EQ(gcp["quarantine"]["reasons_of_all"], false) << "its file is not there";
  Import("gcp", {"2026-10"});
  EXPECT_EQ(Source("gcp")["quarantine"]["rows"], 0);
}

TEST_F(SourcesTest, TheCheckIsThatOfTheLatestBill) {
  Import("aws", {"2026-09"});
  ASSERT_TRUE(KeepUnchecked(*files, home, "hash1", "no FOCUS data", now));
  Json check = Source("aws")["conformance"];
  EXPECT_EQ(check["state"], "not checkable");
  EXPECT_EQ(check["reason"], "no FOCUS data");
  Import("aws", {"2026-10"});
  EXPECT_EQ(Source("aws")["conformance"]["state"], "not checked");
  // Corrections of a closed month are no bill of the vendor's.
  Import("aws.corrections-2026-08", {"2026-10"});
  EXPECT_EQ(Source("aws")["last_import"]["commit"], "commit2");
  Import("gateway", {"2026-10"});
  EXPECT_EQ(Source("gateway")["conformance"]["state"], "made here");
  EXPECT_EQ(Source("gateway")["kind"], "gateway");
}

TEST_F(SourcesTest, ASyncThatFailedIsToldWithItsErrors) {
  Declare("aws", estate::SourceKind::kS3);
  EXPECT_EQ(Source("aws")["sync"]["state"], "never");
  ASSERT_TRUE(sources::WriteLastSync(
      *files, home, "aws",
      {now, {}, 2, 0, {Error{Code::kPermissionDenied, "refused", "check the key", {}}}, 0}));
  const Json sync = Source("aws")["sync"];
  EXPECT_EQ(sync["state"], "failed");
  EXPECT_EQ(sync["errors"][0]["message"], "refused");
  EXPECT_TRUE(sync["succeeded"].is_null());
}

TEST_F(SourcesTest, AClosedMonthNamesTheCommitThatClosedIt) {
  Import("aws", {"2026-09", "2026-10"});
  ledger::Commit close;
  close.sequence = 2;
  close.id = "closing";
  close.kind = ledger::CommitKind::kClose;
  close.period = "2026-09";
  close.content_hash = "report";
  commits.push_back(close);
  closed = {"2026-09"};
  const Json health = Look();
  EXPECT_EQ(health["months"][0]["period"], "2026-10");
  EXPECT_TRUE(health["months"][0]["close"].is_null());
  EXPECT_EQ(health["months"][1]["close"]["commit"], "closing");
  EXPECT_EQ(health["months"][1]["close"]["report_hash"], "report");
  EXPECT_EQ(health["sources"][0]["periods"][1]["closed"], true);
  closed.clear();  // it was opened again
  EXPECT_TRUE(Look()["months"][1]["close"].is_null());
}

TEST_F(SourcesTest, ReasonsAreCountedOnceAndDamageIsPassedOver) {
  ASSERT_TRUE(files->MakeDirs(home));
  const std::string path = home + "/rows.jsonl";
  ASSERT_TRUE(os::AtomicWrite(
      *files, path, "{\"code\":\"bad_date\"}\n{\"code\":7}\nrubbish\n[]\n{\"code\":\"bad_date\"}"));
  QuarantineReasons reasons;
  size_t left_bytes = kReasonsBytesOfAnswer;
  const auto of = [&](const std::string& which) { return reasons.Of(*files, which, &left_bytes); };
  EXPECT_EQ(of(path).rows, (std::map<std::string, int64_t>{{"bad_date", 2}}));
  ASSERT_TRUE(files->Remove(path));
  EXPECT_EQ(of(path).rows.size(), 1u) << "such a file is never rewritten";
  EXPECT_FALSE(of(home + "/none.jsonl").whole);
}

TEST_F(SourcesTest, ReasonsThatAnAnswerHasNoTimeForAreCountedByTheNextOne) {
  ASSERT_TRUE(files->MakeDirs(home));
  const std::string row = "{\"code\":\"bad_date\"}\n";
  for (const char* name : {"/a", "/b"}) ASSERT_TRUE(os::AtomicWrite(*files, home + name, row));
  QuarantineReasons reasons;
  size_t left_bytes = row.size();
  EXPECT_TRUE(reasons.Of(*files, home + "/a", &left_bytes).whole);
  EXPECT_EQ(left_bytes, 0u);
  EXPECT_TRUE(reasons.Of(*files, home + "/a", &left_bytes).whole) << "it is known";
  EXPECT_FALSE(reasons.Of(*files, home + "/b", &left_bytes).whole);
  left_bytes = 1;
  EXPECT_EQ(reasons.Of(*files, home + "/b", &left_bytes).rows.at("bad_date"), 1);
  EXPECT_EQ(left_bytes, 0u);
}

TEST(Conformance, OfManyBrokenRulesDutiesComeFirst) {
  const std::string home = testing::TempDir() + "health_checks";
  const auto files = os::MakeRealFiles();
  Json report = {{"focus", "1.2"},
                 {"rules_from", "table"},
                 {"rows", 9},
                 {"rules", {{"executed", 3}}},
                 {"providers", Json::array()},
                 {"results", Json::array()}};
  const auto add = [&](const std::string& id, const char* keyword, int rows,
                       const char* function = "Format", const char* verdict = "failed") {
    report["results"].push_back({{"id", id},
                                 {"keyword", keyword},
                                 {"function", function},
                                 {"verdict", verdict},
                                 {"text", "..."},
                                 {"rows", rows}});
  };
  add("should", "SHOULD", 9);
  add("few", "MUST", 1);
  add("many", "MUST NOT", 5);
  add("whole", "MUST", 9, "Composite");
  add("kept", "MUST", 0, "Format", "passed");
  ASSERT_TRUE(KeepCheck(*files, home, "abc", report.dump(), Instant{0}));
  const Json kept = Json::parse(ReadCheck(*files, home, "abc").value());
  std::string order;
  for (const Json& rule : kept["broken"]) order += rule["id"].get<std::string>() + " ";
  EXPECT_EQ(order, "many few should ");
  for (int i = 0; i < 60; ++i) add("more" + std::to_string(i), "MUST", 1);
  ASSERT_TRUE(KeepCheck(*files, home, "abc", report.dump(), Instant{0}));
  const Json cut = Json::parse(ReadCheck(*files, home, "abc").value());
  EXPECT_EQ(cut["broken"].size(), kFailedRulesMax);
  EXPECT_EQ(cut["broken_more"], 13);

  EXPECT_FALSE(KeepCheck(*files, home, "abc", "{}", Instant{0}));
  EXPECT_FALSE(KeepCheck(*files, home, "../abc", report.dump(), Instant{0}));
  EXPECT_FALSE(ReadCheck(*files, home, "../checks/abc").has_value());
  EXPECT_FALSE(ReadCheck(*files, home, "def").has_value());
  ASSERT_TRUE(os::AtomicWrite(*files, home + "/checks/abc.json", "{"));
  EXPECT_FALSE(ReadCheck(*files, home, "abc").has_value());
  std::filesystem::remove_all(home);
}

}  // namespace
}  // namespace flyball::health
