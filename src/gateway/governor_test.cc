#include "gateway/governor.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "base/log.h"
#include "base/zone.h"
#include "gateway/recovery.h"
#include "gateway/test_governor.h"
#include "guard/test_files.h"
#include "os/sim_files.h"
#include "rates/test_prices.h"

namespace flyball::gateway {
namespace {

using Json = nlohmann::json;

TEST_F(GovernorTest, ACallIsHeldAtItsBoundAndSettledExactly) {
  SetBudget("team=search", "100");
  const Served served = Serve(kChat, kAsk, {{200, kAnswer}});
  EXPECT_EQ(served.status, 200);
  EXPECT_EQ(served.body, kAnswer);
  EXPECT_EQ(served.bodies.front(), kAsk);
  EXPECT_EQ(served.attempts[0].target, kChat);
  EXPECT_EQ(served.attempts[0].headers[0].second, "Bearer sk-1");
  EXPECT_EQ(Standing("team=search"), std::pair(std::string("0.05"), std::string("0")));
  const std::vector<metered::Record> records = Records();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].dispatch.team, "search");
  EXPECT_EQ(records[0].dispatch.key, key_.key.id);
  EXPECT_EQ(records[1].end.basis, metered::Basis::kExact);
  EXPECT_EQ(records[1].end.cost.ToString(), "0.05");
  EXPECT_EQ(records[1].end.lines.size(), 2u);
  EXPECT_GE(records[0].dispatch.bound, records[1].end.cost);
}

// The account's own setting may send a call elsewhere than its upstream stands.
TEST_F(GovernorTest, TheRegionThatAnAnswerNamesIsLogged) {
  Serve("/v1/messages", R"({"model":"m","max_tokens":5,"messages":[]})",
        {{200, R"({"id":"a","model":"m","usage":{"input_tokens":1,"output_tokens":1,)"
               R"("inference_geo":"us"}})"}});
  Serve(kChat, kAsk, {{200, kAnswer}});
  const std::vector<metered::Record> records = Records();
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[1].end.region, "us");
  EXPECT_EQ(records[3].end.region, "");
}

// The bill of a call that broke off is priced by where it was being served.
TEST_F(GovernorTest, WhereAnAnswerThatBreaksOffWasServedIsLogged) {
  const std::string start =
      "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"a\","
      "\"model\":\"m\",\"usage\":{\"input_tokens\":1,\"output_tokens\":1,\"service_tier\":"
      "\"priority\",\"inference_geo\":\"us\"}}}\n\n";
  Serve("/v1/messages", R"({"model":"m","max_tokens":5,"stream":true,"messages":[]})",
        {{200, start, Outcome::kNone, End::kBroken}});
  const std::vector<metered::Record> records = Records();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].end.basis, metered::Basis::kBound);
  EXPECT_EQ(records[1].end.answer_id, "a");
  EXPECT_EQ(records[1].end.region, "us");
  EXPECT_EQ(records[1].end.tier, "priority");
}

TEST_F(GovernorTest, WhatDoesNotFitIsRefusedInTheClientsDialectAndNothingIsCharged) {
  SetBudget("team=search", "0.5");
  const Served openai = Serve(kChat, kAsk, {});
  EXPECT_EQ(openai.status, 429);
  const Json error = Json::parse(openai.body).at("error");
  EXPECT_EQ(error.at("code"), "budget_exceeded");
  EXPECT_NE(error.at("message").get<std::string>().find("team=search"), std::string::npos) << error;
  const Served anthropic =
      Serve("/v1/messages", R"({"model":"m","max_tokens":5,"messages":[]})", {});
  EXPECT_EQ(anthropic.status, 429);
  EXPECT_EQ(Json::parse(anthropic.body).at("error").at("type"), "rate_limit_error");
  EXPECT_EQ(Standing("team=search"), std::pair(std::string("0"), std::string("0")));
  EXPECT_TRUE(Records().empty());
}

TEST_F(GovernorTest, FailoverPaysForEachAttemptWhatItMayHaveCost) {
  SetBudget("organisation", "100");
  // The first breaks after it was sent, so it counts at its bound; the second answers.
  const Served served = Serve(kChat, kAsk, {{0, "", Outcome::kBroken}, {200, kAnswer}});
  EXPECT_EQ(served.status, 200);
  EXPECT_EQ(served.attempts[1].headers[0].second, "Bearer sk-2");
  const std::vector<metered::Record> records = Records();
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[1].end.basis, metered::Basis::kBound);
  EXPECT_EQ(records[1].end.cost, records[0].dispatch.bound);
  EXPECT_EQ(records[3].end.basis, metered::Basis::kExact);
  const Money total = records[1].end.cost.Plus(records[3].end.cost).value();
  EXPECT_EQ(Standing("organisation"), std::pair(total.ToString(), std::string("0")));
}

TEST_F(GovernorTest, ARefusalOfTheVendorCostsNothing) {
  SetBudget("organisation", "100");
  EXPECT_EQ(Serve(kChat, kAsk, {{429, "slow down"}, {200, kAnswer}}).status, 200);
  EXPECT_EQ(Serve(kChat, kAsk, {{400, R"({"error":{}})"}}).status, 400);
  EXPECT_EQ(Serve(kChat, kAsk, {{0, "", Outcome::kNotConnected}, {200, kAnswer}}).status, 200);
  EXPECT_EQ(Standing("organisation"), std::pair(std::string("0.1"), std::string("0")));
}

