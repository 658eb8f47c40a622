// Vintages and their accuracy, the outlook of budgets, backtests: the documents that people see.
#include "forecast/answers.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "forecast/backtest.h"
#include "forecast/outlook.h"
#include "forecast/test_ledger.h"
#include "forecast/vintage.h"

namespace flyball::forecast {
namespace {

using Json = nlohmann::json;

const Instant kFrom = Day("2026-05-01");

class Answers : public testing::Test {
 protected:
  Answers() { std::filesystem::remove_all(home_); }
  ~Answers() override { std::filesystem::remove_all(home_); }

  Desk At(const char* now) {
    return {{ledger_.asked(), events_, Day(now), 1, {}}, *files_, home_, [this] {
              return Result<std::string>(budgets_.dump());
            }};
  }
  Json Ask(Result<std::string> (*answer)(const Fields&, const Desk&), const Fields& fields,
           const char* now) {
    const Result<std::string> text = answer(fields, At(now));
    EXPECT_TRUE(text) << (text ? "" : text.error().ToString());
    return text ? Json::parse(*text) : Json();
  }
  size_t Kept() const {
    size_t count = 0;
    if (!std::filesystem::exists(home_ + "/forecasts")) return 0;
    for (const auto& file : std::filesystem::directory_iterator(home_ + "/forecasts")) {
      count += file.path().extension() == ".json" ? 1 : 0;
    }
    return count;
  }

  const std::string home_ = testing::TempDir() + "forecast_" +
                            testing::UnitTest::GetInstance()->current_test_info()->name();
  std::unique_ptr<os::Files> files_ = os::MakeRealFiles();
  TestLedger ledger_;
  std::vector<estate::ForecastEvent> events_;
  Json budgets_ = Json::array();
};

// ---- vintages

TEST_F(Answers, AForecastIsKeptAndComparedWithWhatCame) {
  ledger_.Daily("search", "large", 100, kFrom, Day("2026-09-15"));
  ledger_.Daily("ads", "large", 40, kFrom, Day("2026-09-15"));
  const Fields fields{{"by", "team"}, {"horizon", "2mo"}, {"levels", "80"}};
  const Json made = Ask(AnswerForecast, fields, "2026-09-15T08:00:00Z");
  ASSERT_TRUE(made["vintage"].is_string());
  EXPECT_EQ(made["vintage"].get<std::string>().substr(0, 10), "2026-09-15");
  Json none = Ask(AnswerAccuracy, {}, "2026-09-15T08:00:00Z");
  EXPECT_EQ(none["vintages"][0]["whole"]["steps"], 0);
  EXPECT_TRUE(none["vintages"][0]["whole"]["wmape"].is_null());

  // Two weeks as before, then a fifth more.
  ledger_.Daily("search", "large", 100, Day("2026-09-15"), Day("2026-10-01"));
  ledger_.Daily("ads", "large", 40, Day("2026-09-15"), Day("2026-10-01"));
  ledger_.Daily("search", "large", 120, Day("2026-10-01"), Day("2026-11-02"));
  ledger_.Daily("ads", "large", 48, Day("2026-10-01"), Day("2026-11-02"));
  const Json accuracy = Ask(AnswerAccuracy, {{"by", "team"}}, "2026-11-02T08:00:00Z");
  ASSERT_EQ(accuracy["vintages"].size(), 1u);
  const Json& one = accuracy["vintages"][0];
  EXPECT_EQ(one["whole"]["steps"], 47);
  EXPECT_EQ(one["series"]["steps"], 94);
  EXPECT_NEAR(one["whole"]["wmape"].get<double>(), 0.13, 0.06);
  EXPECT_LT(one["whole"]["bias"].get<double>(), -0.05);
  ASSERT_EQ(one["months"].size(), 2u);
  EXPECT_LT(std::abs(one["months"][0]["error"].get<double>()), 0.03);
  EXPECT_NEAR(one["months"][1]["error"].get<double>(), -1.0 / 6, 0.04);
  // By age: the first two weeks were well forecast, what lies further ahead was not.
  const Json& ages = accuracy["by_age"];
  EXPECT_LT(ages[0]["whole"]["wmape"].get<double>(), 0.06);
  EXPECT_GT(ages[2]["whole"]["wmape"].get<double>(), 0.1);
  EXPECT_EQ(ages[3]["whole"]["steps"], 0);
  EXPECT_GT(ages[0]["whole"]["coverage"][0]["share"].get<double>(), 0.5);
  // Filters.
  EXPECT_TRUE(Ask(AnswerAccuracy, {{"by", "model"}}, "2026-11-02")["vintages"].empty());
  EXPECT_TRUE(Ask(AnswerAccuracy, {{"measure", "billed_cost"}}, "2026-11-02")["vintages"].empty());
}

TEST_F(Answers, AskingAgainOnTheSameDayKeepsOneVintage) {
  ledger_.Daily("search", "large", 100, kFrom, Day("2026-09-15"));
  const Fields fields{{"horizon", "7d"}};
  Ask(AnswerForecast, fields, "2026-09-15T08:00:00Z");
  Ask(AnswerForecast, fields, "2026-09-15T18:00:00Z");
  EXPECT_EQ(Kept(), 1u);
  Ask(AnswerForecast, {{"horizon", "14d"}}, "2026-09-15T18:00:00Z");
  EXPECT_EQ(Kept(), 2u);
  ledger_.Daily("search", "large", 100, Day("2026-09-15"), Day("2026-09-16"));
  Ask(AnswerForecast, fields, "2026-09-16T08:00:00Z");
  EXPECT_EQ(Kept(), 3u);
}

TEST_F(Answers, VintagesAreBoundedAndTheOldestMakeRoom) {
  std::filesystem::create_directories(home_ + "/forecasts");
  for (size_t i = 0; i < kVintagesMax + 5; ++i) {
    std::ofstream(fmt::format("{}/forecasts/2026-01-01-{:06}.json", home_, i)) << "{}";
  }
  Vintage vintage;
  vintage.id = "2026-02-01-0";
  ASSERT_TRUE(KeepVintage(*files_, home_, vintage));
  EXPECT_EQ(Kept(), kVintagesMax);
  EXPECT_FALSE(files_->Exists(home_ + "/forecasts/2026-01-01-000005.json"));
  EXPECT_TRUE(files_->Exists(home_ + "/forecasts/2026-01-01-000006.json"));
  const auto kept = ReadVintages(*files_, home_);
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), 1u);
  EXPECT_EQ(kept->front().id, vintage.id);
}

