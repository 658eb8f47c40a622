#include "gateway/call_facts.h"

#include <gtest/gtest.h>
#include <malloc.h>

namespace flyball::gateway {
namespace {

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
  // Some vendors take the first of two, others the last.
  EXPECT_EQ(
      Refusal(Dialect::kOpenAiChat,
              R"({"model":"m","tools":[{"type":"function","name":"f","type":"web_search"}]})"),
      "'type' is given twice");
  EXPECT_EQ(Refusal(Dialect::kAnthropicMessages, R"({"model":"m","messages":[{"content":[
      {"type":"text","text":"a","text":"b"}]}]})"),
            "'text' is given twice");
  std::string many = R"({"model":"m","metadata":{"first":1)";
  for (int i = 0; i < 100; ++i) many += fmt::format(R"(,"n{}":1)", i);
  EXPECT_EQ(Refusal(Dialect::kOpenAiChat, many + R"(,"n99":1}})"), "'n99' is given twice");
  EXPECT_EQ(Refusal(Dialect::kOpenAiChat, many + "}}"), "");
}

// Servers written in Go read names whatever their case, and take the last.
TEST(CallFacts, AMemberInAnotherCaseIsRefused) {
  for (std::string_view name : {"Max_Tokens", "MAX_COMPLETION_TOKENS", "max_to\u212aens",
                                "\u017ftream", "N", "Model", "Stream_Options", "Tools"}) {
    const std::string body = fmt::format(R"({{"model":"m","{}":1}})", name);
    EXPECT_NE(Refusal(Dialect::kOpenAiChat, body), "") << name;
  }
  EXPECT_EQ(Refusal(Dialect::kOpenAiChat, R"({"model":"m","Max_Tokens":7})"),
            "'Max_Tokens' is read as 'max_tokens' by some vendors: write it so");
  EXPECT_NE(Refusal(Dialect::kOpenAiChat,
                    R"({"model":"m","tools":[{"type":"function","Type":"web_search"}]})"),
            "");
  EXPECT_EQ(Refusal(Dialect::kOpenAiChat, R"({"model":"m","Own_Extension":7})"), "");
  // Below, where names may be anybody's (a schema of a tool), they count in any case.
  EXPECT_EQ(Read(Dialect::kOpenAiChat, R"({"model":"m","messages":[{"content":[
      {"type":"image_url","Image_URL":{"URL":"https://example.com/a"}}]}]})")
                .pictures,
            1);
}

// The parser's memory would be kept for ever, by every thread.
TEST(CallFacts, AHugeBodyLeavesNoMemoryBehind) {
  const auto in_use = [] {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  Read(Dialect::kOpenAiChat, R"({"model":"m"})");
  const size_t before = in_use();
  {
    const std::string body =
        R"({"model":"m","messages":[{"content":")" + std::string(size_t{24} << 20, 'x') + R"("}]})";
    Read(Dialect::kOpenAiChat, body);
  }
  EXPECT_LT(in_use(), before + (size_t{8} << 20));
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

TEST(CallFacts, WhatIsNoJsonIsToldWithItsPlace) {
  const auto why = [](std::string_view body) {
    return ReadCall(Dialect::kOpenAiChat, body).error().message;
  };
  EXPECT_EQ(why(R"({"model":"m","max_tokens":999999999999999999999,"n":1})"),
            "'max_tokens' is a number beyond 64 bits");
  EXPECT_EQ(why(R"({"model":"m","max_tokens":-9999999999999999999999})"),
            "'max_tokens' is a number beyond 64 bits");
  EXPECT_TRUE(
      why(R"({"model":"m",,"n":1})").starts_with("the body is no JSON at its byte 14 of 20"))
      << why(R"({"model":"m",,"n":1})");
  EXPECT_TRUE(why(R"({"model":"m")").starts_with("the body is no JSON at its byte 12 of 12"))
      << why(R"({"model":"m")");
  EXPECT_TRUE(why("\x1f\x8b\b").starts_with("the body is no JSON at its byte 1 of 3"));
  EXPECT_TRUE(why("").starts_with("the body is no JSON: ")) << why("");
}

TEST(CallFacts, SeesInputThatTheBodyDoesNotBound) {
  const CallFacts pictures = Read(Dialect::kOpenAiChat, R"({"model":"m","messages":[{"content":[
      {"type":"image_url","image_url":{"url":"https://example.com/a.png"}},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]})");
  EXPECT_EQ(pictures.pictures, 2);
  EXPECT_EQ(Read(Dialect::kOpenAiResponses, R"({"model":"m","input":[{"role":"assistant","content":[
      {"type":"output_text","text":"x","annotations":[
      {"type":"url_citation","url":"https://example.com/a"}]}]}]})")
                .pictures,
            0);
  EXPECT_FALSE(pictures.input_is_open);
  EXPECT_TRUE(
      Read(Dialect::kOpenAiResponses, R"({"model":"m","previous_response_id":"r"})").input_is_open);
  EXPECT_TRUE(Read(Dialect::kAnthropicMessages, R"({"model":"m","messages":[{"content":[
      {"type":"document","source":{"type":"file","file_id":"f"}}]}]})")
                  .input_is_open);
}

