#include "model/dimension.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "model/charge.h"
#include "model/signature.h"

namespace flyball::dimension {
namespace {

TEST(Dimension, NamesAreUniqueAndColumnsExist) {
  std::set<std::string_view> names;
  for (const Info& info : Dimensions()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(info.column.empty(), info.kind == Kind::kSlice) << info.name;
    if (!info.column.empty()) {
      EXPECT_GE(charge::IndexOf(info.column), 0) << info.name;
    }
    if (!info.fallback.empty()) {
      EXPECT_GE(signature::IndexOf(info.fallback), 0) << info.name;
    }
  }
}

// Rollups are keyed by signature, currency and hour, so whatever a query groups by must follow from
// these.
TEST(Dimension, EveryColumnIsOfTheSignature) {
  for (const Info& info : Dimensions()) {
    if (info.kind == Kind::kSlice || info.kind == Kind::kPeriod || info.name == "currency")
      continue;
    if (info.kind == Kind::kRow) {
      EXPECT_LT(signature::IndexOf(info.column), 0) << info.name << " can be read from rollups";
      EXPECT_FALSE(info.in_cube) << info.name;
      continue;
    }
    EXPECT_GE(signature::IndexOf(info.column), 0) << info.name;
  }
}

TEST(Dimension, RuleDimensionsAreListedWithTheirColumns) {
  ASSERT_EQ(RuleDimensions().size(), static_cast<size_t>(kRuleDimensionCount));
  for (const RuleDimensionInfo& rule : RuleDimensions()) {
    const Info* info = Find(rule.name);
    ASSERT_NE(info, nullptr) << rule.name;
    EXPECT_EQ(info->kind, Kind::kRule);
    EXPECT_EQ(info->column, rule.column);
    EXPECT_EQ(info->in_cube, rule.name != "workload");
  }
  EXPECT_EQ(RuleDimensions()[kDriver].name, "driver");
  EXPECT_EQ(RuleDimensions()[kUseCase].column, "x_UseCase");
  EXPECT_EQ(RuleDimensions()[kWorkload].column, "x_WorkloadId");
}

TEST(Dimension, TheContractOfTheQueryIsThere) {
  for (std::string_view name :
       {"provider", "service",  "service_category", "account", "region", "charge_category",
        "sku",      "resource", "driver",           "stage",   "team",   "project",
        "use_case", "model",    "environment",      "tag:env", "period", "source",
        "currency", "unit",     "confidence"}) {
    EXPECT_NE(Find(name), nullptr) << name;
  }
  EXPECT_EQ(Find("account")->column, "SubAccountId");
  EXPECT_EQ(Find("account")->fallback, "BillingAccountId");
  EXPECT_FALSE(Find("resource")->in_cube);
  EXPECT_TRUE(Find("provider")->in_cube);
  EXPECT_EQ(Find("nonsense"), nullptr);
  EXPECT_EQ(Find("tag:"), nullptr);
  EXPECT_EQ(Find("tag"), nullptr);
}

TEST(Dimension, Tags) {
  EXPECT_EQ(Find("tag:a:b")->kind, Kind::kTag);
  EXPECT_EQ(TagKey("tag:a:b"), "a:b");
  EXPECT_EQ(TagKey("tag:"), std::nullopt);
  EXPECT_EQ(TagKey("tags:a"), std::nullopt);
}

TEST(Dimension, ClosedListsAreThoseOfTheBlueprint) {
  EXPECT_EQ(CostDrivers().size(), 16u);
  EXPECT_EQ(LifecycleStages().size(), 8u);
  EXPECT_EQ(AiClasses().size(), 3u);
  EXPECT_EQ(CostDrivers().front(), "hardware");
  EXPECT_EQ(CostDrivers().back(), "people");
  EXPECT_EQ(LifecycleStages().front(), "explore");
  EXPECT_EQ(LifecycleStages().back(), "retire");
}

}  // namespace
}  // namespace flyball::dimension
