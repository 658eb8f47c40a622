#include "net/connection.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "net/sim_net.h"

namespace flyball::net {
namespace {

Response Echo(const Request& request) {
  Response response;
  response.headers = {{"X-Path", request.path}};
  response.body = request.method + ":" + request.body;
  return response;
}

struct Fixture {
  ServerOptions options;
  SimClock clock{Instant{784887151 * kMicrosPerSecond}};
  Random random{42};
  Server::Admission admission;
  SimClient Client() { return SimClient(options, clock, random, Echo, admission); }
};

bool Contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(HttpDate, IsWrittenAsTheStandardSays) {
  EXPECT_EQ(HttpDate(Instant{784887151 * kMicrosPerSecond}), "Tue, 15 Nov 1994 08:12:31 GMT");
  EXPECT_EQ(HttpDate(Instant{0}), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(EventFrame, SplitsLines) {
  EXPECT_EQ(EventFrame("commit", "a\nb"), "event: commit\ndata: a\ndata: b\n\n");
}

TEST(Connection, AnswersAndStaysOpen) {
  Fixture f;
  SimClient client = f.Client();
  const std::string out = client.Send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\nX-Path: /a\r\n"
            "Content-Length: 4\r\n\r\nGET:");
  EXPECT_TRUE(client.connection().IsIdle());
  EXPECT_TRUE(
      Contains(client.Send("HEAD /b HTTP/1.1\r\nHost: h\r\n\r\n"), "Content-Length: 5\r\n\r\n"));
  EXPECT_FALSE(client.IsClosed());
  EXPECT_TRUE(Contains(client.Send("GET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
                       "Connection: close\r\n"));
  EXPECT_TRUE(client.IsClosed());
}

TEST(Connection, AnswersPipelinedRequestsInTheirOrder) {
  Fixture f;
  SimClient client = f.Client();
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += "\r\nGET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  }
  client.Send(all);
  ASSERT_EQ(client.handled().size(), 50u);
  for (size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(client.handled()[i].path, "/" + std::to_string(i));
  }
}

TEST(Connection, OldClientsGetOneAnswer) {
  Fixture f;
  SimClient client = f.Client();
  EXPECT_TRUE(Contains(client.Send("GET / HTTP/1.0\r\n\r\n"), "200 OK"));
  EXPECT_TRUE(client.IsClosed());
}

TEST(Connection, RefusesBeforeTheBodyIsTaken) {
  Fixture f;
  f.options.body_max_bytes = 10;
  f.admission = [](const Request& head) -> Result<BodyPlan> {
    if (head.path == "/secret") {
      return Fail(Code::kUnauthenticated, "no token");
    }
    if (head.path == "/large") return BodyPlan{false, 20};
    return BodyPlan{head.path == "/upload"};
  };
  const std::string length = " HTTP/1.1\r\nHost: h\r\nContent-Length: ";
  SimClient big = f.Client();
  EXPECT_TRUE(Contains(big.Send("POST /a" + length + "11\r\n\r\n"), "413 "));
  EXPECT_TRUE(big.connection().IsLingering());
  big.Send("hello worl");
  big.Wait(3 * kMicrosPerSecond);
  EXPECT_TRUE(big.IsClosed());
  SimClient chunked = f.Client();
  EXPECT_TRUE(
      Contains(chunked.Send("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "b\r\nhello world\r\n0\r\n\r\n"),
               "413 "));
  // A route may take more than the others, or less.
  SimClient large = f.Client();
  EXPECT_TRUE(Contains(large.Send("POST /large" + length + "11\r\n\r\nhello world"), "200 "));
  EXPECT_TRUE(Contains(large.Send("POST /large" + length + "21\r\n\r\n"), "413 "));
  SimClient secret = f.Client();
  EXPECT_TRUE(Contains(secret.Send("POST /secret" + length + "5\r\n\r\n"), "401 "));
  EXPECT_TRUE(secret.handled().empty());
  SimClient upload = f.Client();
  upload.Send("POST /upload" + length + "1000000\r\n\r\n" + std::string(1'000'000, 'x'));
  ASSERT_EQ(upload.handled().size(), 1u);
  EXPECT_EQ(upload.handled()[0].body.size(), 1'000'000u);
  SimClient patient = f.Client();
  EXPECT_TRUE(patient.Send("POST /a" + length + "3\r\nExpect: 100-continue\r\n\r\n")
                  .starts_with("HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_TRUE(Contains(patient.Send("abc"), "POST:abc"));
}

TEST(Connection, ChecksHostAndOrigin) {
  Fixture f;
  f.options.loopback_hosts_only = true;
  const auto status = [&](const std::string& head) {
    SimClient client = f.Client();
    return client.Send(head + "\r\n\r\n").substr(9, 3);
  };
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: localhost:80"), "200");
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: [::1]:80"), "200");
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: rebound.example"), "421");
  EXPECT_EQ(status("GET / HTTP/1.0"), "421");
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost"), "200");
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example"), "403");
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example"), "200");
  EXPECT_EQ(status("TRACE / HTTP/1.1\r\nHost: localhost"), "501");
  EXPECT_EQ(status("GET /%00 HTTP/1.1\r\nHost: localhost"), "400");
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: localhost\r\nExpect: miracles"), "417");
}

TEST(Connection, SlowClientsAreSentAway) {
  Fixture f;
  SimClient silent = f.Client();
  silent.Wait(11 * kMicrosPerSecond);
  EXPECT_TRUE(silent.IsClosed());
  // One byte a second never ends a head in time, however long it goes on.
  SimClient loris = f.Client();
  std::string out;
  for (int i = 0; i < 12 && !Contains(out, "408"); ++i) {
    out += loris.Send(i == 0 ? "G" : "E");
    out += loris.Wait(kMicrosPerSecond);
  }
  EXPECT_TRUE(Contains(out, "408 "));
  SimClient drip = f.Client();
  out = drip.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
  for (int i = 0; i < 25; ++i) {
    out += drip.Send("x");
    out += drip.Wait(kMicrosPerSecond);
  }
  EXPECT_TRUE(Contains(out, "408 "));
  SimClient idle = f.Client();
  idle.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  idle.Wait(59 * kMicrosPerSecond);
  EXPECT_FALSE(idle.IsClosed());
  idle.Wait(2 * kMicrosPerSecond);
  EXPECT_TRUE(idle.IsClosed());
}

TEST(Connection, WallClockJumpsChangeNothing) {
  Fixture f;
  SimClient client = f.Client();
  client.Send("GET / HT");
  f.clock.JumpWall(kMicrosPerDay);
  client.connection().Tick();
  EXPECT_TRUE(Contains(client.Send("TP/1.1\r\nHost: h\r\n\r\n"), "200 OK"));
}

// A client that does not read: its answer is given up after the write timeout.
TEST(Connection, WhoDoesNotReadIsClosed) {
  Fixture f;
  SimClient client = f.Client();
  Connection& connection = client.connection();
  connection.Receive("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  connection.Respond(Echo({}));
  f.clock.Advance(31 * kMicrosPerSecond);
  connection.Tick();
  EXPECT_TRUE(connection.IsClosed());
}

TEST(Connection, EventStreamsBeatAndEnd) {
  Fixture f;
  SimClient client = f.Client();
  Connection& connection = client.connection();
  connection.Receive("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
  connection.OpenEvents();
  EXPECT_TRUE(Contains(std::string(connection.Output()), "text/event-stream"));
  connection.Written(connection.Output().size());
  connection.PushEvent(EventFrame("commit", "{}"));
  EXPECT_EQ(connection.Output(), "event: commit\ndata: {}\n\n");
  connection.Written(connection.Output().size());
  f.clock.Advance(16 * kMicrosPerSecond);
  connection.Tick();
  EXPECT_EQ(connection.Output(), ":\n\n");
  f.clock.Advance(40 * kMicrosPerSecond);
  connection.Tick();
  EXPECT_TRUE(connection.IsClosed());
}

TEST(Connection, DrainLetsTheRunningRequestFinish) {
  Fixture f;
  SimClient idle = f.Client();
  idle.connection().Drain();
  EXPECT_TRUE(idle.IsClosed());
  SimClient busy = f.Client();
  busy.connection().Receive("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  busy.connection().Drain();
  EXPECT_FALSE(busy.IsClosed());
  busy.connection().Respond(Echo({}));
  EXPECT_TRUE(Contains(std::string(busy.connection().Output()), "Connection: close"));
  busy.connection().Written(busy.connection().Output().size());
  EXPECT_TRUE(busy.IsClosed());
}

TEST(Connection, HeadersCannotBeForged) {
  Fixture f;
  SimClient client(f.options, f.clock, f.random, [](const Request&) {
    Response response;
    response.headers = {{"X", "a\r\nSet-Cookie: b"}};
    return response;
  });
  EXPECT_FALSE(Contains(client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), "\r\nSet-Cookie"));
}

TEST(Connection, AnyChunkingAnswersTheSame) {
  rc::check("chunks, delays and small reads change nothing", [](uint64_t seed) {
    Random random(seed);
    std::string text;
    const uint64_t requests = 1 + random.Below(5);
    for (uint64_t i = 0; i < requests; ++i) {
      const std::string body(random.Below(3000), 'b');
      text += fmt::format("POST /{}{} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}",
                          random.Chance(1, 2) ? "upload/" : "", i, body.size(), body);
    }
    const auto run = [&](const SimPlan& plan) {
      ServerOptions options;
      SimClock clock(Instant{0});
      SimClient client(options, clock, random, Echo, [](const Request& head) -> Result<BodyPlan> {
        return BodyPlan{head.path.starts_with("/upload")};
      });
      return client.Send(text, plan);
    };
    const std::string whole = run({1 << 20, 1 << 20, 0, {}});
    const std::string pieces = run({1 + random.Below(50), 1 + random.Below(200), 1000, {}});
    // The dates may differ: time passes in the second run.
    const auto without_dates = [](std::string out) {
      for (size_t at = out.find("Date: "); at != std::string::npos; at = out.find("Date: ")) {
        out.erase(at, out.find('\n', at) - at + 1);
      }
      return out;
    };
    RC_ASSERT(without_dates(pieces) == without_dates(whole));
    RC_ASSERT(!whole.empty());
  });
}

TEST(Connection, SurvivesGarbageAndLoss) {
  rc::check("never crashes, always ends", [](uint64_t seed) {
    Random random(seed);
    ServerOptions options;
    SimClock clock(Instant{0});
    SimClient client(options, clock, random, Echo,
                     [](const Request&) -> Result<BodyPlan> { return BodyPlan{true}; });
    std::string text =
        "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    text += text;
    for (uint64_t i = random.Below(10); i > 0; --i) {
      text[random.Below(text.size())] = static_cast<char>(random.Below(256));
    }
    SimPlan plan{1 + random.Below(80), 1 + random.Below(80), 0, {}};
    if (random.Chance(1, 2)) {
      plan.lost_after = random.Below(text.size());
    }
    client.Send(text, plan);
    client.Wait(300 * kMicrosPerSecond, plan);
    RC_ASSERT(client.IsClosed());
  });
}

}  // namespace
}  // namespace flyball::net
