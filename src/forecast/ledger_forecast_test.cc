#include "forecast/ledger_forecast.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "forecast/ledger_json.h"
#include "forecast/test_ledger.h"

namespace flyball::forecast {
namespace {

const Instant kFrom = Day("2026-05-01");
const Instant kTo = Day("2026-10-20");
const Instant kNow = Day("2026-10-20T10:00:00Z");

TestLedger Estate() {
  TestLedger ledger;
  for (const auto& [team, level] : {std::pair{"search", 100.0}, std::pair{"ads", 40.0}}) {
    ledger.Daily(team, "large", level, kFrom, kTo);
    ledger.Daily(team, "small", level / 4, kFrom, kTo);
  }
  return ledger;
}

Result<LedgerAnswer> Make(TestLedger& ledger, const Fields& fields,
                          std::vector<estate::ForecastEvent> events = {}, Instant now = kNow) {
  const Question question = FB_TRY(ParseQuestion(fields));
  return ForecastLedger(question, {ledger.asked(), std::move(events), now, 1, {}});
}

const NodeForecast& NodeOf(const LedgerForecast& forecast, const std::vector<std::string>& values) {
  const auto found = std::ranges::find(forecast.nodes, values, &NodeForecast::values);
  EXPECT_NE(found, forecast.nodes.end());
  return *found;
}

double Sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST(LedgerForecast, EveryLevelIsForecastAndAddsUp) {
  TestLedger ledger = Estate();
  const auto answer = Make(ledger, {{"by", "team,model"}, {"horizon", "2mo"}});
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_EQ(answer->commit, "c0ffee");
  EXPECT_EQ(FormatDate(answer->to), "2026-10-20");
  EXPECT_EQ(FormatDate(answer->end), "2026-12-01");
  ASSERT_EQ(answer->forecasts.size(), 1u);
  const LedgerForecast& forecast = answer->forecasts[0];
  ASSERT_EQ(forecast.nodes.size(), 1u + 2u + 2u + 4u);
  const NodeForecast& whole = forecast.nodes[0];
  ASSERT_EQ(whole.mean.size(), 42u);
  for (size_t step = 0; step < whole.mean.size(); ++step) {
    double teams = 0, leaves = 0;
    for (const NodeForecast& node : forecast.nodes) {
      if (node.dimensions == 1) teams += node.mean[step];
      if (node.dimensions == 3) leaves += node.mean[step];
    }
    EXPECT_NEAR(teams, whole.mean[step], 1e-9 * whole.mean[step]);
    EXPECT_NEAR(leaves, whole.mean[step], 1e-9 * whole.mean[step]);
  }
  // 175 a day in the mean; the weekday is kept.
  EXPECT_NEAR(Sum(whole.mean) / 42, 175, 9);
  EXPECT_GT(whole.mean[0], 1.5 * whole.mean[4]);  // a Tuesday, a Saturday
}

TEST(LedgerForecast, MonthsAreTheDaysAndWhatIsPast) {
  TestLedger ledger = Estate();
  const auto answer = Make(ledger, {{"by", "team"}, {"horizon", "2mo"}, {"levels", "80"}});
  ASSERT_TRUE(answer);
  const NodeForecast& node = NodeOf(answer->forecasts[0], {"search"});
  ASSERT_EQ(node.months.size(), 2u);
  double october = 0;
  for (const ledger::NaiveCharge& charge : ledger.charges) {
    if (charge.start >= Day("2026-10-01") && *charge.assigned[dimension::kTeam] == "search") {
      october += static_cast<double>(charge.measures.at("effective_cost")) / 1e12;
    }
  }
  EXPECT_NEAR(node.months[0].actual, october, 1e-6);
  const double coming = std::accumulate(node.mean.begin(), node.mean.begin() + 12, 0.0);
  EXPECT_NEAR(node.months[0].mean, october + coming, 1e-6);
  EXPECT_EQ(node.months[1].actual, 0);
  EXPECT_NEAR(node.months[1].mean, Sum(node.mean) - coming, 1e-6);
  // The range of the sum is narrower than the sum of the ranges, and no single day's.
  double widths = 0;
  for (size_t i = 12; i < node.mean.size(); ++i) {
    widths += node.ranges[0].upper[i] - node.ranges[0].lower[i];
  }
  const double width = node.months[1].upper[0] - node.months[1].lower[0];
  EXPECT_LT(width, 0.8 * widths);
  EXPECT_GT(width, node.ranges[0].upper[20] - node.ranges[0].lower[20]);
}

// Of many ledgers whose levels wander and whose days are noisy: how often do the ranges of a month
// hold what came, at every level?
TEST(LedgerForecast, RangesOfMonthsCoverWhatTheySay) {
  constexpr int kLedgers = 24;
  double covered = 0, compared = 0;
  for (int i = 0; i < kLedgers; ++i) {
    TestLedger past, came;
    Noise noise(static_cast<uint64_t>(i) + 1);
    for (const char* team : {"search", "ads"}) {
      for (const char* model : {"large", "small"}) {
        double level = 50 * std::exp(noise.Normal());
        for (Instant day = Day("2026-04-01"); day < Day("2026-11-01"); day.us += kMicrosPerDay) {
          level *= std::exp(0.015 * noise.Normal());
          const bool weekend = (day.us / kMicrosPerDay + 3) % 7 >= 5;
          const double cost = level * (weekend ? 0.6 : 1.16) * std::exp(0.08 * noise.Normal());
          if (day < Day("2026-10-01")) past.Add(team, model, cost, day);
          if (day >= Day("2026-10-01")) came.Add(team, model, cost, day);
        }
      }
    }
    const auto answer =
        Make(past, {{"by", "team,model"}, {"horizon", "1mo"}, {"levels", "80"}, {"fast", "1"}}, {},
             Day("2026-10-01"));
    ASSERT_TRUE(answer) << answer.error().ToString();
    for (const NodeForecast& node : answer->forecasts[0].nodes) {
      double actual = 0;
      for (const ledger::NaiveCharge& charge : came.charges) {
        const bool of_team =
            node.values[0].empty() || node.values[0] == *charge.assigned[dimension::kTeam];
        const bool of_model =
            node.values[1].empty() || node.values[1] == *charge.assigned[dimension::kModel];
        if (of_team && of_model) {
          actual += static_cast<double>(charge.measures.at("effective_cost")) / 1e12;
        }
      }
      const MonthTotal& month = node.months[0];
      covered += month.lower[0] <= actual && actual <= month.upper[0] ? 1 : 0;
      ++compared;
    }
  }
  EXPECT_GE(covered / compared, 0.70) << covered << " of " << compared;
  EXPECT_LE(covered / compared, 0.93) << covered << " of " << compared;
}

TEST(LedgerForecast, DaysThatAreNotWholeAreLeftOffAndSaid) {
  TestLedger ledger = Estate();
  ledger.Daily("search", "other", 30, kFrom, Day("2026-10-17"), 0.05, "slow");
  ledger.Daily("ads", "old", 30, kFrom, Day("2026-08-01"), 0.05, "ended");
  const auto answer = Make(ledger, {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(FormatDate(answer->to), "2026-10-17");
  ASSERT_EQ(answer->left_off.size(), 1u);
  EXPECT_NE(answer->left_off[0].find("slow"), std::string::npos);
  EXPECT_EQ(answer->forecasts[0].nodes.size(), 1u);
  // A filter that the slow source has no part in does not wait for it.
  const auto ads = Make(ledger, {{"where", "team=ads"}});
  ASSERT_TRUE(ads);
  EXPECT_EQ(FormatDate(ads->to), "2026-10-20");
}

TEST(LedgerForecast, TheDayThatRunsIsNoPast) {
  TestLedger ledger = Estate();
  ledger.Add("search", "large", 3, kTo);
  const auto answer = Make(ledger, {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(FormatDate(answer->to), "2026-10-20");
}

TEST(LedgerForecast, CurrenciesAreForecastApart) {
  TestLedger ledger = Estate();
  ledger.Daily("search", "large", 7, kFrom, kTo, 0.05, "test", "EUR");
  const auto answer = Make(ledger, {{"by", "team"}, {"horizon", "28d"}});
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->forecasts.size(), 2u);
  EXPECT_EQ(answer->forecasts[0].currency, "EUR");
  EXPECT_NEAR(Sum(answer->forecasts[0].nodes[0].mean) / 28, 7, 0.6);
  EXPECT_EQ(answer->forecasts[1].currency, "USD");
}

TEST(LedgerForecast, AnEndedSeriesIsForecastAsNothing) {
  TestLedger ledger = Estate();
  ledger.Daily("ads", "old", 30, kFrom, Day("2026-08-01"));
  const auto answer = Make(ledger, {{"by", "model"}, {"horizon", "14d"}});
  ASSERT_TRUE(answer);
  const NodeForecast& old = NodeOf(answer->forecasts[0], {"old"});
  EXPECT_EQ(Sum(old.mean), 0);
  EXPECT_EQ(old.ranges[2].upper[13], 0);
  ASSERT_FALSE(old.notes.empty());
}

estate::ForecastEvent Event(const char* at, estate::EventKind kind) {
  estate::ForecastEvent event;
  event.at = Day(at);
  event.kind = kind;
  event.currency = "USD";
  return event;
}

TEST(LedgerForecast, APriceThatComesIsAnExactFactorOnEveryLevel) {
  TestLedger ledger = Estate();
  const Fields fields{{"by", "team"}, {"horizon", "28d"}};
  estate::ForecastEvent price = Event("2026-11-03", estate::EventKind::kPrice);
  price.factor = Money::Parse("0.5").value();
  price.where = {{"model", {"large"}}};
  // The model tells leaves apart in both, so that nothing but the price differs.
  estate::ForecastEvent none = price;
  none.factor = Money::Parse("1").value();
  const auto with = Make(ledger, fields, {price}), without = Make(ledger, fields, {none});
  ASSERT_TRUE(with && without);
  const NodeForecast& after = NodeOf(with->forecasts[0], {"search"});
  const NodeForecast& before = NodeOf(without->forecasts[0], {"search"});
  EXPECT_EQ(after.mean[13], before.mean[13]);
  // Four fifths are of the large model.
  EXPECT_NEAR(after.mean[14] / before.mean[14], 0.6, 0.02);
  EXPECT_EQ(with->forecasts[0].nodes.size(), 3u);
  ASSERT_EQ(with->forecasts[0].notes.size(), 1u);
}

TEST(LedgerForecast, APriceThatCameChangesThePastAndNotTheForecast) {
  TestLedger ledger;
  ledger.Daily("search", "large", 100, kFrom, Day("2026-10-16"));
  ledger.Daily("search", "large", 50, Day("2026-10-16"), kTo);
  estate::ForecastEvent price = Event("2026-10-16", estate::EventKind::kPrice);
  price.factor = Money::Parse("0.5").value();
  const auto answer = Make(ledger, {{"horizon", "28d"}}, {price});
  ASSERT_TRUE(answer);
  const NodeForecast& whole = answer->forecasts[0].nodes[0];
  EXPECT_NEAR(Sum(whole.mean) / 28, 50, 3);
  EXPECT_NEAR(whole.history[7], 116, 25);  // as the ledger tells it
}

TEST(LedgerForecast, EndsAndLaunchesChangeTheLeavesTheyAreOf) {
  TestLedger ledger = Estate();
  estate::ForecastEvent end = Event("2026-10-27", estate::EventKind::kEnd);
  end.where = {{"team", {"ads"}}};
  estate::ForecastEvent launch = Event("2026-10-27", estate::EventKind::kLaunch);
  launch.where = {{"team", {"assistant"}}};
  launch.amount = Money::Parse("250").value();
  estate::ForecastEvent euros = launch;
  euros.currency = "EUR";
  const auto answer =
      Make(ledger, {{"by", "team,model"}, {"horizon", "14d"}}, {end, launch, euros});
  ASSERT_TRUE(answer);
  const LedgerForecast& forecast = answer->forecasts[0];
  EXPECT_GT(NodeOf(forecast, {"ads", ""}).mean[6], 1);
  EXPECT_EQ(NodeOf(forecast, {"ads", ""}).mean[7], 0);
  EXPECT_EQ(NodeOf(forecast, {"assistant", "(planned)"}).mean[6], 0);
  EXPECT_EQ(NodeOf(forecast, {"assistant", "(planned)"}).mean[7], 250);
  EXPECT_EQ(NodeOf(forecast, {"", "(planned)"}).mean[7], 250);
  EXPECT_EQ(forecast.notes.size(), 3u);
}

TEST(LedgerForecast, ALevelShiftIsFollowedAtOnce) {
  TestLedger ledger;
  ledger.Daily("search", "large", 100, kFrom, Day("2026-10-06"));
  ledger.Daily("search", "large", 180, Day("2026-10-06"), kTo);
  const auto answer = Make(ledger, {{"horizon", "28d"}});
  ASSERT_TRUE(answer);
  const NodeForecast& whole = answer->forecasts[0].nodes[0];
  ASSERT_FALSE(whole.notes.empty());
  EXPECT_NEAR(Sum(whole.mean) / 28, 180, 12);
}

TEST(LedgerForecast, WhatCannotBeForecastIsRefusedOrSaid) {
  TestLedger empty;
  EXPECT_EQ(Make(empty, {}).error().code, Code::kNotFound);
  TestLedger one;
  one.Add("search", "large", 5, Day("2026-10-19"));
  const auto answer = Make(one, {{"horizon", "7d"}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->forecasts[0].nodes[0].mean, (std::vector<double>(7, 5.0)));
  EXPECT_FALSE(answer->forecasts[0].nodes[0].notes.empty());
  TestLedger credits;
  credits.Daily("search", "large", -100, kFrom, kTo);
  const auto negative = Make(credits, {{"horizon", "7d"}});
  ASSERT_TRUE(negative);
  EXPECT_LT(negative->forecasts[0].nodes[0].mean[0], -50);
}

TEST(LedgerForecast, TheSameQuestionHasTheSameDocument) {
  TestLedger ledger = Estate();
  const Fields fields{{"by", "team"}, {"horizon", "1mo"}, {"levels", "80,95"}};
  const std::string text = LedgerAnswerJson(*Make(ledger, fields));
  EXPECT_EQ(text, LedgerAnswerJson(*Make(ledger, fields)));
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["estimate"], true);
  const auto& answer = json["answers"][0];
  EXPECT_EQ(answer["periods"][0], "2026-10-20");
  EXPECT_EQ(answer["months"], nlohmann::json::array({"2026-10"}));
  EXPECT_EQ(answer["series"][0]["mean"].size(), answer["periods"].size());
  EXPECT_EQ(answer["series"][0]["history"].size(), answer["history_periods"].size());
  EXPECT_EQ(answer["series"][1]["dimensions"]["team"], "ads");
}

TEST(Question, FieldsAreReadAndWhatIsWrongIsNamed) {
  const auto question = ParseQuestion({{"by", "team, model"},
                                       {"horizon", "12w"},
                                       {"levels", "95,50"},
                                       {"grain", "month"},
                                       {"where", "team!=ads"},
                                       {"fast", "1"}});
  ASSERT_TRUE(question) << question.error().ToString();
  EXPECT_EQ(question->by, (std::vector<std::string>{"team", "model"}));
  EXPECT_EQ(HorizonText(question->horizon), "12w");
  EXPECT_EQ(question->levels, (std::vector<double>{50, 95}));
  EXPECT_TRUE(question->fast);
  for (const Fields& wrong : std::vector<Fields>{{{"by", "teem"}},
                                                 {{"measure", "cost"}},
                                                 {{"horizon", "3"}},
                                                 {{"horizon", "-1d"}},
                                                 {{"horizon", "900d"}},
                                                 {{"horizon", "48h"}, {"grain", "day"}},
                                                 {{"horizon", "2mo"}, {"grain", "hour"}},
                                                 {{"levels", "100"}},
                                                 {{"grain", "week"}},
                                                 {{"where", "team"}},
                                                 {{"fast", "yes"}},
                                                 {{"by", "team,model,provider,region,service"}}}) {
    const auto refused = ParseQuestion(wrong);
    ASSERT_FALSE(refused) << wrong.begin()->second;
    EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  }
}

TEST(Question, ItsJsonIsItsFields) {
  const auto fields = FieldsOfJson(
      R"({"by":["team","model"],"levels":[80,95],"fast":true,"horizon":"28d"})", QuestionFields());
  ASSERT_TRUE(fields) << fields.error().ToString();
  EXPECT_EQ(fields->at("by"), "team,model");
  EXPECT_EQ(fields->at("levels"), "80,95");
  EXPECT_EQ(fields->at("fast"), "true");
  EXPECT_FALSE(FieldsOfJson("[]", QuestionFields()));
  EXPECT_FALSE(FieldsOfJson(R"({"bye":1})", QuestionFields()));
  EXPECT_FALSE(FieldsOfJson(R"({"by":{}})", QuestionFields()));
}

}  // namespace
}  // namespace flyball::forecast
