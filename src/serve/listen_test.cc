// The service over real sockets on free ports.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <future>
#include <nlohmann/json.hpp>

#include "net/socket.h"
#include "serve/test_home.h"

namespace flyball::serve {
namespace {

using Json = nlohmann::json;
constexpr int kTimeoutMs = 20'000;

struct Listening : ::testing::Test {
  void SetUp() override { ASSERT_TRUE(EnsureAdminToken(home.path(), *clock)); }
  void Start(Hooks hooks) {
    Settings settings;
    settings.home = home.path();
    service.emplace(settings, ledger, *clock, std::move(hooks));
    auto listening = service->Listen({});
    ASSERT_TRUE(listening.has_value()) << listening.error().message;
    server = *std::move(listening);
  }
  void TearDown() override {
    if (server) server->Drain(kTimeoutMs);
    if (service) service->Stop();
    server.reset();
  }
  net::ClientResponse Send(const net::Request& request) {
    auto response = net::Fetch("127.0.0.1", server->port(), request, kTimeoutMs);
    EXPECT_TRUE(response.has_value()) << response.error().message;
    return response ? *response : net::ClientResponse{};
  }
  net::Request WithToken(net::Request request) const {
    request.headers["authorization"] = "Bearer " + home.Token();
    return request;
  }
  // A hook that answers what it was asked to import, and makes a commit.
  Hooks Echoing() {
    Hooks hooks;
    hooks.run_import = [this](const ImportJob& job, const ImportProgress&,
                              const std::stop_token&) -> Result<std::string> {
      Json report{{"source", job.source},
                  {"dry_run", job.dry_run},
                  {"author", job.author},
                  {"memory", job.memory_bytes}};
      for (const std::string& file : job.files) {
        std::ifstream in(file, std::ios::binary);
        if (!in) return Fail(Code::kInvalidArgument, "'" + file + "' can't be read");
        report["contents"].push_back(std::string(std::istreambuf_iterator<char>(in), {}).size());
        report["names"].push_back(std::filesystem::path(file).filename().string());
      }
      ledger.Add(ledger::CommitKind::kImport, job.author);
      return report.dump();
    };
    return hooks;
  }
  size_t Leftovers() const {
    return static_cast<size_t>(
        std::distance(std::filesystem::directory_iterator(home.path() + "/tmp"), {}));
  }