TEST_F(Answers, WhatIsNoVintageIsLeftOut) {
  ledger_.Daily("search", "large", 100, kFrom, Day("2026-09-15"));
  Ask(AnswerForecast, {{"horizon", "7d"}}, "2026-09-15T08:00:00Z");
  for (const char* text :
       {"", "[]", "{\"version\":1}", "{\"version\":2}", "{\"version\":1,\"question\":3}"}) {
    EXPECT_EQ(ReadVintage("x", text).error().code, Code::kDataLoss) << text;
  }
  ASSERT_TRUE(os::AtomicWrite(*files_, home_ + "/forecasts/2026-01-01-zzz.json", "{"));
  const auto kept = ReadVintages(*files_, home_);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->size(), 1u);
}

// ---- budgets

Json Budget(const char* name, const char* scope, const char* limit, const char* settled = "0") {
  return {{"name", name},
          {"scope", scope},
          {"window", "month"},
          {"zone", "UTC"},
          {"measure", "money"},
          {"currency", "USD"},
          {"limit", limit},
          {"settled", settled},
          {"counts", "ledger"},
          {"hard", true},
          {"began_at", "2026-10-01T00:00:00Z"},
          {"resets_at", "2026-11-01T00:00:00Z"}};
}

TEST_F(Answers, ABudgetThatWillBreakSaysWhen) {
  ledger_.Daily("search", "large", 100, kFrom, Day("2026-10-16"));
  // 1,500 by the 16th, 3,100 expected at the end.
  budgets_ = {Budget("tight", "team=search", "2500"), Budget("wide", "team=search", "5000"),
              Budget("broken", "team=search", "1000")};
  const Json outlook = Ask(AnswerOutlook, {{"levels", "80"}}, "2026-10-16T00:00:00Z");
  ASSERT_EQ(outlook["budgets"].size(), 3u);
  const Json& tight = outlook["budgets"][0];
  EXPECT_NEAR(tight["spent"].get<double>(), 1500, 80);
  EXPECT_NEAR(tight["mean"].get<double>(), 3100, 120);
  EXPECT_GT(tight["overrun_probability"].get<double>(), 0.99);
  const std::string on = tight["overrun_at"];
  EXPECT_GE(on, "2026-10-23");
  EXPECT_LE(on, "2026-10-29");
  EXPECT_LE(tight["overrun_from"].get<std::string>(), on);
  EXPECT_GE(tight["overrun_to"].get<std::string>(), on);
  EXPECT_NEAR(tight["overrun_expected"].get<double>(), 600, 120);
  const Json& wide = outlook["budgets"][1];
  EXPECT_LT(wide["overrun_probability"].get<double>(), 0.01);
  EXPECT_TRUE(wide["overrun_at"].is_null());
  EXPECT_EQ(outlook["budgets"][2]["overrun_probability"], 1.0);
  const std::string broke = outlook["budgets"][2]["overrun_at"];
  EXPECT_GE(broke, "2026-10-09");
  EXPECT_LE(broke, "2026-10-12");
  EXPECT_EQ(outlook["budgets"][2]["overrun_to"], broke);
}

