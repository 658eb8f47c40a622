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
    // In units of money, so that a part of a bound can't hide behind another.
    const std::string kinds = R"({"per_unit":{"input":"0.000001","output":"0.000002",
        "output_image":"3","input_video":"4"}})";
    const std::string searches = R"({"per_unit":{"input":"0","output":"0","searches":"5",
        "searches_high":"7"}})";
    return rates::BookOf({file->layer, rates::LayerOf(rates::ModelOf("kinds", kinds) + "," +
                                                      rates::ModelOf("seeks", searches))});
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

// Models make what they have a price for, asked or not.
TEST(Bound, HoldsForWhatTheModelMayMake) {
  const Result<hold::Bound> bound = Bound(Dialect::kOpenAiChat, R"({"model":"kinds"})");
  ASSERT_TRUE(bound.has_value()) << bound.error().ToString();
  EXPECT_GE(bound->output, Money::Parse("300").value());
}

// A model without a price is taken for the dearest of the book, of every kind.
TEST(Bound, HoldsForAModelThatIsPricedByPolicy) {
  const auto worst = [](rates::MissingPrice missing) {
    const CallFacts facts = ReadCall(Dialect::kOpenAiChat, R"({"model":"nobody"})").value();
    return BoundOf(Dialect::kOpenAiChat, facts, 100, estate::Upstream{}, Book(),
                   rates::On("2026-11-25"), missing);
  };
  EXPECT_FALSE(worst(rates::MissingPrice::kDeny).has_value());
  ASSERT_TRUE(worst(rates::MissingPrice::kCeiling).has_value());
  EXPECT_GE(worst(rates::MissingPrice::kCeiling)->hold.output, Money::Parse("300").value());
  EXPECT_EQ(worst(rates::MissingPrice::kFree)->hold.output, Money{});
}

TEST(Bound, HoldsForEveryKindOfMedia) {
  const std::string text = R"({"model":"kinds","messages":[{"content":"x"}]})";
  const std::string video = R"({"model":"kinds","messages":[{"content":[
      {"type":"video_url","video_url":{"url":"https://example.com/a.mp4"}}]}]})";
  EXPECT_LT(Bound(Dialect::kOpenAiChat, text)->fixed, Money::Parse("1").value());
  EXPECT_GE(Bound(Dialect::kOpenAiChat, video)->fixed, Money::Parse("8000000").value());
  // What the vendor keeps may be of any kind.
  const std::string kept = R"({"model":"kinds","previous_response_id":"r"})";
  EXPECT_GE(Bound(Dialect::kOpenAiResponses, kept)->fixed, Money::Parse("8000000").value());
}

TEST(Bound, HoldsForSearchesOfTheDearestKind) {
  const std::string body = R"({"model":"seeks","max_tool_calls":3,
      "tools":[{"type":"web_search","search_context_size":"high"}]})";
  const Result<hold::Bound> searches = Bound(Dialect::kOpenAiResponses, body);
  ASSERT_TRUE(searches.has_value()) << searches.error().ToString();
  EXPECT_EQ(searches->fixed, Money::Parse("21").value());
}

// The sentence and the remedy of a call that is refused because it has no bound.
std::string NoBound(Dialect dialect, std::string_view body) {
  const Result<hold::Bound> bound = Bound(dialect, body);
  if (bound) return "";
  EXPECT_EQ(bound.error().code, Code::kInvalidArgument) << bound.error().ToString();
  EXPECT_NE(bound.error().hint, "") << bound.error().message;
  return bound.error().message;
}
bool Names(const std::string& message, std::string_view member) {
  return message.find(member) != std::string::npos;
}

TEST(Bound, ToolsWithoutALimitHaveNone) {
  const std::string mcp = R"({"model":"m","mcp_servers":[{}]})";
  EXPECT_TRUE(Names(NoBound(Dialect::kAnthropicMessages, mcp), "'mcp_servers'"));
  for (std::string_view option :
       {R"("web_search_options":{})", R"("search_parameters":{"mode":"auto"})",
        R"("plugins":[{"id":"web"}])", R"("enable_search":true)"}) {
    const std::string body = R"({"model":"m",)" + std::string(option) + "}";
    const std::string name(option.substr(1, option.find('"', 1) - 1));
    EXPECT_TRUE(Names(NoBound(Dialect::kOpenAiChat, body), "'" + name + "'")) << option;
  }
  EXPECT_EQ(NoBound(Dialect::kOpenAiChat, R"({"model":"m","enable_search":false})"), "");
}

