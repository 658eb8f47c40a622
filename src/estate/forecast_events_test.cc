// The estate's `forecast`.
#include <gtest/gtest.h>

#include "estate/test_section.h"

namespace flyball::estate {
namespace {

TEST(ForecastEvents, AreReadWholeAndOldestFirst) {
  const auto estate = LoadText(R"(currency: EUR
forecast:
  events:
    - { at: 2026-12-15, kind: launch, where: { team: search }, amount: 250.5, note: assistant }
    - { at: 2026-12-01, kind: price, where: { provider: OpenAI, model: [a, b] }, factor: 0.8 }
    - { at: 2027-01, kind: end, where: { "tag:plan": reserved }, amount: 10, currency: USD }
)");
  ASSERT_TRUE(estate) << estate.error().ToString();
  ASSERT_EQ(estate->forecast_events.size(), 3u);
  const ForecastEvent& price = estate->forecast_events[0];
  EXPECT_EQ(price.kind, EventKind::kPrice);
  EXPECT_EQ(FormatDate(price.at), "2026-12-01");
  EXPECT_EQ(price.factor.ToString(), "0.8");
  ASSERT_EQ(price.where.size(), 2u);
  EXPECT_EQ(price.where[1].values, (std::vector<std::string>{"a", "b"}));
  const ForecastEvent& launch = estate->forecast_events[1];
  EXPECT_EQ(launch.amount->ToString(), "250.5");
  EXPECT_EQ(launch.currency, "EUR");
  EXPECT_EQ(launch.note, "assistant");
  EXPECT_EQ(estate->forecast_events[2].currency, "USD");
  EXPECT_EQ(FormatDate(estate->forecast_events[2].at), "2027-01-01");
}

TEST(ForecastEvents, WhatIsWrongIsNamedWithItsPlace) {
  struct Case {
    const char* event;
    const char* says;
  };
  for (const Case& one : std::vector<Case>{
           {"{ at: soon, kind: end, amount: 1 }", "a day"},
           {"{ at: 2026-12-01T10:00:00Z, kind: end, amount: 1 }", "a day"},
           {"{ at: 2026-12-01, kind: rise, factor: 2 }", "price"},
           {"{ at: 2026-12-01, kind: price }", "factor"},
           {"{ at: 2026-12-01, kind: price, factor: 0 }", "factor"},
           {"{ at: 2026-12-01, kind: price, factor: -1 }", "factor"},
           {"{ at: 2026-12-01, kind: end }", "where"},
           {"{ at: 2026-12-01, kind: launch, where: { team: [a, b] }, amount: 1 }", "one value"},
           {"{ at: 2026-12-01, kind: launch }", "amount"},
           {"{ at: 2026-12-01, kind: end, where: { teem: a } }", "team"},
           {"{ at: 2026-12-01, kind: end, where: { team: a }, facter: 1 }", "factor"},
           {"{ kind: end, amount: 1 }", "at"}}) {
    const auto estate = LoadText(std::string("forecast:\n  events:\n    - ") + one.event + "\n");
    ASSERT_FALSE(estate) << one.event;
    const std::string said = estate.error().ToString() + estate.error().hint;
    EXPECT_NE(said.find(one.says), std::string::npos) << said;
    EXPECT_EQ(estate.error().place.line, 3) << said;
  }
}

}  // namespace
}  // namespace flyball::estate