TEST_F(Answers, WhatTheGuardHasCountedIsSpent) {
  ledger_.Daily("search", "large", 100, kFrom, Day("2026-10-16"));
  budgets_ = Json::array({Budget("live", "team=search", "10000", "4000")});
  const Json outlook = Ask(AnswerOutlook, {}, "2026-10-16T12:00:00Z");
  const Json& live = outlook["budgets"][0];
  EXPECT_EQ(live["spent"], 4000.0);
  EXPECT_NEAR(live["mean"].get<double>(), 5550, 150);
}

TEST_F(Answers, EachValueOfABudgetForAllIsLookedAt) {
  ledger_.Daily("search", "large", 100, kFrom, Day("2026-10-16"));
  ledger_.Daily("ads", "large", 10, kFrom, Day("2026-10-16"));
  budgets_ = {Budget("each", "team=*", "1000"), Budget("each", "team=ads", "1000")};
  const Json outlook = Ask(AnswerOutlook, {}, "2026-10-16T00:00:00Z");
  ASSERT_EQ(outlook["budgets"].size(), 2u);
  EXPECT_EQ(outlook["budgets"][0]["value"], "search");
  EXPECT_EQ(outlook["budgets"][0]["overrun_probability"], 1.0);
  EXPECT_EQ(outlook["budgets"][1]["scope"], "team=ads");
  EXPECT_EQ(outlook["budgets"][1]["overrun_probability"], 0.0);
}

TEST_F(Answers, ARollingWindowForgetsWhatIsOutOfIt) {
  ledger_.Daily("search", "large", 100, kFrom, Day("2026-10-16"));
  Json rolling = Budget("rolling", "team=search", "900");
  rolling["window"] = "rolling 7 days";
  rolling.erase("began_at");
  Json tight = rolling;
  tight["name"] = "tight";
  tight["limit"] = "600";
  budgets_ = {rolling, tight};
  const Json outlook = Ask(AnswerOutlook, {}, "2026-10-16T00:00:00Z");
  EXPECT_LT(outlook["budgets"][0]["overrun_probability"].get<double>(), 0.05);
  EXPECT_NEAR(outlook["budgets"][0]["mean"].get<double>(), 700, 60);
  EXPECT_EQ(outlook["budgets"][1]["overrun_probability"], 1.0);
}

