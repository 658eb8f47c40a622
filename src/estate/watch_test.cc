#include <gtest/gtest.h>

#include "estate/test_section.h"

namespace flyball::estate {
namespace {

TEST(WatchSection, IsRead) {
  const Result<Estate> estate = LoadText(R"(watch:
  min_amount: 2.5
  off: [stuck, Missing]
  burn:
    - { short_s: 5, long_s: 60, factor: 4 }
    - { short_s: 60, long_s: 300, factor: 2.5 }
  expected:
    - { from: 2026-12-24, to: 2026-12-26, note: Christmas, raise: 3 }
)");
  ASSERT_TRUE(estate) << estate.error().ToString();
  const Watch& watch = estate->watch;
  EXPECT_TRUE(watch.enabled);
  EXPECT_EQ(watch.min_amount->ToString(), "2.5");
  EXPECT_EQ(watch.off, (std::vector<std::string>{"stuck", "missing"}));
  ASSERT_EQ(watch.burn.size(), 2u);
  EXPECT_EQ(watch.burn[1].long_s, 300);
  EXPECT_EQ(watch.burn[1].factor.ToString(), "2.5");
  ASSERT_EQ(watch.expected.size(), 1u);
  EXPECT_EQ(FormatInstant(watch.expected[0].period.end), "2026-12-27T00:00:00Z");
  EXPECT_EQ(watch.expected[0].note, "Christmas");
  EXPECT_EQ(watch.expected[0].raise.ToString(), "3");
  EXPECT_FALSE(LoadText("watch: { enabled: false }\n")->watch.enabled);
}

TEST(WatchSection, FaultsAreToldWithTheirPlace) {
  const auto line_of = [](const std::string& text) {
    const Result<Estate> estate = LoadText("watch:\n" + text);
    EXPECT_FALSE(estate) << text;
    return estate ? 0 : estate.error().place.line;
  };
  EXPECT_EQ(line_of("  minimum: 1\n"), 2);
  EXPECT_EQ(line_of("  min_amount: 0\n"), 2);
  EXPECT_EQ(line_of("  enabled: true\n  off: [noise]\n"), 3);
  EXPECT_EQ(line_of("  burn:\n    - { short_s: 60, long_s: 5, factor: 4 }\n"), 3);
  EXPECT_EQ(line_of("  burn:\n    - { short_s: 5, long_s: 90, factor: 4 }\n"), 3);
  EXPECT_EQ(line_of("  burn:\n    - { short_s: 5, long_s: 60, factor: 0.5 }\n"), 3);
  EXPECT_EQ(line_of("  burn:\n    - { short_s: 5, long_s: 60 }\n"), 3);
  EXPECT_EQ(line_of("  expected:\n    - { from: 2026-12-24, to: 2026-12-23, note: x }\n"), 3);
  EXPECT_EQ(line_of("  expected:\n    - { from: soon, to: 2026-12-23, note: x }\n"), 3);
  EXPECT_EQ(line_of("  expected:\n    - { from: 2026-12-22, to: 2026-12-23 }\n"), 3);
}

}  // namespace
}  // namespace flyball::estate
