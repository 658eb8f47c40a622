// What can be compared with what came, and what must not be added up; which vintages are kept.
#include "forecast/accuracy.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "forecast/answers.h"
#include "forecast/test_ledger.h"

namespace flyball::forecast {
namespace {

using Json = nlohmann::json;

const Instant kFrom = Day("2026-05-01");

// Says 1 for each step and month of its horizon.
Vintage Flat(const Fields& fields, const char* to, int steps,
             std::vector<std::string> currencies = {"USD"}) {
  Vintage vintage;
  vintage.id = std::string(to).substr(0, 10) + "-test";
  vintage.question = *ParseQuestion(fields);
  vintage.to = vintage.made = Day(to);
  vintage.end = Instant{vintage.to.us + steps * vintage.question.step_us()};
  for (const std::string& currency : currencies) {
    VintageNode node;
    node.values.resize(vintage.question.by.size());
    node.mean.assign(static_cast<size_t>(steps), 1.0);
    node.ranges.assign(vintage.question.levels.size(), {node.mean, node.mean});
    node.month_ranges.resize(vintage.question.levels.size());
    vintage.answers.push_back({currency, "", {node}});
  }
  return vintage;
}

TEST(Accuracy, HoursThatAreNotReadAreNotNothing) {
  TestLedger ledger;
  for (Instant hour = Day("2026-05-01"); hour < Day("2026-10-01"); hour.us += kMicrosPerHour) {
    ledger.Add("search", "large", 1, hour);
  }
  const Fields hourly{{"grain", "hour"}, {"horizon", "48h"}, {"levels", "80"}};
  const auto accuracy =
      CompareVintages({Flat(hourly, "2026-06-01", 48), Flat(hourly, "2026-09-01", 48)},
                      ledger.asked(), Day("2026-10-01T08:00:00Z"));
  ASSERT_TRUE(accuracy) << accuracy.error().ToString();
  EXPECT_EQ(accuracy->vintages[0].whole.count(), 0u);  // more than 70 days ago
  EXPECT_EQ(accuracy->vintages[1].whole.count(), 48u);
  EXPECT_EQ(accuracy->vintages[1].whole.wmape(), 0);
  ASSERT_EQ(accuracy->notes.size(), 1u);
  EXPECT_NE(accuracy->notes[0].find("2026-06-01"), std::string::npos);
}

TEST(Accuracy, CurrenciesMeasuresAndGrainsAreNotAddedUp) {
  TestLedger ledger;
  ledger.Daily("search", "large", 1, kFrom, Day("2026-10-01"), 0);
  ledger.Daily("search", "large", 1000, kFrom, Day("2026-10-01"), 0, "test", "JPY");
  const Fields fields{{"horizon", "7d"}, {"levels", "80"}};
  Fields billed = fields;
  billed["measure"] = "billed_cost";
  const auto accuracy =
      CompareVintages({Flat(fields, "2026-09-01", 7, {"JPY", "USD"}), Flat(billed, "2026-09-01", 7),
                       Flat(fields, "2026-09-02", 7, {"JPY", "USD"})},
                      ledger.asked(), Day("2026-10-01T08:00:00Z"));
  ASSERT_TRUE(accuracy);
  ASSERT_EQ(accuracy->ages.size(), 3u * 4u);
  EXPECT_EQ(accuracy->ages[0].currency, "JPY");
  EXPECT_EQ(accuracy->ages[0].whole.count(), 14u);
  EXPECT_NEAR(accuracy->ages[0].whole.wmape(), 1, 0.01);
  EXPECT_EQ(accuracy->ages[4].currency, "USD");
  EXPECT_LT(accuracy->ages[4].whole.wmape(), 0.3);
  EXPECT_EQ(accuracy->ages[8].measure, "billed_cost");
  EXPECT_EQ(accuracy->ages[8].whole.count(), 7u);
}

class Kept : public testing::Test {
 protected:
  Kept() { std::filesystem::remove_all(home_); }
  ~Kept() override { std::filesystem::remove_all(home_); }
  Desk At(const char* now) { return {{ledger_.asked(), {}, Day(now), 1, {}}, *files_, home_, {}}; }
  void Put(const std::string& id) const {
    std::filesystem::create_directories(home_ + "/forecasts");
    std::ofstream(home_ + "/forecasts/" + id + ".json")
        << VintageJson(Flat({{"levels", "80"}}, "2026-01-01", 2));
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    const auto kept = ReadVintages(*files_, home_);
    EXPECT_TRUE(kept);
    for (const Vintage& vintage : *kept) names.push_back(vintage.id);
    std::ranges::sort(names);
    return names;
  }

