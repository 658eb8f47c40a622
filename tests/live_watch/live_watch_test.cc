// The live watch through the binary: a gateway in front of a vendor, a server beside it, and an
// agent that runs away.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/time.h"
#include "model/metered_call.h"
#include "net/http.h"
#include "os/files.h"
#include "os/journal.h"
#include "support/home_test.h"

namespace flyball::tests {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

// Calls of the ordinary application take a quarter of a second and cost little; those of the agent
// come at once and are dear.
constexpr char kScript[] = R"({"models": ["gpt-4o", "gpt-4o-mini"],
  "rules": [{"match": {"model": "gpt-4o-mini"}, "first_byte_ms": 250, "input_tokens": 2000},
            {"match": {"model": "gpt-4o"}, "first_byte_ms": 20, "input_tokens": 4000}]})";
constexpr int kTimeoutMs = 60'000;

// The stream of /api/v1/events: one event after the other.
class Events {
 public:
  explicit Events(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const std::string head =
        "GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n\r\n";
    is_open_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
               write(socket_, head.data(), head.size()) == static_cast<ssize_t>(head.size());
  }
  ~Events() { close(socket_); }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  // The data of the next event of this name that `wanted` says; nothing after a long time without
  // one.
  template <typename Wanted>
  Json Next(const std::string& name, const Wanted& wanted) {
    const std::string begin = "event: " + name + "\ndata: ";
    const auto until = Clock::now() + std::chrono::milliseconds(kTimeoutMs);
    while (is_open_ && Clock::now() < until) {
      const size_t at = text_.find(begin);
      const size_t end = at == std::string::npos ? at : text_.find("\n\n", at);
      if (end != std::string::npos) {
        const std::string data = text_.substr(at + begin.size(), end - at - begin.size());
        text_.erase(0, end + 1);
        Json json = Json::parse(data, nullptr, false);
        if (wanted(json)) return json;
        continue;
      }
      pollfd ready{socket_, POLLIN, 0};
      char bytes[4096];
      if (poll(&ready, 1, kTimeoutMs) <= 0) return Json();
      const ssize_t count = read(socket_, bytes, sizeof bytes);
      if (count <= 0) return Json();
      text_.append(bytes, static_cast<size_t>(count));
    }
    return Json();
  }

 private:
  int socket_;
  bool is_open_ = false;
  std::string text_;
};

