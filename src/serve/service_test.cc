// The service without sockets: routes, documents, access, cache. What goes over the wire stands in
// listen_test.cc.
#include "serve/service.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/text.h"
#include "serve/api.h"
#include "serve/test_home.h"

namespace flyball::serve {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kQuery = R"({"measures":["billed_cost"],"by":["provider"]})";

struct Fixture : ::testing::Test {
  void SetUp() override {
    ASSERT_TRUE(EnsureAdminToken(home.path(), *clock));
    ledger.Add(ledger::CommitKind::kImport, "tester");
    ledger.rules =
        *estate::RuleSet::Compile(*estate::LoadEstate(*files, home.path() + "/estate.yaml"));
  }
  Service& Make(Hooks hooks = {}, bool loopback = true) {
    Settings settings;
    settings.home = home.path();
    settings.version = "1.2.3";
    settings.loopback = loopback;
    service.emplace(settings, ledger, *clock, std::move(hooks));
    return *service;
  }
  net::Request WithToken(net::Request request) const {
    request.headers["authorization"] = "Bearer " + home.Token();
    return request;
  }
  Json Get(const std::string& path) {
    const net::Response response = service->Handle(Ask("GET", path));
    EXPECT_EQ(response.status, 200) << path << " " << response.body;
    return Json::parse(response.body, nullptr, false);
  }
  static std::string BodyOf(const net::Response& response) {
    return response.shared_body ? *response.shared_body : response.body;
  }

  TestHome home;
  std::unique_ptr<os::Files> files = os::MakeRealFiles();
  std::unique_ptr<Clock> clock = MakeSystemClock();
  FakeLedger ledger;
  std::optional<Service> service;
};

TEST_F(Fixture, HealthSaysWhatRuns) {
  Make();
  const Json health = Get("/api/v1/health");
  EXPECT_EQ(health["status"], "ok");
  EXPECT_EQ(health["version"], "1.2.3");
  EXPECT_EQ(health["home_version"], ledger::kHomeVersion);
  EXPECT_EQ(health["commit"], ledger.Head());
  EXPECT_FALSE(health["rules_stale"]);
  EXPECT_GT(health["resident_bytes"], 1'000'000);
}

// Monitors ask often, and finding out reads the whole rulebook.
TEST_F(Fixture, HealthLooksAtTheRulebookOnceInAWhileAndAfterEachCommit) {
  clock = std::make_unique<SimClock>(Instant{0});
  Make();
  for (int i = 0; i < 10; ++i) Get("/api/v1/health");
  EXPECT_EQ(ledger.stale_looks, 1);
  ledger.stale = true;
  EXPECT_FALSE(Get("/api/v1/health")["rules_stale"]);
  static_cast<SimClock&>(*clock).Advance(5 * kMicrosPerSecond);
  EXPECT_TRUE(Get("/api/v1/health")["rules_stale"]);
  ledger.Add(ledger::CommitKind::kClassify, "somebody");
  ledger.stale = false;
  EXPECT_FALSE(Get("/api/v1/health")["rules_stale"]);
}

TEST_F(Fixture, AnswersQueriesAndKeepsTheAnswers) {
  Make();
  const net::Response first = service->Handle(Ask("POST", "/api/v1/query", std::string(kQuery)));
  ASSERT_EQ(first.status, 200) << first.body;
  const Json answer = Json::parse(BodyOf(first));
  EXPECT_EQ(answer["rows"][0]["provider"], "AWS");
  EXPECT_EQ(answer["rows"][0]["billed_cost"], "1.5");
  EXPECT_EQ(answer["commit"], ledger.Head());
  service->Handle(Ask("POST", "/api/v1/query", std::string(kQuery)));
  EXPECT_EQ(ledger.queries, 1);
  // The same question at a named commit is another question; a new commit asks again.
  service->Handle(Ask("POST", "/api/v1/query",
                      R"({"measures":["billed_cost"],"by":["provider"],"as_of":"1"})"));
  EXPECT_EQ(ledger.queries, 2);
  ledger.Add(ledger::CommitKind::kImport, "tester");
  service->Handle(Ask("POST", "/api/v1/query", std::string(kQuery)));
  EXPECT_EQ(ledger.queries, 3);
}

TEST_F(Fixture, AnswersInOtherFormats) {
  Make();
  net::Request request = Ask("POST", "/api/v1/query", std::string(kQuery));
  request.query["format"] = "csv";
  const net::Response csv = service->Handle(request);
  EXPECT_EQ(HeaderOf(csv, "Content-Type"), "text/csv; charset=utf-8");
  EXPECT_TRUE(BodyOf(csv).starts_with("provider,")) << BodyOf(csv);
  request.query["format"] = "nonsense";
  EXPECT_EQ(service->Handle(request).status, 400);
}

TEST_F(Fixture, AnswersBatchesInParallel) {
  Make();
  std::atomic<int> inside = 0;
  std::promise<void> together;
  auto all = together.get_future().share();
  ledger.on_query = [&] {
    if (++inside == 4) together.set_value();
    EXPECT_EQ(all.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  };
  Json body;
  for (const char* by : {"provider", "service", "region", "team"}) {
    body["queries"].push_back({{"measures", {"billed_cost"}}, {"by", {by}}});
  }
  const net::Response response = service->Handle(Ask("POST", "/api/v1/query", body.dump()));
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(Json::parse(response.body)["answers"].size(), 4u);
}

TEST_F(Fixture, OneWrongQuestionLeavesTheOthersAlone) {
  Make();
  const net::Response response = service->Handle(
      Ask("POST", "/api/v1/query",
          R"({"queries":[{"measures":["billed_cost"]},{"measures":["nonsense"]}]})"));
  ASSERT_EQ(response.status, 200);
  const Json answers = Json::parse(response.body)["answers"];
  EXPECT_TRUE(answers[0].contains("rows"));
  EXPECT_EQ(answers[1]["error"]["code"], "INVALID_ARGUMENT");
}

TEST_F(Fixture, RefusesBadBodies) {
  Make();
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  Json many;
  many["queries"] = Json::array();
  for (int i = 0; i <= kBatchQueriesMax; ++i) many["queries"].push_back(Json::object());
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("[]"), deep, "{\"queries\":" + deep + "}",
        many.dump(), std::string("\xff\xfe"),
        std::string(R"({"measures":["billed_cost"],"whre":[]})"),
        std::string(R"({"queries":[],"top":3})")}) {
    const net::Response response = service->Handle(Ask("POST", "/api/v1/query", body));
    EXPECT_EQ(response.status, 400) << body.substr(0, 100);
    EXPECT_EQ(Json::parse(response.body)["error"]["code"], "INVALID_ARGUMENT");
  }
  for (const char* body :
       {"", "{}", R"({"query":{}})", R"({"query":{"measures":["billed_cost"]},"limit":0})",
        R"({"query":{"measures":["billed_cost"]},"offset":-1})",
        R"({"query":{"measures":["billed_cost"]},"offset":1.5})",
        R"({"query":{"measures":["billed_cost"]},"unknown":1})"}) {
    EXPECT_EQ(service->Handle(Ask("POST", "/api/v1/rows", body)).status, 400) << body;
  }
}

