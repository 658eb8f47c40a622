#include "watch/daily.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "watch/book.h"

namespace flyball::watch {
namespace {

constexpr Instant kNow{1'795'608'000'000'000};  // 2026-11-25, a Wednesday, noon

Money Dollars(double dollars) { return Money::FromUnits(static_cast<int128>(dollars * 1e12)); }

// Ten weeks up to yesterday: working days, weekends of a third, noise of a tenth either way.
DailySeries Ordinary(uint64_t seed, double level = 1000) {
  Random random(seed);
  DailySeries series;
  series.name = {Level::kService, "Amazon EC2", "USD"};
  series.first = Instant{FloorDay(kNow).us - 70 * kMicrosPerDay};
  for (int64_t day = 0; day < 70; ++day) {
    const int64_t weekday = (series.first.us / kMicrosPerDay + day + 3) % 7;  // 0: Monday
    const double noise = static_cast<double>(random.Between(-100, 100)) / 1000;
    series.days.push_back(Dollars(level * (weekday >= 5 ? 0.33 : 1) * (1 + noise)));
  }
  return series;
}

TEST(Daily, OrdinaryDaysAreNoAnomalies) {
  size_t told = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    told += FindOddDays(Ordinary(seed), {}, kNow).size();
  }
  EXPECT_EQ(told, 0u);
}

TEST(Daily, ADayThatIsHalfAsMuchAgainIsTold) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    DailySeries series = Ordinary(seed);
    Money& last = series.days.back();  // a Tuesday
    last = Dollars(1600);
    const auto odd = FindOddDays(series, {}, kNow);
    ASSERT_EQ(odd.size(), 1u) << seed;
    EXPECT_EQ(FormatDate(odd[0].began), "2026-11-24");
    EXPECT_NEAR(ToUnits(odd[0].expected.units()), 1000, 100);
    EXPECT_EQ(odd[0].observed, Dollars(1600));
    EXPECT_EQ(odd[0].amount, odd[0].observed.Minus(odd[0].expected).value());
  }
}

TEST(Daily, AWeekendLikeAWorkingDayIsTold) {
  DailySeries series = Ordinary(7);
  const size_t sunday = series.days.size() - 3;
  series.days[sunday] = Dollars(1000);
  const auto odd = FindOddDays(series, {}, kNow);
  ASSERT_EQ(odd.size(), 1u);
  EXPECT_EQ(FormatDate(odd[0].began), "2026-11-22");
}

TEST(Daily, OddDaysBeforeSpoilNothing) {
  DailySeries series = Ordinary(3);
  series.days[series.days.size() - 9] = Dollars(50'000);
  series.days[series.days.size() - 20] = Dollars(0);
  EXPECT_TRUE(FindOddDays(series, {}, kNow).empty());
}

TEST(Daily, FeesOfEachMonthLittleSumsAndShortSeriesAreLeftAlone) {
  DailySeries fee = Ordinary(4);
  fee.days.back() = Dollars(5000);                     // 24 November
  fee.days[fee.days.size() - 1 - 31] = Dollars(5000);  // 24 October
  EXPECT_TRUE(FindOddDays(fee, {}, kNow).empty());
  DailySeries cheap = Ordinary(5, 5);
  cheap.days.back() = Dollars(12);
  EXPECT_TRUE(FindOddDays(cheap, {}, kNow).empty());
  DailySeries young = Ordinary(6);
  young.days.erase(young.days.begin(), young.days.end() - 10);
  young.days.back() = Dollars(9000);
  EXPECT_TRUE(FindOddDays(young, {}, kNow).empty());
  EXPECT_TRUE(FindOddDays({}, {}, kNow).empty());
  WatchSettings launch;
  launch.expected = {{{Instant{kNow.us - 3 * kMicrosPerDay}, kNow}, "launch", 50}};
  DailySeries raised = Ordinary(8);
  raised.days.back() = Dollars(1600);
  EXPECT_TRUE(FindOddDays(raised, launch, kNow).empty());
}

TEST(Daily, ADayIsToldOnceAndFollowsItsBill) {
  Book book;
  DailySeries series = Ordinary(9);
  series.days.back() = Dollars(2000);
  const auto tell = [&] {
    for (Anomaly& anomaly : FindOddDays(series, {}, kNow)) book.TellDay(std::move(anomaly), kNow);
    return book.TakeEffects().size();
  };
  EXPECT_EQ(tell(), 2u);  // the anomaly and its incident
  EXPECT_EQ(tell(), 0u);
  series.days.back() = Dollars(2500);
  EXPECT_EQ(tell(), 2u);
  ASSERT_EQ(book.anomalies().size(), 1u);
  EXPECT_EQ(book.anomalies().begin()->second.observed, Dollars(2500));
  book.Tidy(Instant{kNow.us + kMicrosPerDay});
  EXPECT_EQ(book.incidents().begin()->second.state, State::kOpen);
  const auto json = nlohmann::json::parse(ToJson(book.anomalies().begin()->second));
  EXPECT_EQ(json["of"], "bills");
  EXPECT_EQ(json["action"]["kind"], "review_spend");
  EXPECT_EQ(json["evidence"]["grain"], "day");
  const auto again = AnomalyFromJson(json.dump());
  ASSERT_TRUE(again);
  EXPECT_EQ(ToJson(*again), ToJson(book.anomalies().begin()->second));
}

}  // namespace
}  // namespace flyball::watch