TEST_F(GovernorTest, WithoutTheVendorsLastWordACallCountsAtItsBound) {
  SetBudget("organisation", "100");
  const VendorAnswer cases[] = {
      {200, kAnswer.substr(0, 40), Outcome::kNone, End::kBroken},
      {200, kAnswer, Outcome::kNone, End::kClientGone},
      {200, R"({"id":"a","model":"m","choices":[]})"},
      {200, R"({"id":"a","model":"m","usage":{"prompt_tokens":-5,"completion_tokens":1}})"},
      {200, R"({"usage":{"prompt_tokens":1,"prompt_tokens_details":{"cached_tokens":2},)"
            R"("completion_tokens":1}})"},
      {503, "busy"},
  };
  Money expected;
  for (const VendorAnswer& answer : cases) {
    std::vector<VendorAnswer> answers = {answer};
    if (answer.status >= 500) answers = {answer, answer};  // the second upstream is tried
    Serve(kChat, kAsk, answers);
    for (size_t i = 0; i < answers.size(); ++i) {
      const std::vector<metered::Record> records = Records();
      const metered::End& end = records[records.size() - 1 - 2 * i].end;
      if (&answer == &cases[1]) {
        // All of it had come: the usage is the vendor's last word although the client is gone.
        continue;
      }
      EXPECT_EQ(end.basis, metered::Basis::kBound) << answer.body;
    }
  }
  for (const metered::Record& record : Records()) {
    if (record.is_end) expected = expected.Plus(record.end.cost).value();
  }
  EXPECT_EQ(Standing("organisation"), std::pair(expected.ToString(), std::string("0")));
}

TEST_F(GovernorTest, ALimitOfTheOutputIsPutInWhereThereIsNone) {
  Serve(kChat, R"({"model":"m","messages":[]})", {{200, kAnswer}});
  const Served served = Serve(kChat, R"({"model":"m","messages":[]})", {{200, kAnswer}});
  EXPECT_EQ(served.bodies.front(), R"({"max_completion_tokens":100,"model":"m","messages":[]})");
}

// Of a member that is there twice vendors take the last, which would be the client's null.
TEST_F(GovernorTest, ALimitThatIsNullIsReplacedWhereItStands) {
  EXPECT_EQ(Serve(kChat, R"({"model":"m","max_completion_tokens" : null ,"n":1})", {{200, kAnswer}})
                .bodies.front(),
            R"({"model":"m","max_completion_tokens" : 100 ,"n":1})");
  EXPECT_EQ(Serve(kChat, R"({"max_tokens":null,"model":"m"})", {{200, kAnswer}}).bodies.front(),
            R"({"max_completion_tokens":100,"max_tokens":null,"model":"m"})");
  EXPECT_EQ(Serve("/v1/responses", R"({"model":"m","max_output_\u0074okens":null})",
                  {{200, R"({"id":"r","model":"m","usage":{"input_tokens":1,"output_tokens":1}})"}})
                .bodies.front(),
            R"({"model":"m","max_output_\u0074okens":100})");
  EXPECT_EQ(Serve("/v1/messages", R"({"model":"m","max_tokens":null})",
                  {{200, R"({"id":"r","model":"m","usage":{"input_tokens":1,"output_tokens":1}})"}})
                .bodies.front(),
            R"({"model":"m","max_tokens":100})");
}

// Own servers may know the limit only by its older name.
TEST_F(GovernorTest, OwnServersGetTheLimitByTheNameThatTheyKnow) {
  settings_.upstreams = {Upstream("own", estate::UpstreamApi::kOpenAiCompatible, 1)};
  settings_.upstream_keys = {""};
  EXPECT_EQ(
      Serve(kChat, R"({"model":"m","max_completion_tokens":7})", {{200, kAnswer}}).bodies.front(),
      R"({"max_tokens":7,"model":"m","max_completion_tokens":7})");
  EXPECT_EQ(
      Serve(kChat, R"({"max_completion_tokens":7,"max_tokens":null,"model":"m"})", {{200, kAnswer}})
          .bodies.front(),
      R"({"max_completion_tokens":7,"max_tokens":7,"model":"m"})");
  EXPECT_EQ(Serve(kChat, R"({"model":"m"})", {{200, kAnswer}}).bodies.front(),
            R"({"max_tokens":100,"model":"m"})");
  EXPECT_EQ(Serve(kChat, kAsk, {{200, kAnswer}}).bodies.front(), kAsk);
}

