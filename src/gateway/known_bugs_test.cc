// Failures that gateways in use are known for, as tests of the gateway as a whole: each is named
// after its class. A: calls that pass a limit; B: routes that skip the accounting; C: streams and
// aborts; D: wrong prices; E: what has no price; F: counts. docs/KNOWN_FAILURES.md has them all.
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "gateway/desk.h"
#include "gateway/test_governor.h"

namespace flyball::gateway {
namespace {

class GatewayKnownBugs : public GovernorTest {
 protected:
  // What the last attempt was charged.
  metered::End LastEnd() { return Records().back().end; }
};

struct Route {
  std::string_view path;
  std::string provider;
  std::string ask;
  std::string answer;
};

// Each costs 10 tokens in, and 20 out where there is an output.
const std::vector<Route>& Routes() {
  static const std::vector<Route> routes = {
      {kChat, "first", kAsk, kAnswer},
      {"/v1/responses", "first", R"({"model":"m","max_output_tokens":50,"input":"hi"})",
       R"({"id":"r","model":"m","usage":{"input_tokens":10,"output_tokens":20,"total_tokens":30}})"},
      {"/v1/embeddings", "first", R"({"model":"m","input":"hi"})",
       R"({"object":"list","data":[],"model":"m","usage":{"prompt_tokens":10,"total_tokens":10}})"},
      {"/v1/messages", "claude", R"({"model":"m","max_tokens":50,"messages":[]})",
       R"({"id":"a","model":"m","usage":{"input_tokens":10,"output_tokens":20}})"}};
  return routes;
}

// --- A: races and bypasses at admission

TEST_F(GatewayKnownBugs, A_ADearSizeOrTierIsHeldAtTheBasePrice) {
  // 300 thousand tokens cost 0.15 for their size, and 0.3 in the dear tier; 0.075 at the base
  // price.
  book_ = std::make_shared<rates::PriceBook>(
      rates::BookOf(rates::ModelOf("m", R"({"per_unit":{"input":"0.00000025","output":"0"}},
                             {"above":272000,"per_unit":{"input":"0.0000005"}},
                             {"tier":"priority","per_unit":{"input":"0.000001","output":"0"}})")));
  const std::string bearer = "Bearer " + key_.secret;
  const std::vector<HeaderView> headers = {{"Authorization", bearer}};
  // How many of five calls leave before any of them has ended.
  const auto leave = [&](std::string_view tier) {
    const std::string ask = R"({"model":"m","service_tier":")" + std::string(tier) +
                            R"(","max_tokens":1,"messages":[{"role":"user","content":")" +
                            std::string(300'000, 'x') + R"("}]})";
    const std::string answer =
        R"({"id":"a","model":"m","service_tier":")" + std::string(tier) +
        R"(","usage":{"prompt_tokens":300000,"completion_tokens":1,"total_tokens":300001}})";
    std::vector<std::unique_ptr<Call>> left;
    for (int i = 0; i < 5; ++i) {
      std::unique_ptr<Call> call = Gateway().Begin({"POST", kChat, headers, ask, ""});
      if (std::holds_alternative<Reply>(call->Next(Outcome::kNone))) {
        call->Ended(End::kRefused);
        continue;
      }
      EXPECT_TRUE(call->Dispatched() && Gateway().Commit());
      left.push_back(std::move(call));
    }
    for (const std::unique_ptr<Call>& call : left) {
      std::string out;
      EXPECT_EQ(call->Head(200, {}), HeadVerdict::kPass);
      EXPECT_EQ(call->Body(answer, &out), BodyVerdict::kPass);
      (void)call->Tail();
      call->Ended(End::kComplete);
    }
    return left.size();
  };
  SetBudget("organisation", "0.45");
  EXPECT_EQ(leave("default"), 2u);
  EXPECT_EQ(Standing("organisation"), std::pair(std::string("0.3"), std::string("0")));
  SetBudget("organisation", "0.75");
  EXPECT_EQ(leave("priority"), 1u);
  EXPECT_EQ(Standing("organisation"), std::pair(std::string("0.6"), std::string("0")));
}

TEST_F(GatewayKnownBugs, A_AMissingPriceMakesTheHoldNothing) {
  book_ = std::make_shared<rates::PriceBook>(
      rates::BookOf(rates::ModelOf("m", R"({"per_unit":{"input":"0.001"}})")));
  SetBudget("organisation", "100");
  const Served served = Serve(kChat, kAsk, {});
  EXPECT_GE(served.status, 400) << "the output has no price, so the call has no bound";
  EXPECT_TRUE(served.attempts.empty());
  EXPECT_TRUE(Records().empty());
}

TEST_F(GatewayKnownBugs, A_ABudgetInTheRequestForAKeyIsDropped) {
  const auto made = AdministerKeys(*files_, home_, clock_, "POST", "/keys",
                                   R"({"name":"limited","max_budget":"5"})");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kInvalidArgument);
  EXPECT_NE(made.error().message.find("max_budget"), std::string::npos) << made.error().message;
}

// --- B: routes that skip the accounting

TEST_F(GatewayKnownBugs, B_ARouteLooksAtFewerBudgetsThanAnother) {
  const std::vector<HeaderView> headers = {{"x-flyball-project", "p"},
                                           {"x-flyball-use-case", "u"},
                                           {"x-flyball-end-customer", "c"},
                                           {"x-flyball-tags", "stage=live"}};
  for (const Route& route : Routes()) {
    const std::vector<std::string> scopes = {"organisation",
                                             "team=search",
                                             "key=" + key_.key.id,
                                             "project=p",
                                             "use_case=u",
                                             "end_customer=c",
                                             "model=m",
                                             "provider=" + route.provider,
                                             "tag:stage=live"};
    for (const std::string& scope : scopes) SetBudget(scope, "1000");
    for (const std::string& scope : scopes) {
      SetBudget(scope, "0");
      const Served served = Serve(route.path, route.ask, {}, headers);
      EXPECT_EQ(served.status, 429) << route.path << " " << scope;
      EXPECT_TRUE(served.attempts.empty()) << route.path << " " << scope;
      SetBudget(scope, "1000");
    }
    std::map<std::string, int128> before;
    const auto settled = [&](const std::string& scope) {
      return wal_->guard().StatusOf(scope, Now()).value().settled;
    };
    for (const std::string& scope : scopes) before[scope] = settled(scope);
    EXPECT_EQ(Serve(route.path, route.ask, {{200, route.answer}}, headers).status, 200);
    for (const std::string& scope : scopes) {
      EXPECT_EQ(settled(scope) - before[scope], LastEnd().cost.units()) << route.path << scope;
    }
  }
}

TEST_F(GatewayKnownBugs, B_EveryRouteLeavesARowOfWhatItCost) {
  for (const Route& route : Routes()) {
    Serve(route.path, route.ask, {{200, route.answer}});
    const std::vector<metered::Record> records = Records();
    ASSERT_GE(records.size(), 2u) << route.path;
    EXPECT_FALSE(records[records.size() - 2].is_end) << route.path;
    EXPECT_EQ(LastEnd().basis, metered::Basis::kExact) << route.path;
    EXPECT_EQ(LastEnd().cost.ToString(), route.path == "/v1/embeddings" ? "0.01" : "0.05");
  }
  EXPECT_EQ(Records().size(), 2 * Routes().size());
}

TEST_F(GatewayKnownBugs, B_ARouteThatIsNotMeteredIsOpen) {
  for (std::string_view path : {"/v1/batches",
                                "/v1/files",
                                "/v1/messages/batches",
                                "/v1/realtime",
                                "/v1/completions",
                                "/v1/audio/speech",
                                "/v1/audio/transcriptions",
                                "/v1/images/generations",
                                "/v1/videos",
                                "/v1/responses/r1/cancel",
                                "/v1/threads",
                                "/v1/fine_tuning/jobs",
                                "/v1/vector_stores",
                                "/openai/v1/embeddings",
                                "/openai/deployments/m/chat/completions",
                                "/bedrock/model/m/invoke",
                                "/model/m/converse",
                                "/v1beta/models/m:generateContent",
                                "/anthropic/v1/messages",
                                "/v1/messages/",
                                "/v1/chat/completions/../embeddings"}) {
    for (std::string_view ask : {std::string_view(kAsk), std::string_view("")}) {
      const Served served = Serve(path, std::string(ask), {});
      EXPECT_EQ(served.status, 404) << path;
      EXPECT_TRUE(served.attempts.empty()) << path;
    }
  }
  EXPECT_TRUE(Records().empty());
}

TEST_F(GatewayKnownBugs, B_WhatIsWorkedOnLaterCostsNothing) {
  SetBudget("organisation", "100");
  const std::string ask = R"({"model":"m","max_output_tokens":50,"background":true,"input":"hi"})";
  Serve("/v1/responses", ask, {{200, R"({"id":"r","model":"m","status":"queued","usage":null})"}});
  EXPECT_EQ(LastEnd().basis, metered::Basis::kBound) << "the vendor bills it after this answer";
  EXPECT_EQ(LastEnd().cost, Records().front().dispatch.bound);
  EXPECT_EQ(Standing("organisation").first, LastEnd().cost.ToString());
}

// --- C: streams and aborts

const std::string kMessagesAsk = R"({"model":"m","max_tokens":50,"stream":true,"messages":[]})";
const std::string kMessageStart =
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"a\","
    "\"model\":\"m\",\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}\n\n";
const std::string kMessageEnd =
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{"
    "\"output_tokens\":20}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

TEST_F(GatewayKnownBugs, C_AClientThatLeavesLosesTheUsageOfItsAnswer) {
  SetBudget("organisation", "100");
  Serve(kChat, kAsk, {{200, kAnswer, Outcome::kNone, End::kDrained}});
  EXPECT_EQ(LastEnd().basis, metered::Basis::kExact) << "of an answer in one piece";
  EXPECT_EQ(LastEnd().cost.ToString(), "0.05");
  Serve("/v1/messages", kMessagesAsk,
        {{200, kMessageStart + kMessageEnd, Outcome::kNone, End::kDrained}});
  EXPECT_EQ(LastEnd().basis, metered::Basis::kExact) << "and of a stream";
  EXPECT_EQ(Standing("organisation").first, "0.1");
}

TEST_F(GatewayKnownBugs, C_AStreamThatIsAbortedCostsNothingOrItsPlaceholder) {
  SetBudget("organisation", "100");
  for (const End how : {End::kClientGone, End::kBroken}) {
    // The usage that the stream begins with has one token of output, whatever is made later.
    Serve("/v1/messages", kMessagesAsk, {{200, kMessageStart, Outcome::kNone, how}});
    EXPECT_EQ(LastEnd().basis, metered::Basis::kBound);
    EXPECT_EQ(LastEnd().cost, Records()[Records().size() - 2].dispatch.bound);
    EXPECT_GT(LastEnd().cost, Money::Parse("0.05").value());
  }
}

// --- D: wrong prices

TEST_F(GatewayKnownBugs, D_TheCostIsEmptyAfterAFallback) {
  SetBudget("organisation", "100");
  const std::string dated =
      R"({"id":"a","model":"m-2026-01-01","usage":{"prompt_tokens":10,"completion_tokens":20}})";
  const Served served = Serve(kChat, kAsk, {{429, "slow down"}, {200, dated}});
  EXPECT_EQ(served.attempts.size(), 2u);
  EXPECT_EQ(LastEnd().basis, metered::Basis::kExact);
  EXPECT_EQ(LastEnd().model, "m-2026-01-01");
  EXPECT_EQ(LastEnd().cost.ToString(), "0.05") << "at the price of the name that was asked for";
  EXPECT_EQ(Standing("organisation").first, "0.05");
}

// --- E: what has no price

TEST_F(GatewayKnownBugs, E_AnAnswerThatCannotBePricedIsGivenBack) {
  SetBudget("organisation", "100");
  Serve("/v1/messages", R"({"model":"m","max_tokens":5,"messages":[]})",
        {{200, R"({"id":"a","model":"m","usage":{"input_tokens":1,"output_tokens":1,
             "server_tool_use":{"web_search_requests":2}}})"}});
  EXPECT_EQ(LastEnd().basis, metered::Basis::kBound) << "there is no price for searches";
  EXPECT_EQ(LastEnd().cost, Records().front().dispatch.bound);
  EXPECT_EQ(Standing("organisation").first, LastEnd().cost.ToString());
}

TEST_F(GatewayKnownBugs, E_AModelOfOnesOwnCountsAsFreeAndSkipsTheBudget) {
  settings_.upstreams = {Upstream("own", estate::UpstreamApi::kOpenAiCompatible, 1)};
  settings_.upstream_keys = {""};
  SetBudget("organisation", "0");
  for (std::string_view model : {"hosted_vllm/llama", "custom", "m"}) {
    const std::string ask = R"({"max_tokens":1,"model":")" + std::string(model) + "\"}";
    const Served served = Serve(kChat, ask, {});
    EXPECT_GE(served.status, 400) << model;
    EXPECT_TRUE(served.attempts.empty()) << model;
  }
  EXPECT_TRUE(Records().empty());
}

TEST_F(GatewayKnownBugs, E_AFreeModelIsRefusedByABudgetThatIsSpent) {
  book_ = std::make_shared<rates::PriceBook>(
      rates::BookOf(rates::ModelOf("m", R"({"per_unit":{"input":"0.001","output":"0.002"}})") +
                    "," + rates::ModelOf("local", R"({"per_unit":{"input":"0","output":"0"}})")));
  SetBudget("organisation", "100");
  Serve(kChat, kAsk, {{200, kAnswer}});
  SetBudget("organisation", "0.01");  // less than what is spent
  EXPECT_EQ(Serve(kChat, kAsk, {}).status, 429);
  const std::string usage = R"("usage":{"prompt_tokens":10,"completion_tokens":20}})";
  EXPECT_EQ(Serve(kChat, R"({"model":"local","max_tokens":5})",
                  {{200, R"({"id":"a","model":"local",)" + usage}})
                .status,
            200);
  EXPECT_EQ(LastEnd().basis, metered::Basis::kExact);
  EXPECT_TRUE(LastEnd().cost.is_zero());
}

// --- F: counts

TEST_F(GatewayKnownBugs, F_RetriesCountAsRequests) {
  SetBudget("organisation", "100");
  Serve(kChat, kAsk, {{429, "slow down"}, {200, kAnswer}});
  EXPECT_EQ(Gateway().counts().calls, 1u);
  EXPECT_EQ(Gateway().counts().attempts, 2u);
  EXPECT_EQ(Gateway().counts().exact, 1u);
  EXPECT_EQ(Standing("organisation").first, "0.05");
}

}  // namespace
}  // namespace flyball::gateway
