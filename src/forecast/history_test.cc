// Sources that lag, end, fall or charge on some days of the week, and what is missing of them.
#include "forecast/history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "forecast/ledger_forecast.h"
#include "forecast/test_ledger.h"

namespace flyball::forecast {
namespace {

const Instant kFrom = Day("2026-05-01");
const Instant kTo = Day("2026-11-25");  // a Wednesday
const Instant kNow = Day("2026-11-25T10:00:00Z");

bool IsWeekend(Instant day) { return (day.us / kMicrosPerDay + 3) % 7 >= 5; }

void Weekdays(TestLedger& ledger, double cost, Instant from, Instant to,
              const std::string& source = "test") {
  for (Instant day = from; day < to; day.us += kMicrosPerDay) {
    if (!IsWeekend(day)) ledger.Add("search", "large", cost, day, source);
  }
}

Past Read(TestLedger& ledger, const Fields& fields = {}, Instant now = kNow) {
  const auto question = ParseQuestion(fields);
  EXPECT_TRUE(question);
  auto past = ReadPast(ledger.asked(), *question, question->by, now);
  EXPECT_TRUE(past) << (past ? "" : past.error().ToString());
  return past ? *past : Past();
}

size_t StepOf(const History& history, const char* day) {
  return static_cast<size_t>((Day(day).us - history.from.us) / kMicrosPerDay);
}

bool Says(const std::vector<std::string>& notes, const std::string& what) {
  return std::ranges::any_of(
      notes, [&](const std::string& note) { return note.find(what) != std::string::npos; });
}

TEST(History, WeekendsOfASourceOfWeekdaysCostNothing) {
  TestLedger ledger;
  Weekdays(ledger, 100, kFrom, kTo);
  const Past past = Read(ledger);
  const History& history = past.histories[0];
  EXPECT_EQ(history.values[0][StepOf(history, "2026-11-21")], 0);
  EXPECT_FALSE(history.Missing(0, StepOf(history, "2026-11-21")));
  EXPECT_TRUE(past.left_off.empty()) << past.left_off[0];
}

TEST(History, AWeekendIsNotWaitedFor) {
  TestLedger ledger;
  ledger.Daily("ads", "large", 10, kFrom, Day("2026-11-23"));
  Weekdays(ledger, 100, kFrom, Day("2026-11-23"), "weekdays");  // to Friday 20
  const Past past = Read(ledger, {}, Day("2026-11-23T10:00:00Z"));
  EXPECT_EQ(FormatDate(past.to), "2026-11-23");
}

TEST(History, AMissingDayIsEstimatedAndSaidAndInTheMonth) {
  TestLedger ledger;
  Weekdays(ledger, 100, kFrom, kTo);
  std::erase_if(ledger.charges,
                [](const auto& charge) { return charge.start == Day("2026-11-10"); });
  const Past past = Read(ledger);
  const History& history = past.histories[0];
  const size_t step = StepOf(history, "2026-11-10");
  EXPECT_TRUE(history.Missing(0, step));
  EXPECT_DOUBLE_EQ(history.values[0][step], 100);
  EXPECT_TRUE(Says(past.left_off, "2026-11-10"));
  const auto answer =
      ForecastLedger(*ParseQuestion({{"horizon", "1mo"}}), {ledger.asked(), {}, kNow, 1, {}});
  ASSERT_TRUE(answer);
  const NodeForecast& whole = answer->forecasts[0].nodes[0];
  EXPECT_TRUE(std::isnan(whole.history[step]));
  EXPECT_DOUBLE_EQ(whole.months[0].actual, 17 * 100);  // weekdays to Tuesday 24
  EXPECT_TRUE(Says(whole.notes, "estimated"));
}

TEST(History, ABillThatLagsByWeeksIsNotNothing) {
  TestLedger ledger;
  ledger.Daily("search", "large", 1000, kFrom, Day("2026-11-01"), 0.02, "bill");
  ledger.Daily("ads", "large", 10, kFrom, kTo, 0.02, "gateway");
  const Past past = Read(ledger, {{"by", "team"}});
  EXPECT_EQ(FormatDate(past.to), "2026-11-25");
  EXPECT_TRUE(Says(past.left_off, "bill told nothing after 2026-10-31"));
  const History& history = past.histories[0];
  const size_t step = StepOf(history, "2026-11-17");
  EXPECT_FALSE(history.Missing(0, step));  // ads
  EXPECT_TRUE(history.Missing(1, step));
  EXPECT_NEAR(history.values[1][step], 1160, 60);
}

TEST(History, WhatIsSilentForLongHasEnded) {
  TestLedger ledger;
  ledger.Daily("search", "large", 1000, kFrom, Day("2026-10-05"), 0.02, "bill");
  ledger.Daily("ads", "large", 10, kFrom, kTo, 0.02, "gateway");
  const Past past = Read(ledger, {{"by", "team"}});
  EXPECT_TRUE(Says(past.left_off, "taken for ended"));
  EXPECT_EQ(past.histories[0].values[1].back(), 0);
}

TEST(History, ASourceThatTookAnothersPlaceIsNotCountedTwice) {
  TestLedger ledger;
  ledger.Daily("search", "large", 1000, kFrom, Day("2026-11-01"), 0.02, "csv");
  ledger.Daily("search", "large", 1000, Day("2026-11-01"), kTo, 0.02, "api");
  const Past past = Read(ledger, {{"by", "team"}});
  const History& history = past.histories[0];
  EXPECT_FALSE(history.Missing(0, history.values[0].size() - 1));
  EXPECT_NEAR(history.values[0].back(), 1160, 100);
}

TEST(History, AFallOfTheNumberOfChargesDoesNotFreezeThePast) {
  TestLedger ledger;
  for (Instant day = kFrom; day < kTo; day.us += kMicrosPerDay) {
    const int count = day < Day("2026-11-19") ? 10 : 2;
    for (int i = 0; i < count; ++i) ledger.Add("search", "large", 1, day);
  }
  EXPECT_EQ(FormatDate(Read(ledger).to), "2026-11-25");
  // Days at the very end are a bill that is not whole yet.
  EXPECT_EQ(FormatDate(Read(ledger, {}, Day("2026-11-21T10:00:00Z")).to), "2026-11-19");
}

TEST(History, AnAnswerThatIsTooLargeIsReadInParts) {
  TestLedger ledger;
  ledger.Daily("search", "large", 100, kFrom, kTo);
  const Ask whole = ledger.asked();
  size_t refused = 0;
  const Ask small = [&](const ledger::CostQuery& query) -> Result<std::string> {
    if (query.grain == ledger::Grain::kDay && !query.by.empty() && query.by[0] == "team" &&
        query.to->us - query.from->us > 60 * kMicrosPerDay) {
      ++refused;
      return Fail(Code::kOutOfRange, "the answer has more than so many rows");
    }
    return whole(query);
  };
  const Question question = *ParseQuestion({{"by", "team"}});
  const auto parts = ReadPast(small, question, question.by, kNow);
  ASSERT_TRUE(parts) << parts.error().ToString();
  EXPECT_GT(refused, 3u);
  const Past at_once = Read(ledger, {{"by", "team"}});
  EXPECT_EQ(parts->histories[0].values, at_once.histories[0].values);
  EXPECT_EQ(parts->query_hash, at_once.query_hash);
}

// ---- the limits of a forecast

TEST(ForecastLimits, WhatTakesTooMuchIsRefusedBeforeItIsMade) {
  TestLedger ledger;
  for (int i = 0; i < 1200; ++i) {
    ledger.Add("team" + std::to_string(i), "large", 1, Day("2026-11-24"));
  }
  const auto answer = ForecastLedger(
      *ParseQuestion({{"by", "team"}, {"horizon", "700d"}, {"levels", "10,30,50,80,90,95"}}),
      {ledger.asked(), {}, kNow, 1, {}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kResourceExhausted);
}

TEST(ForecastLimits, AStopEndsTheStepsToo) {
  TestLedger ledger;
  ledger.Daily("search", "large", 100, kFrom, kTo);
  // Asked once a series by the fit, then once a step.
  int asked = 0;
  const auto answer = ForecastLedger(*ParseQuestion({{"horizon", "28d"}}),
                                     {ledger.asked(), {}, kNow, 1, [&] { return ++asked > 5; }});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kCancelled);
}

// ---- events that have already been

estate::ForecastEvent Event(const char* at, estate::EventKind kind, const char* team) {
  estate::ForecastEvent event;
  event.at = Day(at);
  event.kind = kind;
  event.currency = "USD";
  event.where = {{"team", {team}}};
  return event;
}

double MeanOfWeek(const LedgerForecast& forecast, const std::string& team) {
  const auto node =
      std::ranges::find(forecast.nodes, std::vector<std::string>{team}, &NodeForecast::values);
  return std::accumulate(node->mean.begin(), node->mean.begin() + 7, 0.0) / 7;
}

TEST(EventsThatWere, AnEndIsNothingFromNowOnAndALaunchIsAlways) {
  TestLedger ledger;
  ledger.Daily("old", "large", 100, kFrom, Day("2026-11-20"));
  ledger.Daily("new", "large", 200, Day("2026-11-20"), kTo, 0.02);
  ledger.Daily("rest", "large", 10, kFrom, kTo);
  estate::ForecastEvent launch = Event("2026-11-20", estate::EventKind::kLaunch, "new");
  launch.amount = Money::Parse("200").value();
  estate::ForecastEvent coming = Event("2026-11-23", estate::EventKind::kLaunch, "later");
  coming.amount = Money::Parse("50").value();
  estate::ForecastEvent never = Event("2026-06-01", estate::EventKind::kLaunch, "never");
  never.amount = Money::Parse("50").value();
  const auto answer =
      ForecastLedger(*ParseQuestion({{"by", "team"}, {"horizon", "14d"}}),
                     {ledger.asked(),
                      {launch, Event("2026-11-20", estate::EventKind::kEnd, "old"), coming, never},
                      kNow,
                      1,
                      {}});
  ASSERT_TRUE(answer) << answer.error().ToString();
  const LedgerForecast& forecast = answer->forecasts[0];
  EXPECT_EQ(MeanOfWeek(forecast, "old"), 0);
  EXPECT_NEAR(MeanOfWeek(forecast, "new"), 200, 20);
  EXPECT_EQ(MeanOfWeek(forecast, "later"), 50);
  EXPECT_TRUE(Says(forecast.notes, "left out, as nothing was charged of it since"));
  EXPECT_TRUE(Says(forecast.notes, "2026-11-20 end"));
}

}  // namespace
}  // namespace flyball::forecast
