#include "rates/usage_dialect.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "rates/test_prices.h"

namespace flyball::rates {
namespace {

using enum Bucket;

Usage Read(Dialect dialect, std::string_view json) {
  Result<MeteredUsage> read = ReadUsage(dialect, json);
  EXPECT_TRUE(read.has_value()) << json << ": " << (read ? "" : read.error().ToString());
  return read ? read->usage : Usage{};
}

// The error of a usage object that must not be read.
std::string ErrorOf(Dialect dialect, std::string_view json) {
  Result<MeteredUsage> read = ReadUsage(dialect, json);
  EXPECT_FALSE(read.has_value()) << json;
  if (read) return "";
  EXPECT_TRUE(read.error().code == Code::kInvalidArgument || read.error().code == Code::kOutOfRange)
      << read.error().ToString();
  return read.error().message;
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(UsageBuckets, ReadsTheKeysAndNamesWhatIsWrong) {
  EXPECT_EQ(Read(Dialect::kBuckets, R"({"input":3,"cache_write_5m":12304,"output":550})"),
            UsageOf({{kInput, 3}, {kCacheWrite5m, 12304}, {kOutput, 550}}));
  EXPECT_EQ(Read(Dialect::kBuckets, "{}"), Usage{});
  const std::pair<const char*, const char*> wrong[] = {
      {R"({"outptu":1})", "outptu"},
      {R"({"input":-1})", "input"},
      {R"({"input":1.5})", "input"},
      {R"({"input":1e3})", "input"},
      {R"({"input":"3"})", "input"},
      {R"({"input":null})", "input"},
      {R"({"input":true})", "input"},
      {R"({"input":[1]})", "input"},
      {R"({"input":1,"input":1})", "input"},
      {R"({"input":1000000000000001})", "input"},
      {R"({"input":18446744073709551615})", "input"},
      {R"([1])", "object"},
      {R"({"input":1)", "JSON"},
      {"", "JSON"},
      {"\xff", "JSON"},
      {R"({"input":99999999999999999999999})", "JSON"}};
  for (const auto& [json, part] : wrong) {
    EXPECT_TRUE(Has(ErrorOf(Dialect::kBuckets, json), part)) << json;
  }
}

TEST(UsageBuckets, LimitsOfSizeDepthAndCountHold) {
  std::string deep = R"({"a":)";
  for (size_t i = 0; i < kUsageDepthMax + 1; ++i) deep += "[";
  ErrorOf(Dialect::kAnthropic, deep + std::string(kUsageDepthMax + 1, ']') + "}");
  ErrorOf(Dialect::kBuckets, R"({"input":1})" + std::string(kUsageJsonBytesMax, ' '));
  std::string wide = "{";
  for (size_t i = 0; i <= kUsageFieldsMax; ++i) wide += fmt::format("\"k{}\":1,", i);
  ErrorOf(Dialect::kOpenAiChat, wide + R"("prompt_tokens":1})");
}

TEST(UsageOpenAi, TheCacheAndReasoningAreInsideTheirTotals) {
  EXPECT_EQ(Read(Dialect::kOpenAiChat,
                 R"({"prompt_tokens":1239328,"completion_tokens":12909,"total_tokens":1252237,
                     "prompt_tokens_details":{"cached_tokens":1188096,"audio_tokens":0},
                     "completion_tokens_details":{"reasoning_tokens":9000,"audio_tokens":0,
                       "accepted_prediction_tokens":0,"rejected_prediction_tokens":0}})"),
            UsageOf({{kInput, 51232}, {kCacheRead, 1188096}, {kOutput, 3909}, {kReasoning, 9000}}));
  EXPECT_EQ(Read(Dialect::kOpenAiResponses,
                 R"({"input_tokens":100,"input_tokens_details":{"cached_tokens":40,
                     "cache_write_tokens":50},"output_tokens":20,
                     "output_tokens_details":{"reasoning_tokens":20},"total_tokens":120})"),
            UsageOf({{kInput, 10}, {kCacheRead, 40}, {kCacheWrite5m, 50}, {kReasoning, 20}}));
}

