#include "gateway/call_facts.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace flyball::gateway {
namespace {

using Json = nlohmann::json;

CallFacts Read(Dialect dialect, std::string_view body) {
  Result<CallFacts> facts = ReadCall(dialect, body);
  EXPECT_TRUE(facts) << (facts ? "" : facts.error().message);
  return facts.value_or(CallFacts{});
}
std::string Refusal(Dialect dialect, std::string_view body) {
  Result<CallFacts> facts = ReadCall(dialect, body);
  if (facts) return "";
  EXPECT_EQ(facts.error().code, Code::kInvalidArgument);
  return facts.error().message;
}

TEST(CallFacts, ReadsWhatBoundsTheCost) {
  const CallFacts chat = Read(Dialect::kOpenAiChat, R"({"model":"gpt-5","n":3,"max_tokens":100,
      "max_completion_tokens":200,"stream":true,"stream_options":{"include_usage":true},
      "service_tier":"flex","messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(chat.model, "gpt-5");
  EXPECT_EQ(chat.choices, 3);
  EXPECT_EQ(chat.output_max, 200);
  EXPECT_TRUE(chat.stream);
  EXPECT_TRUE(chat.asks_usage);
  EXPECT_EQ(chat.service_tier, "flex");
  EXPECT_FALSE(chat.input_is_open);
  const CallFacts none = Read(Dialect::kOpenAiChat, R"({"model":"m","max_tokens":null})");
  EXPECT_EQ(none.output_max, std::nullopt);
}

TEST(CallFacts, AMemberTwiceIsRefusedHoweverItIsWritten) {
  EXPECT_EQ(Refusal(Dialect::kOpenAiChat, R"({"model":"m","max_tokens":1,"max_tokens":9})"),
            "'max_tokens' is given twice");
  EXPECT_EQ(Refusal(Dialect::kOpenAiChat, R"({"model":"m","max_tokens":1,"max_\u0074okens":9})"),
            "'max_tokens' is given twice");
  EXPECT_EQ(
      Refusal(Dialect::kOpenAiChat,
              R"({"model":"m","stream_options":{"include_usage":true,"include_usage":false}})"),
      "'include_usage' is given twice");
}

TEST(CallFacts, AbsurdLimitsAreRefused) {
  for (std::string_view limit :
       {"0", "-1", "1.5", "1e3", "\"7\"", "99999999999999999999", "100000001", "true", "[]"}) {
    const std::string body = R"({"model":"m","max_tokens":)" + std::string(limit) + "}";
    EXPECT_NE(Refusal(Dialect::kAnthropicMessages, body), "") << limit;
  }
  EXPECT_NE(Refusal(Dialect::kOpenAiChat, R"({"model":"m","n":129})"), "");
}

TEST(CallFacts, WhatIsNoCallIsRefused) {
  EXPECT_NE(Refusal(Dialect::kOpenAiChat, ""), "");
  EXPECT_NE(Refusal(Dialect::kOpenAiChat, "[]"), "");
  EXPECT_NE(Refusal(Dialect::kOpenAiChat, R"({"model":"m"} {"model":"n"})"), "");
  EXPECT_NE(Refusal(Dialect::kOpenAiChat, "{\"model\":\"\xff\"}"), "");
  EXPECT_EQ(Refusal(Dialect::kOpenAiChat, R"({"messages":[]})"), "'model' is missing");
  EXPECT_NE(Refusal(Dialect::kOpenAiChat, R"({"model":")" + std::string(300, 'x') + "\"}"), "");
  std::string deep = R"({"model":"m","messages":)";
  for (int i = 0; i < 100; ++i) deep += '[';
  for (int i = 0; i < 100; ++i) deep += ']';
  EXPECT_NE(Refusal(Dialect::kOpenAiChat, deep + "}"), "");
}

TEST(CallFacts, SeesInputThatTheBodyDoesNotBound) {
  const CallFacts pictures = Read(Dialect::kOpenAiChat, R"({"model":"m","messages":[{"content":[
      {"type":"image_url","image_url":{"url":"https://example.com/a.png"}},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]})");
  EXPECT_EQ(pictures.pictures, 2);
  EXPECT_FALSE(pictures.input_is_open);
  EXPECT_TRUE(
      Read(Dialect::kOpenAiResponses, R"({"model":"m","previous_response_id":"r"})").input_is_open);
  EXPECT_TRUE(Read(Dialect::kAnthropicMessages, R"({"model":"m","messages":[{"content":[
      {"type":"document","source":{"type":"file","file_id":"f"}}]}]})")
                  .input_is_open);
}

