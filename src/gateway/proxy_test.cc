#include "gateway/proxy.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gateway/sim_gateway.h"

namespace flyball::gateway {
namespace {

constexpr int64_t kSecond = 1'000'000;

std::string Post(std::string_view body, std::string_view more = "",
                 std::string_view path = "/v1/x") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: gateway\r\n" + std::string(more) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string Chunked(std::initializer_list<std::string_view> pieces, bool whole = true) {
  std::string bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::string_view piece : pieces) {
    net::AppendChunkHead(piece.size(), &bytes);
    bytes.append(piece).append("\r\n");
  }
  return whole ? bytes + "0\r\n\r\n" : bytes;
}

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
  bool whole = false;
};

// What a client understands of what it heard.
std::vector<Answer> Understand(std::string_view heard, bool ended, bool to_head = false) {
  std::vector<Answer> answers;
  while (!heard.empty()) {
    Answer answer;
    size_t looked = 0;
    const size_t end = net::FindHeadEnd(heard, &looked);
    net::Head head;
    if (end == 0 || !net::ParseResponseHead(heard.substr(0, end), {}, to_head, &head)) {
      answers.push_back({-1, "", std::string(heard), false});
      break;
    }
    answer.status = head.status;
    answer.head = heard.substr(0, end);
    heard.remove_prefix(end);
    net::BodyReader body(head.framing, head.length);
    while (!heard.empty() && !body.done()) {
      auto step = body.Next(heard);
      if (!step) break;
      answer.body.append(step->data);
      heard.remove_prefix(step->used);
    }
    answer.whole = body.done() || (ended && body.End());
    answers.push_back(answer);
    if (!answer.whole) break;
  }
  return answers;
}

TEST(Proxy, PassesARequestAndItsAnswer) {
  SimGateway world(1);
  std::string seen;
  world.vendor = [&](const SimRequest& request) {
    seen = request.text;
    return SimVendor::Answer{
        "HTTP/1.1 201 Made\r\nX-A: b\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n"
        "Keep-Alive: timeout=5\r\ncontent-length: 5\r\n\r\nhello"};
  };
  world.script.next = [](const RequestView& request, Outcome) {
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.peer, "10.0.0.1");
    return Attempt{
        1, "/up?stream", {{"Authorization", "Bearer vendor"}, {"X-Set", "ours"}}, request.body, 0};
  };
  world.script.extra = {{"X-Extra", "e"}};
  SimEnd& client = world.NewClient();
  client.Say(Post("body",
                  "Authorization: Bearer secret\r\nx-api-key: secret\r\nAPI-Key: secret\r\n"
                  "X-Goog-Api-Key: secret\r\nConnection: X-Mine\r\nX-Mine: secret\r\n"
                  "TE: trailers\r\nProxy-Authorization: secret\r\nX-Set: theirs\r\nX-Keep: k\r\n"
                  "Upgrade: h2c\r\n"));
  world.RunFor(kSecond);
  EXPECT_EQ(
      seen,
      "POST /up?stream HTTP/1.1\r\nHost: vendor1\r\nX-Keep: k\r\nAuthorization: Bearer vendor\r\n"
      "X-Set: ours\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client.heard,
            "HTTP/1.1 201 Made\r\nX-A: b\r\nX-Extra: e\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(world.log, "dispatched head201 body:5 complete");
  EXPECT_EQ(world.asked, std::vector<std::string>{"vendor1 POST /up?stream body"});
}

TEST(Proxy, KeepsConnectionsAndPipelinedRequestsWait) {
  SimGateway world(2);
  SimEnd& client = world.NewClient();
  client.Say(Post("one") + "\r\n" + Post("two") + "GET /three HTTP/1.1\r\nHost: g\r\n\r\n");
  world.RunFor(kSecond);
  EXPECT_EQ(world.asked.size(), 3u);
  EXPECT_EQ(Understand(client.heard, false).size(), 3u);
  EXPECT_EQ(world.vendors.size(), 1u);
  EXPECT_EQ(world.proxy->stats().reused, 2u);
  EXPECT_EQ(world.proxy->stats().kept, 1u);
  world.RunFor(60 * kSecond);
  EXPECT_EQ(world.proxy->stats().kept, 0u);  // idle for too long
  EXPECT_FALSE(client.heard_end);
  world.RunFor(60 * kSecond);
  EXPECT_TRUE(client.heard_end);
}