TEST_F(Fixture, RowsArePages) {
  Make();
  const net::Response response = service->Handle(Ask(
      "POST", "/api/v1/rows", R"({"query":{"measures":["billed_cost"]},"offset":1,"limit":2})"));
  ASSERT_EQ(response.status, 200) << response.body;
  const Json page = Json::parse(response.body);
  EXPECT_EQ(page["total"], 5);
  EXPECT_EQ(page["offset"], 1);
  EXPECT_EQ(page["rows"], Json::parse(R"([["service \"1\"",null],["service \"2\"",null]])"));
}

// Files are written into staging folders of the home only, whoever asks.
TEST_F(Fixture, ExportsStayInStagingFolders) {
  Make();
  std::filesystem::create_directories(home.path() + "/tmp/import-1-0");
  const auto ask = [&](const std::string& body) {
    return service->Handle(WithToken(Ask("POST", "/api/v1/exports", body))).status;
  };
  for (const char* body :
       {"", "{}", R"({"staging":"import-9-9"})", R"({"staging":".."})", R"({"staging":"../log"})",
        R"({"staging":"/tmp"})", R"({"staging":7})", R"({"staging":"import-1-0","focus":"1.0"})",
        R"({"staging":"import-1-0","format":"xlsx"})", R"({"staging":"import-1-0","to":"/tmp/x"})",
        R"({"staging":"import-1-0","x_columns":"yes"})"}) {
    EXPECT_EQ(ask(body), 400) << body;
  }
  EXPECT_TRUE(ledger.exported.path.empty());
  EXPECT_EQ(ask(R"({"staging":"import-1-0","focus":"1.3","format":"parquet","x_columns":true,
                    "query":{"measures":["billed_cost"],"as_of":"7"}})"),
            200);
  EXPECT_EQ(ledger.exported.path, home.path() + "/tmp/import-1-0/export");
  EXPECT_EQ(ledger.exported.version, focus::Version::k1_3);
  EXPECT_EQ(ledger.exported.format, ledger::ExportFormat::kParquet);
  EXPECT_TRUE(ledger.exported.x_columns);
  EXPECT_EQ(ledger.exported.query.as_of, "7");
}