// Items of a conversation that the vendor keeps: a name of some bytes stands for any text.
TEST(CallFacts, SeesInputThatOnlyTheVendorHas) {
  const auto is_open = [](std::string_view item) {
    return Read(Dialect::kOpenAiResponses, fmt::format(R"({{"model":"m","input":[{}]}})", item))
        .input_is_open;
  };
  EXPECT_TRUE(is_open(R"({"type":"item_reference","id":"msg_1"})"));
  EXPECT_TRUE(is_open(R"({"id":"msg_1"})"));
  EXPECT_TRUE(is_open(R"({"type":null,"id":"msg_1"})"));
  EXPECT_TRUE(is_open(R"({"type":"message","id":"msg_1"})"));
  EXPECT_TRUE(is_open(R"({"type":"reasoning","id":"rs_1","summary":[]})"));
  EXPECT_TRUE(is_open(R"({"type":"reasoning","id":"rs_1","encrypted_content":null})"));
  EXPECT_TRUE(is_open(R"({"type":"image_generation_call","id":"ig_1","result":null})"));
  EXPECT_FALSE(is_open(R"({"type":"reasoning","id":"rs_1","encrypted_content":"gAAA"})"));
  EXPECT_FALSE(is_open(R"({"role":"user","content":"x"})"));
  EXPECT_FALSE(is_open(R"({"type":"message","id":"msg_1","role":"assistant","content":[]})"));
  EXPECT_FALSE(is_open(R"({"type":"function_call_output","id":"f","call_id":"c","output":"4"})"));
  const auto speaks = [](std::string_view audio) {
    return Read(Dialect::kOpenAiChat,
                fmt::format(R"({{"model":"m","messages":[{{"role":"assistant","audio":{}}}]}})",
                            audio))
        .input_is_open;
  };
  EXPECT_TRUE(speaks(R"({"id":"audio_1"})"));
  EXPECT_FALSE(speaks("null"));
}

TEST(CallFacts, LooksAtTheBodysOwnMembersToo) {
  EXPECT_TRUE(Read(Dialect::kAnthropicMessages, R"({"model":"m","container":"c"})").input_is_open);
  const CallFacts cached = Read(Dialect::kAnthropicMessages,
                                R"({"model":"m","cache_control":{"type":"ephemeral","ttl":"1h"}})");
  EXPECT_TRUE(cached.writes_cache);
  EXPECT_TRUE(cached.writes_cache_1h);
}

TEST(CallFacts, UsesOfToolsAddUpToALimit) {
  const auto tools = [](int64_t uses) {
    return fmt::format(R"({{"model":"m","tools":[{{"type":"web_search_20250305","max_uses":1000}},
        {{"type":"web_fetch_20250910","max_uses":{}}}]}})",
                       uses);
  };
  EXPECT_NE(Refusal(Dialect::kAnthropicMessages, tools(1)), "");
  EXPECT_NE(Refusal(Dialect::kAnthropicMessages, tools(1001)), "");
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

TEST(CallFacts, SeesTheCacheAndTheToolsOfTheVendor) {
  const CallFacts cached = Read(Dialect::kAnthropicMessages, R"({"model":"m","system":[
      {"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"1h"}}]})");
  EXPECT_TRUE(cached.writes_cache);
  EXPECT_TRUE(cached.writes_cache_1h);
  const CallFacts own =
      Read(Dialect::kOpenAiChat, R"({"model":"m","tools":[{"type":"function","function":{}}]})");
  EXPECT_TRUE(own.has_tools);
  EXPECT_FALSE(own.has_vendor_tools);
  const CallFacts search = Read(Dialect::kAnthropicMessages, R"({"model":"m","tools":[
      {"type":"web_search_20250305","name":"web_search","max_uses":5}]})");
  EXPECT_TRUE(search.has_vendor_tools);
  EXPECT_EQ(search.vendor_tool_uses, 5);
  EXPECT_FALSE(search.unbounded.has_value());
  EXPECT_TRUE(Read(Dialect::kOpenAiResponses, R"({"model":"m","tools":[{"type":"web_search"}]})")
                  .unbounded.has_value());
}

}  // namespace
}  // namespace flyball::gateway
