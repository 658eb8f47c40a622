#include "ledger/days.h"

#include <gtest/gtest.h>

namespace flyball::ledger {
namespace {

Instant Day0() { return ParseUserInstant("2026-09-28").value(); }  // a Monday
Instant At(int day) { return Instant{Day0().us + day * kMicrosPerDay}; }

std::map<Instant, DayFacts> Steady(int days, int64_t charges, const char* cost) {
  std::map<Instant, DayFacts> facts;
  for (int i = 0; i < days; ++i) {
    facts[At(i)] = {charges, {{"USD", Money::Parse(cost).value()}}};
  }
  return facts;
}

std::string States(const std::map<Instant, DayFacts>& facts, int days, bool began_before = false,
                   int now = 1000) {
  const std::vector<Day> judged = JudgeDays(facts, At(0), At(days), began_before, At(now));
  std::string text;
  for (const Day& day : judged) {
    const std::string_view name = DayStateName(day.state);
    text += name == "full" ? '+' : name == "thin" ? '~' : name == "gap" ? '!' : name[0];
  }
  return text;
}

TEST(Days, ASteadySourceIsFullUpToItsLastDay) {
  EXPECT_EQ(States(Steady(28, 100, "10"), 30), std::string(28, '+') + "aa");
}

TEST(Days, ADayWithoutChargesBetweenOthersIsAGap) {
  auto facts = Steady(28, 100, "10");
  facts.erase(At(9));
  facts.erase(At(10));
  EXPECT_EQ(States(facts, 28), std::string(9, '+') + "!!" + std::string(17, '+'));
}

TEST(Days, BeforeTheFirstChargeNothingIsMissing) {
  auto facts = Steady(28, 100, "10");
  for (int i = 0; i < 5; ++i) facts.erase(At(i));
  EXPECT_EQ(States(facts, 28), "bbbbb" + std::string(23, '+'));
  // But when the source is older than what is shown, the days are missing.
  EXPECT_EQ(States(facts, 28, true), "!!!!!" + std::string(23, '+'));
}

TEST(Days, FewChargesOrLittleCostAreThin) {
  auto facts = Steady(28, 100, "10");
  facts[At(15)].charges = 49;
  facts[At(16)].charges = 50;
  facts[At(20)].billed["USD"] = Money::Parse("4.999999999999").value();
  facts[At(21)].billed["USD"] = Money::Parse("5").value();
  facts[At(22)].billed.clear();
  EXPECT_EQ(States(facts, 28), std::string(15, '+') + "~++++~+~" + std::string(5, '+'));
}

TEST(Days, AWeekdayIsComparedWithItself) {
  auto facts = Steady(28, 100, "10");
  for (int i = 0; i < 28; ++i) {
    if (i % 7 >= 5) facts[At(i)] = {3, {{"USD", Money::Parse("0.1").value()}}};
  }
  EXPECT_EQ(States(facts, 28), std::string(28, '+'));
}

TEST(Days, TwoDaysOfAWeekdayDoNotSayWhatIsUsual) {
  auto facts = Steady(14, 100, "10");
  facts[At(3)].charges = 1;
  EXPECT_EQ(States(facts, 14), std::string(14, '+'));
}

TEST(Days, TheDayThatRunsIsNeverThin) {
  auto facts = Steady(28, 100, "10");
  facts[At(27)].charges = 1;
  EXPECT_EQ(States(facts, 28, false, 27), std::string(28, '+'));
  EXPECT_EQ(States(facts, 28, false, 28), std::string(27, '+') + "~");
}

TEST(Days, ASourceThatBillsByTheMonthHasNoGaps) {
  std::map<Instant, DayFacts> facts;
  facts[At(3)] = {5, {}};
  facts[At(25)] = {1, {}};
  EXPECT_EQ(States(facts, 27), "bbb+" + std::string(21, 'n') + "+a");
}

TEST(Days, WithoutAnyChargeNothingIsJudged) {
  EXPECT_EQ(States({}, 3), "bbb");
  EXPECT_EQ(States({}, 3, true), "aaa");
}

TEST(Days, CreditsMakeNoOverflow) {
  auto facts = Steady(28, 100, "10");
  facts[At(14)].billed["USD"] = Money::Parse("-99999999999999999999999999").value();
  EXPECT_EQ(States(facts, 28), std::string(14, '+') + "~" + std::string(13, '+'));
}

TEST(Days, ASourceOfCreditsIsNotThin) {
  EXPECT_EQ(States(Steady(28, 100, "-10"), 28), std::string(28, '+'));
}

}  // namespace
}  // namespace flyball::ledger