// Of an answer that is compressed nothing can be read.
TEST_F(GovernorTest, AnswersAreAskedForUncompressedAndCountAtTheirBoundWhenTheyAreNot) {
  SetBudget("organisation", "100");
  const std::string ask = R"({"model":"m","stream":true,"max_tokens":50})";
  const VendorAnswer packed{
      200, "\x1f\x8b data: x\n\n", Outcome::kNone, End::kComplete, {{"Content-Encoding", "gzip"}}};
  const Served served = Serve(kChat, ask, {packed}, {{"Accept-Encoding", "gzip, br"}});
  EXPECT_EQ(served.body, packed.body);
  const auto& headers = served.attempts.front().headers;
  EXPECT_NE(std::find(headers.begin(), headers.end(),
                      std::pair<std::string, std::string>("Accept-Encoding", "identity")),
            headers.end());
  EXPECT_EQ(Records().back().end.basis, metered::Basis::kBound);
  const VendorAnswer plain{
      200, kAnswer, Outcome::kNone, End::kComplete, {{"content-encoding", "identity"}}};
  Serve(kChat, kAsk, {plain});
  EXPECT_EQ(Records().back().end.basis, metered::Basis::kExact);
}

// What is held and what is charged are priced at one instant.
TEST_F(GovernorTest, APriceThatChangesAfterTheHoldDoesNotBreakIt) {
  const Instant change{clock_.Now().us + kMicrosPerSecond};
  book_ = std::make_shared<rates::PriceBook>(rates::BookOf(rates::ModelOf(
      "m", fmt::format(R"({{"to":"{0}","per_unit":{{"input":"0.001","output":"0.002"}}}},
          {{"from":"{0}","per_unit":{{"input":"1000","output":"2000"}}}})",
                       FormatInstant(change)))));
  SetBudget("organisation", "100");
  before_dispatch_ = [&] { clock_.Advance(2 * kMicrosPerSecond); };
  Serve(kChat, kAsk, {{200, kAnswer}});
  EXPECT_EQ(Standing("organisation").first, "0.05");
  EXPECT_EQ(Gateway().counts().faults, 0u);
}

// The usage of a response does not count searches; its output does.
TEST_F(GovernorTest, SearchesOfAResponseAreCharged) {
  book_ = std::make_shared<rates::PriceBook>(rates::BookOf(
      rates::ModelOf("m", R"({"per_unit":{"input":"0.000001","output":"0.000002","searches":"0.01",
               "searches_high":"0.05"}})")));
  SetBudget("organisation", "1000");
  const std::string output = R"([{"id":"ws1","type":"web_search_call","action":{"type":"search"}},)"
                             R"({"id":"ws2","type": "web_search_call","action":{"type":"search"}},)"
                             R"({"type":"message","content":[{"text":"\"web_search_call\" x"}]}])";
  const std::string usage = R"("usage":{"input_tokens":0,"output_tokens":0,"total_tokens":0})";
  const std::string whole = R"({"id":"r","model":"m","tools":[{"type":"web_search"}],"output":)" +
                            output + "," + usage + "}";
  Serve("/v1/responses", R"({"model":"m","max_tool_calls":3,"tools":[{"type":"web_search"}]})",
        {{200, whole}});
  EXPECT_EQ(Records().back().end.basis, metered::Basis::kExact);
  EXPECT_EQ(Records().back().end.cost.ToString(), "0.02");
  const std::string event =
      "event: response.completed\ndata: {\"type\":\"response.completed\","
      "\"response\":" +
      whole + "}\n\n";
  Serve("/v1/responses", R"({"model":"m","max_tool_calls":3,"stream":true,
      "tools":[{"type":"web_search","search_context_size":"high"}]})",
        {{200, event}});
  EXPECT_EQ(Records().back().end.basis, metered::Basis::kExact);
  EXPECT_EQ(Records().back().end.cost.ToString(), "0.1");
}

// The end of a stream has totals of the cache without their split by time to live.
TEST_F(GovernorTest, TotalsOfTheCacheAtTheEndOfAStreamAreExactWhereOnlyOneKindIsWritten) {
  SetBudget("organisation", "10000");
  const std::string stream =
      "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"a\",\"model\":"
      "\"m\",\"usage\":{\"input_tokens\":1,\"output_tokens\":1,\"cache_creation_input_tokens\":5,"
      "\"cache_creation\":{\"ephemeral_5m_input_tokens\":5,\"ephemeral_1h_input_tokens\":0}}}}\n\n"
      "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{"
      "\"input_tokens\":1,\"output_tokens\":2,\"cache_creation_input_tokens\":9}}\n\n"
      "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
  const auto basis = [&](std::string_view control) {
    Serve(
        "/v1/messages",
        fmt::format(R"({{"model":"m","stream":true,"max_tokens":9,"cache_control":{}}})", control),
        {{200, stream}});
    return Records().back().end.basis;
  };
  EXPECT_EQ(basis(R"({"type":"ephemeral"})"), metered::Basis::kExact);
  EXPECT_EQ(Records().back().end.cost.ToString(), "0.014");
  EXPECT_EQ(basis(R"({"type":"ephemeral","ttl":"1h"})"), metered::Basis::kBound);
}

TEST_F(GovernorTest, AUsageThatIsNestedDeepCountsAtTheBound) {
  SetBudget("organisation", "100");
  constexpr int kDeep = 30'000;
  const std::string stream =
      "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"a\",\"model\":"
      "\"m\",\"usage\":{\"input_tokens\":1,\"x\":" +
      std::string(kDeep, '[') + std::string(kDeep, ']') +
      "}}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":"
      "2}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
  Serve("/v1/messages", R"({"model":"m","stream":true,"max_tokens":9})", {{200, stream}});
  EXPECT_EQ(Records().back().end.basis, metered::Basis::kBound);
}

