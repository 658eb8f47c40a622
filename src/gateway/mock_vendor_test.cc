#include "gateway/mock_vendor.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gateway/sim_gateway.h"

namespace flyball::gateway {
namespace {

using Json = nlohmann::json;

struct World {
  explicit World(std::string_view script = "{}", uint64_t seed = 1)
      : random(seed), net(clock, timers, random, {.piece_max_bytes = 999}) {
    auto parsed = MockScript::Parse(script);
    EXPECT_TRUE(parsed) << parsed.error().ToString();
    vendor = std::make_unique<MockVendor>(*std::move(parsed), timers, clock);
  }
  SimEnd& Connect() {
    auto ends = net.Pair();
    vendor->Accept(std::move(ends.first));
    return clients.emplace_back(std::move(ends.second));
  }
  static std::string Post(std::string_view path, std::string_view body) {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nHost: m\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
  }
  // The body of one answer.
  std::string Ask(std::string_view path, std::string_view body) {
    SimEnd& client = Connect();
    client.Say(Post(path, body));
    net.RunUntil(clock.MonotonicUs() + 100'000'000);
    return Body(client.heard);
  }
  std::string Body(std::string_view heard) {
    size_t looked = 0;
    net::Head head;
    const size_t end = net::FindHeadEnd(heard, &looked);
    if (end == 0 || !net::ParseResponseHead(heard.substr(0, end), {}, false, &head)) return "";
    status = head.status;
    heard.remove_prefix(end);
    net::BodyReader reader(head.framing, head.length);
    std::string out;
    while (!heard.empty() && !reader.done()) {
      auto step = reader.Next(heard);
      if (!step) break;
      out.append(step->data);
      heard.remove_prefix(step->used);
    }
    whole = reader.done();
    return out;
  }
  Json Invoice() const { return Json::parse(vendor->invoice().ToJson(true)); }

  SimClock clock{Instant{0}};
  Random random;
  net::TimerWheel timers{0};
  net::SimNet net;
  std::deque<SimEnd> clients;
  std::unique_ptr<MockVendor> vendor;
  int status = 0;
  bool whole = false;
};

// The data of all events of a stream.
std::vector<Json> Events(std::string_view body) {
  std::vector<Json> events;
  while (!body.empty()) {
    const size_t end = body.find("\n\n");
    EXPECT_NE(end, std::string_view::npos);
    std::string_view event = body.substr(0, end);
    body.remove_prefix(end + 2);
    const size_t data = event.find("data: ");
    EXPECT_NE(data, std::string_view::npos) << event;
    event.remove_prefix(data + 6);
    if (event == "[DONE]") {
      EXPECT_TRUE(body.empty());
    } else {
      events.push_back(Json::parse(event));
    }
  }
  return events;
}

constexpr std::string_view kCosts =
    R"({"default":{"frames":10,"input_tokens":1000,"cached_percent":50,"reasoning_tokens":7,
        "cache_write_5m_tokens":100,"cache_write_1h_tokens":60}})";

// A bill comes from one vendor: `flyball reconcile --vendor openai` has no price for Claude.
TEST(MockVendor, BillsEachProvidersCallsApart) {
  World world;
  world.Ask("/v1/chat/completions", R"({"model":"m"})");
  world.Ask("/v1/messages", R"({"model":"c","max_tokens":9})");
  const auto invoice = [&](const std::string& query) {
    SimEnd& client = world.Connect();
    client.Say("GET /mock/invoice" + query + " HTTP/1.1\r\nHost: m\r\n\r\n");
    world.net.RunUntil(world.clock.MonotonicUs() + 1'000'000);
    return Json::parse(world.Body(client.heard));
  };
  EXPECT_EQ(invoice("")["billed_requests"], 2);
  const Json openai = invoice("?provider=openai");
  EXPECT_EQ(openai["billed_requests"], 1);
  EXPECT_EQ(openai["models"].size(), 1u);
  EXPECT_EQ(openai["requests"].at(0)["model"], "m");
  EXPECT_EQ(openai["requests_left_off"], 0);
  const Json anthropic = invoice("?requests=0&provider=anthropic");
  EXPECT_TRUE(anthropic["models"].contains("c"));
  EXPECT_FALSE(anthropic["models"].contains("m"));
  EXPECT_FALSE(anthropic.contains("requests"));
  EXPECT_TRUE(invoice("?provider=acme").contains("error"));
  EXPECT_EQ(world.status, 400);
}

