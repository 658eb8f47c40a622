// What a call can cost at most, for members of a body that raise the vendor's bill.
#include "gateway/bound.h"

#include <gtest/gtest.h>

#include "rates/rate.h"
#include "rates/test_prices.h"

namespace flyball::gateway {
namespace {

const rates::PriceBook& Book() {
  static const rates::PriceBook book = [] {
    Result<rates::PriceFile> file = rates::ReadPriceFile(
        R"({"m":{"litellm_provider":"anthropic","input_cost_per_token":1e-6,
            "output_cost_per_token":2e-6,"provider_specific_entry":{"us":1.1,"fast":6.0}}})",
        {Instant{0}});
    EXPECT_TRUE(file.has_value());
    return rates::BookOf({file->layer});
  }();
  return book;
}

// The call's bound, all of it, with an output of at most 100 tokens.
Result<hold::Bound> Bound(Dialect dialect, std::string_view body) {
  const CallFacts facts = FB_TRY(ReadCall(dialect, body));
  return FB_TRY(BoundOf(dialect, facts, facts.output_max.value_or(100), estate::Upstream{}, Book(),
                        rates::On("2026-11-25"), rates::MissingPrice::kDeny))
      .hold;
}

// What the vendor may bill for the bytes of this body and all of the output.
Money Bill(std::string_view body, rates::ServiceTier tier, std::string_view region) {
  const rates::PriceHit hit = Book().Find({"", "m", rates::On("2026-11-25"), region}).value();
  const Usage usage =
      rates::UsageOf({{Bucket::kInput, static_cast<int64_t>(body.size())}, {Bucket::kOutput, 100}});
  return rates::RateAt(hit, usage, {tier, rates::MissingPrice::kDeny}).value().total;
}

Money Whole(const hold::Bound& bound) {
  return Money::FromUnits(bound.fixed.units() + bound.output.units());
}

TEST(Bound, HoldsForTheDearestPlaceOfProcessing) {
  const std::string body = R"({"model":"m","pad":")" + std::string(100'000, 'x') + "\"}";
  const Result<hold::Bound> bound = Bound(Dialect::kAnthropicMessages, body);
  ASSERT_TRUE(bound.has_value()) << bound.error().ToString();
  EXPECT_GE(Whole(*bound), Bill(body, rates::ServiceTier::kStandard, "us"));
  EXPECT_LT(Whole(*bound), Bill(body, rates::ServiceTier::kFast, ""));
}

TEST(Bound, HoldsForAFasterMode) {
  const std::string body =
      R"({"model":"m","speed":"fast","pad":")" + std::string(100'000, 'x') + "\"}";
  const Result<hold::Bound> bound = Bound(Dialect::kAnthropicMessages, body);
  ASSERT_TRUE(bound.has_value()) << bound.error().ToString();
  EXPECT_GE(Whole(*bound), Bill(body, rates::ServiceTier::kFast, "us"));
}

TEST(Bound, HoldsForRejectedPredictions) {
  const std::string body = R"({"model":"m","n":2,"prediction":{"type":"content","content":"xyz"}})";
  const Result<hold::Bound> bound = Bound(Dialect::kOpenAiChat, body);
  ASSERT_TRUE(bound.has_value()) << bound.error().ToString();
  EXPECT_EQ(bound->tokens_output, 2 * (100 + static_cast<int64_t>(body.size())));
}

TEST(Bound, APictureCountsWhateverItsBytes) {
  const Result<hold::Bound> bound =
      Bound(Dialect::kOpenAiChat, R"({"model":"m","messages":[{"content":[
          {"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}]})");
  ASSERT_TRUE(bound.has_value()) << bound.error().ToString();
  EXPECT_GE(bound->tokens_fixed, kPictureTokens);
}

TEST(Bound, ToolsWithoutALimitHaveNone) {
  const Result<hold::Bound> bound =
      Bound(Dialect::kAnthropicMessages, R"({"model":"m","mcp_servers":[{}]})");
  ASSERT_FALSE(bound.has_value());
  EXPECT_EQ(bound.error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace flyball::gateway