TEST_F(GovernorTest, TheUsageOfAStreamIsAskedForAndTakenOutAgain) {
  SetBudget("organisation", "100");
  const std::string stream =
      "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"x\"}}],"
      "\"usage\":null}\n\n"
      "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":10,"
      "\"completion_tokens\":20}}\n\ndata: [DONE]\n\n";
  const Served served =
      Serve(kChat, R"({"model":"m","stream":true,"max_tokens":50})", {{200, stream}});
  EXPECT_NE(served.bodies.front().find(R"("stream_options":{"include_usage":true})"),
            std::string::npos);
  EXPECT_EQ(served.body,
            "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n"
            "data: [DONE]\n\n");
  EXPECT_EQ(Standing("organisation").first, "0.05");
}

// A chat stream of so many one-word events.
std::string StreamOf(int words, std::string_view usage) {
  std::string stream;
  for (int i = 0; i < words; ++i) {
    stream += R"(data: {"id":"c","model":"m","choices":[{"delta":{"content":"word"}}]})"
              "\n\n";
  }
  stream += R"(data: {"id":"c","model":"m","choices":[],"usage":)";
  stream += usage;
  return stream + "}\n\ndata: [DONE]\n\n";
}
const std::string kStreamAsk =
    R"({"model":"m","max_tokens":1000,"stream":true,"stream_options":{"include_usage":true}})";

// Quantile mode holds what most answers stay under. A longer one grows into the room that is left,
// and ends well where there is none.
TEST_F(GovernorTest, AStreamThatOutgrowsItsHoldGrowsItOrEndsWell) {
  budget::Budget budget;
  budget.scope = budget::ParseScope("team=search").value();
  budget.limit = Money::Parse("10")->units();
  budget.name = "q";
  budget.mode = budget::Mode::kQuantile;
  budget.quantile_overrun_percent = 30;
  ASSERT_TRUE(wal_->guard().SetBudget(budget, Now()));
  ASSERT_TRUE(wal_->Commit());
  const std::string usual = StreamOf(20, R"({"prompt_tokens":0,"completion_tokens":20})");
  for (int i = 0; i < 80; ++i) {
    ASSERT_EQ(Serve(kChat, kStreamAsk, {{200, usual}}).body, usual);
  }
  ASSERT_EQ(Standing("q").first, "3.2");
  // 500 tokens cost one unit; there is room for them.
  const std::string longer = StreamOf(500, R"({"prompt_tokens":0,"completion_tokens":500})");
  EXPECT_EQ(Serve(kChat, kStreamAsk, {{200, longer}}).body, longer);
  ASSERT_EQ(Standing("q").first, "4.2");
  // In the middle of the next one the budget is lowered: to what is spent and held.
  int pieces = 0;
  between_pieces_ = [&] {
    if (++pieces != 100) return;
    const guard::StatusRow row = wal_->guard().StatusOf("q", Now()).value();
    EXPECT_GT(row.held, 0);
    EXPECT_LT(row.held, Money::Parse("1")->units());
    budget.limit = row.settled + row.held;
    ASSERT_TRUE(wal_->guard().SetBudget(budget, Now()));
  };
  const std::string body = Serve(kChat, kStreamAsk, {{200, longer}}).body;
  EXPECT_LT(body.size(), longer.size());
  EXPECT_NE(body.find("\n\n: ended early: the budget of team=search has 0 USD left"),
            std::string::npos)
      << body.substr(body.size() - 500);
  EXPECT_TRUE(body.ends_with("\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n"));
  EXPECT_EQ(Gateway().counts().cut, 1u);
  EXPECT_EQ(wal_->guard().StatusOf("q", Now())->refused, 1u);
  EXPECT_EQ(Records().back().end.basis, metered::Basis::kBound);
  EXPECT_EQ(Standing("q").second, "0");
  EXPECT_EQ(wal_->guard().Audit(), "");
}