TEST(UsageOpenAi, ModalitiesAndTheirCachesAreApart) {
  EXPECT_EQ(Read(Dialect::kOpenAiResponses,
                 R"({"total_tokens":253,"input_tokens":132,"output_tokens":121,
               "input_token_details":{"text_tokens":119,"audio_tokens":13,"image_tokens":0,
                 "cached_tokens":64,"cached_tokens_details":{"text_tokens":60,"audio_tokens":4,
                 "image_tokens":0}},"output_token_details":{"text_tokens":30,"audio_tokens":91}})"),
            UsageOf({{kInput, 59},
                     {kCacheRead, 60},
                     {kInputAudio, 9},
                     {kCacheReadAudio, 4},
                     {kOutput, 30},
                     {kOutputAudio, 91}}));
  EXPECT_EQ(Read(Dialect::kOpenAiResponses, R"({"type":"duration","seconds":61})"),
            UsageOf({{kInputSeconds, 61}}));
}

// Peers took 15,741 cached tokens off twice where images were cached (the sum went below zero).
TEST(UsageOpenAi, CachedImagesAreCountedOnce) {
  const Usage usage = Read(Dialect::kOpenAiChat,
                           R"({"prompt_tokens":1000,"completion_tokens":1,
                               "prompt_tokens_details":{"cached_tokens":950,"image_tokens":900}})");
  EXPECT_EQ(usage,
            UsageOf({{kCacheRead, 100}, {kCacheReadImage, 850}, {kInputImage, 50}, {kOutput, 1}}));
  EXPECT_EQ(usage.InputTokens(), 1000);
}

TEST(UsageOpenAi, OtherSpeakersOfTheDialect) {
  // DeepSeek, Moonshot, a proxy with Anthropic's words.
  EXPECT_EQ(Read(Dialect::kOpenAiChat,
                 R"({"prompt_tokens":10,"completion_tokens":2,"prompt_cache_hit_tokens":6,
                     "prompt_cache_miss_tokens":4})"),
            UsageOf({{kInput, 4}, {kCacheRead, 6}, {kOutput, 2}}));
  EXPECT_EQ(
      Read(Dialect::kOpenAiChat, R"({"prompt_tokens":10,"completion_tokens":2,"cached_tokens":6})"),
      UsageOf({{kInput, 4}, {kCacheRead, 6}, {kOutput, 2}}));
  // xAI: reasoning beside the completion, as the total shows.
  EXPECT_EQ(Read(Dialect::kOpenAiChat,
                 R"({"prompt_tokens":10,"completion_tokens":2,"total_tokens":112,
                     "completion_tokens_details":{"reasoning_tokens":100}})"),
            UsageOf({{kInput, 10}, {kOutput, 2}, {kReasoning, 100}}));
  // Gemini's compatible API: thoughts in the total only.
  EXPECT_EQ(
      Read(Dialect::kOpenAiChat, R"({"prompt_tokens":10,"completion_tokens":2,"total_tokens":62})"),
      UsageOf({{kInput, 10}, {kOutput, 2}, {kReasoning, 50}}));
  // Perplexity.
  EXPECT_EQ(Read(Dialect::kOpenAiChat,
                 R"({"prompt_tokens":33,"completion_tokens":7163,"total_tokens":7196,
                     "citation_tokens":20016,"num_search_queries":18,"reasoning_tokens":73997})"),
            UsageOf({{kInput, 33},
                     {kOutput, 7163},
                     {kReasoning, 73997},
                     {kCitation, 20016},
                     {kSearches, 18}}));
  // Its fee of a request was in no charge.
  EXPECT_EQ(Read(Dialect::kOpenAiChat,
                 R"({"prompt_tokens":14,"completion_tokens":200,"total_tokens":214,
                     "search_context_size":"low"})"),
            UsageOf({{kInput, 14}, {kOutput, 200}, {kSearchesLow, 1}}));
}

TEST(UsageOpenAi, AWholeResponseIsReadWithItsTier) {
  const auto read = ReadUsage(Dialect::kOpenAiChat,
                              R"({"model":"gpt-5","service_tier":"priority","choices":[],
                                  "usage":{"prompt_tokens":1,"completion_tokens":2}})");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->usage, UsageOf({{kInput, 1}, {kOutput, 2}}));
  EXPECT_EQ(read->tier, ServiceTier::kPriority);
}

