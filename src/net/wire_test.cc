#include "net/wire.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "net/parser.h"

namespace flyball::net {
namespace {

std::expected<void, WireFault> Request(std::string_view text, Head* head) {
  size_t looked = 0;
  const size_t end = FindHeadEnd(text, &looked);
  return ParseRequestHead(text.substr(0, end == 0 ? text.size() : end), {}, head);
}

int RequestStatus(std::string_view text) {
  Head head;
  auto parsed = Request(text, &head);
  return parsed ? 0 : parsed.error().status;
}

TEST(Wire, ReadsRequestHeads) {
  Head head;
  ASSERT_TRUE(
      Request("POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: h:1\r\nX-A:  v w \t\r\n"
              "content-LENGTH: 12\r\nExpect: 100-Continue\r\nEmpty:\r\n\r\nbody",
              &head));
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v1/chat/completions?a=b");
  EXPECT_EQ(head.host, "h:1");
  ASSERT_EQ(head.headers.size(), 5u);
  EXPECT_EQ(head.headers[1].name, "X-A");
  EXPECT_EQ(head.headers[1].value, "v w");
  EXPECT_EQ(head.headers[4].value, "");
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.length, 12);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.expects_continue);
  ASSERT_TRUE(Request("GET http://h/x HTTP/1.0\r\n\r\n", &head));
  EXPECT_EQ(head.target, "/x");
  EXPECT_FALSE(head.keep_alive);
  EXPECT_EQ(head.framing, Framing::kNone);
  EXPECT_EQ(head.length, -1);
  ASSERT_TRUE(Request("GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n", &head));
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.names_hop_headers);
  ASSERT_TRUE(Request("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n", &head));
  EXPECT_EQ(head.framing, Framing::kChunked);
}

