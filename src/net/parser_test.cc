#include "net/parser.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/clock.h"

namespace flyball::net {
namespace {

constexpr size_t kHeadMax = 4096;

struct Outcome {
  int status = 0;  // 0: whole message
  MessageHead head;
  std::string body;
  std::string rest;
};

// Gives the text to a parser in pieces of random size, as a connection does.
Outcome ParseInPieces(std::string_view text, Random& random, size_t piece_max,
                      MessageParser::Kind kind = MessageParser::Kind::kRequest) {
  MessageParser parser(kind, kHeadMax);
  Outcome outcome;
  std::string in;
  while (!parser.done()) {
    const size_t n = text.empty() ? 0 : 1 + random.Below(std::min(piece_max, text.size()));
    in.append(text.substr(0, n));
    text.remove_prefix(n);
    for (size_t used = 1; used > 0 && !in.empty() && !parser.done();) {
      auto taken = parser.Put(in, &outcome.body);
      if (!taken) {
        outcome.status = taken.error().status;
        return outcome;
      }
      used = *taken;
      in.erase(0, used);
    }
    if (n == 0 && !parser.done()) {
      outcome.status = parser.PutEnd() ? 0 : -1;
      break;
    }
  }
  outcome.head = parser.head();
  outcome.rest = in + std::string(text);
  return outcome;
}

Outcome Parse(std::string_view text, MessageParser::Kind kind = MessageParser::Kind::kRequest) {
  Random random(1);
  return ParseInPieces(text, random, text.size(), kind);
}

TEST(MessageParser, ReadsRequests) {
  Outcome get = Parse("GET /a?b HTTP/1.1\r\nHost: h\r\nX-Two: 1\r\nx-two: 2\r\n\r\nGET");
  EXPECT_EQ(get.status, 0);
  EXPECT_EQ(get.head.method, "GET");
  EXPECT_EQ(get.head.target, "/a?b");
  EXPECT_EQ(get.head.headers["x-two"], "1, 2");
  EXPECT_TRUE(get.head.keep_alive);
  EXPECT_FALSE(get.head.has_body);
  EXPECT_EQ(get.rest, "GET");
  Outcome post = Parse("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcd");
  EXPECT_EQ(post.body, "abc");
  EXPECT_EQ(post.rest, "d");
  Outcome chunked = Parse(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n!");
  EXPECT_EQ(chunked.status, 0);
  EXPECT_EQ(chunked.body, "abcde");
  EXPECT_EQ(chunked.rest, "!");
  EXPECT_FALSE(chunked.head.headers.contains("trailer"));
}

TEST(MessageParser, ReadsResponses) {
  constexpr auto kResponse = MessageParser::Kind::kResponse;
  Outcome to_end = Parse("HTTP/1.1 200 OK\r\nX: y\r\n\r\nall of it", kResponse);
  EXPECT_EQ(to_end.status, 0);
  EXPECT_EQ(to_end.body, "all of it");
  EXPECT_EQ(Parse("HTTP/1.1 204 No Content\r\n\r\n", kResponse).head.status, 204);
  EXPECT_EQ(Parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", kResponse).status, -1);
}

TEST(MessageParser, RefusesAmbiguousFraming) {
  const std::pair<const char*, int> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 400},  // no host
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.1\nHost: a\n\n", 505},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 501},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdefgh\r\n", 400},
  };
  for (const auto& [text, status] : cases) {
    EXPECT_EQ(Parse(text).status, status) << text;
  }
}

// Found by http_fuzz: an assertion of Beast's ended the program.
TEST(MessageParser, AnEmptyChunkedBodyMayArriveByteByByte) {
  const std::string text =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nNEXT";
  for (size_t piece = 1; piece < 8; ++piece) {
    Random random(piece);
    for (int i = 0; i < 50; ++i) {
      const Outcome outcome = ParseInPieces(text, random, piece);
      EXPECT_EQ(outcome.status, 0);
      EXPECT_EQ(outcome.body, "");
      EXPECT_EQ(outcome.rest, "NEXT");
    }
  }
}

TEST(MessageParser, LimitsHeadsHoweverTheyArrive) {
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 1000; ++i) {
    many += "X-Header: value\r\n";
  }
  const std::string endless = "GET /" + std::string(100'000, 'a');
  Random random(7);
  for (size_t piece : {size_t{1}, size_t{100}, size_t{1} << 20}) {
    EXPECT_EQ(ParseInPieces(many, random, piece).status, 431) << piece;
    EXPECT_EQ(ParseInPieces(endless, random, piece).status, 431) << piece;
  }
  const std::string extension =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
      std::string(100'000, 'x');
  EXPECT_EQ(Parse(extension).status, 400);
}

std::string RandomRequest(Random& random, std::string* body) {
  std::string text = random.Chance(1, 2) ? "POST" : "PUT";
  text += " /p" + std::to_string(random.Below(1000)) + "?q=" + std::to_string(random.Below(1000)) +
          " HTTP/1.1\r\nHost: localhost\r\n";
  for (uint64_t i = random.Below(20); i > 0; --i) {
    text += "X-" + std::to_string(i) + ": " + std::string(random.Below(100), 'v') + "\r\n";
  }
  for (uint64_t i = random.Below(random.Chance(1, 4) ? 4 : 5000); i > 0; --i) {
    *body += static_cast<char>(random.Below(256));
  }
  if (random.Chance(1, 2)) {
    return text + "Content-Length: " + std::to_string(body->size()) + "\r\n\r\n" + *body;
  }
  text += "Transfer-Encoding: chunked\r\n\r\n";
  for (size_t at = 0; at < body->size();) {
    const size_t n = 1 + random.Below(body->size() - at);
    text += fmt::format("{:x}\r\n", n) + body->substr(at, n) + "\r\n";
    at += n;
  }
  return text + "0\r\n\r\n";
}

TEST(MessageParser, ReadsTheSameHoweverTheBytesArrive) {
  rc::check("any chunking of a request gives the same parse", [](uint64_t seed) {
    Random random(seed);
    std::string body;
    const std::string text = RandomRequest(random, &body);
    const Outcome whole = ParseInPieces(text + "NEXT", random, text.size() + 4);
    const Outcome pieces = ParseInPieces(text + "NEXT", random, 1 + random.Below(64));
    RC_ASSERT(whole.status == 0);
    RC_ASSERT(pieces.status == 0);
    RC_ASSERT(whole.body == body);
    RC_ASSERT(pieces.body == body);
    RC_ASSERT(pieces.head.target == whole.head.target);
    RC_ASSERT(pieces.head.headers == whole.head.headers);
    RC_ASSERT(pieces.rest == "NEXT");
    RC_ASSERT(whole.rest == "NEXT");
  });
}

TEST(MessageParser, SurvivesGarbage) {
  rc::check("damaged requests are read or refused", [](uint64_t seed) {
    Random random(seed);
    std::string body;
    std::string text = RandomRequest(random, &body);
    for (uint64_t i = 1 + random.Below(8); i > 0; --i) {
      text[random.Below(text.size())] = static_cast<char>(random.Below(256));
    }
    ParseInPieces(text, random, 1 + random.Below(4096));
    std::string noise;
    for (uint64_t i = random.Below(2000); i > 0; --i) {
      noise += static_cast<char>(random.Below(256));
    }
    ParseInPieces(noise, random, 64);
    ParseInPieces(noise, random, 64, MessageParser::Kind::kResponse);
  });
}

}  // namespace
}  // namespace flyball::net