TEST_F(Answers, WhatIsKnownToComeCounts) {
  ledger_.Daily("search", "large", 100, kFrom, Day("2026-10-16"));
  budgets_ = Json::array({Budget("b", "team=search", "5000")});
  const double before = Ask(AnswerOutlook, {}, "2026-10-16")["budgets"][0]["mean"];
  estate::ForecastEvent price;
  price.at = Day("2026-10-20");
  price.factor = Money::Parse("2").value();
  price.where = {{"model", {"large"}}};
  events_ = {price};
  const Json after = Ask(AnswerOutlook, {}, "2026-10-16")["budgets"][0];
  EXPECT_NEAR(after["mean"].get<double>() - before, 1200, 90);
  ASSERT_FALSE(after["notes"].empty());
}

TEST_F(Answers, ABudgetThatCannotBeLookedAtSaysWhy) {
  ledger_.Daily("search", "large", 100, kFrom, Day("2026-10-16"));
  Json tokens = Budget("tokens", "team=search", "1000");
  tokens["measure"] = "tokens";
  tokens["currency"] = "";
  Json hourly = Budget("hourly", "team=search", "10");
  hourly["window"] = "hour";
  Json euros = Budget("euros", "team=search", "10");
  euros["currency"] = "EUR";
  budgets_ = {tokens, hourly, euros, Budget("key", "key=k1", "10"), Budget("new", "team=new", "9")};
  const Json outlook = Ask(AnswerOutlook, {}, "2026-10-16");
  ASSERT_EQ(outlook["budgets"].size(), 5u);
  for (const Json& one : outlook["budgets"]) EXPECT_TRUE(one.contains("refusal")) << one;
}

// ---- backtests

TEST_F(Answers, ABacktestOfTheLedgerIsOfEveryLevel) {
  ledger_.Daily("search", "large", 100, kFrom, Day("2026-10-16"));
  ledger_.Daily("ads", "small", 30, kFrom, Day("2026-10-16"));
  const Json report =
      Ask(AnswerBacktest, {{"by", "team"}, {"horizon", "14d"}, {"origins", "3"}, {"levels", "80"}},
          "2026-10-16");
  const Json& all = report["classes"][0];
  EXPECT_EQ(all["class"], "all");
  EXPECT_EQ(all["series"], 3);
  EXPECT_EQ(all["values"], 3 * 3 * 14);
  EXPECT_LT(all["wmape"].get<double>(), 0.08);
  EXPECT_GT(all["value_added"].get<double>(), 0.1);
  EXPECT_LT(all["mase"].get<double>(), 1);
  EXPECT_GT(all["coverage"][0]["share"].get<double>(), 0.55);
  EXPECT_EQ(AnswerBacktest({{"origins", "0"}}, At("2026-10-16")).error().code,
            Code::kInvalidArgument);
}

TEST(Backtest, FiguresAreThoseOfAHandCase) {
  // Constant 2, then a step to 4: from the origin the forecast is 2.
  Series series{"a", std::vector<double>(20, 2.0), {}, 2};
  series.values[18] = series.values[19] = 4;
  Options options;
  options.levels = {80};
  const auto report = Backtest({series}, options, 1);
  ASSERT_TRUE(report);
  const BacktestRow& all = report->rows[0];
  EXPECT_EQ(all.values, 2u);
  EXPECT_DOUBLE_EQ(all.wmape, 0.5);
  EXPECT_DOUBLE_EQ(all.bias, -0.5);
  EXPECT_DOUBLE_EQ(all.value_added, 0);
  EXPECT_DOUBLE_EQ(all.coverage[0], 0);
  // 2 (0.5 x 2 + 0.1 x 2 + 0.9 x 2) / 3, a value of 4: over 4.
  EXPECT_NEAR(all.pinball, 2 * (1 + 0.2 + 1.8) / 3 / 4, 1e-12);
  EXPECT_TRUE(std::isnan(all.mase));
  EXPECT_EQ(report->rows[1].regime, "constant");
}

TEST(Backtest, SeriesThatAreTooShortAreCounted) {
  Options options;
  options.levels = {80};
  const auto report =
      Backtest({{"a", {1, 2, 3}, {}, 2}, {"b", std::vector<double>(40, 1.5), {}, 2}}, options, 2);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->too_short, 1u);
  EXPECT_EQ(report->rows[0].series, 1u);
}

}  // namespace
}  // namespace flyball::forecast