class LiveWatch : public HomeTest {
 protected:
  Json RunJson(std::vector<std::string> words, int exit_code = 0) {
    words.insert(words.end(), {"--format", "json"});
    const Ended ended = Run(words);
    EXPECT_EQ(ended.exit_code, exit_code) << ended.out << ended.err;
    return Json::parse(ended.out, nullptr, false);
  }
  static net::ClientResponse Send(int port, net::Request request) {
    Result<net::ClientResponse> response = net::Fetch("127.0.0.1", port, request, 20'000);
    return response ? *response : net::ClientResponse();
  }
  static Json Get(int port, const std::string& path,
                  std::map<std::string, std::string> query = {}) {
    net::Request request;
    request.method = "GET";
    request.path = path;
    request.query = std::move(query);
    return Json::parse(Send(port, request).body, nullptr, false);
  }
  static int Call(int port, const std::string& key, const std::string& model) {
    net::Request request;
    request.method = "POST";
    request.path = "/v1/chat/completions";
    request.headers = {{"content-type", "application/json"}, {"authorization", "Bearer " + key}};
    request.body = Json{{"model", model},
                        {"max_tokens", 50},
                        {"messages", {{{"role", "user"}, {"content", "How fast?"}}}}}
                       .dump();
    return Send(port, request).status;
  }
  void WriteEstate(int vendor_port) {
    std::filesystem::create_directories(home());
    Put("home/estate.yaml",
        "gateway:\n  upstreams:\n    - { name: mock, dialect: openai, provider: openai, base_url: "
        "\"http://127.0.0.1:" +
            std::to_string(vendor_port) + "\", key_env: PATH, models: [\"gpt-*\"] }\n");
  }
  // Two hours of calls of one key, as a gateway before would have left them.
  void WriteHistory(const std::string& key) {
    const auto files = os::MakeRealFiles();
    const std::string calls = home() + "/gateway/calls";
    ASSERT_TRUE(files->MakeDirs(calls));
    const Instant now = MakeSystemClock()->Now();
    uint64_t id = 1;
    for (int64_t ago_s = 2 * 3600; ago_s > 0; ago_s -= 2, ++id) {
      metered::Dispatch dispatch;
      dispatch.id = id;
      dispatch.at = Instant{now.us - ago_s * kMicrosPerSecond};
      dispatch.upstream = dispatch.provider = "openai";
      dispatch.model = "gpt-4o-mini";
      dispatch.key = key;
      dispatch.team = "search";
      dispatch.currency = "USD";
      metered::End end;
      end.id = id;
      end.at = dispatch.at;
      end.cost = Money::FromUnits(int128{400 + static_cast<int64_t>(id % 7)} * 1'000'000);
      std::vector<std::string> records = {metered::Encode(dispatch), metered::Encode(end)};
      os::Journal& log = LogOf(*files, calls, dispatch.at);
      ASSERT_TRUE(log.Append(records[0], false));
      ASSERT_TRUE(log.Append(records[1], false));
    }
    logs_.clear();
  }
  os::Journal& LogOf(os::Files& files, const std::string& calls, Instant at) {
    const std::string month = FormatDate(at).substr(0, 7);
    const auto found = logs_.find(month);
    if (found != logs_.end()) return found->second;
    auto journal = os::Journal::Open(files, calls + "/calls-" + month + ".journal",
                                     [](uint64_t, std::string_view) { return Status(); });
    return logs_.emplace(month, *std::move(journal)).first->second;
  }
  // Keys and processes, the ordinary application at its pace for so many calls.
  void Begin(int calls_before, bool history) {
    WriteEstate(vendor_.Port());
    search_ = RunJson({"keys", "create", "--team", "search"});
    agent_ = RunJson({"keys", "create", "--team", "labs"});
    if (history) WriteHistory(search_.value("id", ""));
    server_ = std::make_unique<Running>(ServeWords());
    server_port_ = server_->Port();
    gateway_ = std::make_unique<Running>(
        std::vector<std::string>{"gateway", "--listen", "127.0.0.1:0", "--home", home()});
    gateway_port_ = gateway_->Port();
    ASSERT_GT(server_port_, 0);
    ASSERT_GT(gateway_port_, 0);
    for (int i = 0; i < calls_before; ++i) {
      ASSERT_EQ(Call(gateway_port_, search_.value("key", ""), "gpt-4o-mini"), 200);
    }
  }
  std::vector<std::string> ServeWords() const {
    return {"serve", "--listen", "127.0.0.1:0", "--home", home()};
  }
  // The agent runs away while the application goes on; the anomaly of its key, as the stream of
  // events tells it, and after how long.
  Json RunAway(double* delay_s) {
    Events events(server_port_);
    EXPECT_FALSE(events.Next("hello", [](const Json&) { return true; }).is_null());
    std::atomic<bool> stop = false;
    std::vector<std::jthread> callers;
    const auto caller = [&](const std::string& key, const std::string& model) {
      callers.emplace_back([&, key, model] {
        while (!stop) Call(gateway_port_, key, model);
      });
    };
    caller(search_.value("key", ""), "gpt-4o-mini");
    const auto began = Clock::now();
    for (int i = 0; i < 4; ++i) caller(agent_.value("key", ""), "gpt-4o");
    const std::string id = agent_.value("id", "");
    const Json anomaly = events.Next("anomaly", [&](const Json& told) {
      return told.at("series") == Json({{"dimension", "key"}, {"value", id}});
    });
    *delay_s = std::chrono::duration<double>(Clock::now() - began).count();
    stop = true;
    return anomaly;
  }
  void ExpectNamed(const Json& anomaly) {
    const std::string id = agent_.value("id", "");
    ASSERT_TRUE(anomaly.is_object());
    EXPECT_EQ(anomaly.at("suspect"), Json({{"dimension", "key"}, {"value", id}}));
    EXPECT_EQ(anomaly.at("path").at("team"), "labs");
    EXPECT_GT(Money::Parse(anomaly.at("amount").get<std::string>()).value(), Money());
    EXPECT_GT(anomaly.at("loss_per_hour").get<double>(), 1);
    EXPECT_EQ(anomaly.at("action"), Json({{"kind", "freeze_budget"}, {"scope", "key=" + id}}));
    const std::string path = "/api/v1/anomalies/" + anomaly.at("id").get<std::string>();
    EXPECT_EQ(Get(server_port_, path).at("suspect"), anomaly.at("suspect"));
    // Nobody else is blamed.
    for (const Json& each : Get(server_port_, "/api/v1/anomalies").at("anomalies")) {
      EXPECT_EQ(each.at("suspect").at("value"), id) << each.dump(1);
    }
  }

  Running vendor_{{"mock-vendor", "--listen", "127.0.0.1:0", "--script", Put("script", kScript)}};
  std::unique_ptr<Running> server_, gateway_;
  int server_port_ = 0, gateway_port_ = 0;
  Json search_, agent_;
  std::map<std::string, os::Journal> logs_;
};

// Nothing is known but nine seconds of ordinary calls.
TEST_F(LiveWatch, ARunawayAgentOfANewInstallationIsNamed) {
  Begin(36, false);
  double delay_s = 0;
  const Json anomaly = RunAway(&delay_s);
  std::cout << "new installation: the runaway key was told after " << delay_s << " s\n";
  ExpectNamed(anomaly);
  // The evidence is a cost query that the server answers.
  net::Request query;
  query.method = "POST";
  query.path = "/api/v1/query";
  query.headers = {{"content-type", "application/json"}};
  query.body = anomaly.at("evidence").dump();
  const auto until = Clock::now() + std::chrono::milliseconds(kTimeoutMs);
  net::ClientResponse answer;
  do {  // live answers look at the log of calls once a second
    answer = Send(server_port_, query);
    ASSERT_EQ(answer.status, 200) << answer.body;
  } while (Json::parse(answer.body).at("rows").empty() && Clock::now() < until);
  EXPECT_EQ(Json::parse(answer.body).at("rows").at(0).at("team"), "labs") << answer.body;
}

TEST_F(LiveWatch, WhatPeopleSayOfAnIncidentStaysAfterARestart) {
  Begin(2, true);
  double delay_s = 0;
  const Json anomaly = RunAway(&delay_s);
  std::cout << "after two hours: the runaway key was told after " << delay_s << " s\n";
  ExpectNamed(anomaly);
  const std::string incident = anomaly.at("incident").get<std::string>();
  const Json listed = RunJson({"watch", "list"});
  ASSERT_EQ(listed.at("total"), 1) << listed.dump(1);
  EXPECT_EQ(listed.at("incidents").at(0).at("id"), incident);
  EXPECT_EQ(listed.at("incidents").at(0).at("state"), "open");
  const Json acknowledged =
      RunJson({"watch", "ack", incident, "--owner", "ana", "--note", "looking at it"});
  EXPECT_EQ(acknowledged.at("state"), "acknowledged");
  EXPECT_EQ(acknowledged.at("owner"), "ana");
  RunJson({"watch", "ack", "incident-99"}, 2);
  RunJson({"watch", "ack", anomaly.at("id").get<std::string>()}, 2);
  // Without a token nothing is written.
  net::Request unsigned_word;
  unsigned_word.method = "POST";
  unsigned_word.path = "/api/v1/incidents/" + incident;
  unsigned_word.body = R"({"state":"resolved"})";
  EXPECT_EQ(Send(server_port_, unsigned_word).status, 401);
  RunJson({"watch", "feedback", anomaly.at("id").get<std::string>(), "expected"});
  EXPECT_EQ(server_->Stop(), 0);

  const Json alone = RunJson({"watch", "show", incident});
  EXPECT_EQ(alone.at("owner"), "ana");
  EXPECT_EQ(alone.at("state"), "expected");
  RunJson({"watch", "resolve", incident}, 2);
  server_ = std::make_unique<Running>(ServeWords());
  const Json again = Get(server_->Port(), "/api/v1/incidents/" + incident);
  EXPECT_EQ(again.at("owner"), "ana");
  EXPECT_EQ(again.at("timeline"), alone.at("timeline"));
  EXPECT_EQ(RunJson({"watch", "list", "--anomalies"}).at("anomalies").at(0).at("feedback"),
            "expected");
}

}  // namespace
}  // namespace flyball::tests