TEST(UsageNegativeLeaf, IsAnErrorThatNamesBothFields) {
  const struct {
    Dialect dialect;
    const char* json;
    const char* part;
    const char* whole;
  } wrong[] = {
      {Dialect::kOpenAiChat, R"({"prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":6}})",
       "cached_tokens", "prompt_tokens"},
      {Dialect::kOpenAiChat, R"({"prompt_tokens":5,"prompt_tokens_details":{"audio_tokens":6}})",
       "audio_tokens", "prompt_tokens"},
      {Dialect::kOpenAiChat,
       R"({"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":6,"cache_write_tokens":4}})",
       "cache_write_tokens", "prompt_tokens"},
      {Dialect::kOpenAiChat,
       R"({"prompt_tokens":5,"completion_tokens":3,
           "completion_tokens_details":{"reasoning_tokens":4}})",
       "reasoning_tokens", "completion_tokens"},
      {Dialect::kOpenAiChat,
       R"({"prompt_tokens":5,"completion_tokens":3,
           "completion_tokens_details":{"reasoning_tokens":2,"audio_tokens":2}})",
       "audio_tokens", "completion_tokens"},
      {Dialect::kOpenAiChat, R"({"prompt_tokens":5,"completion_tokens":3,"total_tokens":7})",
       "total_tokens", "completion_tokens"},
      {Dialect::kOpenAiResponses,
       R"({"input_tokens":5,"input_tokens_details":{"cached_tokens":6}})", "cached_tokens",
       "input_tokens"},
      {Dialect::kAnthropic,
       R"({"input_tokens":5,"cache_creation_input_tokens":10,
           "cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":5}})",
       "cache_creation_input_tokens", "cache_creation"},
      {Dialect::kAnthropic,
       R"({"input_tokens":5,"output_tokens":1,"output_tokens_details":{"thinking_tokens":2}})",
       "thinking_tokens", "output_tokens"},
      {Dialect::kGemini, R"({"promptTokenCount":5,"cachedContentTokenCount":6})",
       "cachedContentTokenCount", "promptTokenCount"},
      {Dialect::kGemini,
       R"({"promptTokenCount":5,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":6}]})",
       "promptTokensDetails", "promptTokenCount"},
      {Dialect::kGemini, R"({"promptTokenCount":5,"totalTokenCount":9})", "totalTokenCount",
       "promptTokenCount"},
      {Dialect::kBedrock,
       R"({"inputTokens":5,"cacheWriteInputTokens":7,"cacheDetails":[{"ttl":"1h","inputTokens":8}]})",
       "cacheWriteInputTokens", "cacheDetails"},
  };
  for (const auto& [dialect, json, part, whole] : wrong) {
    const std::string error = ErrorOf(dialect, json);
    EXPECT_TRUE(Has(error, part) && Has(error, whole)) << json << "\n" << error;
  }
}

TEST(UsageAnthropic, TheCacheIsBesideTheInput) {
  EXPECT_EQ(Read(Dialect::kAnthropic,
                 R"({"input_tokens":3,"cache_creation_input_tokens":12304,
                     "cache_read_input_tokens":7,"output_tokens":550,"service_tier":"standard"})"),
            UsageOf({{kInput, 3}, {kCacheRead, 7}, {kCacheWrite5m, 12304}, {kOutput, 550}}));
  EXPECT_EQ(Read(Dialect::kAnthropic,
                 R"({"input_tokens":3,"cache_creation_input_tokens":100,
                     "cache_creation":{"ephemeral_5m_input_tokens":60,
                       "ephemeral_1h_input_tokens":40},
                     "cache_read_input_tokens":null,"output_tokens":50,
                     "output_tokens_details":{"thinking_tokens":20},
                     "server_tool_use":{"web_search_requests":2,"web_fetch_requests":1}})"),
            UsageOf({{kInput, 3},
                     {kCacheWrite5m, 60},
                     {kCacheWrite1h, 40},
                     {kOutput, 30},
                     {kReasoning, 20},
                     {kSearches, 2}}));
}

TEST(UsageAnthropic, TierSpeedAndPlaceAreTaken) {
  const auto read = ReadUsage(Dialect::kAnthropic,
                              R"({"input_tokens":1,"service_tier":"batch","inference_geo":"us"})");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->tier, ServiceTier::kBatch);
  EXPECT_EQ(read->region, "us");
  const auto told = [](std::string_view geo) {
    const std::string usage = R"({"input_tokens":1,"inference_geo":")" + std::string(geo) + R"("})";
    return ReadUsage(Dialect::kAnthropic, usage)->region;
  };
  EXPECT_EQ(told("global"), "global") << "told, and no other place's price holds";
  EXPECT_EQ(told("not_available"), "");
  EXPECT_EQ(ReadUsage(Dialect::kAnthropic, R"({"input_tokens":1,"speed":"fast"})")->tier,
            ServiceTier::kFast);
  EXPECT_TRUE(
      Has(ErrorOf(Dialect::kAnthropic, R"({"input_tokens":1,"service_tier":"gold"})"), "gold"));
}

