// OTLP through the service, without sockets.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ingest/otlp/otlp.h"
#include "serve/api.h"
#include "serve/test_home.h"

namespace flyball::serve {
namespace {

constexpr char kSpans[] = R"({"resourceSpans":[{"scopeSpans":[{"spans":[
  {"traceId":"00000000000000000000000000000001","spanId":"0000000000000001",
   "endTimeUnixNano":"1764000000000000000","attributes":[
     {"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},
     {"key":"gen_ai.request.model","value":{"stringValue":"gpt-5"}},
     {"key":"gen_ai.usage.input_tokens","value":{"intValue":"12"}}]},
  {"traceId":"00000000000000000000000000000001","spanId":"0000000000000002",
   "endTimeUnixNano":"1764000000000000000","attributes":[
     {"key":"gen_ai.operation.name","value":{"stringValue":"chat"}}]},
  {"traceId":"00000000000000000000000000000001","spanId":"0000000000000003",
   "endTimeUnixNano":"1764000000000000000","name":"GET /"}]}]}]})";

struct Otlp : ::testing::Test {
  void SetUp() override {
    ASSERT_TRUE(EnsureAdminToken(home.path(), clock));
    Settings settings;
    settings.home = home.path();
    Hooks hooks;
    hooks.span_log = &span_log;
    service.emplace(settings, ledger, clock, std::move(hooks));
  }
  net::Response Post(const std::string& path, const std::string& body,
                     const std::string& type = "application/json", const std::string& coding = "") {
    net::Request request = Ask("POST", path, body);
    request.headers["content-type"] = type;
    if (!coding.empty()) request.headers["content-encoding"] = coding;
    return service->Handle(request);
  }
  uint64_t Counter(const std::string& name) {
    const std::string text = service->Handle(Ask("GET", "/metrics")).body;
    const size_t at = text.find("\n" + name + " ");
    EXPECT_NE(at, std::string::npos) << name;
    return std::stoull(text.substr(at + name.size() + 2));
  }

  TestHome home;
  std::unique_ptr<os::Files> files = os::MakeRealFiles();
  SimClock clock{ToInstant({2025, 11, 25})};
  FakeLedger ledger;
  otlp::SpanLog span_log{*files, home.path() + "/otlp/spans"};
  std::optional<Service> service;
};

TEST_F(Otlp, KeepsCallsRejectsWhatIsUnusableAndPassesOverTheRest) {
  const net::Response first = Post("/v1/traces", kSpans, "application/json; charset=utf-8");
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(HeaderOf(first, "Content-Type"), "application/json");
  EXPECT_EQ(first.body, R"x({"partialSuccess":{"rejectedSpans":"1",)x"
                        R"x("errorMessage":"a call states no usage (1)"}})x");
  EXPECT_EQ(otlp::ReadSpanLog(*files, home.path() + "/otlp/spans/2025-11/24T16.journal")->size(),
            1u);
  Post("/v1/traces", kSpans);
  EXPECT_EQ(Counter("flyball_otlp_calls_total"), 1u);
  EXPECT_EQ(Counter("flyball_otlp_calls_repeated_total"), 1u);
  EXPECT_EQ(Counter("flyball_otlp_spans_rejected_total"), 2u);
  EXPECT_EQ(Counter("flyball_otlp_spans_passed_over_total"), 2u);
}

TEST_F(Otlp, AnswersErrorsAsStatusInTheFormOfTheRequest) {
  net::Response refused = Post("/v1/traces", "{", "application/json");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(nlohmann::json::parse(refused.body)["code"], 3);
  refused = Post("/v1/traces", "{", "application/x-protobuf");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(HeaderOf(refused, "Content-Type"), "application/x-protobuf");
  EXPECT_TRUE(refused.body.starts_with("\x08\x03\x12")) << refused.body;
  EXPECT_EQ(Post("/v1/traces", kSpans, "text/plain").status, 415);
  EXPECT_EQ(Post("/v1/traces", kSpans, "").status, 415);
  EXPECT_EQ(Post("/v1/traces", kSpans, "application/json", "zstd").status, 415);
  EXPECT_EQ(Post("/v1/traces", kSpans, "application/json", "gzip").status, 400);
  EXPECT_EQ(Post("/v1/traces", kSpans, "application/json", "identity").status, 200);
  EXPECT_EQ(service->Handle(Ask("GET", "/v1/traces")).status, 405);
}

TEST_F(Otlp, AnEmptyProtobufRequestIsWellFormed) {
  for (const char* path : {"/v1/traces", "/v1/metrics", "/v1/logs"}) {
    const net::Response answer = Post(path, "", "application/x-protobuf");
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.body, "") << path;
  }
  EXPECT_FALSE(files->Exists(home.path() + "/otlp"));
}

TEST_F(Otlp, MetricsAndLogsAreTakenAndSaidNotToBeMetered) {
  for (const char* path : {"/v1/metrics", "/v1/logs"}) {
    const net::Response answer = Post(path, R"({"resourceMetrics":[]})");
    EXPECT_EQ(answer.status, 200);
    const auto json = nlohmann::json::parse(answer.body);
    EXPECT_NE(json["partialSuccess"]["errorMessage"].get<std::string>().find("not metered"),
              std::string::npos);
    EXPECT_EQ(json["partialSuccess"].size(), 1u);
    EXPECT_EQ(Post(path, "nonsense").status, 400);
  }
}

// Exporters send again after 503, and only then.
TEST_F(Otlp, WhatCannotBeKeptIsToBeSentAgain) {
  home.Write("otlp", "a file where a folder should be");
  const net::Response answer = Post("/v1/traces", kSpans);
  EXPECT_EQ(answer.status, 503) << answer.body;
  EXPECT_EQ(Counter("flyball_otlp_calls_total"), 0u);
  std::filesystem::remove(home.path() + "/otlp");
  EXPECT_EQ(Post("/v1/traces", kSpans).status, 200);
  EXPECT_EQ(Counter("flyball_otlp_calls_total"), 1u);
}

TEST_F(Otlp, BodiesMayBeLargerThanOthers) {
  net::Request request = Ask("POST", "/v1/traces");
  request.headers["authorization"] = "Bearer " + home.Token();
  EXPECT_EQ(service->Admit(request)->body_max_bytes, otlp::kBodyMaxBytes);
  EXPECT_FALSE(service->Admit(request)->to_file);
  request.path = "/api/v1/query";
  EXPECT_EQ(service->Admit(request)->body_max_bytes, 0u);
  EXPECT_FALSE(service->Admit(Ask("POST", "/v1/traces")));
}

}  // namespace
}  // namespace flyball::serve