// A page of a document and a picture cost by their size when rendered, not by their bytes.
TEST(CallFacts, SeesDocumentsAndPicturesWhoseBytesAreShort) {
  const auto part = [](std::string_view content) {
    return Read(Dialect::kAnthropicMessages,
                fmt::format(R"({{"model":"m","messages":[{{"content":[{}]}}]}})", content));
  };
  EXPECT_EQ(part(R"({"type":"image","source":{"type":"base64","media_type":"image/png",
      "data":"AAAA"}})")
                .pictures,
            1);
  EXPECT_TRUE(part(R"({"type":"document","source":{"type":"base64",
      "media_type":"application/pdf","data":"AAAA"}})")
                  .input_is_open);
  EXPECT_TRUE(
      part(R"({"type":"document","source":{"type":"url","url":"https://x/a.pdf"}})").input_is_open);
  EXPECT_FALSE(part(R"({"type":"document","source":{"type":"text","media_type":"text/plain",
      "text":"x"}})")
                   .input_is_open);
  EXPECT_TRUE(Read(Dialect::kOpenAiChat, R"({"model":"m","messages":[{"content":[
      {"type":"file","file":{"file_data":"data:application/pdf;base64,AA"}}]}]})")
                  .input_is_open);
}

TEST(CallFacts, ToolsOfOtherServersHaveNoBound) {
  const CallFacts facts = Read(Dialect::kAnthropicMessages, R"({"model":"m","mcp_servers":[{}],
      "tools":[{"type":"web_search_20250305","max_uses":5}]})");
  EXPECT_GT(facts.server_tools, 0);
  EXPECT_EQ(facts.server_tool_uses_max, std::nullopt);
}

TEST(CallFacts, SeesTheCacheAndTheToolsOfTheVendor) {
  const CallFacts cached = Read(Dialect::kAnthropicMessages, R"({"model":"m","system":[
      {"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"1h"}}]})");
  EXPECT_TRUE(cached.writes_cache);
  EXPECT_TRUE(cached.writes_cache_1h);
  const CallFacts own =
      Read(Dialect::kOpenAiChat, R"({"model":"m","tools":[{"type":"function","function":{}}]})");
  EXPECT_TRUE(own.has_tools);
  EXPECT_EQ(own.server_tools, 0);
  const CallFacts search = Read(Dialect::kAnthropicMessages, R"({"model":"m","tools":[
      {"type":"web_search_20250305","name":"web_search","max_uses":5}]})");
  EXPECT_EQ(search.server_tools, 1);
  EXPECT_EQ(search.server_tool_uses_max, 5);
  EXPECT_EQ(Read(Dialect::kOpenAiResponses, R"({"model":"m","tools":[{"type":"web_search"}]})")
                .server_tool_uses_max,
            std::nullopt);
}

TEST(CallFacts, EditsChangeNothingElse) {
  EXPECT_EQ(WithMember(" { }", "a", "1"), R"( {"a":1 })");
  EXPECT_EQ(WithMember(R"({"b":2})", "a", "1"), R"({"a":1,"b":2})");
  EXPECT_EQ(WithIncludeUsage(R"({"model":"m"})").value(),
            R"({"stream_options":{"include_usage":true},"model":"m"})");
  EXPECT_EQ(WithIncludeUsage(R"({"model":"m", "stream_options" : null ,"x":"é"})").value(),
            R"({"model":"m", "stream_options" : {"include_usage":true} ,"x":"é"})");
  const std::string kept =
      WithIncludeUsage(
          R"({"stream_options": {"include_usage":false,"include_obfuscation":true} ,"model":"m"})")
          .value();
  EXPECT_EQ(
      kept,
      R"({"stream_options": {"include_usage":true,"include_obfuscation":true} ,"model":"m"})");
  EXPECT_TRUE(Read(Dialect::kOpenAiChat, kept).asks_usage);
}

}  // namespace
}  // namespace flyball::gateway
