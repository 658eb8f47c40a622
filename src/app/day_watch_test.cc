#include "app/day_watch.h"

#include "app/open_ledger.h"
#include "app/test_home.h"

namespace flyball::app {
namespace {

constexpr int kDays = 60;  // up to 24 November 2026, the day before the clock's

class DayWatchTest : public HomeTest {
 protected:
  // Two services of two teams, and what `search` has spent on EC2 on the last day.
  void Import(const std::string& last) {
    std::string bill =
        "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,"
        "BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ServiceProviderName,ServiceName,"
        "ServiceCategory,ChargeCategory,BillingAccountId,x_Team\n";
    const int64_t today_us = FloorDay(clock_.Now()).us;
    for (int day = 0; day < kDays; ++day) {
      const Instant start{today_us - (kDays - day) * kMicrosPerDay};
      for (const auto& [service, team, usual] :
           {std::tuple("EC2", "search", 300), {"EC2", "ads", 200}, {"S3", "ads", 50}}) {
        const bool odd = day == kDays - 1 && std::string_view(service) == "EC2" &&
                         std::string_view(team) == "search";
        const std::string cost = odd ? last : std::to_string(usual + day * 7 % 13);
        bill += fmt::format("{0},{0},{0},{0},USD,{1},{2},{3},{4},AWS,{5},Compute,Usage,1,{6}\n",
                            cost, FormatInstant(FloorMonth(start)),
                            FormatInstant(AddMonths(FloorMonth(start), 1)), FormatInstant(start),
                            FormatInstant(Instant{start.us + kMicrosPerDay}), service, team);
      }
    }
    Write("bill.csv", bill);
    ImportArgs args;
    args.files = {os::JoinPath(home_, "bill.csv")};
    args.source = "aws";
    ASSERT_EQ(RunImport(environment_, args), kExitDone);
  }
  std::vector<watch::Anomaly> Find() {
    const auto ledger = OpenLedger(environment_).value();
    return FindOddDaysOfBills(*ledger, {}, clock_.Now()).value();
  }
};

TEST_F(DayWatchTest, AnOddDayIsToldOfEachSeriesWithOneSuspect) {
  Import("1300.000000000001");
  const std::vector<watch::Anomaly> odd = Find();
  std::vector<std::string> of;
  for (const watch::Anomaly& anomaly : odd) {
    of.push_back(std::string(watch::LevelName(anomaly.series.level)) + " " + anomaly.series.value);
    EXPECT_EQ(FormatDate(anomaly.began), "2026-11-24");
    EXPECT_EQ(anomaly.suspect, (watch::Element{"team", "search"}));
    EXPECT_NEAR(static_cast<double>(anomaly.amount.units()) * 1e-12, 1000, 30);
    ASSERT_FALSE(anomaly.causes.empty());
    EXPECT_GT(anomaly.causes.front().share, 0.9);
  }
  EXPECT_EQ(of, (std::vector<std::string>{"total ", "team search", "service EC2", "account 1"}));
  EXPECT_EQ(odd.at(1).observed.ToString(), "1300.000000000001");
}

TEST_F(DayWatchTest, OrdinaryDaysTellNothing) {
  Import("305");
  EXPECT_TRUE(Find().empty());
}

TEST_F(DayWatchTest, HistoryTellsNothing) {
  Import("1300");
  clock_.Advance(60 * kMicrosPerDay);
  EXPECT_TRUE(Find().empty());
}

}  // namespace
}  // namespace flyball::app