TEST_F(Fixture, CommitsArePagesNewestFirst) {
  Make();
  ledger.Add(ledger::CommitKind::kClassify, "tester");
  ledger.Add(ledger::CommitKind::kCompact, "tester");
  net::Request request = Ask("GET", "/api/v1/commits");
  request.query = {{"offset", "1"}, {"limit", "1"}};
  const Json page = Json::parse(service->Handle(request).body);
  EXPECT_EQ(page["total"], 3);
  ASSERT_EQ(page["commits"].size(), 1u);
  EXPECT_EQ(page["commits"][0]["sequence"], 2);
  EXPECT_EQ(Get("/api/v1/commits/1")["sequence"], 1);
  EXPECT_EQ(Get("/api/v1/commits")["limit"], kCommitsPageDefault);
  EXPECT_EQ(service->Handle(Ask("GET", "/api/v1/commits/none")).status, 404);
  for (const char* bad : {"x", "-1", "0", "99999999999999999999", ""}) {
    request.query = {{"limit", bad}};
    EXPECT_EQ(service->Handle(request).status, 400) << bad;
  }
}

TEST_F(Fixture, EstateAndExplanationComeFromTheRules) {
  home.Write("estate.yaml",
             "name: Acme\ncurrency: EUR\nteams:\n  - id: search\n    name: Search\n"
             "rules:\n  - match: {ServiceName: Amazon Bedrock}\n    set: {team: search}\n");
  ledger.rules =
      *estate::RuleSet::Compile(*estate::LoadEstate(*files, home.path() + "/estate.yaml"));
  Make();
  const Json estate = Get("/api/v1/estate");
  EXPECT_EQ(estate["name"], "Acme");
  EXPECT_EQ(estate["currency"], "EUR");
  EXPECT_EQ(estate["teams"][0]["id"], "search");
  const net::Response response =
      service->Handle(Ask("POST", "/api/v1/explain",
                          R"({"columns":{"ServiceName":"Amazon Bedrock","BilledCost":"1"}})"));
  ASSERT_EQ(response.status, 200) << response.body;
  const Json explained = Json::parse(response.body);
  EXPECT_EQ(explained["dimensions"]["team"]["value"], "search");
  EXPECT_TRUE(explained["dimensions"]["team"]["set_by"].get<std::string>().find("estate.yaml") !=
              std::string::npos)
      << explained.dump();
  EXPECT_TRUE(explained["dimensions"]["project"]["value"].is_null());
  EXPECT_EQ(
      service->Handle(Ask("POST", "/api/v1/explain", R"({"columns":{"ServiceName":1}})")).status,
      400);
}

