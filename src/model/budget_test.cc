#include "model/budget.h"

#include <gtest/gtest.h>

namespace flyball::budget {
namespace {

TEST(Budget, ScopesAreReadAndWritten) {
  for (const char* text : {"organisation", "team=search", "project=p 1", "use_case=x", "key=k",
                           "model=gpt-5", "provider=openai", "end_customer=*", "tag:env=prod"}) {
    Result<Scope> scope = ParseScope(text);
    ASSERT_TRUE(scope.has_value()) << text;
    EXPECT_EQ(FormatScope(*scope), text);
  }
  for (const char* text : {"", "team", "team=", "tag:env", "tag:=x", "tag=x", "organisation=x",
                           "planet=x", "team=a\nb", "team=\xff"}) {
    EXPECT_FALSE(ParseScope(text).has_value()) << text;
  }
  EXPECT_FALSE(ParseScope("team=" + std::string(kScopeValueMaxBytes + 1, 'x')).has_value());
}

TEST(Budget, WindowsAreReadAndWritten) {
  for (const char* text : {"minute", "hour", "day", "week", "month", "quarter", "year",
                           "rolling day", "rolling 24 hours", "rolling 30 days"}) {
    Result<Window> window = ParseWindow(text, "Europe/Zurich");
    ASSERT_TRUE(window.has_value()) << text;
    EXPECT_EQ(FormatWindow(*window), text);
    EXPECT_EQ(window->zone, "Europe/Zurich");
  }
  for (const char* text : {"", "fortnight", "rolling", "rolling 0 days", "rolling 1001 days",
                           "rolling 99999999999999999999 days", "rolling -1 days", "2 days"}) {
    EXPECT_FALSE(ParseWindow(text).has_value()) << text;
  }
}

TEST(Budget, AbsurdBudgetsAreRefused) {
  Budget good;
  good.name = "b";
  good.limit = Money::Parse("100").value().units();
  EXPECT_TRUE(Validate(good).has_value());
  auto refused = [&good](auto change) {
    Budget bad = good;
    change(bad);
    Status status = Validate(bad);
    return !status.has_value() && status.error().code == Code::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](Budget& b) { b.name = ""; }));
  EXPECT_TRUE(refused([](Budget& b) { b.limit = -1; }));
  EXPECT_TRUE(refused([](Budget& b) { b.limit = kLimitMax + 1; }));
  EXPECT_TRUE(refused([](Budget& b) {
    b.measure = Measure::kTokens;
    b.limit = kTokenLimitMax + 1;
  }));
  EXPECT_TRUE(refused([](Budget& b) { b.currency = ""; }));
  EXPECT_TRUE(refused([](Budget& b) { b.window.count = 2; }));
  EXPECT_TRUE(refused([](Budget& b) { b.warn_percent = {80, 80}; }));
  EXPECT_TRUE(refused([](Budget& b) { b.quantile_overrun_percent = 101; }));
  EXPECT_EQ(FormatAmount(Measure::kMoney, good.limit), "100");
  EXPECT_EQ(FormatAmount(Measure::kTokens, 1200), "1200");
}

}  // namespace
}  // namespace flyball::budget