TEST(Wire, RefusesWhatCanBeReadTwoWays) {
  const std::string host = "POST / HTTP/1.1\r\nHost: h\r\n";
  for (const char* rest : {
           "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
           "Content-Length: 1, 1\r\n\r\n",
           "Content-Length: +1\r\n\r\n",
           "Content-Length: -1\r\n\r\n",
           "Content-Length: 0x1\r\n\r\n",
           "Content-Length:\r\n\r\n",
           "Content-Length: 9999999999999999999\r\n\r\n",
           "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
           "Host: other\r\n\r\n",
           "X: a\r\n b\r\n\r\n",
           "X : a\r\n\r\n",
           " X: a\r\n\r\n",
           ": a\r\n\r\n",
           "X: a\n\r\n\r\n",
           "X: a\rb\r\n\r\n",
           "X: a\n\n",
           "no header\r\n\r\n",
       }) {
    EXPECT_EQ(RequestStatus(host + rest), 400) << rest;
  }
  EXPECT_EQ(RequestStatus(host + std::string("X: a\0b\r\n\r\n", 10)), 400);
  EXPECT_EQ(RequestStatus(host + "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501);
  EXPECT_EQ(RequestStatus("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(RequestStatus("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(RequestStatus("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
  for (const char* line :
       {"GET /", "GET", "", "GET / HTTP/1.1 ", "GET  / HTTP/1.1", "G(T / HTTP/1.1",
        "GET /a b HTTP/1.1", "GET x HTTP/1.1", "GET * HTTP/1.1", "GET / HTTP/1.1x",
        "GET /\x80 HTTP/1.1", "GET http://h HTTP/1.1"}) {
    EXPECT_EQ(RequestStatus(std::string(line) + "\r\nHost: h\r\n\r\n"), 400) << line;
  }
  std::string many = host;
  for (int i = 0; i < 200; ++i) many += "X: y\r\n";
  EXPECT_EQ(RequestStatus(many + "\r\n"), 431);
  EXPECT_EQ(RequestStatus(host + "X: " + std::string(70'000, 'x') + "\r\n\r\n"), 431);
}

int ResponseStatus(std::string_view text, Head* head, bool to_head = false) {
  auto parsed = ParseResponseHead(text, {}, to_head, head);
  return parsed ? head->status : -1;
}

TEST(Wire, ReadsResponseHeads) {
  Head head;
  EXPECT_EQ(ResponseStatus("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", &head), 200);
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.reason, "OK");
  EXPECT_EQ(ResponseStatus("HTTP/1.1 200\r\nContent-Length: 3\r\n\r\n", &head, true), 200);
  EXPECT_EQ(head.framing, Framing::kNone);
  EXPECT_EQ(head.length, 3);
  EXPECT_EQ(ResponseStatus("HTTP/1.1 204 \r\n\r\n", &head), 204);
  EXPECT_EQ(head.framing, Framing::kNone);
  EXPECT_EQ(ResponseStatus("HTTP/1.1 200 OK\r\n\r\n", &head), 200);
  EXPECT_EQ(head.framing, Framing::kUntilClose);
  EXPECT_FALSE(head.keep_alive);
  for (const char* line : {"HTTP/1.1 99 X", "HTTP/1.1 2000", "HTTP/1.1 abc", "HTTP/1.1",
                           "ICY 200 OK", "HTTP/1.1 20\x01 x", "HTTP/3.0 200 OK"}) {
    EXPECT_EQ(ResponseStatus(std::string(line) + "\r\n\r\n", &head), -1) << line;
  }
}

TEST(Wire, FindsTheEndOfAHeadInAnyPieces) {
  const std::string_view text = "GET / HTTP/1.1\r\nA: b\r\n\r\nrest\r\n\r\n";
  size_t looked = 0;
  for (size_t n = 0; n < text.size(); ++n) {
    const size_t end = FindHeadEnd(text.substr(0, n), &looked);
    if (n < 24) {
      EXPECT_EQ(end, 0u);
    } else {
      EXPECT_EQ(end, 24u);
      break;
    }
  }
}

struct Read {
  int status = 0;
  std::string data;
  size_t used = 0;
};

Read ReadBody(std::string_view text, Framing framing, int64_t length, Random& random, size_t most) {
  BodyReader reader(framing, length);
  Read read;
  std::string in;
  size_t given = 0;
  while (!reader.done() && (given < text.size() || !in.empty())) {
    const size_t n = std::min<size_t>(text.size() - given, 1 + random.Below(most));
    in.append(text.substr(given, n));
    given += n;
    while (!in.empty() && !reader.done()) {
      auto step = reader.Next(in);
      if (!step) {
        read.status = step.error().status;
        return read;
      }
      read.data.append(step->data);
      read.used += step->used;
      in.erase(0, step->used);
    }
  }
  read.status = reader.End() ? 0 : -1;
  return read;
}

TEST(Wire, ReadsBodies) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    Read chunked = ReadBody("3;x=\"y\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nT: u\r\n\r\nrest",
                            Framing::kChunked, -1, random, 1 + seed);
    EXPECT_EQ(chunked.status, 0);
    EXPECT_EQ(chunked.data, "abc0123456789");
    EXPECT_EQ(chunked.used, 42u);
    Read length = ReadBody("abcdef", Framing::kLength, 4, random, 3);
    EXPECT_EQ(length.data, "abcd");
    EXPECT_EQ(ReadBody("abc", Framing::kLength, 4, random, 3).status, -1);
    EXPECT_EQ(ReadBody("abc", Framing::kUntilClose, -1, random, 2).status, 0);
    EXPECT_EQ(ReadBody("3\r\nab", Framing::kChunked, -1, random, 2).status, -1);
    for (const char* bad :
         {"\r\n", "g\r\n", "3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n",
          "1000000000000000\r\n", "-1\r\n", "0x1\r\nx\r\n", "3 \r\nabc\r\n", "1;\nx\r\n", "0\r\n\n",
          "0\r\nT: \x01\r\n\r\n", "0\r\nT\n\r\n"}) {
      EXPECT_EQ(ReadBody(bad, Framing::kChunked, -1, random, 3).status, 400) << bad;
    }
  }
}

// Messages made of good and bad pieces: what this reader takes, the other one takes too and reads
// the same. (It may refuse more: it is the stricter of both.)
TEST(Wire, ReadsNoMessageThatBeastReadsOtherwise) {
  const std::vector<std::string> starts = {"GET / HTTP/1.1\r\n", "POST /a HTTP/1.1\r\n",
                                           "POST /a HTTP/1.0\r\n", "HEAD /x?y HTTP/1.1\r\n"};
  const std::vector<std::string> lines = {
      "Host: h\r\n",
      "host:h2\r\n",
      "Content-Length: 5\r\n",
      "Content-Length: 0\r\n",
      "Content-Length: 5 \r\n",
      "Transfer-Encoding: chunked\r\n",
      "X: y\r\n",
      "X : y\r\n",
      " folded\r\n",
      "X: y\n",
      "Connection: close\r\n",
      "Connection: keep-alive\r\n",
      "Content-Length: 05\r\n",
      "Transfer-Encoding: identity\r\n",
      "\tX: y\r\n",
      "X: a\rb\r\n",
  };
  const std::vector<std::string> bodies = {"",
                                           "hello",
                                           "5\r\nhello\r\n0\r\n\r\n",
                                           "0\r\n\r\n",
                                           "05;a\r\nhello\r\n0\r\nT: x\r\n\r\n",
                                           "5\nhello"};
  int taken = 0;
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    Random random(seed);
    std::string text = starts[random.Below(starts.size())];
    if (random.Chance(3, 4)) text += "Host: h\r\n";
    for (uint64_t n = random.Below(4); n > 0; --n) text += lines[random.Below(lines.size())];
    text += "\r\n";
    const size_t head_bytes = text.size();
    text += bodies[random.Below(bodies.size())];
    Head head;
    size_t looked = 0;
    if (FindHeadEnd(text, &looked) != head_bytes ||
        !ParseRequestHead(std::string_view(text).substr(0, head_bytes), {}, &head)) {
      continue;
    }
    const Read body =
        ReadBody(std::string_view(text).substr(head_bytes), head.framing, head.length, random, 7);
    if (body.status != 0) continue;
    ++taken;
    MessageParser beast(MessageParser::Kind::kRequest, 64u << 10);
    std::string beast_body;
    std::string_view rest = text;
    while (!beast.done()) {
      auto used = beast.Put(rest, &beast_body);
      ASSERT_TRUE(used) << text << used.error().message;
      if (*used == 0) break;
      rest.remove_prefix(*used);
    }
    ASSERT_TRUE(beast.done()) << text;
    EXPECT_EQ(beast_body, body.data) << text;
    EXPECT_EQ(beast.head().method, head.method);
    EXPECT_EQ(beast.head().target, head.target);
    EXPECT_TRUE(beast.head().keep_alive || !head.keep_alive) << text;
    EXPECT_EQ(text.size() - rest.size(), head_bytes + body.used) << text;
  }
  EXPECT_GT(taken, 1000);
}

TEST(Wire, KnowsHeadersOfOneHop) {
  for (const char* name :
       {"Connection", "keep-alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
        "Proxy-Connection", "Proxy-Authorization", "Proxy-Authenticate"}) {
    EXPECT_TRUE(IsHopHeader(name)) << name;
  }
  EXPECT_FALSE(IsHopHeader("Content-Type"));
  EXPECT_TRUE(ListHas("a, B ,c", "b"));
  EXPECT_FALSE(ListHas("ab", "b"));
  std::string chunk;
  AppendChunkHead(0x1a2b, &chunk);
  EXPECT_EQ(chunk, "1a2b\r\n");
}

}  // namespace
}  // namespace flyball::net