TEST_F(GovernorTest, AFrozenBudgetEndsTheStreamsThatRun) {
  SetBudget("team=search", "100");
  int pieces = 0;
  between_pieces_ = [&] {
    clock_.Advance(10'000);
    if (++pieces == 10) {
      ASSERT_TRUE(wal_->guard().SetFrozen("team=search", true, Now()));
    }
  };
  const std::string whole = StreamOf(400, R"({"prompt_tokens":0,"completion_tokens":400})");
  const Served served = Serve(kChat, kStreamAsk, {{200, whole}});
  EXPECT_LT(served.body.size(), whole.size() / 4);
  EXPECT_NE(served.body.find(": ended early: the budget of team=search is frozen\n\n"),
            std::string::npos);
  EXPECT_TRUE(served.body.ends_with("data: [DONE]\n\n"));
}

TEST_F(GovernorTest, WhoAndWhatIsNotAllowedIsRefused) {
  EXPECT_EQ(Serve(kChat, kAsk, {}, {}, false).status, 401);
  EXPECT_EQ(Serve("/v1/batches", kAsk, {}).status, 404);
  EXPECT_EQ(Serve(kChat, "{", {}).status, 400);
  const Served search = Serve(kChat, R"({"model":"m","tools":[{"type":"web_search"}]})", {});
  EXPECT_EQ(search.status, 400);
  const Json error = Json::parse(search.body).at("error");
  EXPECT_EQ(error.at("type"), "invalid_request_error");
  EXPECT_NE(error.at("message").get<std::string>().find("'tools'"), std::string::npos) << error;
  EXPECT_EQ(Serve(kChat, kAsk, {}, {{"X-Flyball-Tags", "no equals"}}).status, 400);
  EXPECT_TRUE(Records().empty());
}

TEST_F(GovernorTest, AnUpstreamWithoutAPriceIsPassedOver) {
  settings_.upstreams[0].provider = "nobody";
  settings_.upstreams[0].models = {"*"};
  const Served served = Serve(kChat, kAsk, {{200, kAnswer}});
  EXPECT_EQ(served.status, 200);
  ASSERT_EQ(served.attempts.size(), 1u);
  EXPECT_EQ(served.attempts[0].headers[0].second, "Bearer sk-2");
  EXPECT_EQ(Records().front().dispatch.attempt, 1);
}

TEST_F(GovernorTest, TheVendorsOwnErrorGoesOnWhenTheRestHaveNoPrice) {
  settings_.upstreams[1].provider = "nobody";
  const Served served = Serve(kChat, kAsk, {{429, "slow down"}});
  EXPECT_EQ(served.status, 429);
  EXPECT_EQ(served.body, "slow down");
}

TEST_F(GovernorTest, AModelThatNobodyHasAPriceForIsNotTheClientsFault) {
  const Served served = Serve(kChat, R"({"model":"unpriced","max_tokens":1})", {});
  EXPECT_EQ(served.status, 503);
  EXPECT_NE(served.body.find("'unpriced'"), std::string::npos) << served.body;
  EXPECT_NE(served.body.find("flyball prices import"), std::string::npos) << served.body;
  EXPECT_EQ(served.headers.back(), std::pair(std::string("x-should-retry"), std::string("false")));
  EXPECT_TRUE(Records().empty());
}

TEST_F(GovernorTest, AttributesThatNoBudgetCanHaveAreTheClientsFault) {
  SetBudget("end_customer=*", "100");
  EXPECT_EQ(Serve(kChat, kAsk, {}, {{"x-flyball-end-customer", "*"}}).status, 400);
  EXPECT_EQ(Gateway().counts().refused_budget, 0u);
  EXPECT_EQ(Gateway().counts().refused_other, 1u);
}

TEST_F(GovernorTest, EmbeddingsHaveNoStreamWhateverIsAskedFor) {
  SetBudget("organisation", "100");
  const std::string answer = R"({"model":"m","data":[],"usage":{"prompt_tokens":10}})";
  EXPECT_EQ(
      Serve("/v1/embeddings", R"({"model":"m","input":"x","stream":true})", {{200, answer}}).body,
      answer);
  EXPECT_EQ(Standing("organisation").first, "0.01");
  EXPECT_FALSE(Records().front().dispatch.stream);
}

TEST_F(GovernorTest, ARefusalThatBreaksOffIsARefusalAllTheSame) {
  SetBudget("organisation", "100");
  Serve(kChat, kAsk, {{400, R"({"err)", Outcome::kNone, End::kBroken}});
  Serve(kChat, kAsk, {{404, R"({"err)", Outcome::kNone, End::kClientGone}});
  EXPECT_EQ(Standing("organisation"), std::pair(std::string("0"), std::string("0")));
  EXPECT_EQ(Records().back().end.basis, metered::Basis::kRefused);
}

TEST_F(GovernorTest, ALevelThatWarnsIsToldOnceAndCounted) {
  budget::Budget budget;
  budget.scope = budget::ParseScope("team=search").value();
  budget.name = "b";
  budget.limit = Money::Parse("10")->units();
  budget.warn_percent = {1, 50};
  ASSERT_TRUE(wal_->guard().SetBudget(budget, Now()));
  ASSERT_TRUE(wal_->Commit());
  std::vector<std::string> lines;
  log::Options options;
  options.sink = [&](std::string_view line) { lines.emplace_back(line); };
  log::Configure(options);
  const std::string answer =
      R"({"id":"a","model":"m","usage":{"prompt_tokens":100,"completion_tokens":1}})";
  Serve(kChat, kAsk, {{200, answer}});
  Gateway().Tick();
  Gateway().Tick();
  log::Configure({});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("team=search"), std::string::npos) << lines[0];
  EXPECT_NE(Gateway().MetricsText().find("\nflyball_budget_warnings_total 1\n"), std::string::npos);
  EXPECT_EQ(wal_->guard().StatusOf("b", Now())->warned_percent, 1);
}

TEST_F(GovernorTest, TheDeskOpensToTheTokenOfNow) {
  const auto ask = [&](const std::string& token) {
    const std::string bearer = "Bearer " + token;
    const std::vector<HeaderView> headers = {{"Authorization", bearer}};
    const RequestView request{"GET", "/flyball/v1/budgets", headers, "", "127.0.0.1"};
    return std::get<Reply>(Gateway().Begin(request)->Next(Outcome::kNone)).status;
  };
  EXPECT_EQ(ask(""), 401);
  ASSERT_TRUE(os::WriteSecret(home_ + "/token", "one\n"));
  clock_.Advance(kMicrosPerSecond);
  Gateway().Tick();
  EXPECT_EQ(ask("one"), 200);
  ASSERT_TRUE(os::WriteSecret(home_ + "/token", "two\n"));
  clock_.Advance(kMicrosPerSecond);
  Gateway().Tick();
  EXPECT_EQ(ask("one"), 401);
  EXPECT_EQ(ask("two"), 200);
}

// A header fills what the key leaves open, and never what it states.
TEST_F(GovernorTest, HeadersCannotChargeAnotherTeam) {
  Serve(
      kChat, kAsk, {{200, kAnswer}},
      {{"x-flyball-team", "finance"}, {"X-Flyball-Project", "p1"}, {"x-flyball-tags", "b=2, a=1"}});
  const metered::Dispatch dispatch = Records().front().dispatch;
  EXPECT_EQ(dispatch.team, "search");
  EXPECT_EQ(dispatch.project, "p1");
  EXPECT_EQ(dispatch.tags.front().first, "a");
}

// A client that leaves while a later attempt is still dialling pays for the first one alone.
TEST_F(GovernorTest, AnAttemptThatNeverLeftIsGivenBackWhateverWentBefore) {
  SetBudget("organisation", "100");
  const std::string bearer = "Bearer " + key_.secret;
  const std::vector<HeaderView> headers = {{"Authorization", bearer}};
  for (const End how : {End::kClientGone, End::kNeverSent, End::kBroken}) {
    const std::unique_ptr<Call> call = Gateway().Begin({"POST", kChat, headers, kAsk, ""});
    ASSERT_TRUE(std::holds_alternative<Attempt>(call->Next(Outcome::kNone)));
    ASSERT_TRUE(call->Dispatched() && Gateway().Commit());
    ASSERT_EQ(call->Head(429, {}), HeadVerdict::kRetry);
    ASSERT_TRUE(std::holds_alternative<Attempt>(call->Next(Outcome::kRetryableHead)));
    call->Ended(how);
    EXPECT_TRUE(Gateway().Commit());
    EXPECT_EQ(Standing("organisation"), std::pair(std::string("0"), std::string("0")));
  }
  EXPECT_EQ(Records().size(), 6u) << "of the first attempts, a dispatch and an end each";
  EXPECT_EQ(Gateway().counts().not_sent, 3u);
}

// Its hold was given back while it was still dialling.
TEST_F(GovernorTest, AnAttemptThatDialsPastItsDeadlineDoesNotLeave) {
  SetBudget("organisation", "100");
  settings_.call_max_us = 1'000'000;
  const std::string bearer = "Bearer " + key_.secret;
  const std::vector<HeaderView> headers = {{"Authorization", bearer}};
  const std::unique_ptr<Call> call = Gateway().Begin({"POST", kChat, headers, kAsk, ""});
  ASSERT_TRUE(std::holds_alternative<Attempt>(call->Next(Outcome::kNone)));
  clock_.Advance(2'000'000);
  Gateway().Tick();
  EXPECT_FALSE(call->Dispatched());
  EXPECT_EQ(std::get<Reply>(call->Next(Outcome::kNotRecorded)).status, 503);
  call->Ended(End::kRefused);
  EXPECT_EQ(Standing("organisation"), std::pair(std::string("0"), std::string("0")));
  EXPECT_TRUE(Records().empty());
}

// The log of calls on a disk of its own, which is full for a while.
class FullLogTest : public GovernorTest {
 protected:
  void SetUp() override {
    GovernorTest::SetUp();
    log_.emplace(
        CallLog::Open(disk_, "calls", [](const metered::Record&) { return Status(); }).value());
    SetBudget("organisation", "100");
  }
  void Fill() { disk_.SetCapacityBytes(1); }
  void MakeRoom() { disk_.SetCapacityBytes(1 << 30); }
  std::vector<metered::Record> Logged() { return Logged(disk_); }
  static std::vector<metered::Record> Logged(os::Files& disk) {
    std::vector<metered::Record> records;
    EXPECT_TRUE(CallLog::Open(disk, "calls", [&](const metered::Record& record) {
      records.push_back(record);
      return Status();
    }));
    return records;
  }

  os::SimFiles disk_{os::SimFilesOptions{}};
};

TEST_F(FullLogTest, NothingLeavesThatIsNotInTheLog) {
  for (const bool begun : {false, true}) {
    if (begun) {
      EXPECT_EQ(Serve(kChat, kAsk, {{200, kAnswer}}).status, 200);
    }
    const auto before = Standing("organisation");
    Fill();
    const Served refused = Serve(kChat, kAsk, {{200, kAnswer}});
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.attempts.size(), 1u) << "and no other is tried";
    EXPECT_EQ(Standing("organisation"), before);
    Gateway().Tick();
    EXPECT_TRUE(wal_->guard().stopped()) << "the guard's own journal is well, and yet";
    EXPECT_TRUE(Serve(kChat, kAsk, {{200, kAnswer}}).attempts.empty());
    MakeRoom();
    Gateway().Tick();
    EXPECT_EQ(Serve(kChat, kAsk, {{200, kAnswer}}).status, 200);
  }
  EXPECT_EQ(Standing("organisation").first, "0.15");
  Money logged;
  for (const metered::Record& record : Logged()) {
    if (record.is_end) logged = logged.Plus(record.end.cost).value();
  }
  EXPECT_EQ(logged.ToString(), "0.15");
}

TEST_F(FullLogTest, NothingLeavesThatIsNotInTheGuardsJournal) {
  guard::Options options;
  static const Zone utc;
  options.find_zone = [](std::string_view) { return &utc; };
  wal_ = guard::Wal::Open(disk_, "guard", "boot", options).value();
  log_.emplace(CallLog::Open(*files_, home_ + "/calls", [](const metered::Record&) {
                 return Status();
               }).value());
  SetBudget("organisation", "100");
  EXPECT_EQ(Serve(kChat, kAsk, {{200, kAnswer}}).status, 200);
  Fill();
  EXPECT_EQ(Serve(kChat, kAsk, {{200, kAnswer}}).status, 503);
  EXPECT_EQ(Records().size(), 2u);
  EXPECT_TRUE(Serve(kChat, kAsk, {}).attempts.empty());
  MakeRoom();
  Gateway().Tick();
  EXPECT_EQ(Serve(kChat, kAsk, {{200, kAnswer}}).status, 200);
  EXPECT_EQ(Standing("organisation"), std::pair(std::string("0.1"), std::string("0")));
  EXPECT_EQ(wal_->guard().Audit(), "");
}

TEST_F(FullLogTest, AnEndWaitsForRoomAndComesBeforeAnythingNewer) {
  const std::string bearer = "Bearer " + key_.secret;
  const std::vector<HeaderView> headers = {{"Authorization", bearer}};
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 2; ++i) {
    calls.push_back(Gateway().Begin({"POST", kChat, headers, kAsk, ""}));
    ASSERT_TRUE(std::holds_alternative<Attempt>(calls.back()->Next(Outcome::kNone)));
    ASSERT_TRUE(calls.back()->Dispatched() && Gateway().Commit());
    ASSERT_EQ(calls.back()->Head(200, {}), HeadVerdict::kPass);
    std::string out;
    ASSERT_EQ(calls.back()->Body(kAnswer, &out), BodyVerdict::kPass);
    (void)calls.back()->Tail();
  }
  Fill();
  calls[0]->Ended(End::kComplete);
  (void)Gateway().Commit();
  EXPECT_TRUE(wal_->guard().stopped());
  EXPECT_EQ(Logged().size(), 2u);
  MakeRoom();
  calls[1]->Ended(End::kComplete);
  EXPECT_TRUE(Gateway().Commit());
  const std::vector<metered::Record> records = Logged();
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[2].end.id, records[0].dispatch.id);
  EXPECT_EQ(records[3].end.id, records[1].dispatch.id);
  EXPECT_EQ(records[3].end.basis, metered::Basis::kExact);
  Gateway().Tick();
  EXPECT_EQ(Serve(kChat, kAsk, {{200, kAnswer}}).status, 200);
}

// A turn in which one call ends, one leaves and one is withdrawn, and the process dies at every
// byte that it writes.
TEST_F(FullLogTest, ATurnThatIsCutShortLosesNoCallAndChargesNoneTwice) {
  static const Zone utc;
  const std::string bearer = "Bearer " + key_.secret;
  const std::vector<HeaderView> headers = {{"Authorization", bearer}};
  std::set<std::string> sums;
  constexpr uint64_t kWrites = 3;  // the log's ends, the guard's journal, the log's dispatches
  for (uint64_t operation = 0; operation <= kWrites; ++operation) {
    bool done = false;
    for (uint64_t bytes = 0; !done; bytes += 7) {
      os::SimFiles disk{os::SimFilesOptions{}};
      guard::DyingFiles dying(disk, 1);
      const auto open = [&](os::Files& files) {
        gateway_.reset();
        log_.reset();
        guard::Options options;
        options.find_zone = [](std::string_view) { return &utc; };
        wal_.reset();
        wal_ = guard::Wal::Open(files, "guard", "boot", options).value();
        log_.emplace(RecoverCalls(files, "calls", *wal_, Now()).value());
      };
      open(dying);
      SetBudget("organisation", "100");
      std::vector<std::unique_ptr<Call>> calls;
      for (int i = 0; i < 3; ++i) {
        calls.push_back(Gateway().Begin({"POST", kChat, headers, kAsk, ""}));
        ASSERT_TRUE(std::holds_alternative<Attempt>(calls.back()->Next(Outcome::kNone)));
      }
      ASSERT_TRUE(calls[0]->Dispatched() && Gateway().Commit());
      ASSERT_EQ(calls[0]->Head(200, {}), HeadVerdict::kPass);
      std::string out;
      ASSERT_EQ(calls[0]->Body(kAnswer, &out), BodyVerdict::kPass);
      (void)calls[0]->Tail();
      calls[0]->Ended(End::kComplete);
      ASSERT_TRUE(calls[1]->Dispatched());
      ASSERT_TRUE(calls[2]->Dispatched());
      calls[2]->Ended(End::kNeverSent);
      dying.DieAfter(operation, bytes);
      const bool leaves = Gateway().Commit();
      EXPECT_EQ(leaves, operation == kWrites);
      done = bytes > dying.last_append_size();
      dying.DieAfter(0, 0);  // from here on nothing of this process counts
      calls[1]->Ended(leaves ? End::kBroken : End::kNeverSent);
      calls.clear();
      open(disk);
      const auto [counted, held] = Standing("organisation");
      EXPECT_EQ(held, "0");
      EXPECT_TRUE(!leaves || counted != "0.05") << "what left is charged";
      Money logged;
      std::set<uint64_t> ended;
      for (const metered::Record& record : Logged(disk)) {
        if (!record.is_end) continue;
        EXPECT_TRUE(ended.insert(record.end.id).second);
        logged = logged.Plus(record.end.cost).value();
      }
      // A torn record looks like a power cut: the guard counts all that was leased.
      if (wal_->tail_was_lost()) {
        EXPECT_GE(Money::Parse(counted)->units(), logged.units());
        EXPECT_EQ(operation, 1u);
      } else {
        EXPECT_EQ(logged.ToString(), counted) << operation << ", " << bytes << " bytes";
        sums.insert(counted);
      }
      gateway_.reset();
      log_.reset();
      wal_.reset();
    }
  }
  EXPECT_TRUE(sums.contains("0.05")) << "the end was written, and the other call not";
  EXPECT_EQ(sums.size(), 3u) << "or the other too, or neither";
}

// What a power cut takes of the log is what was written in the last second or so.
TEST_F(FullLogTest, TheLogIsSyncedEverySecond) {
  EXPECT_EQ(Serve(kChat, kAsk, {{200, kAnswer}}).status, 200);
  clock_.Advance(2'000'000);
  Gateway().Tick();
  EXPECT_FALSE(log_->StartSync()) << "all is on the disk";
  gateway_.reset();
  log_.reset();
  disk_.PowerCut();
  EXPECT_EQ(Logged().size(), 2u);
}

TEST_F(FullLogTest, AfterAFailedSyncNoCallLeavesUntilTheNextStart) {
  std::function<void(const Status&)> finish;
  settings_.beside = [&](const auto& job, auto done) {
    EXPECT_TRUE(job());
    finish = done;
  };
  EXPECT_EQ(Serve(kChat, kAsk, {{200, kAnswer}}).status, 200);
  clock_.Advance(2'000'000);
  Gateway().Tick();
  ASSERT_TRUE(finish);
  EXPECT_EQ(Serve(kChat, kAsk, {{200, kAnswer}}).status, 200) << "it goes on meanwhile";
  finish(Fail(Code::kUnavailable, "Input/output error"));
  EXPECT_TRUE(Serve(kChat, kAsk, {}).attempts.empty());
  clock_.Advance(2'000'000);
  Gateway().Tick();
  EXPECT_EQ(Serve(kChat, kAsk, {}).status, 503);
}

// Whatever vendors do, in whatever order: what they may bill is never above what is charged, and
// what is charged is never above a hard limit.
TEST_F(GovernorTest, TheInvoiceIsNeverAboveTheBudget) {
  SetBudget("organisation", "20");
  Random random(42);
  Money invoice;
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    std::vector<VendorAnswer> answers;
    const int64_t in = random.Between(1, 60);
    const int64_t out = random.Between(0, 50);
    const Money cost = Money::FromUnits((in + 2 * out) * 1'000'000'000);
    const std::string whole = R"({"id":"a","model":"m","usage":{"prompt_tokens":)" +
                              std::to_string(in) + R"(,"completion_tokens":)" +
                              std::to_string(out) + "}}";
    for (int n = 0; n < 2; ++n) {
      switch (random.Below(6)) {
        case 0:
          answers.push_back({0, "", Outcome::kNotConnected});
          break;
        case 1:
          answers.push_back({0, "", Outcome::kTimedOut});
          break;
        case 2:
          answers.push_back({500, "x"});
          break;
        case 3:
          answers.push_back({429, "x"});
          break;
        case 4:
          answers.push_back({200, whole.substr(0, 20), Outcome::kNone, End::kBroken});
          break;
        default:
          answers.push_back({200, whole});
          break;
      }
    }
    const Served served = Serve(kChat, kAsk, answers);
    refused += served.status == 429 && served.attempts.empty() ? 1 : 0;
    for (size_t n = 0; n < served.attempts.size(); ++n) {
      const VendorAnswer& answer = answers[n];
      const bool works =
          answer.outcome == Outcome::kTimedOut || answer.status == 500 || answer.status == 200;
      if (works) invoice = invoice.Plus(cost).value();  // it bills although the answer was lost
    }
    const guard::StatusRow row = wal_->guard().StatusOf("organisation", Now()).value();
    ASSERT_LE(invoice.units(), row.settled + row.held) << i;
    ASSERT_LE(row.settled + row.held, row.limit) << i;
    ASSERT_EQ(row.held, 0) << i;
  }
  EXPECT_GT(refused, 100);
  EXPECT_EQ(wal_->guard().Audit(), "");
  EXPECT_EQ(wal_->guard().bugs(), 0u);
}

}  // namespace
}  // namespace flyball::gateway
