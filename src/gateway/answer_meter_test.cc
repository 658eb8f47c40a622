#include "gateway/answer_meter.h"

#include <gtest/gtest.h>

#include <random>

namespace flyball::gateway {
namespace {

// Gives the text in random pieces; what comes out must not depend on where they are cut.
struct Seen {
  std::string client;
  std::string usage, start_usage, model;
  bool final = false;
  int64_t output_tokens = 0;
  bool operator==(const Seen&) const = default;
};
Seen Run(const AnswerOptions& options, std::string_view text, uint32_t seed) {
  std::minstd_rand random(seed);
  AnswerMeter meter(options);
  Seen seen;
  for (size_t at = 0; at < text.size();) {
    const size_t most = seed == 0 ? text.size() : 1 + random() % 40;
    const std::string_view piece = text.substr(at, most);
    std::string out;
    const BodyVerdict verdict = meter.Put(piece, &out);
    seen.client += verdict == BodyVerdict::kPass ? std::string(piece) : out;
    at += piece.size();
  }
  seen.client += meter.Finish();
  seen.usage = meter.usage();
  seen.start_usage = meter.start_usage();
  seen.model = meter.model();
  seen.final = meter.is_final();
  seen.output_tokens = meter.output_tokens_estimate();
  return seen;
}
Seen RunAnyhow(const AnswerOptions& options, std::string_view text) {
  const Seen whole = Run(options, text, 0);
  for (uint32_t seed = 1; seed < 60; ++seed) EXPECT_EQ(Run(options, text, seed), whole) << seed;
  return whole;
}

TEST(AnswerMeter, WholeAnswer) {
  const std::string answer =
      R"({"id":"c1","object":"chat.completion","model":"gpt-5-2025","choices":[{"message":)"
      R"({"content":"say \"usage\": {\\ } x","usage":{"no":1}}}], "usage" : {"prompt_tokens":3,)"
      R"("d":{"cached_tokens":1}} ,"service_tier":"default"})";
  const Seen seen = RunAnyhow({Dialect::kOpenAiChat, false, false}, answer);
  EXPECT_EQ(seen.client, answer);
  EXPECT_EQ(seen.usage, R"({"prompt_tokens":3,"d":{"cached_tokens":1}})");
  EXPECT_EQ(seen.model, "gpt-5-2025");
  EXPECT_TRUE(seen.final);
  EXPECT_FALSE(RunAnyhow({Dialect::kOpenAiChat, false, false},
                         std::string_view(answer).substr(0, answer.size() - 1))
                   .final);
}

constexpr std::string_view kChat =
    "data: {\"id\":\"c\",\"created\":17,\"model\":\"m\",\"choices\":[{\"delta\":{\"role\":"
    "\"assistant\"}}],\"usage\":null}\n\n"
    "data: {\"id\":\"c\",\"created\":17,\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":"
    "\"\\\"usage\\\":{\"}}],\"usage\":null}\n\n"
    "data: "
    "{\"id\":\"c\",\"created\":17,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":"
    "5}}\n\n"
    "data: [DONE]\n\n";

TEST(AnswerMeter, ChatStreamGoesByUntouchedWhenTheClientAskedForTheUsage) {
  const Seen seen = RunAnyhow({Dialect::kOpenAiChat, true, false}, kChat);
  EXPECT_EQ(seen.client, kChat);
  EXPECT_EQ(seen.usage, R"({"prompt_tokens":5})");
  EXPECT_TRUE(seen.final);
}

TEST(AnswerMeter, UsageThatTheClientDidNotAskForIsTakenOut) {
  const Seen seen = RunAnyhow({Dialect::kOpenAiChat, true, true}, kChat);
  EXPECT_EQ(
      seen.client,
      "data: {\"id\":\"c\",\"created\":17,\"model\":\"m\",\"choices\":[{\"delta\":{\"role\":"
      "\"assistant\"}}]}\n\n"
      "data: {\"id\":\"c\",\"created\":17,\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":"
      "\"\\\"usage\\\":{\"}}]}\n\n"
      "data: [DONE]\n\n");
  EXPECT_EQ(seen.usage, R"({"prompt_tokens":5})");
}

TEST(AnswerMeter, AStreamThatBreaksOffHasNoLastWord) {
  const Seen seen =
      RunAnyhow({Dialect::kOpenAiChat, true, true}, kChat.substr(0, kChat.find("\"choices\":[],")));
  EXPECT_FALSE(seen.final);
  EXPECT_EQ(seen.usage, "");
}

TEST(AnswerMeter, ResponsesStream) {
  const std::string stream =
      "event: response.created\r\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"r\","
      "\"model\":\"gpt-5\",\"usage\":null},\"sequence_number\":0}\r\n\r\n"
      "event: response.output_text.delta\r\ndata: {\"type\":\"response.output_text.delta\","
      "\"delta\":\"hi\",\"sequence_number\":1}\r\n\r\n"
      "event: response.completed\r\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":"
      "\"r\",\"model\":\"gpt-5\",\"usage\":{\"input_tokens\":9}},\"sequence_number\":2}\r\n\r\n";
  const Seen seen = RunAnyhow({Dialect::kOpenAiResponses, true, false}, stream);
  EXPECT_EQ(seen.client, stream);
  EXPECT_EQ(seen.usage, R"({"input_tokens":9})");
  EXPECT_TRUE(seen.final);
  EXPECT_EQ(seen.model, "gpt-5");
}

