#include "forecast/outlook.h"

#include <gtest/gtest.h>

#include "forecast/test_ledger.h"

namespace flyball::forecast {
namespace {

const Instant kFrom = Day("2026-08-01");

BudgetNow Monthly(const char* scope, double limit, double settled = 0) {
  BudgetNow budget;
  budget.name = scope;
  budget.scope = budget::ParseScope(scope).value();
  budget.currency = "USD";
  budget.window = budget::ParseWindow("month").value();
  budget.limit = limit;
  budget.settled = settled;
  budget.began_at = Day("2026-10-01");
  budget.ends_at = Day("2026-11-01");
  return budget;
}

class Outlook : public testing::Test {
 protected:
  BudgetOutlook Of(const BudgetNow& budget, Instant now) {
    LedgerContext context;
    context.ask = ledger_.asked();
    context.events = events_;
    context.now = now;
    const Result<OutlookAnswer> answer = LookAhead({budget}, {80}, context);
    if (!answer || answer->budgets.size() != 1) {
      ADD_FAILURE() << (answer ? "not one budget" : answer.error().ToString());
      return {};
    }
    return answer->budgets.front();
  }
  // A charge a day of the same amount, so that sums are known to the cent.
  void Even(const std::string& model, double cost, Instant from, Instant to) {
    for (Instant day = from; day < to; day.us += kMicrosPerDay) {
      ledger_.Add("search", model, cost, day);
    }
  }
  estate::ForecastEvent Event(estate::EventKind kind, const char* at) {
    estate::ForecastEvent event;
    event.kind = kind;
    event.at = Day(at);
    event.where = {{"team", {"search"}}};
    event.currency = "USD";
    return event;
  }

  TestLedger ledger_;
  std::vector<estate::ForecastEvent> events_;
};

TEST_F(Outlook, EventsCountAlsoAfterADayThatNobodyTold) {
  Even("large", 100, kFrom, Day("2026-10-05"));
  Even("large", 100, Day("2026-10-06"), Day("2026-10-16"));
  estate::ForecastEvent price = Event(estate::EventKind::kPrice, "2026-10-20");
  price.factor = Money::Parse("2").value();
  events_ = {price};
  const BudgetOutlook outlook = Of(Monthly("team=search", 9999), Day("2026-10-16"));
  EXPECT_NEAR(outlook.mean, 3100 + 1200, 160);
}

TEST_F(Outlook, WhatIsAddedIsAddedAlsoToAShortPast) {
  Even("large", 100, Day("2026-10-06"), Day("2026-10-16"));
  estate::ForecastEvent launch = Event(estate::EventKind::kLaunch, "2026-10-20");
  launch.amount = Money::Parse("50").value();
  events_ = {launch};
  const BudgetOutlook outlook = Of(Monthly("team=search", 9999), Day("2026-10-16"));
  EXPECT_NEAR(outlook.mean, 1000 + 16 * 100 + 12 * 50, 60);
}

TEST_F(Outlook, CreditsChangeWithTheirPrice) {
  Even("large", 100, kFrom, Day("2026-10-16"));
  Even("refund", -90, kFrom, Day("2026-10-16"));
  estate::ForecastEvent price = Event(estate::EventKind::kPrice, "2026-10-20");
  price.factor = Money::Parse("0.5").value();
  events_ = {price};
  const BudgetOutlook outlook = Of(Monthly("team=search", 9999), Day("2026-10-16"));
  EXPECT_NEAR(outlook.mean, 15 * 10 + 4 * 10 + 12 * 5, 15);
}

TEST_F(Outlook, SpellingsOfProvidersAndSnapshotsOfModelsAreFound) {
  Even("gpt-4o-2024-08-06", 60, kFrom, Day("2026-10-16"));
  Even("gpt-4o", 40, kFrom, Day("2026-10-16"));
  Even("gpt-4o-mini", 1000, kFrom, Day("2026-10-16"));
  const BudgetOutlook model = Of(Monthly("model=gpt-4o", 9999), Day("2026-10-16"));
  EXPECT_NEAR(model.spent, 1500, 1);
  EXPECT_NEAR(model.mean, 3100, 60);
  for (ledger::NaiveCharge& charge : ledger_.charges) {
    charge.columns["ServiceProviderName"] = "OpenAI";
  }
  const BudgetOutlook provider = Of(Monthly("provider=openai", 99999), Day("2026-10-16"));
  EXPECT_TRUE(provider.refusal.empty()) << provider.refusal;
  EXPECT_NEAR(provider.spent, 16500, 1);
}

// Midnight in Los Angeles is 07:00 or 08:00 UTC.
TEST_F(Outlook, OfDaysAtTheEdgesOfAWindowAPartCounts) {
  Even("large", 240, kFrom, Day("2026-11-28"));
  BudgetNow daily = Monthly("team=search", 9999);
  daily.window = budget::ParseWindow("day", "America/Los_Angeles").value();
  daily.began_at = Instant{Day("2026-11-27").us + 8 * kMicrosPerHour};
  daily.ends_at = Instant{Day("2026-11-28").us + 8 * kMicrosPerHour};
  const Instant now{Day("2026-11-28").us + 2 * kMicrosPerHour};
  const BudgetOutlook outlook = Of(daily, now);
  EXPECT_NEAR(outlook.spent, 160, 1);
  EXPECT_NEAR(outlook.mean, 240, 5);
  daily.settled = 400;  // by now, and six hours are to come
  daily.limit = 300;
  const BudgetOutlook guarded = Of(daily, now);
  EXPECT_EQ(guarded.overrun, 1.0);
  EXPECT_NEAR(guarded.mean, 400 + 60, 5);
}

TEST_F(Outlook, AWindowThatBeganTodayHasOnlyItsPartOfIt) {
  Even("large", 240, kFrom, Day("2026-11-26"));
  BudgetNow daily = Monthly("team=search", 9999, 10);
  daily.window = budget::ParseWindow("day", "Asia/Kolkata").value();
  daily.began_at = Instant{Day("2026-11-26").us + 37 * kMicrosPerHour / 2};
  daily.ends_at = Instant{Day("2026-11-27").us + 37 * kMicrosPerHour / 2};
  const BudgetOutlook outlook = Of(daily, Instant{Day("2026-11-26").us + 20 * kMicrosPerHour});
  EXPECT_NEAR(outlook.mean, 240, 6);
}

TEST_F(Outlook, RollingWindowsCountWhatTheGuardHasAndEveryLength) {
  Even("large", 2, kFrom, Day("2026-10-16"));
  BudgetNow rolling = Monthly("team=search", 100, 120);
  rolling.began_at.reset();
  rolling.ends_at.reset();
  for (const char* window : {"rolling 30 days", "rolling 720 hours", "rolling 12 months"}) {
    rolling.window = budget::ParseWindow(window).value();
    const BudgetOutlook outlook = Of(rolling, Day("2026-10-16"));
    EXPECT_TRUE(outlook.refusal.empty()) << outlook.refusal;
    EXPECT_EQ(outlook.spent, std::max(120.0, outlook.spent)) << window;
    EXPECT_EQ(outlook.overrun, 1.0) << window;
    EXPECT_GE(outlook.mean, 120) << window;
  }
  rolling.window = budget::ParseWindow("rolling 13 months").value();
  EXPECT_FALSE(Of(rolling, Day("2026-10-16")).refusal.empty());
}

}  // namespace
}  // namespace flyball::forecast
