// The server over real sockets on free ports of the loopback. What a connection does in detail
// stands in connection_test.cc, on the simulated network.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>

#include "net/http.h"
#include "net/socket.h"
#include "net/spool.h"

namespace flyball::net {
namespace {

constexpr int kTimeoutMs = 20'000;

class TempFolder {
 public:
  TempFolder() {
    const char* base = getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/flyball-net-XXXXXX";
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A raw client that says what it likes.
class RawClient {
 public:
  explicit RawClient(int port) : fd_(*ConnectTo("127.0.0.1", port, kTimeoutMs)) {}
  void Send(std::string_view text) {
    while (!text.empty()) {
      pollfd wait{fd_.get(), POLLOUT, 0};
      ASSERT_EQ(poll(&wait, 1, kTimeoutMs), 1);
      const ssize_t n = send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      ASSERT_GT(n, 0);
      text.remove_prefix(static_cast<size_t>(n));
    }
  }
  // Until the text has come, or the server closes.
  std::string ReceiveUntil(std::string_view end) {
    std::string all;
    std::array<char, 65536> buffer{};
    while (end.empty() || all.find(end) == std::string::npos) {
      pollfd wait{fd_.get(), POLLIN, 0};
      if (poll(&wait, 1, kTimeoutMs) != 1) {
        ADD_FAILURE() << "the server is silent after: " << all;
        return all;
      }
      const ssize_t n = recv(fd_.get(), buffer.data(), buffer.size(), 0);
      if (n <= 0) {
        closed_ = true;
        return all;
      }
      all.append(buffer.data(), static_cast<size_t>(n));
    }
    return all;
  }
  bool closed() const { return closed_; }
  int fd() const { return fd_.get(); }

 private:
  Fd fd_;
  bool closed_ = false;
};

Response Text(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

Request Ask(std::string method, std::string path, std::string body = {}) {
  Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.body = std::move(body);
  return request;
}

std::unique_ptr<Server> MustStart(const ServerOptions& options, Server::Handler handler,
                                  Server::Admission admission = {},
                                  std::map<std::string, Server::Subscriber> events = {}) {
  auto server = Server::Start(options, std::move(handler), std::move(admission), std::move(events));
  EXPECT_TRUE(server.has_value()) << server.error().message;
  return *std::move(server);
}

TEST(Server, AnswersTheClient) {
  auto server = MustStart({}, [](const Request& request) {
    return Text(request.method + " " + request.path + " " + request.query.at("q") + " " +
                request.body + " " + request.peer);
  });
  Request request = Ask("POST", "/a b", "body");
  request.query["q"] = "x&y";
  auto answer = Fetch("127.0.0.1", server->port(), request, kTimeoutMs);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "POST /a b x&y body 127.0.0.1");
  EXPECT_FALSE(answer->headers.contains("server"));
  EXPECT_TRUE(answer->headers.contains("date"));
}

TEST(Server, KnowsBothEndsOfAConnection) {
  ServerOptions options;
  options.address = "127.0.0.2";
  auto server = MustStart(
      options, [](const Request& request) { return Text(request.peer + " to " + request.local); });
  auto answer = Fetch("127.0.0.2", server->port(), Ask("GET", "/"), kTimeoutMs);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_TRUE(answer->body.ends_with(" to 127.0.0.2")) << answer->body;
}

TEST(Server, ListensOnIpv6) {
  ServerOptions options;
  options.address = "::1";
  auto server = Server::Start(options, [](const Request&) { return Text("six"); }, {}, {});
  if (!server) {
    GTEST_SKIP() << "this machine has no IPv6 loopback: " << server.error().message;
  }
  auto answer = Fetch("::1", (*server)->port(), Ask("GET", "/"), kTimeoutMs);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body, "six");
}

TEST(Server, SaysWhenThePortIsTaken) {
  auto server = MustStart({}, [](const Request&) { return Text(""); });
  ServerOptions options;
  options.port = server->port();
  auto second = Server::Start(options, [](const Request&) { return Text(""); }, {}, {});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Code::kUnavailable);
}

TEST(Fetch, SaysWhenNobodyListens) {
  int port = 0;
  {
    auto server = MustStart({}, [](const Request&) { return Text(""); });
    port = server->port();
  }
  auto answer = Fetch("127.0.0.1", port, Ask("GET", "/"), kTimeoutMs);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
}

TEST(Server, KeepsConnectionsAndPipelines) {
  auto server =
      MustStart({}, [](const Request& request) { return Text("<" + request.path + ">"); });
  RawClient client(server->port());
  client.Send("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(client.ReceiveUntil("</1>").find("200 OK"), std::string::npos);
  client.Send(
      "GET /2 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /3 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string out = client.ReceiveUntil("</3>");
  EXPECT_LT(out.find("</2>"), out.find("</3>"));
}

TEST(Server, RunsHandlersInParallel) {
  std::mutex mutex;
  std::condition_variable all_in;
  int inside = 0;
  ServerOptions options;
  options.threads = 4;
  // Each handler waits for the other three.
  auto server = MustStart(options, [&](const Request&) {
    std::unique_lock lock(mutex);
    ++inside;
    all_in.notify_all();
    const bool together =
        all_in.wait_for(lock, std::chrono::seconds(20), [&] { return inside >= 4; });
    return Text(together ? "together" : "alone");
  });
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 4; ++i) {
    answers.push_back(std::async(std::launch::async, [&] {
      return Fetch("127.0.0.1", server->port(), Ask("GET", "/"), kTimeoutMs)->body;
    }));
  }
  for (auto& answer : answers) {
    EXPECT_EQ(answer.get(), "together");
  }
}

TEST(Server, SendsLargeAnswersWhole) {
  std::string large(8 << 20, 'x');
  for (size_t i = 0; i < large.size(); i += 997) {
    large[i] = static_cast<char>('a' + i % 26);
  }
  auto shared = std::make_shared<const std::string>(large);
  auto server = MustStart({}, [&](const Request& request) {
    Response response;
    if (request.path == "/static") {
      response.static_body = large;
    } else {
      response.shared_body = shared;
    }
    return response;
  });
  for (const char* path : {"/static", "/shared"}) {
    auto answer = Fetch("127.0.0.1", server->port(), Ask("GET", path), kTimeoutMs);
    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(answer->body == large);
  }
  EXPECT_EQ(Fetch("127.0.0.1", server->port(), Ask("HEAD", "/static"), kTimeoutMs)->body, "");
}

TEST(Server, AnswersLaterWithoutHoldingAThread) {
  ServerOptions options;
  options.threads = 1;
  std::mutex mutex;
  std::vector<std::function<void(Response)>> waiting;
  auto server = MustStart(options, [&](const Request& request) {
    Response response;
    if (request.path == "/slow" || request.path == "/forgotten") {
      response.later = [&, forgets = request.path == "/forgotten"](auto answer) {
        std::lock_guard lock(mutex);
        if (!forgets) {
          waiting.push_back(std::move(answer));
        }
      };
      return response;
    }
    std::lock_guard lock(mutex);
    return Text(std::to_string(waiting.size()));
  });
  auto slow = std::async(std::launch::async, [&] {
    return Fetch("127.0.0.1", server->port(), Ask("GET", "/slow"), kTimeoutMs)->body;
  });
  while (Fetch("127.0.0.1", server->port(), Ask("GET", "/"), kTimeoutMs)->body != "1") {
  }
  std::function<void(Response)> answer = [&] {
    std::lock_guard lock(mutex);
    return std::exchange(waiting, {}).front();
  }();
  answer(Text("at last"));
  answer(Text("twice"));
  EXPECT_EQ(slow.get(), "at last");
  EXPECT_EQ(Fetch("127.0.0.1", server->port(), Ask("GET", "/forgotten"), kTimeoutMs)->status, 500);
}

TEST(Server, SurvivesHandlersThatThrow) {
  auto server =
      MustStart({}, [](const Request& request) { return Text(request.query.at("none")); });
  EXPECT_EQ(Fetch("127.0.0.1", server->port(), Ask("GET", "/"), kTimeoutMs)->status, 500);
}

Server::Admission Uploads() {
  return [](const Request& head) -> Result<BodyPlan> {
    if (head.path == "/secret") {
      return Fail(Code::kUnauthenticated, "no token");
    }
    return BodyPlan{head.path == "/upload"};
  };
}

TEST(Server, SpoolsUploadsAndRemovesThem) {
  TempFolder folder;
  ServerOptions options;
  options.upload_dir = folder.path();
  std::string path;
  auto server = MustStart(
      options,
      [&](const Request& request) {
        struct stat facts{};
        EXPECT_EQ(stat(request.body_file.c_str(), &facts), 0);
        EXPECT_EQ(facts.st_mode & 0777, 0600u);
        path = request.body_file;
        std::ifstream in(path, std::ios::binary);
        const std::string content((std::istreambuf_iterator<char>(in)), {});
        return Text(std::to_string(content.size()) + content.substr(content.size() - 4));
      },
      Uploads());
  const std::string source = folder.path() + "/source";
  std::ofstream(source) << std::string(20 << 20, 'z') << "last";
  Request request = Ask("POST", "/upload");
  request.body_file = source;
  uint64_t told = 0;
  FetchOptions fetch;
  fetch.progress = [&](uint64_t sent, uint64_t total) {
    told = sent;
    return sent <= total;
  };
  auto answer = Fetch("127.0.0.1", server->port(), request, fetch);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body, "20971524last");
  EXPECT_EQ(told, 20971524u);
  server.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Server, RefusesUploadsAtOnce) {
  TempFolder folder;
  ServerOptions options;
  options.upload_dir = folder.path();
  options.upload_max_bytes = 1 << 20;
  auto server = MustStart(options, [](const Request&) { return Text("taken"); }, Uploads());
  const std::string source = folder.path() + "/source";
  std::ofstream(source) << std::string(12 << 20, 'z');
  Request request = Ask("POST", "/secret");
  request.body_file = source;
  auto secret = Fetch("127.0.0.1", server->port(), request, kTimeoutMs);
  ASSERT_TRUE(secret.has_value()) << secret.error().message;
  EXPECT_EQ(secret->status, 401);
  request.path = "/upload";
  auto large = Fetch("127.0.0.1", server->port(), request, kTimeoutMs);
  ASSERT_TRUE(large.has_value()) << large.error().message;
  EXPECT_EQ(large->status, 413);
  request.path = "/other";
  EXPECT_EQ(Fetch("127.0.0.1", server->port(), request, kTimeoutMs)->status, 413);
}

TEST(Server, RefusesWithTheCallersWords) {
  auto server = Server::Start(
      {}, [](const Request&) { return Text(""); }, {}, {},
      [](int status, const Error& error) {
        Response response;
        response.status = status;
        response.body = "refused: " + std::string(CodeName(error.code));
        return response;
      });
  ASSERT_TRUE(server.has_value());
  RawClient client((*server)->port());
  client.Send("NONSENSE\r\n\r\n");
  EXPECT_NE(client.ReceiveUntil("").find("refused: INVALID_ARGUMENT"), std::string::npos);
  EXPECT_TRUE(client.closed());
  RawClient rebound((*server)->port());
  rebound.Send("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_NE(rebound.ReceiveUntil("refused").find(" 421 "), std::string::npos);
}

TEST(Server, ClosesSlowClients) {
  ServerOptions options;
  options.head_timeout_ms = 50;
  options.body_window_ms = 50;
  auto server = MustStart(options, [](const Request&) { return Text(""); });
  RawClient head(server->port());
  head.Send("GET / HTTP/1.1\r\nHo");
  EXPECT_NE(head.ReceiveUntil("").find(" 408 "), std::string::npos);
  RawClient body(server->port());
  body.Send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc");
  EXPECT_NE(body.ReceiveUntil("").find(" 408 "), std::string::npos);
}

TEST(Server, MakesRoomForNewConnections) {
  ServerOptions options;
  options.connections_max = 4;
  auto server = MustStart(options, [](const Request&) { return Text("ok"); });
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<RawClient>(server->port()));
    clients.back()->Send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_NE(clients.back()->ReceiveUntil("ok").find("200"), std::string::npos) << i;
  }
}

TEST(Server, StreamsEvents) {
  std::mutex mutex;
  std::condition_variable arrived;
  std::shared_ptr<EventStream> stream;
  auto server = MustStart({}, [](const Request&) { return Text("plain"); }, {},
                          {{"/events", [&](const Request&, std::shared_ptr<EventStream> opened) {
                              opened->Send("hello", "{}");
                              std::lock_guard lock(mutex);
                              stream = std::move(opened);
                              arrived.notify_all();
                            }}});
  auto client = std::make_unique<RawClient>(server->port());
  client->Send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(client->ReceiveUntil("event: hello\ndata: {}\n\n").find("text/event-stream"),
            std::string::npos);
  {
    std::unique_lock lock(mutex);
    arrived.wait(lock, [&] { return stream != nullptr; });
  }
  EXPECT_TRUE(stream->Send("commit", "{\"id\":1}"));
  client->ReceiveUntil("event: commit\ndata: {\"id\":1}\n\n");
  client.reset();
  // Sooner or later the server notices; until then what is sent is bounded.
  while (stream->Send("commit", std::string(1000, 'x'))) {
    std::this_thread::yield();
  }
}

TEST(Server, DropsAListenerThatDoesNotRead) {
  std::promise<std::shared_ptr<EventStream>> opened;
  auto server = MustStart({}, [](const Request&) { return Text(""); }, {},
                          {{"/events", [&](const Request&, std::shared_ptr<EventStream> stream) {
                              opened.set_value(std::move(stream));
                            }}});
  RawClient client(server->port());
  client.Send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::shared_ptr<EventStream> stream = opened.get_future().get();
  uint64_t sent = 0;
  const std::string data(10'000, 'x');
  while (stream->Send("commit", data)) {
    sent += data.size();
    ASSERT_LT(sent, uint64_t{1} << 30) << "the queue has no bound";
  }
  EXPECT_FALSE(stream->Send("commit", "more"));
}

TEST(Server, DrainsGracefully) {
  std::promise<void> inside;
  std::promise<void> go;
  auto server = MustStart({}, [&](const Request&) {
    inside.set_value();
    go.get_future().wait();
    return Text("finished");
  });
  const int port = server->port();
  RawClient idle(port);
  auto running = std::async(std::launch::async, [&] {
    return Fetch("127.0.0.1", port, Ask("GET", "/"), kTimeoutMs)->body;
  });
  inside.get_future().wait();
  auto drained = std::async(std::launch::async, [&] { server->Drain(kTimeoutMs); });
  EXPECT_EQ(idle.ReceiveUntil(""), "");  // closed
  go.set_value();
  EXPECT_EQ(running.get(), "finished");
  drained.get();
  EXPECT_FALSE(Fetch("127.0.0.1", port, Ask("GET", "/"), kTimeoutMs).has_value());
}

}  // namespace
}  // namespace flyball::net