TEST(MockVendor, LeavesItsTierOutWhereItIsAskedTo) {
  for (const bool tells : {true, false}) {
    World world(tells ? "{}" : R"({"default":{"no_tier":true}})");
    for (const char* stream : {"false", "true"}) {
      for (const char* path : {"/v1/chat/completions", "/v1/messages"}) {
        const std::string answer =
            world.Ask(path, fmt::format(R"({{"model":"m","max_tokens":9,"stream":{}}})", stream));
        EXPECT_EQ(answer.find("service_tier") != std::string::npos, tells) << answer;
      }
    }
    const Json invoice = world.Invoice();
    ASSERT_EQ(invoice["requests"].size(), 4u);
    for (const Json& request : invoice["requests"]) EXPECT_EQ(request.contains("tier"), tells);
  }
}

TEST(MockVendor, HasThePathsOfAzure) {
  World world;
  world.Ask("/openai/deployments/m/chat/completions?api-version=1", R"({"model":"m"})");
  EXPECT_EQ(world.status, 200);
  world.Ask("/openai/v1/responses", R"({"model":"m"})");
  EXPECT_EQ(world.status, 200);
  world.Ask("/openai/deployments/m/responses?api-version=1", R"({"model":"m"})");
  EXPECT_EQ(world.status, 404);
}

TEST(MockVendor, CountsUsageAsEachVendorDoes) {
  World world(kCosts);
  const Json chat = Json::parse(
      world.Ask("/v1/chat/completions", R"({"model":"m","messages":[{"content":"a \"b\" {"}]})"));
  EXPECT_EQ(chat["usage"]["prompt_tokens"], 1000);
  EXPECT_EQ(chat["usage"]["prompt_tokens_details"]["cached_tokens"], 500);
  EXPECT_EQ(chat["usage"]["completion_tokens"], 17);
  EXPECT_EQ(chat["usage"]["completion_tokens_details"]["reasoning_tokens"], 7);
  EXPECT_EQ(chat["choices"][0]["finish_reason"], "stop");
  const Json responses = Json::parse(world.Ask("/v1/responses", R"({"model":"m","input":"x"})"));
  EXPECT_EQ(responses["usage"]["input_tokens"], 1000);
  EXPECT_EQ(responses["usage"]["output_tokens"], 17);
  EXPECT_EQ(responses["output"][0]["content"][0]["type"], "output_text");
  const Json messages =
      Json::parse(world.Ask("/v1/messages", R"({"model":"c","max_tokens":900,"messages":[]})"));
  EXPECT_EQ(messages["usage"]["input_tokens"], 420);  // without what is cached or written
  EXPECT_EQ(messages["usage"]["cache_read_input_tokens"], 420);
  EXPECT_EQ(messages["usage"]["cache_creation_input_tokens"], 160);
  EXPECT_EQ(messages["usage"]["cache_creation"]["ephemeral_1h_input_tokens"], 60);
  EXPECT_EQ(messages["usage"]["output_tokens"], 17);
  const Json embeddings = Json::parse(
      world.Ask("/v1/embeddings", R"({"model":"e","input":["a","b"],"encoding_format":"base64"})"));
  EXPECT_EQ(embeddings["data"].size(), 2u);
  EXPECT_EQ(embeddings["usage"]["total_tokens"], 1000);
  EXPECT_EQ(Json::parse(world.Ask("/v1/messages/count_tokens", R"({"model":"c"})"))["input_tokens"],
            1000);
  const Json invoice = world.Invoice();
  EXPECT_EQ(invoice["billed_requests"], 4);
  EXPECT_EQ(invoice["models"]["m"]["requests"], 2);
  EXPECT_EQ(invoice["models"]["m"]["usage"]["cache_read"], 1000);
  EXPECT_EQ(invoice["models"]["m"]["usage"]["output"], 20);
  EXPECT_EQ(invoice["models"]["c"]["usage"]["input"], 420);
  EXPECT_EQ(invoice["models"]["e"]["usage"]["input"], 1000);
  EXPECT_EQ(invoice["requests"][0]["id"], chat["id"]);
}

