#include "ingest/otlp/call.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/clock.h"
#include "ingest/otlp/otlp.h"
#include "ingest/otlp/test_spans.h"

namespace flyball::otlp {
namespace {

const Instant kNow = ToInstant({2026, 11, 26});

Result<std::optional<Call>> Read(const TestSpan& span, const TestAttributes& resource = {}) {
  Result<std::optional<Call>> call = std::nullopt;
  const Status read = ReadTraces(ToProtobuf({{resource, {span}}}), Encoding::kProtobuf,
                                 [&](const Span& seen) { call = ReadCall(seen, kNow); });
  EXPECT_TRUE(read) << read.error().message;
  return call;
}

Result<std::optional<Call>> Read(TestAttributes attributes) {
  TestSpan span;
  span.attributes = std::move(attributes);
  return Read(span);
}

Call MustRead(TestAttributes attributes) {
  Result<std::optional<Call>> call = Read(std::move(attributes));
  EXPECT_TRUE(call.has_value()) << call.error().message;
  EXPECT_TRUE(call && *call) << "no call";
  return call && *call ? **call : Call();
}

Usage UsageOf(std::initializer_list<std::pair<Bucket, int64_t>> counts) {
  Usage usage;
  for (const auto& [bucket, count] : counts) EXPECT_TRUE(usage.Add(bucket, count));
  EXPECT_TRUE(usage.Add(Bucket::kRequests, 1));
  return usage;
}

TEST(Call, CurrentConventions) {
  const Call call = MustRead({{"gen_ai.operation.name", "chat"},
                              {"gen_ai.provider.name", "anthropic"},
                              {"gen_ai.request.model", "claude-sonnet-4-5"},
                              {"gen_ai.response.model", "claude-sonnet-4-5-20250929"},
                              {"gen_ai.response.id", "msg_01"},
                              {"gen_ai.conversation.id", "c1"},
                              {"server.address", "API.anthropic.com"},
                              {"server.port", 443},
                              {"gen_ai.usage.input_tokens", 100},
                              {"gen_ai.usage.cache_read.input_tokens", 60},
                              {"gen_ai.usage.cache_creation.input_tokens", 30},
                              {"gen_ai.usage.output_tokens", 20},
                              {"gen_ai.usage.reasoning.output_tokens", 5}});
  EXPECT_EQ(call.provider, "anthropic");
  EXPECT_EQ(call.model, "claude-sonnet-4-5");
  EXPECT_EQ(call.answered, "claude-sonnet-4-5-20250929");
  EXPECT_EQ(call.answer_id, "msg_01");
  EXPECT_EQ(call.session, "c1");
  EXPECT_EQ(call.server, "api.anthropic.com:443");
  EXPECT_EQ(call.usage, UsageOf({{Bucket::kInput, 10},
                                 {Bucket::kCacheRead, 60},
                                 {Bucket::kCacheWrite5m, 30},
                                 {Bucket::kOutput, 15},
                                 {Bucket::kReasoning, 5}}));
}

TEST(Call, OlderConventions) {
  const Usage usage = UsageOf({{Bucket::kInput, 100}, {Bucket::kOutput, 20}});
  EXPECT_EQ(MustRead({{"gen_ai.system", "openai"},  // before operations had names
                      {"gen_ai.request.model", "gpt-4o"},
                      {"gen_ai.usage.prompt_tokens", 100},
                      {"gen_ai.usage.completion_tokens", 20}})
                .usage,
            usage);
  const Call call = MustRead({{"gen_ai.system", "OpenAI"},  // OpenLLMetry
                              {"llm.request.type", "chat"},
                              {"gen_ai.request.model", "gpt-4o"},
                              {"gen_ai.openai.api_base", "http://localhost:8081/v1/"},
                              {"llm.usage.prompt_tokens", 100},
                              {"llm.usage.completion_tokens", 20},
                              {"llm.usage.total_tokens", 120}});
  EXPECT_EQ(call.usage, usage);
  EXPECT_EQ(call.server, "localhost:8081");
}

TEST(Call, OpenInference) {
  const Call call = MustRead({{"openinference.span.kind", "LLM"},
                              {"llm.provider", "openai"},
                              {"llm.model_name", "gpt-5"},
                              {"session.id", "s"},
                              {"llm.token_count.prompt", 100},
                              {"llm.token_count.completion", 20},
                              {"llm.token_count.total", 120},
                              {"llm.token_count.prompt_details.cache_read", 40},
                              {"llm.token_count.prompt_details.audio", 10},
                              {"llm.token_count.completion_details.reasoning", 5}});
  EXPECT_EQ(call.model, "gpt-5");
  EXPECT_EQ(call.session, "s");
  EXPECT_EQ(call.usage, UsageOf({{Bucket::kInput, 50},
                                 {Bucket::kInputAudio, 10},
                                 {Bucket::kCacheRead, 40},
                                 {Bucket::kOutput, 15},
                                 {Bucket::kReasoning, 5}}));
  EXPECT_EQ(MustRead({{"openinference.span.kind", "EMBEDDING"},
                      {"embedding.model_name", "text-embedding-3-small"},
                      {"llm.token_count.prompt", 8}})
                .model,
            "text-embedding-3-small");
}

// Spans of agents, chains and tools repeat what the calls below them used.
TEST(Call, OnlyLeavesAreCalls) {
  for (const TestAttributes& attributes :
       {TestAttributes{{"gen_ai.operation.name", "invoke_agent"}},
        TestAttributes{{"openinference.span.kind", "CHAIN"}},
        TestAttributes{{"openinference.span.kind", "AGENT"}},
        TestAttributes{{"llm.request.type", "rerank"}}, TestAttributes{}}) {
    TestAttributes all = {{"gen_ai.request.model", "gpt-5"},
                          {"gen_ai.usage.input_tokens", 100},
                          {"gen_ai.usage.output_tokens", 20}};
    all.insert(all.end(), attributes.begin(), attributes.end());
    const auto call = Read(all);
    ASSERT_TRUE(call);
    EXPECT_FALSE(*call);
  }
  // What a library says of the operation goes before the kind that another one gives.
  EXPECT_TRUE(*Read({{"gen_ai.operation.name", "chat"},
                     {"openinference.span.kind", "CHAIN"},
                     {"gen_ai.request.model", "gpt-5"},
                     {"gen_ai.usage.input_tokens", 1}}));
}

// Anthropic and Bedrock count the cache beside the input, and some libraries pass that on.
TEST(Call, CacheBesideTheInputIsKnownByTheTotalOrBySize) {
  const auto read = [](const char* provider, int64_t input, int64_t total) {
    TestAttributes attributes = {{"gen_ai.operation.name", "chat"},
                                 {"gen_ai.provider.name", provider},
                                 {"gen_ai.request.model", "m"},
                                 {"gen_ai.usage.input_tokens", input},
                                 {"gen_ai.usage.cache_read_input_tokens", 60},
                                 {"gen_ai.usage.cache_creation_input_tokens", 30},
                                 {"gen_ai.usage.output_tokens", 20}};
    if (total > 0) attributes.emplace_back("gen_ai.usage.total_tokens", total);
    return Read(attributes);
  };
  EXPECT_EQ((*read("anthropic", 100, 0))->usage[Bucket::kInput], 10);
  EXPECT_EQ((*read("anthropic", 100, 120))->usage[Bucket::kInput], 10);
  EXPECT_EQ((*read("anthropic", 100, 210))->usage[Bucket::kInput], 100);
  EXPECT_EQ((*read("openai", 100, 210))->usage[Bucket::kInput], 100);
  EXPECT_EQ((*read("anthropic", 50, 0))->usage[Bucket::kInput], 50);
  EXPECT_EQ((*read("aws.bedrock", 50, 0))->usage[Bucket::kInput], 50);
  EXPECT_NE(read("openai", 50, 0).error().message.find("gen_ai.usage.input_tokens"),
            std::string::npos);
}

// Gemini's thoughts stand beside its candidates.
TEST(Call, ReasoningBesideTheOutputIsKnownByTheTotal) {
  const Call call = MustRead({{"gen_ai.operation.name", "generate_content"},
                              {"gen_ai.provider.name", "gcp.gemini"},
                              {"gen_ai.request.model", "gemini-2.5-pro"},
                              {"gen_ai.usage.input_tokens", 10},
                              {"gen_ai.usage.output_tokens", 20},
                              {"gen_ai.usage.reasoning.output_tokens", 70},
                              {"gen_ai.usage.total_tokens", 100}});
  EXPECT_EQ(call.usage,
            UsageOf({{Bucket::kInput, 10}, {Bucket::kOutput, 20}, {Bucket::kReasoning, 70}}));
}

TEST(Call, CacheAndReasoningMayBothStandBeside) {
  for (const char* provider : {"gcp.gemini", "anthropic"}) {
    const Call call = MustRead({{"gen_ai.operation.name", "chat"},
                                {"gen_ai.provider.name", provider},
                                {"gen_ai.request.model", "m"},
                                {"gen_ai.usage.input_tokens", 10},
                                {"gen_ai.usage.cache_read_input_tokens", 60},
                                {"gen_ai.usage.output_tokens", 20},
                                {"gen_ai.usage.reasoning.output_tokens", 70},
                                {"gen_ai.usage.total_tokens", 160}});
    EXPECT_EQ(call.usage, UsageOf({{Bucket::kInput, 10},
                                   {Bucket::kCacheRead, 60},
                                   {Bucket::kOutput, 20},
                                   {Bucket::kReasoning, 70}}))
        << provider;
  }
}

TEST(Call, WhatCannotBeMeteredSaysWhy) {
  const auto why = [](TestAttributes attributes, auto&& change) {
    TestSpan span;
    span.attributes = std::move(attributes);
    change(&span);
    const auto call = Read(span);
    return call ? std::string("nothing") : call.error().message;
  };
  const auto nothing = [](TestSpan*) {};
  const auto with = [](const char* name, std::variant<std::string, int64_t> value) {
    TestAttributes attributes = ChatAttributes();
    std::erase_if(attributes, [&](const auto& attribute) { return attribute.first == name; });
    attributes.emplace_back(name, value);
    return attributes;
  };
  EXPECT_EQ(why(ChatAttributes(), nothing), "nothing");
  EXPECT_EQ(why({{"gen_ai.operation.name", "chat"}}, nothing), "a call states no usage");
  EXPECT_EQ(why({{"gen_ai.operation.name", "chat"}, {"gen_ai.usage.input_tokens", 1}}, nothing),
            "a call names no model");
  EXPECT_EQ(why(with("gen_ai.request.model", "a\nb"), nothing), "a call names no model");
  EXPECT_EQ(why(with("gen_ai.request.model", "\xff"), nothing), "a call names no model");
  EXPECT_EQ(why(with("gen_ai.request.model", std::string(kTextMaxBytes + 1, 'm')), nothing),
            "a call names no model");
  EXPECT_EQ(why(with("gen_ai.usage.input_tokens", "many"), nothing),
            "'gen_ai.usage.input_tokens' is no whole number");
  EXPECT_NE(why(with("gen_ai.usage.output_tokens", -1), nothing), "nothing");
  EXPECT_NE(why(with("gen_ai.usage.input_tokens", INT64_MAX), nothing), "nothing");
  EXPECT_NE(why(with("gen_ai.usage.cache_read.input_tokens", 1001), nothing), "nothing");
  const auto id = "a span has no trace and span id of 16 and 8 bytes";
  EXPECT_EQ(why(ChatAttributes(), [](TestSpan* span) { span->trace_id = "short"; }), id);
  EXPECT_EQ(why(ChatAttributes(), [](TestSpan* span) { span->span_id = TestId(0, 8); }), id);
  EXPECT_EQ(why(ChatAttributes(), [](TestSpan* span) { span->end = Instant{0}; }),
            "a span does not say when it ended");
  EXPECT_NE(why(ChatAttributes(), [](TestSpan* span) { span->end = kNow; }), "no");
  EXPECT_EQ(
      why(ChatAttributes(), [](TestSpan* span) { span->end.us = kNow.us + 2 * kMicrosPerHour; }),
      "a span ends in the future; look at the sender's clock");
  EXPECT_EQ(why(ChatAttributes(), [](TestSpan* span) { span->end.us -= 500 * kMicrosPerDay; }),
            "a span ended more than 400 days ago");
}

TEST(Call, AFailedCallWithoutUsageIsPassedOver) {
  TestSpan span;
  span.failed = true;
  span.attributes = {{"gen_ai.operation.name", "chat"}, {"gen_ai.request.model", "m"}};
  const auto call = Read(span);
  ASSERT_TRUE(call);
  EXPECT_FALSE(*call);
  span.attributes = ChatAttributes();  // it broke after the vendor had counted
  EXPECT_TRUE(*Read(span));
}

TEST(Call, AttributionComesFromTheSpanThenFromItsResource) {
  TestSpan span;
  span.attributes = ChatAttributes();
  span.attributes.emplace_back("team", "span");
  span.attributes.emplace_back("flyball.tag.stage", "span");
  const Call call = **Read(span, {{"flyball.team", "resource"},
                                  {"project", "plain"},
                                  {"flyball.project", "ours"},
                                  {"flyball.use_case", "chatbot"},
                                  {"service.name", "web"},
                                  {"deployment.environment.name", "prod"},
                                  {"flyball.tag.stage", "resource"},
                                  {"flyball.tag.", "no name"}});
  EXPECT_EQ(call.team, "span");
  EXPECT_EQ(call.project, "ours");
  EXPECT_EQ(call.use_case, "chatbot");
  using Tags = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(call.tags, (Tags{{"environment", "prod"}, {"service", "web"}, {"stage", "span"}}));
}

TEST(Call, RecordsComeBackAsTheyWere) {
  Call call = MustRead(ChatAttributes());
  call.id = {{1, UINT64_MAX}, 0x8000000000000001};
  call.parent = 5;
  call.answered = "gpt-5-2025-08-07";
  call.answer_id = "a\"b\\";
  call.tier = "flex";
  call.server = "[::1]:80";
  call.team = "équipe";
  call.project = "p";
  call.use_case = "u";
  call.session = "s";
  call.tags = {{"a", "1"}, {"b", "{}"}};
  const std::string record = EncodeCall(call);
  EXPECT_EQ(record.find('\n'), std::string::npos);
  const Result<Call> back = DecodeCall(record);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, call);
  for (
      const char* broken :
      {"", "[]", "{}", R"({"t":"01","s":"0000000000000001","at":1,"usage":{}})",
       R"({"t":"00000000000000000000000000000001","s":"0000000000000001","usage":{}})",
       R"({"t":"00000000000000000000000000000001","s":"0000000000000001","at":1})",
       R"({"t":"00000000000000000000000000000001","s":"0000000000000001","at":1,"usage":{"x":1}})",
       R"({"t":"00000000000000000000000000000001","s":"0000000000000001","at":1,"usage":{"input":-1}})"}) {
    const Result<Call> read = DecodeCall(broken);
    ASSERT_FALSE(read) << broken;
    EXPECT_EQ(read.error().code, Code::kDataLoss);
  }
}

// docs/OTLP.md names every attribute that is read.
TEST(Call, TheAttributesAreDocumented) {
  const char* source = getenv("FLYBALL_SOURCE_DIR");
  if (source == nullptr) GTEST_SKIP() << "FLYBALL_SOURCE_DIR names no sources";
  std::ifstream in(std::filesystem::path(source) / "docs/OTLP.md");
  const std::string page((std::istreambuf_iterator<char>(in)), {});
  ASSERT_FALSE(page.empty());
  for (const Alias& alias : Aliases()) {
    EXPECT_NE(page.find("`" + std::string(alias.name) + "`"), std::string::npos) << alias.name;
  }
}

}  // namespace
}  // namespace flyball::otlp