// A limit counts only where the vendor knows it.
TEST(Bound, LimitsOfOtherVendorsAreNotBelieved) {
  const auto with = [](std::string_view tool, std::string_view more) {
    return fmt::format(R"({{"model":"m","tools":[{}]{}}})", tool, more);
  };
  const std::string_view search = R"({"type":"web_search"})";
  const std::string_view used = R"({"type":"web_search_20250305","name":"s","max_uses":2})";
  const std::string_view mcp = R"({"type":"mcp","server_label":"s"})";
  const std::string_view calls = R"(,"max_tool_calls":2)";
  EXPECT_NE(NoBound(Dialect::kOpenAiChat, with(search, calls)), "");
  EXPECT_NE(NoBound(Dialect::kOpenAiChat, with(used, "")), "");
  EXPECT_NE(NoBound(Dialect::kOpenAiResponses, with(used, "")), "");
  EXPECT_NE(NoBound(Dialect::kOpenAiResponses, with(mcp, "")), "");
  EXPECT_EQ(NoBound(Dialect::kOpenAiResponses, with(mcp, calls)), "");
  EXPECT_NE(NoBound(Dialect::kAnthropicMessages,
                    with(R"({"type":"web_search_20250305","name":"s"})", calls)),
            "");
  EXPECT_EQ(NoBound(Dialect::kAnthropicMessages,
                    with(R"({"type":"web_fetch_20250910","name":"f","max_uses":2})", "")),
            "");
}

// A use beyond the limit is answered with an error, and the model goes on.
TEST(Bound, HoldsForPassesAfterTheLastUseOfATool) {
  const std::string body = R"({"model":"m","tools":[
      {"type":"web_fetch_20250910","name":"f","max_uses":1}]})";
  EXPECT_GE(Bound(Dialect::kAnthropicMessages, body)->tokens_fixed,
            (kVendorLoopPasses + 1) * kWindowTokens);
}

TEST(Bound, ToolsWhoseFeesCannotBeHeldAreRefused) {
  for (std::string_view type : {"code_interpreter", "file_search", "image_generation", "shell"}) {
    const std::string body =
        fmt::format(R"({{"model":"m","max_tool_calls":2,"tools":[{{"type":"{}"}}]}})", type);
    EXPECT_TRUE(Names(NoBound(Dialect::kOpenAiResponses, body), type)) << type;
  }
  EXPECT_TRUE(Names(NoBound(Dialect::kAnthropicMessages, R"({"model":"m","tools":[
      {"type":"code_execution_20250825","name":"c","max_uses":1}]})"),
                    "code_execution"));
}

TEST(Bound, ModelsThatSearchByThemselvesHaveNone) {
  for (std::string_view model :
       {"gpt-4o-search-preview-2025-03-11", "GPT-4o-Search-Preview", "Sonar-Pro",
        "gpt-5-search-api", "perplexity/sonar-pro", "openai/gpt-4o:online"}) {
    const std::string body = fmt::format(R"({{"model":"{}"}})", model);
    EXPECT_TRUE(Names(NoBound(Dialect::kOpenAiChat, body), model)) << model;
  }
}

// A compaction, another model that answers, a template with tools of its own: more than one pass.
TEST(Bound, CallsOfUnknownPassesHaveNone) {
  const auto refused = [](Dialect dialect, std::string_view member) {
    const std::string name(member.substr(1, member.find('"', 1) - 1));
    const std::string body = R"({"model":"m",)" + std::string(member) + "}";
    return Names(NoBound(dialect, body), "'" + name + "'");
  };
  EXPECT_TRUE(refused(Dialect::kAnthropicMessages,
                      R"("context_management":{"edits":[{"type":"compact_20260112"}]})"));
  EXPECT_TRUE(refused(Dialect::kOpenAiResponses,
                      R"("context_management":[{"type":"compaction","compact_threshold":9}])"));
  EXPECT_TRUE(refused(Dialect::kAnthropicMessages, R"("fallbacks":[{"model":"dearer"}])"));
  EXPECT_TRUE(refused(Dialect::kOpenAiChat, R"("models":["dearer"])"));
  EXPECT_TRUE(refused(Dialect::kOpenAiResponses, R"("prompt":{"id":"pmpt_1"})"));
  EXPECT_EQ(NoBound(Dialect::kAnthropicMessages, R"({"model":"m","fallbacks":null,
      "context_management":{"edits":[{"type":"clear_tool_uses_20250919"}]}})"),
            "");
}