TEST_F(Fixture, QuarantineIsReadInPages) {
  Make();
  home.Write("quarantine/slice-1.jsonl",
             R"({"file":"a.csv","line":3,"reason":"bad date","raw":"x"})"
             "\n"
             R"({"file":"a.csv","line":9,"reason":"no cost","raw":")" +
                 std::string(100'000, 'y') + "\"}\n");
  net::Request request = Ask("GET", "/api/v1/quarantine/slice-1");
  request.query["limit"] = "1";
  const Json first = Json::parse(service->Handle(request).body);
  EXPECT_EQ(first["rows"].size(), 1u);
  EXPECT_EQ(first["rows"][0]["line"], 3);
  EXPECT_TRUE(first["more"]);
  request.query["offset"] = "1";
  const Json second = Json::parse(service->Handle(request).body);
  EXPECT_EQ(second["rows"][0]["line"], 9);
  EXPECT_FALSE(second["more"]);
  EXPECT_LT(second["rows"][0]["raw"].get<std::string>().size(), 10'000u);
  EXPECT_EQ(Get("/api/v1/quarantine/" + ledger.Head())["rows"].size(), 0u);
  EXPECT_EQ(service->Handle(Ask("GET", "/api/v1/quarantine/nothing")).status, 404);
}

TEST_F(Fixture, ClassifyAndCompactMakeCommits) {
  Make();
  const net::Response classified =
      service->Handle(WithToken(Ask("POST", "/api/v1/classify", "{}")));
  ASSERT_EQ(classified.status, 200) << classified.body;
  EXPECT_EQ(Json::parse(classified.body)["commit"]["kind"], "classify");
  EXPECT_EQ(Json::parse(classified.body)["commit"]["author"], "admin");
  const net::Response compacted =
      service->Handle(WithToken(Ask("POST", "/api/v1/compact", R"({"small_bytes":123})")));
  EXPECT_TRUE(Json::parse(compacted.body)["commit"].is_null());
  EXPECT_EQ(ledger.compacted_bytes, 123u);
  EXPECT_EQ(
      service->Handle(WithToken(Ask("POST", "/api/v1/compact", R"({"small_bytes":-1})"))).status,
      400);
}

TEST_F(Fixture, PeriodsAreClosedAndReopened) {
  Make();
  const auto post = [&](const char* body) {
    return service->Handle(WithToken(Ask("POST", "/api/v1/periods", body)));
  };
  const net::Response closed = post(R"({"period":"2026-10","closed":true,"report_hash":"ab"})");
  ASSERT_EQ(closed.status, 200) << closed.body;
  const Json commit = Json::parse(closed.body)["commit"];
  EXPECT_EQ(commit["kind"], "close");
  EXPECT_EQ(commit["period"], "2026-10");
  EXPECT_EQ(commit["author"], "admin");
  for (const char* wrong : {"", "[]", R"({"period":"2026-10"})", R"({"period":1,"closed":true})",
                            R"({"period":"2026-10","closed":true,"report_hash":1})"}) {
    EXPECT_EQ(post(wrong).status, 400) << wrong;
  }
}

TEST_F(Fixture, UnknownPathsAndMethodsAreNamed) {
  Make();
  EXPECT_EQ(service->Handle(Ask("GET", "/api/v1/nonsense")).status, 404);
  EXPECT_EQ(service->Handle(Ask("POST", "/nonsense")).status, 404);
  const net::Response wrong = service->Handle(Ask("GET", "/api/v1/query"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(HeaderOf(wrong, "Allow"), "OPTIONS, POST");
  const net::Response options = service->Handle(Ask("OPTIONS", "/api/v1/imports"));
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(HeaderOf(options, "Allow"), "OPTIONS, POST");
  EXPECT_EQ(service->Handle(Ask("OPTIONS", "*")).status, 204);
  EXPECT_EQ(service->Handle(Ask("GET", "/api/v1/commits/..")).status, 404);
}

TEST_F(Fixture, EveryRouteIsDocumentedAndAnswers) {
  Make();
  const Json document = Json::parse(service->OpenApiJson());
  EXPECT_EQ(document["openapi"], "3.1.0");
  size_t operations = 0;
  for (const auto& [path, methods] : document["paths"].items()) operations += methods.size();
  EXPECT_EQ(operations, Routes().size());
  for (const Route& route : Routes()) {
    const Json& operation = document["paths"][std::string(route.path)][ToLower(route.method)];
    EXPECT_FALSE(operation["summary"].get<std::string>().empty()) << route.path;
    EXPECT_TRUE(operation["responses"].contains("200")) << route.path;
    std::string path(route.path);
    for (const auto& [name, value] : {std::pair<std::string, std::string>{"{id}", ledger.Head()},
                                      {"{job}", "0123456789abcdef"},
                                      {"{month}", "2026-10"},
                                      {"{key}", "key-0123456789ab"}}) {
      if (const size_t at = path.find(name); at != std::string::npos) {
        path.replace(at, name.size(), value);
      }
    }
    if (route.handler == nullptr) continue;  // a stream of events, answered by listen_test.cc
    const net::Response response = service->Handle(WithToken(Ask(std::string(route.method), path)));
    if (response.status == 404) {
      EXPECT_EQ(route.path, "/api/v1/imports/{job}") << response.body;
    }
    EXPECT_NE(response.status, 405) << route.path;
  }
}

// Each $ref of the document must lead somewhere, each schema must be JSON, each operationId unique.
void CheckReferences(const Json& node, const Json& document) {
  if (node.is_object()) {
    if (auto found = node.find("$ref"); found != node.end()) {
      const auto target = found->get<std::string>();
      ASSERT_TRUE(target.starts_with("#/")) << target;
      EXPECT_TRUE(document.contains(Json::json_pointer(target.substr(1)))) << target;
    }
  }
  if (node.is_structured()) {
    for (const Json& inner : node) CheckReferences(inner, document);
  }
}

TEST_F(Fixture, TheDocumentIsWhole) {
  Make();
  const Json document = Json::parse(service->OpenApiJson());
  CheckReferences(document, document);
  for (const NamedSchema& schema : Schemas()) {
    EXPECT_TRUE(Json::accept(schema.json)) << schema.name;
  }
  std::set<std::string> ids;
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      EXPECT_TRUE(ids.insert(operation["operationId"].get<std::string>()).second) << path;
      size_t names = 0;
      for (const Json& parameter : operation.value("parameters", Json::array())) {
        names += parameter["in"] == "path" ? 1 : 0;
      }
      EXPECT_EQ(static_cast<size_t>(std::count(path.begin(), path.end(), '{')), names) << path;
    }
  }
}

TEST_F(Fixture, LoopbackReadsAreFreeAndWritesNeedAToken) {
  Make();
  for (const Route& route : Routes()) {
    std::string path(route.path);
    if (const size_t at = path.find('{'); at != std::string::npos)
      path.replace(at, path.size(), "x");
    net::Request request = Ask(std::string(route.method), path);
    const bool open = service->Admit(request).has_value();
    EXPECT_EQ(open, route.access != Access::kWrite) << route.path;
    EXPECT_TRUE(service->Admit(WithToken(request)).has_value()) << route.path;
    request.headers["authorization"] = "Bearer fb_wrong";
    EXPECT_EQ(service->Admit(request).has_value(), route.access != Access::kWrite) << route.path;
  }
  EXPECT_TRUE(service->Admit(Ask("GET", "/")).has_value());
  const auto refused = service->Admit(Ask("POST", "/api/v1/classify"));
  EXPECT_EQ(refused.error().code, Code::kUnauthenticated);
}

TEST_F(Fixture, ElsewhereEverythingButHealthNeedsAToken) {
  Make({}, false);
  for (const Route& route : Routes()) {
    const net::Request request = Ask(std::string(route.method), std::string(route.path));
    EXPECT_EQ(service->Admit(request).has_value(), route.path == "/api/v1/health") << route.path;
    EXPECT_TRUE(service->Admit(WithToken(request)).has_value()) << route.path;
  }
  EXPECT_FALSE(service->Admit(Ask("GET", "/")).has_value());
  EXPECT_FALSE(service->Admit(Ask("GET", "/app.js")).has_value());
  const net::Response refusal = service->Refuse(401, Error{Code::kUnauthenticated, "no", "", {}});
  EXPECT_TRUE(HeaderOf(refusal, "WWW-Authenticate").starts_with("Basic"));
}

TEST_F(Fixture, MetricsCountWithBoundedLabels) {
  Make();
  service->Handle(Ask("GET", "/api/v1/health"));
  for (int i = 0; i < 100; ++i) service->Handle(Ask("GET", "/guess/" + std::to_string(i)));
  const std::string text = service->Handle(Ask("GET", "/metrics")).body;
  EXPECT_NE(text.find(R"(flyball_http_requests_total{route="/api/v1/health",status="2xx"} 1)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"(flyball_http_requests_total{route="page",status="4xx"} 100)"),
            std::string::npos);
  EXPECT_NE(text.find("flyball_commits 1\n"), std::string::npos);
  EXPECT_EQ(text.find("guess"), std::string::npos);
}

TEST_F(Fixture, TheAccessLogHasNoSecrets) {
  std::vector<std::string> lines;
  Hooks hooks;
  hooks.access_log = [&](const AccessLine& line) {
    lines.push_back(fmt::format("{} {} {}", line.method, line.path, line.status));
  };
  Make(hooks);
  net::Request request = WithToken(Ask("POST", "/api/v1/query", std::string(kQuery)));
  request.query["format"] = "json";
  service->Handle(request);
  EXPECT_FALSE(service->Admit(Ask("POST", "/api/v1/compact")).has_value());
  EXPECT_EQ(lines,
            (std::vector<std::string>{"POST /api/v1/query 200", "POST /api/v1/compact 401"}));
}

}  // namespace
}  // namespace flyball::serve
