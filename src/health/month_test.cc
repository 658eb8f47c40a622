#include "health/month.h"

#include <gtest/gtest.h>

namespace flyball::health {
namespace {

// A question for each month that charges of the period correct, and for none that they once did.
TEST(Month, AsksForCorrectionsThatAreLiveInItsPeriodsAlone) {
  std::vector<std::string> asked;  // sources
  const Ask ask = [&](const ledger::CostQuery& query) -> Result<std::string> {
    for (const ledger::Filter& filter : query.where) {
      if (filter.dimension == "source" && !filter.negated) {
        asked.insert(asked.end(), filter.values.begin(), filter.values.end());
      }
    }
    return std::string(R"({"rows":[]})");
  };
  const std::string commits = R"([
    {"id":"c4","opens":[{"id":"s4","source":"aws.corrections-2026-09","period":"2026-11"}]},
    {"id":"c3","closes":["s2"],"opens":[{"id":"s3","source":"aws.corrections-2026-08","period":"2026-10"}]},
    {"id":"c2","opens":[{"id":"s2","source":"old.corrections-2026-08","period":"2026-10"}]},
    {"id":"c1","opens":[{"id":"s1","source":"aws.corrections-2026-02","period":"2026-03"},
                        {"id":"s0","source":"aws","period":"2026-10"}]}])";
  const Instant now = ParseUserInstant("2026-12-02").value();
  const Result<MonthLook> look = LookAtMonth(ParseMonth("2026-10").value(), {}, commits, ask, now);
  ASSERT_TRUE(look) << look.error().ToString();
  EXPECT_EQ(asked,
            (std::vector<std::string>{"aws.corrections-2026-08", "aws.corrections-2026-09"}));
}

}  // namespace
}  // namespace flyball::health