constexpr std::string_view kMessages =
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg\",\"model\":"
    "\"claude\",\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}}\n\n"
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
    "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{}}"
    "\n\n"
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
    "\"end_turn\"},\"usage\":{\"output_tokens\":15}}\n\n"
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

TEST(AnswerMeter, MessagesStreamStatesItsUsageInTwoEvents) {
  const Seen seen = RunAnyhow({Dialect::kAnthropicMessages, true, false}, kMessages);
  EXPECT_EQ(seen.client, kMessages);
  EXPECT_EQ(seen.start_usage, R"({"input_tokens":25,"output_tokens":1})");
  EXPECT_EQ(seen.usage, R"({"output_tokens":15})");
  EXPECT_TRUE(seen.final);
  const Seen broken = RunAnyhow({Dialect::kAnthropicMessages, true, false},
                                kMessages.substr(0, kMessages.find("event: message_stop")));
  EXPECT_FALSE(broken.final);
}

TEST(AnswerMeter, EndsAStreamWell) {
  AnswerMeter messages({Dialect::kAnthropicMessages, true, false});
  std::string out;
  messages.Put(kMessages.substr(0, kMessages.find("event: content_block_stop")), &out);
  const std::string end = messages.EndOfStream();
  EXPECT_TRUE(end.starts_with("event: content_block_stop\n")) << end;
  EXPECT_NE(end.find("\"stop_reason\":\"max_tokens\""), std::string::npos);
  EXPECT_TRUE(end.ends_with("data: {\"type\":\"message_stop\"}\n\n"));
  AnswerMeter chat({Dialect::kOpenAiChat, true, false});
  chat.Put(kChat.substr(0, kChat.find("\n\n") + 2), &out);
  EXPECT_EQ(
      chat.EndOfStream(),
      "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":17,\"model\":\"m\","
      "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n"
      "data: [DONE]\n\n");
}

TEST(AnswerMeter, EndsAStreamBetweenEventsOnly) {
  const std::string_view event = kChat.substr(0, kChat.find("\n\n") + 2);
  AnswerMeter meter({Dialect::kOpenAiChat, true, false});
  std::string out;
  ASSERT_EQ(meter.Put(event.substr(0, 20), &out), BodyVerdict::kPass);
  EXPECT_TRUE(meter.EndStream(event.substr(0, 20), BodyVerdict::kPass, "w", &out));
  EXPECT_TRUE(out.starts_with(": w\n\ndata: ")) << "the client has nothing of the event";
  meter.Put(event.substr(20, 10), &out);
  EXPECT_FALSE(meter.EndStream(event.substr(20, 10), BodyVerdict::kPass, "w", &out));
  const std::string last = std::string(event.substr(30)) + "data: {\"half";
  meter.Put(last, &out);
  ASSERT_TRUE(meter.EndStream(last, BodyVerdict::kPass, "line\nbreak", &out));
  EXPECT_EQ(out, std::string(event.substr(30)) + ": line break\n\n" + meter.EndOfStream());
}

TEST(AnswerMeter, EstimatesTokensByEventsAndBytes) {
  const auto event = [](size_t bytes) {
    return "data: {\"choices\":[{\"delta\":{\"content\":\"" + std::string(bytes, 'x') +
           "\"}}]}\n\n";
  };
  std::string small, large;
  for (int i = 0; i < 10; ++i) small += event(3);
  EXPECT_EQ(RunAnyhow({Dialect::kOpenAiChat, true, false}, small).output_tokens, 10);
  large = event(0);
  for (int i = 0; i < 10; ++i) large += event(400);
  EXPECT_EQ(RunAnyhow({Dialect::kOpenAiChat, true, false}, large).output_tokens, 1000);
}

// An event beyond the limit ends the metering, not the client's stream.
TEST(AnswerMeter, AnEndlessEventReachesTheClientWhole) {
  AnswerMeter meter({Dialect::kOpenAiChat, true, true});
  std::string sent = "data: ", got;
  sent.append(SseSplitter::kEventMaxBytes + 100, 'x');
  sent += "\n\ndata: [DONE]\n\n";
  constexpr size_t kPiece = 1 << 20;
  for (size_t at = 0; at < sent.size(); at += kPiece) {
    const std::string_view piece = std::string_view(sent).substr(at, kPiece);
    std::string out;
    got += meter.Put(piece, &out) == BodyVerdict::kPass ? std::string(piece) : out;
  }
  got += meter.Finish();
  EXPECT_EQ(got, sent);
  EXPECT_FALSE(meter.is_final());
}

}  // namespace
}  // namespace flyball::gateway