// Peers priced a fallback of the vendor's at one model: 35 % too low, 109 % too high.
TEST(UsageAnthropic, IterationsAreChargedAtTheirOwnModels) {
  const auto read = ReadUsage(Dialect::kAnthropic,
                              R"({"input_tokens":412,"output_tokens":264,"iterations":[
          {"type":"message","model":"claude-fable-5","input_tokens":10,"output_tokens":299,
           "cache_read_input_tokens":560186},
          {"type":"message","model":"claude-sonnet-5","input_tokens":77,"output_tokens":0},
          {"type":"message","model":"claude-opus-4-8","input_tokens":412,"output_tokens":264}]})",
                              "claude-opus-4-8");
  ASSERT_TRUE(read.has_value()) << read.error().ToString();
  EXPECT_EQ(read->usage, UsageOf({{kInput, 412}, {kOutput, 264}}));
  ASSERT_EQ(read->others.size(), 1U);  // what declined before it said anything is not billed
  EXPECT_EQ(read->others[0].model, "claude-fable-5");
  EXPECT_EQ(read->others[0].usage, UsageOf({{kInput, 10}, {kCacheRead, 560186}, {kOutput, 299}}));
}

TEST(UsageAnthropic, ACompactionCountsThoughTheTotalLeavesItOut) {
  EXPECT_EQ(Read(Dialect::kAnthropic,
                 R"({"input_tokens":23000,"output_tokens":1000,"iterations":[
                     {"type":"compaction","input_tokens":180000,"output_tokens":3500},
                     {"type":"message","input_tokens":23000,"output_tokens":1000}]})"),
            UsageOf({{kInput, 203000}, {kOutput, 4500}}));
}

TEST(UsageGemini, ThoughtsAndToolsAreAddedTheCacheIsInside) {
  EXPECT_EQ(Read(Dialect::kGemini,
                 R"({"promptTokenCount":262960,"cachedContentTokenCount":257955,
                     "candidatesTokenCount":1700,"thoughtsTokenCount":44,
                     "toolUsePromptTokenCount":10,"totalTokenCount":264714})"),
            UsageOf({{kInput, 5015}, {kCacheRead, 257955}, {kOutput, 1700}, {kReasoning, 44}}));
  EXPECT_EQ(Read(Dialect::kGemini,
                 R"({"promptTokenCount":100,"cachedContentTokenCount":30,"candidatesTokenCount":9,
                     "promptTokensDetails":[{"modality":"TEXT","tokenCount":40},
                       {"modality":"AUDIO","tokenCount":50},{"modality":"IMAGE","tokenCount":10}],
                     "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":20},
                       {"modality":"TEXT","tokenCount":10}],
                     "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":4}]})"),
            UsageOf({{kInput, 30},
                     {kCacheRead, 10},
                     {kInputAudio, 30},
                     {kCacheReadAudio, 20},
                     {kInputImage, 10},
                     {kOutput, 5},
                     {kOutputImage, 4}}));
  EXPECT_EQ(ReadUsage(Dialect::kGemini,
                      R"({"usageMetadata":{"promptTokenCount":1,"trafficType":
                          "ON_DEMAND_PRIORITY"}})")
                ->tier,
            ServiceTier::kPriority);
}

TEST(UsageBedrock, TheCacheIsBesideTheInput) {
  EXPECT_EQ(Read(Dialect::kBedrock,
                 R"({"inputTokens":3,"outputTokens":5,"totalTokens":38,"cacheReadInputTokens":10,
                     "cacheWriteInputTokens":20})"),
            UsageOf({{kInput, 3}, {kCacheRead, 10}, {kCacheWrite5m, 20}, {kOutput, 5}}));
  EXPECT_EQ(Read(Dialect::kBedrock,
                 R"({"inputTokens":3,"outputTokens":5,"cacheWriteInputTokens":20,
                     "cacheDetails":[{"ttl":"1h","inputTokens":15},{"ttl":"5m","inputTokens":5}]})"),
            UsageOf({{kInput, 3}, {kCacheWrite5m, 5}, {kCacheWrite1h, 15}, {kOutput, 5}}));
}

