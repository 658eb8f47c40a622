#include "model/usage.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace flyball {
namespace {

TEST(Usage, EveryBucketHasOneNameAndIsFoundByIt) {
  std::set<std::string_view> names;
  for (const BucketInfo& info : Buckets()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(BucketByName(info.name), info.bucket);
    EXPECT_GT(info.per, 0);
  }
  EXPECT_EQ(BucketByName("tokens"), std::nullopt);
  // The keys that the command line promises.
  for (const char* name :
       {"input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning",
        "input_audio", "output_audio", "input_image", "requests", "searches"}) {
    EXPECT_TRUE(BucketByName(name).has_value()) << name;
  }
}

TEST(Usage, CountsAddUpAndNeverGoBelowZeroOrBeyondTheirBound) {
  Usage usage;
  ASSERT_TRUE(usage.Add(Bucket::kInput, 3));
  ASSERT_TRUE(usage.Add(Bucket::kInput, 4));
  EXPECT_EQ(usage[Bucket::kInput], 7);
  const Status negative = usage.Add(Bucket::kOutput, -1);
  ASSERT_FALSE(negative);
  EXPECT_EQ(negative.error().code, Code::kInvalidArgument);
  EXPECT_NE(negative.error().message.find("output"), std::string::npos);
  EXPECT_EQ(usage.Add(Bucket::kInput, kUsageCountMax).error().code, Code::kOutOfRange);
  EXPECT_EQ(usage[Bucket::kInput], 7);
  ASSERT_TRUE(usage.Add(Bucket::kInput, kUsageCountMax - 7));
}

TEST(Usage, InputTokensAreAllOfTheInputCachedOrNot) {
  Usage usage;
  int64_t input = 0;
  int64_t output = 0;
  for (const BucketInfo& info : Buckets()) {
    ASSERT_TRUE(usage.Add(info.bucket, 10));
    if (info.token && info.side == UsageSide::kInput) input += 10;
    if (info.token && info.side == UsageSide::kOutput) output += 10;
  }
  EXPECT_EQ(usage.InputTokens(), input);
  EXPECT_EQ(usage.OutputTokens(), output);
  EXPECT_EQ(input, 110);
  EXPECT_EQ(output, 60);
}

}  // namespace
}  // namespace flyball
