// The example that the documentation shows is a good estate.
#include <gtest/gtest.h>

#include "estate/test_rows.h"

namespace flyball::estate {
namespace {

TEST(Example, IsValidAndDoesWhatItsCommentsSay) {
  auto files = os::MakeRealFiles();
  auto snapshot = LoadEstate(*files, FLYBALL_EXAMPLE_ESTATE);
  ASSERT_TRUE(snapshot) << snapshot.error().ToString();
  auto rules = RuleSet::Compile(*snapshot);
  ASSERT_TRUE(rules) << rules.error().ToString();
  EXPECT_EQ((*rules)->estate().use_cases.size(), 3u);

  RowOf rank{{"ServiceProviderName", "Amazon Web Services"},
             {"ServiceName", "Amazon SageMaker"},
             {"ResourceName", "eu-rank-1"},
             {"Tags", R"({"env":"Production"})"}};
  auto assigned = (*rules)->Assign(rank.values());
  EXPECT_EQ(assigned[dimension::kTeam], "search");
  EXPECT_EQ(assigned[dimension::kModel], "acme-rank-7b");
  EXPECT_EQ(assigned[dimension::kEnvironment], "prod");

  RowOf training{{"ServiceName", "EC2"},
                 {"SkuMeter", "BoxUsage:p5.48xlarge"},
                 {"ResourceName", "fit-nightly"},
                 {"Tags", R"({"intern":"yes"})"}};
  EXPECT_NE((*rules)->Assign(training.values())[dimension::kDriver], "model training");
  training.Set("Tags", "{}");
  EXPECT_EQ((*rules)->Assign(training.values())[dimension::kDriver], "model training");

  RowOf pod{{"ServiceProviderName", "K8s"}, {"ResourceName", "ads-web-7"}};
  EXPECT_EQ((*rules)->Assign(pod.values())[dimension::kWorkload], "ads-web");
}

}  // namespace
}  // namespace flyball::estate