// A peer read the cache under a wrong name: it was charged nothing. An unknown count is no zero.
TEST(UsageUnknownTokens, AreRefusedWhereTheyWouldBeChargedNothing) {
  EXPECT_TRUE(Has(ErrorOf(Dialect::kAnthropic, R"({"input_tokens":1,"cached_tokens":5})"),
                  "cached_tokens"));
  EXPECT_TRUE(
      Has(ErrorOf(Dialect::kBedrock, R"({"inputTokens":1,"cacheTokens":5})"), "cacheTokens"));
  EXPECT_TRUE(Has(ErrorOf(Dialect::kGemini, R"({"promptTokenCount":1,"musingTokenCount":5})"),
                  "musingTokenCount"));
  EXPECT_EQ(Read(Dialect::kAnthropic, R"({"input_tokens":1,"new_tokens":0})"),
            UsageOf({{kInput, 1}}));
  // A wrong dialect is told, not guessed.
  EXPECT_TRUE(Has(ErrorOf(Dialect::kOpenAiChat, R"({"input_tokens":1})"), "prompt_tokens"));
  EXPECT_TRUE(Has(
      ErrorOf(Dialect::kOpenAiResponses, R"({"input_tokens":3,"cache_read_input_tokens":12304})"),
      "cache_read_input_tokens"));
}

// Under a name that nobody knows a part of a total stays in it, at the total's price.
TEST(UsageUnknownTokens, InsideATotalTheyStayAtItsPrice) {
  EXPECT_EQ(Read(Dialect::kOpenAiResponses,
                 R"({"input_tokens":117231,"cached_input_tokens":115584,"output_tokens":225,
                     "total_tokens":117456})"),
            UsageOf({{kInput, 117231}, {kOutput, 225}}));
}

// Langfuse showed 260,421 where 130,213 tokens went in: cached ones counted once more.
TEST(UsageDoubleCount, ATotalWithItsCacheIsTheTotal) {
  const Usage usage = Read(Dialect::kAnthropic,
                           R"({"input_tokens":5,"cache_read_input_tokens":128955,
                               "cache_creation_input_tokens":1253,"output_tokens":1})");
  EXPECT_EQ(usage.InputTokens(), 130213);
  EXPECT_EQ(Read(Dialect::kOpenAiChat,
                 R"({"prompt_tokens":130213,"completion_tokens":1,
                     "prompt_tokens_details":{"cached_tokens":128955,"cache_write_tokens":1253}})"),
            usage);
}

// Whatever the split, the buckets of an inclusive total sum to it, and none is negative.
TEST(UsageProperty, BucketsOfAnInclusiveTotalSumToIt) {
  Random random(1788);
  for (int i = 0; i < 3000; ++i) {
    const int64_t prompt = random.Between(0, 1000);
    const int64_t cached = random.Between(0, 1100);
    const int64_t written = random.Between(0, 300);
    const int64_t audio = random.Between(0, 400);
    const int64_t image = random.Between(0, 400);
    const int64_t output = random.Between(0, 500);
    const int64_t reasoning = random.Between(0, 550);
    const auto read = ReadUsage(
        Dialect::kOpenAiChat,
        fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"prompt_tokens_details":{{
            "cached_tokens":{},"cache_write_tokens":{},"audio_tokens":{},"image_tokens":{}}},
            "completion_tokens_details":{{"reasoning_tokens":{}}}}})",
                    prompt, output, cached, written, audio, image, reasoning));
    const bool fits = cached + written <= prompt && audio + image <= prompt && reasoning <= output;
    ASSERT_EQ(read.has_value(), fits) << i;
    if (!read) continue;
    EXPECT_EQ(read->usage.InputTokens(), prompt);
    EXPECT_EQ(read->usage.OutputTokens(), output);
    EXPECT_EQ(read->usage[kCacheRead] + read->usage[kCacheReadAudio] + read->usage[kCacheReadImage],
              cached);
    EXPECT_EQ(read->usage[kInputAudio] + read->usage[kCacheReadAudio] <= audio, true);
  }
}

}  // namespace
}  // namespace flyball::rates