// Counting tokens is free, whatever would be refused otherwise.
TEST(Bound, WhatIsFreeNeedsNone) {
  EXPECT_TRUE(ReadCall(Dialect::kAnthropicCountTokens,
                       R"({"model":"m","tools":[{"type":"web_search_20250305"}]})")
                  .has_value());
}

TEST(Bound, AbsurdCountsAreRefusedAndNeverWrapAround) {
  CallFacts facts = ReadCall(Dialect::kOpenAiChat, R"({"model":"m"})").value();
  facts.pictures = int64_t{1} << 48;  // 2^64 tokens
  const auto bound = [&](int64_t output) {
    return BoundOf(Dialect::kOpenAiChat, facts, output, estate::Upstream{}, Book(),
                   rates::On("2026-11-25"), rates::MissingPrice::kDeny);
  };
  EXPECT_FALSE(bound(1).has_value());
  facts.pictures = 0;
  facts.choices = int64_t{1} << 40;
  EXPECT_FALSE(bound(int64_t{1} << 24).has_value());
}

// What the official libraries send for the usual things.
TEST(Bound, OrdinaryCallsHaveOne) {
  for (std::string_view body : {
           R"({"model":"m","messages":[{"role":"system","content":"s"},
               {"role":"user","content":"hi"}],"temperature":0.2,"stream":true,"user":"u",
               "stream_options":{"include_usage":true},"metadata":{"url":"u"}})",
           R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"what?"},
               {"type":"image_url","image_url":{"url":"https://example.com/a","detail":"high"}}]},
               {"role":"assistant","content":null,"refusal":null,"audio":null,"tool_calls":[
               {"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
               {"role":"tool","tool_call_id":"c","content":"4"}],
               "tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":
               {"type":"object","properties":{"Type":{"type":"string"},"type":{"type":"string"},
               "max_tokens":{"type":"integer"}},"required":["type"]}}},
               {"type":"custom","custom":{"name":"g"}}],"tool_choice":"auto"})",
           R"({"model":"m","messages":[],"response_format":{"type":"json_schema","json_schema":
               {"name":"n","strict":true,"schema":{"type":"object","properties":{}}}},
               "modalities":["text","audio"],"audio":{"voice":"alloy","format":"wav"},
               "max_completion_tokens":null,"n":null,"logprobs":true,"reasoning_effort":"low"})"}) {
    EXPECT_EQ(NoBound(Dialect::kOpenAiChat, body), "");
  }
  EXPECT_EQ(NoBound(Dialect::kOpenAiResponses, R"({"model":"m","input":[
      {"role":"user","content":"hi"},{"type":"message","id":"msg_1","role":"assistant",
      "status":"completed","content":[{"type":"output_text","text":"x","annotations":[]}]},
      {"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}"},
      {"type":"function_call_output","call_id":"c","output":"4"}],"instructions":"i","store":false,
      "include":["reasoning.encrypted_content"],"reasoning":{"effort":"low"},"stream":true,
      "text":{"format":{"type":"text"}},"parallel_tool_calls":true,"previous_response_id":null,
      "tools":[{"type":"function","name":"f","parameters":{}},{"type":"local_shell"},
      {"type":"custom","name":"apply"}],"prompt_cache_key":"k"})"),
            "");
  EXPECT_EQ(NoBound(Dialect::kAnthropicMessages, R"({"model":"m","max_tokens":9,"system":[
      {"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"messages":[
      {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},
      {"type":"tool_use","id":"t","name":"f","input":{}}]},{"role":"user","content":[
      {"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":
      {"type":"base64","media_type":"image/png","data":"AA"}}]}]}],"metadata":{"user_id":"u"},
      "thinking":{"type":"enabled","budget_tokens":5},"stream":true,"tools":[{"name":"f",
      "description":"d","input_schema":{"type":"object"}},{"type":"bash_20250124","name":"bash"},
      {"type":"custom","name":"g","input_schema":{}}],"tool_choice":{"type":"auto"}})"),
            "");
}

}  // namespace
}  // namespace flyball::gateway