  const std::string home_ =
      testing::TempDir() + "kept_" + testing::UnitTest::GetInstance()->current_test_info()->name();
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
  TestLedger ledger_;
};

TEST_F(Kept, ABacktestIsOfEachCurrency) {
  ledger_.Daily("search", "large", 100, kFrom, Day("2026-09-01"));
  ledger_.Daily("search", "large", 100'000, kFrom, Day("2026-09-01"), 0.05, "test", "JPY");
  const auto text =
      AnswerBacktest({{"horizon", "7d"}, {"origins", "2"}, {"levels", "80"}}, At("2026-09-01"));
  ASSERT_TRUE(text) << text.error().ToString();
  std::vector<std::string> currencies;
  const Json document = Json::parse(*text);
  for (const Json& row : document["classes"]) {
    if (row["class"] != "all") continue;
    EXPECT_EQ(row["series"], 1);
    currencies.push_back(row["currency"]);
  }
  EXPECT_EQ(currencies, (std::vector<std::string>{"JPY", "USD"}));
}

TEST_F(Kept, ABacktestLevelsWithWhatTheOriginKnows) {
  // A shift in the middle of what comes after the one origin is not known to it.
  ledger_.Daily("search", "large", 100, kFrom, Day("2026-08-15"), 0.02);
  ledger_.Daily("search", "large", 300, Day("2026-08-15"), Day("2026-09-01"), 0.02);
  const auto text =
      AnswerBacktest({{"horizon", "17d"}, {"origins", "1"}, {"levels", "80"}}, At("2026-09-01"));
  ASSERT_TRUE(text);
  const Json all = Json::parse(*text)["classes"][0];
  EXPECT_NEAR(all["bias"].get<double>(), -2.0 / 3, 0.05);
  EXPECT_LT(all["coverage"][0]["share"].get<double>(), 0.2);
}

TEST_F(Kept, ADamagedVintageIsDataLossAndNoMore) {
  ledger_.Daily("search", "large", 100, kFrom, Day("2026-09-01"));
  const std::string text = VintageJson(Flat({{"by", "team"}, {"levels", "80"}}, "2026-09-01", 7));
  ASSERT_TRUE(ReadVintage("x", text));
  const auto damaged = [&](const char* path, Json value) {
    Json json = Json::parse(text);
    json[Json::json_pointer(path)] = std::move(value);
    return ReadVintage("x", json.dump());
  };
  const std::string node = "/answers/0/nodes/0";
  for (const auto& [path, value] :
       std::vector<std::pair<std::string, Json>>{{node + "/values", Json::array()},
                                                 {node + "/values", {"a", "b"}},
                                                 {node + "/dimensions", 2},
                                                 {node + "/ranges", Json::array()},
                                                 {node + "/ranges/0/lower", {1.0}},
                                                 {node + "/month_ranges", Json::array()},
                                                 {node + "/mean", {1.0, 2.0}},
                                                 {"/version", "1"}}) {
    const auto read = damaged(path.c_str(), value);
    ASSERT_FALSE(read) << path;
    EXPECT_EQ(read.error().code, Code::kDataLoss) << path;
  }
}

TEST_F(Kept, OneOfADayThenAWeekThenAMonthIsKept) {
  Instant day = Day("2026-01-01");
  for (int i = 0; i < 299; ++i, day.us += kMicrosPerDay) Put(FormatDate(day) + "-test");
  ASSERT_EQ(*KeepVintage(*files_, home_, Flat({{"levels", "80"}}, "2026-10-27", 2)), "");
  const std::vector<std::string> names = Names();
  EXPECT_EQ(names.front(), "2026-01-01-test");
  EXPECT_EQ(names.back(), "2026-10-27-test");
  // 36 days, some 21 weeks and 4 months.
  EXPECT_GT(names.size(), 36u + 19u + 3u);
  EXPECT_LT(names.size(), 36u + 24u + 6u);
}

TEST_F(Kept, NewQuestionsDoNotPushOutThoseThatAreAskedAgain) {
  Put("2026-01-01-test");
  Put("2026-01-02-test");
  for (size_t i = 2; i < kVintagesMax; ++i) Put(fmt::format("2026-02-{:02}-{:04}", 1 + i / 40, i));
  Vintage one = Flat({{"levels", "80"}}, "2026-02-20", 2);
  one.id = "2026-02-20-new";
  ASSERT_EQ(*KeepVintage(*files_, home_, one), "");
  const std::vector<std::string> names = Names();
  EXPECT_EQ(names.size(), kVintagesMax);
  EXPECT_EQ(names[0], "2026-01-01-test");
  EXPECT_EQ(names[1], "2026-01-02-test");
  EXPECT_EQ(names[2], "2026-02-01-0003");
  // More new questions in a day are not kept; what is asked again is.
  for (size_t i = 0; i < kVintagesDayMax; ++i) Put(fmt::format("2026-03-01-{:04}", 1000 + i));
  one.id = "2026-03-01-more";
  EXPECT_NE(*KeepVintage(*files_, home_, one), "");
  one.id = "2026-03-01-test";
  EXPECT_EQ(*KeepVintage(*files_, home_, one), "");
}

TEST_F(Kept, AForecastOfAPastCommitIsNotKept) {
  ledger_.Daily("search", "large", 100, kFrom, Day("2026-09-01"));
  ASSERT_TRUE(AnswerForecast({{"horizon", "7d"}, {"as_of", "1"}}, At("2026-09-01")));
  EXPECT_TRUE(Names().empty());
}

}  // namespace
}  // namespace flyball::forecast