  TestHome home;
  std::unique_ptr<Clock> clock = MakeSystemClock();
  FakeLedger ledger;
  std::optional<Service> service;
  std::unique_ptr<net::Server> server;
};

TEST_F(Listening, TokenRulesHoldOnTheWire) {
  Start({});
  EXPECT_EQ(Send(Ask("GET", "/api/v1/health")).status, 200);
  EXPECT_EQ(Send(Ask("HEAD", "/api/v1/health")).body, "");
  const net::ClientResponse refused = Send(Ask("POST", "/api/v1/classify", "{}"));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(Json::parse(refused.body)["error"]["code"], "UNAUTHENTICATED");
  EXPECT_TRUE(refused.headers.at("www-authenticate").starts_with("Bearer"));
  EXPECT_EQ(Send(WithToken(Ask("POST", "/api/v1/classify", "{}"))).status, 200);
  net::Request hostile = WithToken(Ask("POST", "/api/v1/classify", "{}"));
  hostile.headers["origin"] = "https://evil.example";
  EXPECT_EQ(Send(hostile).status, 403);
  net::Request rebound = Ask("GET", "/api/v1/health");
  rebound.headers["host"] = "evil.example";
  const net::ClientResponse misdirected = Send(rebound);
  EXPECT_EQ(misdirected.status, 421);
  EXPECT_EQ(Json::parse(misdirected.body)["error"]["code"], "PERMISSION_DENIED");
}

TEST_F(Listening, ImportsFilesOfTheServer) {
  Start(Echoing());
  home.Write("bill.csv", "content");
  const Json job{{"files", {home.path() + "/bill.csv"}},
                 {"source", "aws"},
                 {"memory", "1MiB"},
                 {"author", "mira"},
                 {"dry_run", true}};
  net::Request request = WithToken(Ask("POST", "/api/v1/imports", job.dump()));
  request.headers["content-type"] = "application/json";
  const net::ClientResponse response = Send(request);
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(Json::parse(response.body),
            Json::parse(R"({"source":"aws","dry_run":true,"author":"mira","memory":1048576,
                            "contents":[7],"names":["bill.csv"]})"));
  for (const char* bad :
       {"", "{}", R"({"files":[]})", R"({"files":["relative.csv"]})", R"({"files":["/a/../b"]})",
        R"({"files":[1]})", R"({"files":["/x"],"source":"../x"})",
        R"({"files":["/x"],"memory":"much"})", R"({"files":["/x"],"dry_run":"yes"})",
        R"({"files":["/not/there"]})"}) {
    request.body = bad;
    EXPECT_EQ(Send(request).status, 400) << bad;
  }
}

// Bound to a LAN address, the command line on the same machine comes from that very address.
TEST_F(Listening, ServerPathsAreForTheOwnerOnThisMachine) {
  home.Write("bill.csv", "a,b\n1,2\n");
  Start(Echoing());
  const std::string guest = *CreateToken(home.path(), "guest", *clock);
  const auto status = [&](const char* peer, const char* local, const std::string& token,
                          const char* forwarded_for = "") {
    net::Request request =
        Ask("POST", "/api/v1/imports", Json{{"files", {home.path() + "/bill.csv"}}}.dump());
    request.peer = peer;
    request.local = local;
    request.headers = {{"content-type", "application/json"}, {"authorization", "Bearer " + token}};
    if (*forwarded_for != '\0') request.headers["x-forwarded-for"] = forwarded_for;
    const net::Response response = service->Handle(request);
    return response.later ? 200 : response.status;
  };
  EXPECT_EQ(status("127.0.0.1", "127.0.0.1", home.Token()), 200);
  EXPECT_EQ(status("10.1.2.3", "10.1.2.3", home.Token()), 200);
  EXPECT_EQ(status("10.1.2.4", "10.1.2.3", home.Token()), 403);
  EXPECT_EQ(status("", "", home.Token()), 403);
  EXPECT_EQ(status("10.1.2.3", "10.1.2.3", home.Token(), "10.9.9.9"), 403);
  EXPECT_EQ(status("10.1.2.3", "10.1.2.3", guest), 403);
  EXPECT_EQ(status("127.0.0.1", "127.0.0.1", guest), 403);
  EXPECT_FALSE(CreateToken(home.path(), "admin", *clock).has_value());
}

TEST_F(Listening, ImportFoldersBindServerPaths) {
  home.Write("outside.csv", "secret");
  std::filesystem::create_directories(home.path() + "/bills");
  home.Write("bills/in.csv", "x");
  std::filesystem::create_symlink(home.path() + "/outside.csv", home.path() + "/bills/link.csv");
  Settings settings;
  settings.home = home.path();
  settings.import_dirs = {home.path() + "/bills"};
  service.emplace(settings, ledger, *clock, Echoing());
  server = *service->Listen({});
  const auto status = [&](const std::string& file) {
    net::Request request =
        WithToken(Ask("POST", "/api/v1/imports", Json{{"files", {file}}}.dump()));
    request.headers["content-type"] = "application/json";
    return Send(request).status;
  };
  EXPECT_EQ(status(home.path() + "/bills/in.csv"), 200);
  EXPECT_EQ(status(home.path() + "/outside.csv"), 403);
  EXPECT_EQ(status(home.path() + "/bills/link.csv"), 403);
  EXPECT_EQ(status(home.path() + "/bills"), 400);
  EXPECT_EQ(status("/dev/zero"), 400);
  EXPECT_EQ(status(home.path() + "/bills/none.csv"), 400);
  EXPECT_EQ(status(home.path() + "/bills-2/in.csv"), 403);
}

TEST_F(Listening, ImportsUploads) {
  Start(Echoing());
  net::Request request = WithToken(Ask("POST", "/api/v1/imports"));
  request.headers["content-type"] = "multipart/form-data; boundary=BOUND";
  const std::string content(3 << 20, 'c');
  request.body =
      "--BOUND\r\nContent-Disposition: form-data; name=\"dry_run\"\r\n\r\ntrue\r\n"
      "--BOUND\r\nContent-Disposition: form-data; name=\"file\"; filename=\"big.csv\"\r\n\r\n" +
      content + "\r\n--BOUND--\r\n";
  const net::ClientResponse response = Send(request);
  ASSERT_EQ(response.status, 200) << response.body;
  const Json report = Json::parse(response.body);
  EXPECT_EQ(report["contents"][0], content.size());
  EXPECT_EQ(report["names"][0], "big.csv");
  EXPECT_EQ(report["author"], "admin");
  EXPECT_TRUE(report["dry_run"]);
  request.body.resize(request.body.size() / 2);
  EXPECT_EQ(Send(request).status, 400);
  net::Request bare = WithToken(Ask("POST", "/api/v1/imports", "a,b\n"));
  bare.headers["content-type"] = "text/csv";
  bare.query = {{"filename", "bare.csv"}, {"source", "s"}};
  EXPECT_EQ(Json::parse(Send(bare).body)["names"][0], "bare.csv");
  server->Drain(kTimeoutMs);
  server.reset();
  EXPECT_EQ(Leftovers(), 0u);
}

TEST_F(Listening, ImportsInTheBackground) {
  std::promise<void> go;
  Hooks hooks = Echoing();
  hooks.run_import = [&, run = hooks.run_import](const ImportJob& job,
                                                 const ImportProgress& progress,
                                                 const std::stop_token& stop) {
    progress(1, 2);
    go.get_future().wait();
    return run(job, progress, stop);
  };
  Start(hooks);
  net::Request request = WithToken(Ask("POST", "/api/v1/imports", "a,b\n"));
  request.query["async"] = "1";
  const net::ClientResponse accepted = Send(request);
  ASSERT_EQ(accepted.status, 202) << accepted.body;
  const std::string where = accepted.headers.at("location");
  Json job = Json::parse(Send(Ask("GET", where)).body);
  EXPECT_TRUE(job["state"] == "waiting" || job["state"] == "running");
  go.set_value();
  while (job["state"] != "done" && job["state"] != "failed") {
    job = Json::parse(Send(Ask("GET", where)).body);
  }
  EXPECT_EQ(job["state"], "done") << job.dump();
  EXPECT_EQ(job["report"]["contents"][0], 4);
  EXPECT_EQ(Send(Ask("GET", "/api/v1/imports/none")).status, 404);
}

TEST_F(Listening, ListenersHearOfCommits) {
  Start(Echoing());
  net::Fd fd = *net::ConnectTo("127.0.0.1", server->port(), kTimeoutMs);
  constexpr std::string_view kAsk = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
  ASSERT_EQ(send(fd.get(), kAsk.data(), kAsk.size(), 0), static_cast<ssize_t>(kAsk.size()));
  std::string heard;
  const auto hear_until = [&](std::string_view what) {
    std::array<char, 4096> buffer{};
    while (heard.find(what) == std::string::npos) {
      pollfd wait{fd.get(), POLLIN, 0};
      ASSERT_EQ(poll(&wait, 1, kTimeoutMs), 1) << heard;
      const ssize_t n = recv(fd.get(), buffer.data(), buffer.size(), 0);
      ASSERT_GT(n, 0) << heard;
      heard.append(buffer.data(), static_cast<size_t>(n));
    }
  };
  hear_until("event: hello\ndata: {\"commit\":\"\"}\n\n");
  Send(WithToken(Ask("POST", "/api/v1/imports", "a,b\n")));
  hear_until("event: commit\n");
  hear_until("\"kind\":\"import\"");
  hear_until(ledger.Head());
}

TEST_F(Listening, SaysWhyWhenTooManyImportsWait) {
  std::promise<void> go;
  auto gone = go.get_future().share();
  Hooks hooks;
  hooks.run_import = [gone](const ImportJob&, const ImportProgress&,
                            const std::stop_token&) -> Result<std::string> {
    gone.wait();
    return "{}";
  };
  Start(hooks);
  net::Request request = WithToken(Ask("POST", "/api/v1/imports", "a,b\n"));
  request.query["async"] = "1";
  int status = 202;
  for (size_t i = 0; i < kImportsWaitingMax + 2 && status == 202; ++i) {
    status = Send(request).status;
  }
  EXPECT_EQ(status, 429);
  go.set_value();
}

}  // namespace
}  // namespace flyball::serve
