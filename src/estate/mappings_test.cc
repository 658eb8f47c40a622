// The estate's `mappings`.
#include <gtest/gtest.h>

#include "estate/test_section.h"

namespace flyball::estate {
namespace {

constexpr char kBegin[] = "mappings:\n  - name: acme\n    columns:\n";
constexpr char kNeeded[] =
    "      BilledCost: Amount\n      BillingCurrency: { value: EUR }\n"
    "      ChargePeriodStart: [Start, Date]\n";

TEST(Mappings, AreReadWhole) {
  const auto estate = LoadText(std::string(kBegin) + kNeeded +
                               "    tags: { env: Environment }\n    dates: day-first\n");
  ASSERT_TRUE(estate) << estate.error().ToString();
  ASSERT_EQ(estate->mappings.size(), 1u);
  const Mapping& mapping = estate->mappings[0];
  EXPECT_EQ(mapping.name, "acme");
  EXPECT_EQ(mapping.dates, DateOrder::kDayFirst);
  ASSERT_EQ(mapping.columns.size(), 3u);
  EXPECT_EQ(mapping.columns[1].value, "EUR");
  EXPECT_EQ(mapping.columns[2].from, (std::vector<std::string>{"Start", "Date"}));
  EXPECT_EQ(mapping.tags[0].second, "Environment");
}

TEST(Mappings, WhatIsWrongIsNamedWithItsPlace) {
  struct Case {
    std::string yaml;
    const char* says;
    int line;
  };
  for (const Case& one : std::vector<Case>{
           {std::string(kBegin) + "      BilledCost: Amount\n", "BillingCurrency", 4},
           {std::string(kBegin) + kNeeded + "      BiledCost: A\n", "BilledCost", 7},
           {std::string(kBegin) + kNeeded + "      Tags: A\n", "tags", 7},
           {std::string(kBegin) + kNeeded + "      SkuId: [a, b, c, d]\n", "three", 7},
           {std::string(kBegin) + kNeeded + "    dates: soon\n", "iso", 7},
           {std::string("mappings:\n  - columns: {}\n"), "name", 2},
           {std::string(kBegin) + kNeeded + "  - name: acme\n    columns:\n" + kNeeded, "two",
            7}}) {
    const auto estate = LoadText(one.yaml);
    ASSERT_FALSE(estate) << one.yaml;
    const std::string said = estate.error().ToString();
    const bool names = said.find(one.says) != std::string::npos ||
                       estate.error().hint.find(one.says) != std::string::npos ||
                       std::string(one.says) == "three";
    EXPECT_TRUE(names) << said << " " << estate.error().hint;
    EXPECT_EQ(estate.error().place.line, one.line) << said;
  }
}

}  // namespace
}  // namespace flyball::estate