// The answer told the output of all choices, and the invoice that of one.
TEST(MockVendor, BillsEveryChoice) {
  World world;
  const Json chat = Json::parse(world.Ask("/v1/chat/completions", R"({"model":"m","n":3})"));
  EXPECT_EQ(chat["usage"]["completion_tokens"], 48);
  EXPECT_EQ(world.Invoice()["models"]["m"]["usage"]["output"], 48);
}

TEST(MockVendor, StreamsAsEachVendorDoes) {
  World world(kCosts);
  auto chat =
      Events(world.Ask("/v1/chat/completions",
                       R"({"model":"m","stream":true,"stream_options":{"include_usage":true}})"));
  ASSERT_EQ(chat.size(), 13u);  // role, 10, end, usage
  EXPECT_EQ(chat[0]["choices"][0]["delta"]["role"], "assistant");
  EXPECT_TRUE(chat[3]["usage"].is_null());
  EXPECT_EQ(chat[11]["choices"][0]["finish_reason"], "stop");
  EXPECT_TRUE(chat[12]["choices"].empty());
  EXPECT_EQ(chat[12]["usage"]["completion_tokens"], 17);
  chat = Events(world.Ask("/v1/chat/completions", R"({"model":"m","stream":true,"max_tokens":9})"));
  EXPECT_EQ(chat.size(), 4u);  // seven of nine tokens are reasoning
  EXPECT_EQ(chat.back()["choices"][0]["finish_reason"], "length");
  EXPECT_FALSE(chat.back().contains("usage"));
  const auto messages =
      Events(world.Ask("/v1/messages", R"({"model":"c","max_tokens":99,"stream":true})"));
  EXPECT_EQ(messages.front()["type"], "message_start");
  EXPECT_EQ(messages.front()["message"]["usage"]["output_tokens"], 1);
  EXPECT_EQ(messages[messages.size() - 2]["usage"]["output_tokens"], 17);
  EXPECT_EQ(messages.back()["type"], "message_stop");
  const auto responses = Events(world.Ask("/v1/responses", R"({"model":"m","stream":true})"));
  EXPECT_EQ(responses.back()["type"], "response.completed");
  EXPECT_EQ(responses.back()["response"]["usage"]["total_tokens"], 1017);
  for (size_t i = 0; i < responses.size(); ++i) EXPECT_EQ(responses[i]["sequence_number"], i);
}

TEST(MockVendor, CallsTools) {
  World world(R"({"default":{"tool_call":true}})");
  const Json chat = Json::parse(world.Ask(
      "/v1/chat/completions",
      R"({"model":"m","tools":[{"type":"function","function":{"name":"weather","parameters":{}}}]})"));
  const Json call = chat["choices"][0]["message"]["tool_calls"][0]["function"];
  EXPECT_EQ(call["name"], "weather");
  EXPECT_EQ(Json::parse(call["arguments"].get<std::string>())["city"], "Paris");
  const auto events = Events(world.Ask(
      "/v1/messages", R"({"model":"c","stream":true,"tools":[{"name":"w"}],"max_tokens":50})"));
  std::string arguments;
  for (const Json& event : events) {
    if (event["type"] == "content_block_delta") arguments += event["delta"]["partial_json"];
  }
  EXPECT_EQ(Json::parse(arguments)["city"], "Paris");
}