TEST(Proxy, ReadsChunkedBodiesAndSaysContinue) {
  SimGateway world(3, {.piece_max_bytes = 7});
  SimEnd& client = world.NewClient();
  client.Say(
      "POST /c HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  world.RunFor(kSecond);
  EXPECT_EQ(client.heard, "HTTP/1.1 100 Continue\r\n\r\n");
  std::string body(40'000, 'y');
  std::string coded;
  net::AppendChunkHead(body.size(), &coded);
  client.Say("3\r\nabc\r\n" + coded + body + "\r\n0\r\nT: x\r\n\r\n");
  world.RunFor(kSecond);
  EXPECT_EQ(world.asked, std::vector<std::string>{"vendor0 POST /c abc" + body});
}

TEST(Proxy, RefusesWhatNeverBecomesARequest) {
  ProxyOptions options;
  options.body_max_bytes = 1000;
  struct Case {
    std::string bytes;
    int status;
    std::string path;
  };
  const std::vector<Case> cases = {
      {"POST /v1/m HTTP/1.1\r\nHost: g\r\nContent-Length: 1001\r\n\r\n", 413, "/v1/m"},
      {"POST /v1/m?k=v HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
           std::string(1001, 'x'),
       413, "/v1/m"},
      {"GET / HTTP/1.1\r\nX: " + std::string(70'000, 'x'), 431, ""},
      {"GET / HTTP/1.1\r\n\r\n", 400, "/"},
      {"POST / HTTP/1.1\r\nHost: g\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
       "/"},
      {"rubbish\r\n\r\n", 400, ""},
      {"GET /slow HTTP/1.1\r\nHost", 408, ""},
      {"POST /slow HTTP/1.1\r\nHost: g\r\nContent-Length: 9\r\n\r\nabc", 408, "/slow"},
  };
  for (const Case& refused : cases) {
    SimGateway world(4, {}, options);
    SimEnd& client = world.NewClient();
    client.Say(refused.bytes);
    world.RunFor(30 * kSecond);
    const auto answers = Understand(client.heard, true);
    ASSERT_EQ(answers.size(), 1u) << refused.bytes.substr(0, 99);
    EXPECT_EQ(answers[0].status, refused.status) << refused.bytes.substr(0, 99);
    EXPECT_NE(answers[0].head.find("X-Path: " + refused.path + "\r\n"), std::string::npos)
        << answers[0].head;
    EXPECT_TRUE(client.heard_end);
    EXPECT_EQ(world.begun, 0);
    EXPECT_EQ(world.proxy->stats().clients, 0u);
  }
}

TEST(Proxy, WaitsForNoBodyWhoseHeadHasNoChance) {
  SimGateway world(4);
  world.script.judge = [](const RequestView&) { return Judgement{Reply{401, {}, "no key"}, {}}; };
  SimEnd& client = world.NewClient();
  client.Say(
      "POST /closed HTTP/1.1\r\nHost: g\r\nExpect: 100-continue\r\nContent-Length: 20000000"
      "\r\n\r\n");
  world.RunFor(kSecond);
  const auto answers = Understand(client.heard, true);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 401);
  EXPECT_EQ(answers[0].body, "no key");
  EXPECT_EQ(world.begun, 0);
  EXPECT_EQ(world.proxy->stats().refused, 1u);
  world.RunFor(30 * kSecond);
  EXPECT_EQ(world.proxy->stats().clients, 0u);
}

TEST(Proxy, HoldsNoMoreBytesOfBodiesThanItMay) {
  ProxyOptions options;
  options.bodies_max_bytes = 1'000'000;
  SimGateway world(4, {}, options);
  const auto say = [&](SimEnd& client, const std::string& framing, const std::string& bytes) {
    client.Say("POST /a HTTP/1.1\r\nHost: g\r\n" + framing + "\r\n\r\n" + bytes);
  };
  // Two that hold 600 kB, with what a growing text takes in advance, and wait for their rest.
  SimEnd& first = world.NewClient();
  say(first, "Content-Length: 500000", std::string(400'000, 'x'));
  SimEnd& second = world.NewClient();
  say(second, "Transfer-Encoding: chunked", "61a80\r\n" + std::string(200'000, 'x'));
  world.RunFor(kSecond);
  SimEnd& third = world.NewClient();
  say(third, "Content-Length: 500000", std::string(400'000, 'x'));
  world.RunFor(kSecond);
  auto answers = Understand(third.heard, true);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 503);
  // Small ones are served all the same, and so is a large one when there is room again.
  SimEnd& small = world.NewClient();
  small.Say(Post("x"));
  world.RunFor(kSecond);
  EXPECT_EQ(world.begun, 1);
  first.Say(std::string(100'000, 'x'));
  world.RunFor(kSecond);
  EXPECT_EQ(world.begun, 2);
  SimEnd& fourth = world.NewClient();
  say(fourth, "Content-Length: 500000", std::string(500'000, 'x'));
  world.RunFor(kSecond);
  answers = Understand(fourth.heard, true);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 200);
}

// Else one key's slow bodies could take the room of all others.
TEST(Proxy, HoldsNoMoreBytesOfOneKeyThanItsShare) {
  ProxyOptions options;
  options.bodies_max_bytes = 2'800'000;
  options.payer_max_bytes = 1'000'000;
  SimGateway world(4, {}, options);
  world.script.judge = [](const RequestView& head) {
    return Judgement{std::nullopt, std::string(head.target)};
  };
  const auto say = [&](const std::string& target, size_t of, size_t bytes) -> SimEnd& {
    SimEnd& client = world.NewClient();
    client.Say("POST " + target + " HTTP/1.1\r\nHost: g\r\nContent-Length: " + std::to_string(of) +
               "\r\n\r\n" + std::string(bytes, 'x'));
    world.RunFor(kSecond);
    return client;
  };
  const auto status = [](const SimEnd& client) {
    const auto answers = Understand(client.heard, true);
    return answers.empty() ? 0 : answers[0].status;
  };
  SimEnd& first = say("/ann", 700'000, 600'000);
  SimEnd& second = say("/ann", 700'000, 600'000);
  EXPECT_EQ(status(second), 0) << "nobody else needs the room";
  EXPECT_EQ(status(say("/ann", 700'000, 600'000)), 503);
  EXPECT_EQ(status(say("/bob", 700'000, 700'000)), 200);
  for (SimEnd* end : {&first, &second}) end->Say(std::string(100'000, 'x'));
  world.RunFor(kSecond);
  EXPECT_EQ(status(first), 200);
  EXPECT_EQ(status(say("/ann", 700'000, 700'000)), 200);
}

TEST(Proxy, KnowsEveryEndOfABody) {
  struct Case {
    std::string answer;
    bool closes;
    std::string body;
    bool kept;
  };
  const std::string big(200'000, 'z');
  const std::vector<Case> cases = {
      {Chunked({"ab", "cde"}), false, "abcde", true},
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", true, "until the end", false},
      {"HTTP/1.1 204 No Content\r\n\r\n", false, "", true},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", false, "", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, "", true},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", true, "hi", false},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n"
       "Content-Length: 2\r\n\r\nhi",
       false, "hi", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more", false, "hi", false},
      {Chunked({big}), false, big, true},
  };
  for (const Case& one : cases) {
    for (const size_t piece : {3u, 100'000u}) {
      SimGateway world(5, {.piece_max_bytes = piece});
      world.vendor = [&](const SimRequest&) { return SimVendor::Answer{one.answer, one.closes}; };
      SimEnd& client = world.NewClient();
      client.Say(Post("x"));
      world.RunFor(kSecond);
      const auto answers = Understand(client.heard, client.heard_end);
      ASSERT_EQ(answers.size(), 1u) << one.answer.substr(0, 99);
      EXPECT_TRUE(answers[0].whole);
      EXPECT_EQ(answers[0].body, one.body);
      EXPECT_EQ(world.proxy->stats().kept, one.kept ? 1u : 0u) << one.answer.substr(0, 99);
      EXPECT_FALSE(client.heard_end);
    }
  }
}

TEST(Proxy, AnswersHeadAndOldClients) {
  SimGateway world(6);
  world.vendor = [](const SimRequest& request) {
    return SimVendor::Answer{request.head.method == "HEAD"
                                 ? "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
                                 : Chunked({"ab", "c"})};
  };
  SimEnd& client = world.NewClient();
  client.Say("HEAD /h HTTP/1.1\r\nHost: g\r\n\r\n");
  world.RunFor(kSecond);
  EXPECT_EQ(client.heard, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
  SimEnd& old = world.NewClient();
  old.Say("GET /o HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  world.RunFor(kSecond);
  EXPECT_EQ(old.heard, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
  EXPECT_TRUE(old.heard_end);
}

TEST(Proxy, LetsTheCallChangeAndCutBodies) {
  SimGateway world(7);
  world.vendor = [](const SimRequest&) {
    return SimVendor::Answer{"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef"};
  };
  world.script.keeps_length = false;
  world.script.tail = "!";
  world.script.body = [](std::string_view piece, std::string* out) {
    out->append("<").append(piece).append(">");
    return BodyVerdict::kReplace;
  };
  SimEnd& client = world.NewClient();
  client.Say(Post("x"));
  world.RunFor(kSecond);
  std::string changed = Understand(client.heard, false)[0].body;
  EXPECT_EQ(std::erase(changed, '<'), std::erase(changed, '>'));
  EXPECT_EQ(changed, "abcdef!");
  world.vendor = [](const SimRequest&) { return SimVendor::Answer{Chunked({"one"}, false)}; };
  world.script.body = [](std::string_view, std::string* out) {
    *out = "the end";
    return BodyVerdict::kCut;
  };
  client.heard.clear();
  client.Say(Post("x"));
  world.RunFor(kSecond);
  const auto answers = Understand(client.heard, false);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(answers[0].whole);
  EXPECT_EQ(answers[0].body, "the end");
  EXPECT_TRUE(client.heard.ends_with("0\r\nx-flyball-ended-by: budget\r\n\r\n"));
  EXPECT_FALSE(client.heard_end);
  EXPECT_EQ(world.log, "dispatched head200 body:6 complete dispatched head200 body:3 cut");
}

TEST(Proxy, TriesAsTheCallSays) {
  SimGateway world(8);
  int attempts = 0;
  world.script.next = [&](const RequestView& request,
                          Outcome before) -> std::variant<Attempt, Reply> {
    if (before == Outcome::kNone) attempts = 0;
    if (++attempts > 3) return Reply{503, {{"X-Why", "tired"}}, "all failed"};
    return Attempt{static_cast<size_t>(attempts % 2), "/t", {}, request.body, 2 * kSecond};
  };
  world.script.head = [](int status) {
    return status == 429 ? HeadVerdict::kRetry : HeadVerdict::kPass;
  };
  int answers = 0;
  world.vendor = [&](const SimRequest&) {
    ++answers;
    if (answers == 1) return SimVendor::Answer{"HTTP/1.1 429 Slow\r\nContent-Length: 1\r\n\r\nx"};
    if (answers == 2) return SimVendor::Answer{"", false};  // never
    return SimVendor::Answer{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
  };
  SimEnd& client = world.NewClient();
  client.Say(Post("x"));
  world.RunFor(10 * kSecond);
  EXPECT_EQ(world.log,
            "dispatched head429 retryable dispatched timed_out dispatched head200 body:2 complete");
  EXPECT_EQ(Understand(client.heard, false)[0].body, "ok");
  world.log.clear();
  client.heard.clear();
  world.vendor = [](const SimRequest&) { return SimVendor::Answer{"garbage\r\n\r\n"}; };
  client.Say(Post("x"));
  world.RunFor(10 * kSecond);
  EXPECT_EQ(world.log, "dispatched broken dispatched broken dispatched broken refused");
  EXPECT_EQ(
      client.heard,
      "HTTP/1.1 503 Service Unavailable\r\nX-Why: tired\r\nContent-Length: 10\r\n\r\nall failed");
  world.log.clear();
  world.refuses_connections = true;
  client.Say(Post("x"));
  world.RunFor(10 * kSecond);
  EXPECT_EQ(world.log, "not_connected not_connected not_connected refused");
}

// Frames of another protocol could ask for another model than the one that is held for.
TEST(Proxy, SwitchesToNoOtherProtocol) {
  SimGateway world(24);
  std::string seen;
  world.vendor = [&](const SimRequest& request) {
    seen += request.text;
    return SimVendor::Answer{
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"};
  };
  SimEnd& client = world.NewClient();
  client.Say(Post("x", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  world.RunFor(kSecond);
  ASSERT_EQ(world.log, "dispatched broken refused");
  EXPECT_EQ(Understand(client.heard, false)[0].status, 502);
  client.Say(R"({"type":"session.update","session":{"model":"dearer"}})");
  world.RunFor(kSecond);
  EXPECT_EQ(seen.find("pgrade"), std::string::npos) << seen;
  EXPECT_EQ(seen.find("dearer"), std::string::npos) << seen;
}

// The vendor closes a kept connection while a request is on its way: only when the request was
// never read may it be sent again unasked.
TEST(Proxy, SendsAgainOnlyWhatWasNeverRead) {
  for (const bool read : {false, true}) {
    SimGateway world(9);
    SimEnd& client = world.NewClient();
    client.Say(Post("first"));
    world.RunFor(kSecond);
    ASSERT_EQ(world.proxy->stats().kept, 1u);
    if (read) {
      world.vendor = [&](const SimRequest&) {
        world.vendor = nullptr;
        return SimVendor::Answer{"", true};
      };
      client.Say(Post("second"));
    } else {
      client.Say(Post("second"));
      // It closes before the request arrives: the client's bytes reach the proxy, and go nowhere.
      world.vendors[0]->end.Leave();
    }
    world.log.clear();
    world.RunFor(kSecond);
    if (read) {
      EXPECT_EQ(world.log, "dispatched broken refused");
      EXPECT_EQ(world.vendors.size(), 1u);
    } else {
      EXPECT_EQ(world.log, "dispatched head200 body:2 complete");
      EXPECT_EQ(world.vendors.size(), 2u);
    }
  }
}

TEST(Proxy, BreaksTheAnswerThatBrokeOff) {
  SimGateway world(10);
  world.vendor = [](const SimRequest&) {
    return SimVendor::Answer{Chunked({"part"}, false), true};
  };
  SimEnd& client = world.NewClient();
  client.Say(Post("x"));
  world.RunFor(kSecond);
  const auto answers = Understand(client.heard, true);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_FALSE(answers[0].whole);
  EXPECT_EQ(answers[0].body, "part");
  EXPECT_TRUE(client.heard_end);
  EXPECT_EQ(world.log, "dispatched head200 body:4 broken");
}

TEST(Proxy, ACallThatCannotBeRecordedDoesNotLeave) {
  SimGateway world(12);
  world.script.records = false;
  SimEnd& client = world.NewClient();
  client.Say(Post("x"));
  world.RunFor(kSecond);
  EXPECT_EQ(world.log, "dispatched not_recorded refused");
  EXPECT_TRUE(world.asked.empty());
  EXPECT_TRUE(client.heard.starts_with("HTTP/1.1 502")) << client.heard;
  world.script.records = true;
  client.Say(Post("y"));
  world.RunFor(kSecond);
  EXPECT_EQ(world.proxy->stats().dialed, 1u) << "the connection is as good as it was";
  EXPECT_EQ(world.asked.size(), 1u);
}

TEST(Proxy, WhatATurnDispatchesLeavesByOneCommit) {
  SimGateway world(14);
  std::vector<SimEnd*> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(&world.NewClient());
  for (SimEnd* client : clients) client->Say(Post("x"));
  world.RunFor(kSecond);  // now each has a connection to the vendor that is kept
  world.log.clear();
  world.commits = 0;
  for (SimEnd* client : clients) client->Say(Post("y"));
  world.script.dispatched = [&] { EXPECT_EQ(world.asked.size(), 8u) << "none has left yet"; };
  world.RunFor(kSecond);
  EXPECT_EQ(world.commits, 2) << "one before they leave, one when they have ended";
  EXPECT_EQ(world.asked.size(), 16u);
  world.script.dispatched = {};
  world.script.records = false;
  for (SimEnd* client : clients) client->Say(Post("z"));
  world.RunFor(kSecond);
  EXPECT_EQ(world.asked.size(), 16u) << "none has left";
  EXPECT_EQ(world.proxy->stats().dialed, 8u);
}

TEST(Proxy, ManyCallsOfATurnLeaveInParts) {
  SimGateway world(15);
  std::vector<SimEnd*> clients;
  for (size_t i = 0; i < 50; ++i) clients.push_back(&world.NewClient());
  for (SimEnd* client : clients) client->Say(Post("x"));
  world.RunFor(kSecond);
  world.commits = 0;
  for (SimEnd* client : clients) client->Say(Post("y"));
  world.RunFor(kSecond);
  EXPECT_EQ(world.asked.size(), 100u);
  EXPECT_GE(world.commits, 4);
}

TEST(Proxy, AClientThatLeavesBeforeTheCommitLeavesItsCallUnsent) {
  SimGateway world(16);
  SimEnd& client = world.NewClient();
  client.Say(Post("x"));
  world.RunFor(kSecond);
  world.log.clear();
  SimEnd& other = world.NewClient();
  world.script.dispatched = [&] { client.Leave(); };
  client.Say(Post("y"));
  world.RunFor(kSecond);
  EXPECT_EQ(world.log, "dispatched never_sent");
  EXPECT_EQ(world.asked.size(), 1u);
  world.script.dispatched = {};
  other.Say(Post("z"));
  world.RunFor(kSecond);
  EXPECT_EQ(world.asked.size(), 2u);
}

TEST(Proxy, AClientThatLeavesWhileALaterAttemptDialsLeavesItUnsent) {
  SimGateway world(13);
  world.script.next = [](const RequestView& request, Outcome) {
    return Attempt{0, "/t", {}, request.body, 2 * kSecond};
  };
  world.script.head = [](int) { return HeadVerdict::kRetry; };
  world.vendor = [](const SimRequest&) {
    return SimVendor::Answer{"HTTP/1.1 500 X\r\nContent-Length: 1\r\n\r\nx", true};
  };
  SimEnd& client = world.NewClient();
  client.Say(Post("x"));
  while (world.proxy->stats().dialed < 2) world.RunFor(10);
  client.Leave();
  world.RunFor(kSecond);
  EXPECT_EQ(world.log, "dispatched head500 retryable never_sent");
}

TEST(Proxy, ReadsOnForClientsThatLeft) {
  for (const int what : {0, 1, 2, 3, 4}) {
    ProxyOptions options;
    options.drain_max_bytes = 1000;
    options.drain_max_us = 5 * kSecond;
    options.drains_max = what == 3 ? 0 : 10;
    SimGateway world(11, {}, options);
    world.vendor = [](const SimRequest&) { return SimVendor::Answer{Chunked({"begin"}, false)}; };
    SimEnd& client = world.NewClient();
    client.Say(Post("x"));
    if (what == 4) {
      while (world.begun == 0) world.net.Step();
      client.Leave();
    }
    world.RunFor(kSecond);
    client.Leave();
    world.RunFor(kSecond);
    if (what == 0) world.vendors[0]->end.Say("3\r\nend\r\n0\r\n\r\n");
    if (what == 1) world.vendors[0]->end.Say("1000\r\n" + std::string(4096, 'x'));
    world.RunFor(10 * kSecond);
    static constexpr std::array kExpected = {"dispatched head200 body:8 drained",
                                             "dispatched head200 body:5 client_gone",
                                             "dispatched head200 body:5 client_gone",
                                             "dispatched head200 body:5 client_gone", "never_sent"};
    EXPECT_EQ(world.log, kExpected.at(static_cast<size_t>(what))) << what;
    EXPECT_EQ(world.proxy->stats().draining, 0u);
    EXPECT_EQ(world.proxy->stats().kept, what == 0 ? 1u : 0u);
  }
}

TEST(Proxy, ReadsTheUpstreamNoFasterThanTheClient) {
  ProxyOptions options;
  options.unsent_high_bytes = 10'000;
  options.unsent_low_bytes = 2'000;
  SimGateway world(12, {.piece_max_bytes = 1000, .pipe_max_bytes = 5000}, options);
  const std::string body(300'000, 'b');
  world.vendor = [&](const SimRequest&) { return SimVendor::Answer{Chunked({body})}; };
  size_t seen = 0;
  world.script.body = [&](std::string_view piece, std::string*) {
    seen += piece.size();
    return BodyVerdict::kPass;
  };
  SimEnd& client = world.NewClient();
  client.hears_at_most = 1;
  client.Say(Post("x"));
  world.RunFor(kSecond);
  EXPECT_LT(seen, 100'000u);
  client.hears_at_most = ~size_t{0};
  client.OnStream();
  world.RunFor(kSecond);
  EXPECT_EQ(Understand(client.heard, false)[0].body, body);
  EXPECT_EQ(seen, body.size());
}

TEST(Proxy, LeavesAClientThatTakesNothing) {
  ProxyOptions options;
  options.drain_max_bytes = ~uint64_t{0};
  SimGateway world(13, {.pipe_max_bytes = 5000}, options);
  world.vendor = [&](const SimRequest&) {
    return SimVendor::Answer{Chunked({std::string(1'000'000, 'b')})};
  };
  SimEnd& client = world.NewClient();
  client.hears_at_most = 1;
  client.Say(Post("x"));
  world.RunFor(100 * kSecond);
  EXPECT_EQ(world.log, "dispatched head200 body:1000000 drained");
}

TEST(Proxy, DrainsWhenItIsToldTo) {
  SimGateway world(14);
  world.vendor = [](const SimRequest&) { return SimVendor::Answer{Chunked({"begin"}, false)}; };
  SimEnd& idle = world.NewClient();
  SimEnd& busy = world.NewClient();
  SimEnd& stuck = world.NewClient();
  busy.Say(Post("x"));
  world.RunFor(kSecond);
  stuck.Say(Post("y"));
  world.RunFor(kSecond);
  bool done = false;
  world.proxy->Drain(10 * kSecond, [&] { done = true; });
  world.RunFor(kSecond);
  EXPECT_TRUE(idle.heard_end);
  EXPECT_FALSE(done);
  world.vendors[0]->end.Say("0\r\n\r\n");
  world.RunFor(kSecond);
  EXPECT_TRUE(Understand(busy.heard, true)[0].whole);
  EXPECT_TRUE(busy.heard_end);
  SimEnd& late = world.NewClient();
  world.RunFor(kSecond);
  EXPECT_EQ(Understand(late.heard, true)[0].status, 503);
  world.RunFor(10 * kSecond);
  EXPECT_TRUE(done);
  EXPECT_TRUE(stuck.heard_end);
  EXPECT_EQ(world.ended, 2);
}

TEST(Proxy, MakesRoomAndTurnsAway) {
  ProxyOptions options;
  options.connections_max = 2;
  SimGateway world(15, {}, options);
  world.vendor = [](const SimRequest&) { return SimVendor::Answer{}; };
  SimEnd& first = world.NewClient();
  first.Say(Post("x"));
  world.RunFor(kSecond);
  SimEnd& idle = world.NewClient();
  world.RunFor(kSecond);
  SimEnd& third = world.NewClient();
  third.Say(Post("x"));
  world.RunFor(kSecond);
  EXPECT_TRUE(idle.heard_end);
  SimEnd& fourth = world.NewClient();
  world.RunFor(kSecond);
  EXPECT_EQ(Understand(fourth.heard, true)[0].status, 503);
  EXPECT_EQ(world.begun, 2);
}

// Whatever the pieces, the delays and the losses: a whole answer is the right one, every call sees
// one End, what is complete was whole at the vendor, and nothing is left over.
TEST(Proxy, HoldsForEverySeed) {
  int whole = 0;
  for (uint64_t seed = 0; seed < 250; ++seed) {
    Random random(seed);
    const net::SimNetPlan plan{1 + random.Below(200), 64 + random.Below(20'000),
                               random.Between(0, 20'000)};
    ProxyOptions options;
    options.unsent_high_bytes = 1000 + random.Below(10'000);
    options.unsent_low_bytes = options.unsent_high_bytes / 2;
    options.drain_max_bytes = random.Below(20'000);
    SimGateway world(seed, plan, options);
    world.vendor = [&](const SimRequest& request) {
      const std::string body = request.body + request.body;
      const uint64_t kind = random.Below(10);
      if (kind == 0) return SimVendor::Answer{"", true};
      if (kind == 1) return SimVendor::Answer{Chunked({body}, false), true};
      if (kind == 2)
        return SimVendor::Answer{"HTTP/1.1 200 OK\r\nX-Until: close\r\n\r\n" + body, true};
      if (kind < 6) {
        return SimVendor::Answer{
            "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
            random.Chance(1, 8)};
      }
      return SimVendor::Answer{Chunked({body}), random.Chance(1, 8)};
    };
    world.script.next = [](const RequestView& request,
                           Outcome before) -> std::variant<Attempt, Reply> {
      if (before != Outcome::kNone) return Reply{502, {}, "lost"};
      return Attempt{0, "/", {}, request.body, 5 * kSecond};
    };
    std::vector<std::string> bodies;
    for (int client = 0; client < 4; ++client) {
      std::string body = std::to_string(client);
      body.append(random.Below(6000), static_cast<char>('a' + client));
      SimEnd& end = world.NewClient();
      for (int i = 0; i < 3; ++i) end.Say(Post(body));
      bodies.push_back(body);
    }
    for (int step = 0; step < 40; ++step) {
      for (uint64_t n = random.Below(200); n > 0; --n) world.net.Step();
      if (random.Chance(1, 15)) world.net.Break(random.Below(world.net.pairs()));
      if (random.Chance(1, 40)) world.clients[random.Below(4)].Leave();
      if (random.Chance(1, 40) && !world.vendors.empty()) {
        world.vendors[random.Below(world.vendors.size())]->end.Leave();
      }
    }
    world.RunFor(300 * kSecond);
    EXPECT_EQ(world.begun, world.ended) << "seed " << seed;
    EXPECT_EQ(world.proxy->stats().clients, 0u) << "seed " << seed;
    EXPECT_EQ(world.proxy->stats().draining, 0u) << "seed " << seed;
    EXPECT_EQ(world.proxy->stats().kept, 0u) << "seed " << seed;
    for (size_t i = 0; i < 4; ++i) {
      for (const Answer& answer : Understand(world.clients[i].heard, world.clients[i].heard_end)) {
        if (!answer.whole || answer.status != 200) continue;
        // Where only the end of the connection ends a body, a loss looks like the end.
        if (answer.head.find("X-Until") != std::string::npos) continue;
        ++whole;
        EXPECT_TRUE(answer.body == bodies[i] + bodies[i])
            << "seed " << seed << ": " << answer.body.size() << " of " << 2 * bodies[i].size()
            << " bytes\n"
            << answer.head;
      }
    }
  }
  EXPECT_GT(whole, 600);
}

}  // namespace
}  // namespace flyball::gateway