TEST(MockVendor, FailsAsTheScriptSays) {
  World world(R"({"seed":3,"rules":[
      {"match":{"model":"busy"},"times":1,"status":429,"retry_after_s":2},
      {"match":{"model":"bad*","dialect":"messages"},"status":500},
      {"match":{"model":"reset"},"reset_after_frames":3,"frame_ms":5},
      {"match":{"model":"silent"},"no_usage":true},
      {"match":{"model":"lost"},"status":500,"bill_errors":true},
      {"match":{"model":"greedy"},"ignore_max_tokens":true}]})");
  Json answer = Json::parse(world.Ask("/v1/chat/completions", R"({"model":"busy"})"));
  EXPECT_EQ(world.status, 429);
  EXPECT_EQ(answer["error"]["code"], "rate_limit_exceeded");
  EXPECT_NE(world.clients.back().heard.find("retry-after: 2\r\n"), std::string::npos);
  world.Ask("/v1/chat/completions", R"({"model":"busy"})");
  EXPECT_EQ(world.status, 200);
  answer = Json::parse(world.Ask("/v1/messages", R"({"model":"bad1"})"));
  EXPECT_EQ(world.status, 500);
  EXPECT_EQ(answer["error"]["type"], "api_error");
  const auto events =
      Events(world.Ask("/v1/chat/completions", R"({"model":"reset","stream":true})"));
  EXPECT_EQ(events.size(), 4u);
  EXPECT_FALSE(world.whole);
  EXPECT_EQ(world.Invoice()["models"]["reset"]["usage"]["output"], 3);
  EXPECT_FALSE(
      Json::parse(world.Ask("/v1/chat/completions", R"({"model":"silent"})")).contains("usage"));
  EXPECT_EQ(
      Json::parse(world.Ask("/v1/chat/completions",
                            R"({"model":"greedy","max_tokens":1})"))["usage"]["completion_tokens"],
      16);
  world.Ask("/v1/chat/completions", R"({"model":"lost"})");
  EXPECT_EQ(world.status, 500);
  EXPECT_EQ(world.Invoice()["models"]["lost"]["usage"]["output"], 16);
  EXPECT_TRUE(
      world.Invoice()["requests"].back()["at"].get<std::string>().starts_with("1970-01-01T00:"));
  world.Ask("/v1/chat/completions", "not json");
  EXPECT_EQ(world.status, 400);
  world.Ask("/nowhere", "{}");
  EXPECT_EQ(world.status, 404);
}

TEST(MockVendor, BillsWhatItMadeForThoseWhoLeft) {
  World world(R"({"default":{"frames":100,"frame_ms":10},
                  "rules":[{"match":{"model":"hostile"},"bill_after_disconnect":true}]})");
  for (const char* model : {"kind", "hostile"}) {
    SimEnd& client = world.Connect();
    client.Say(World::Post("/v1/chat/completions",
                           std::string(R"({"stream":true,"model":")") + model + "\"}"));
    world.net.RunUntil(world.clock.MonotonicUs() + 105'000);
    client.Leave();
    world.net.RunUntil(world.clock.MonotonicUs() + 10'000'000);
  }
  const Json invoice = world.Invoice();
  const int64_t kind = invoice["models"]["kind"]["usage"]["output"];
  EXPECT_GE(kind, 9);
  EXPECT_LE(kind, 12);
  EXPECT_EQ(invoice["models"]["hostile"]["usage"]["output"], 100);
  EXPECT_EQ(invoice["requests"][1]["complete"], false);
}

TEST(MockScript, NamesWhatIsWrong) {
  for (const auto& [script, word] : {std::pair{"[", "object"},
                                     {R"({"rules":[{"statu":1}]})", "statu"},
                                     {R"({"default":{"frames":"x"}})", "frames"},
                                     {R"({"rules":[{"match":{"x":"y"}}]})", "match"},
                                     {R"({"default":{"no_usage":1}})", "no_usage"},
                                     {R"({"what":1})", "what"}}) {
    auto parsed = MockScript::Parse(script);
    ASSERT_FALSE(parsed) << script;
    EXPECT_NE(parsed.error().message.find(word), std::string::npos) << parsed.error().message;
  }
}

}  // namespace
}  // namespace flyball::gateway
