// What decides about a call before it is held: its head, the scopes that it falls under, and what
// its bound counts.
#include <gtest/gtest.h>

#include <algorithm>

#include "gateway/test_governor.h"

namespace flyball::gateway {
namespace {

// An upstream's own spelling made a value of `provider=*` beside that of the ledger.
TEST_F(GovernorTest, TheProviderOfACallIsSpelledAsBudgetsSpellIt) {
  settings_.upstreams[0].name = "OpenAI";
  SetBudget("provider=openai", "100");
  SetBudget("provider=*", "100");
  EXPECT_EQ(Serve(kChat, kAsk, {{200, kAnswer}}).status, 200);
  EXPECT_EQ(Standing("provider=openai").first, "0.05");
  std::vector<std::string> scopes;
  for (const guard::StatusRow& row : wal_->guard().Statuses(Now())) scopes.push_back(row.scope);
  EXPECT_EQ(std::ranges::count(scopes, "provider=openai"), 2);
  EXPECT_EQ(std::ranges::count(scopes, "provider=OpenAI"), 0);
}

// Whatever its spelling, and under the name of a snapshot too.
TEST_F(GovernorTest, ABudgetOfAModelHasNoWayAroundIt) {
  book_ = std::make_shared<rates::PriceBook>(rates::BookOf(
      rates::ModelOf("m", R"({"per_unit":{"input":"0.001","output":"0.002"}})") + "," +
      rates::ModelOf("m-2024-08-06", R"({"per_unit":{"input":"0.001","output":"0.002"}})")));
  SetBudget("model=m", "0");
  for (std::string_view name : {"m", "M", "m-2024-08-06", "M-2024-08-06"}) {
    const std::string ask = fmt::format(R"({{"model":"{}","max_tokens":50,"messages":[]}})", name);
    EXPECT_EQ(Serve(kChat, ask, {}).status, 429) << name;
  }
}

// A bill that does not tell is taken at no tier or place but these.
TEST_F(GovernorTest, WhatABoundHasCountedIsLogged) {
  Serve(kChat, kAsk, {{200, kAnswer}});
  Serve(kChat, R"({"model":"m","max_tokens":5,"service_tier":"flex","messages":[]})",
        {{200, kAnswer}});
  Serve("/v1/messages", R"({"model":"m","max_tokens":5,"messages":[]})", {{500, ""}, {500, ""}});
  const std::vector<metered::Record> records = Records();
  ASSERT_GE(records.size(), 6u);
  EXPECT_EQ(records[0].dispatch.tiers, "standard,priority");
  EXPECT_FALSE(records[0].dispatch.anywhere);
  EXPECT_EQ(records[2].dispatch.tiers, "standard,flex");
  EXPECT_FALSE(records[2].dispatch.anywhere);
  EXPECT_EQ(records[4].dispatch.tiers, "standard");
  EXPECT_TRUE(records[4].dispatch.anywhere);
  std::string older = metered::Encode(records[4].dispatch);
  older.erase(older.find(R"(,"tiers")"));
  const metered::Record read = metered::Decode(older + "}").value();
  EXPECT_EQ(read.dispatch.tiers, "");
  EXPECT_FALSE(read.dispatch.anywhere);
}

// Whoever invents values filled the log with them as well.
TEST_F(GovernorTest, ABudgetThatCanCountNoMoreValuesIsToldOnceUntilThereIsRoom) {
  SetBudget("end_customer=*", "100");
  for (uint32_t i = 0; i < guard::kValuesMax; ++i) {
    ASSERT_TRUE(wal_->guard().SetExternal("end_customer=*", std::to_string(i), {}, 1, Now()));
  }
  ASSERT_TRUE(wal_->Commit());
  std::vector<std::string> lines;
  log::Options options;
  options.level = log::Level::kError;
  options.sink = [&](std::string_view line) { lines.emplace_back(line); };
  log::Configure(options);
  const auto refused = [&](const char* customer) {
    return Serve(kChat, kAsk, {{200, kAnswer}}, {{"x-flyball-end-customer", customer}}).status;
  };
  EXPECT_EQ(refused("ann"), 503);
  Gateway().Tick();
  EXPECT_EQ(refused("bob"), 503);
  EXPECT_EQ(refused("7"), 200) << "known";
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("end_customer=*"), std::string::npos) << lines[0];
  // Once there was room again it is news.
  clock_.Advance(100 * kMicrosPerDay);
  wal_->guard().ForgetIdle(Now());
  Gateway().Tick();
  EXPECT_EQ(refused("ann"), 200);
  log::Configure({});
  EXPECT_EQ(lines.size(), 1u);
}

TEST_F(GovernorTest, AHeadWithoutAChanceIsRefusedBeforeItsBody) {
  const std::string bearer = "Bearer " + key_.secret;
  const std::vector<HeaderView> none;
  const std::vector<HeaderView> good = {{"Authorization", bearer}};
  const auto judge = [&](std::string_view method, std::string_view target,
                         const std::vector<HeaderView>& headers) {
    const Judgement judgement =
        Gateway().Judge(RequestView{method, target, headers, {}, "127.0.0.1"});
    EXPECT_EQ(judgement.payer,
              judgement.refusal || target.starts_with("/flyball/") ? "" : key_.key.id);
    return judgement.refusal ? judgement.refusal->status : 0;
  };
  EXPECT_EQ(judge("POST", kChat, none), 401);
  EXPECT_EQ(judge("POST", kChat, good), 0);
  EXPECT_EQ(judge("POST", "/v1/files", good), 404);
  EXPECT_EQ(judge("GET", "/healthz", none), 200);
  EXPECT_EQ(judge("POST", "/flyball/budgets", good), 401);
  EXPECT_EQ(Gateway().counts().calls, 2u);
  EXPECT_EQ(Gateway().counts().refused_other, 2u);
}

// A declared price must not draw calls away from an upstream that knows one, nor pass for known.
TEST_F(GovernorTest, ADeclaredPriceIsTheLastResortAndSaysSo) {
  settings_.missing_price = rates::MissingPrice::kFree;
  settings_.upstreams[0].provider = "nobody";
  EXPECT_EQ(Serve(kChat, kAsk, {{200, kAnswer}}).attempts[0].upstream, 1u);
  const std::string ask = R"({"model":"unpriced","max_tokens":1})";
  const std::string answer =
      R"({"id":"u","model":"unpriced","usage":{"prompt_tokens":10,"completion_tokens":5}})";
  const Served served = Serve(kChat, ask, {{200, answer}});
  EXPECT_EQ(served.status, 200);
  EXPECT_EQ(served.attempts[0].upstream, 0u);
  std::vector<metered::Basis> bases;
  for (const metered::Record& record : Records()) {
    if (record.is_end) bases.push_back(record.end.basis);
  }
  EXPECT_EQ(bases, (std::vector{metered::Basis::kExact, metered::Basis::kDeclared}));
  EXPECT_EQ(Gateway().counts().exact, 2u);
}

// The first counted in silence, and the budgets of the second knew nothing of the call.
TEST_F(GovernorTest, WhatSaysWhoPaysStandsOnce) {
  const std::vector<std::vector<HeaderView>> twice = {
      {{"x-flyball-team", "a"}, {"X-Flyball-Team", "b"}},
      {{"x-flyball-tags", "a=1"}, {"x-flyball-tags", "b=1"}},
      {{"x-flyball-tags", "a=1, a=2"}}};
  for (const std::vector<HeaderView>& headers : twice) {
    const Served openai = Serve(kChat, kAsk, {}, headers);
    EXPECT_EQ(openai.status, 400);
    EXPECT_NE(openai.body.find(R"("type":"invalid_request_error","param":null)"), std::string::npos)
        << openai.body;
    EXPECT_NE(openai.body.find("twice"), std::string::npos) << openai.body;
    const Served anthropic = Serve("/v1/messages", kAsk, {}, headers);
    EXPECT_EQ(anthropic.status, 400);
    EXPECT_TRUE(anthropic.body.starts_with(R"({"type":"error")")) << anthropic.body;
  }
  EXPECT_TRUE(Records().empty());
  EXPECT_EQ(Serve(kChat, kAsk, {{200, kAnswer}},
                  {{"x-flyball-project", "p"}, {"x-flyball-tags", "a=1,b=1"}})
                .status,
            200);
}

TEST_F(GovernorTest, ABodyThatIsEncodedIsRefusedWithTheRemedy) {
  for (const std::string_view path : {kChat, std::string_view("/v1/messages")}) {
    const Served served = Serve(path, "\x1f\x8b", {}, {{"Content-Encoding", "gzip"}});
    EXPECT_EQ(served.status, 415);
    EXPECT_NE(served.body.find("without Content-Encoding"), std::string::npos) << served.body;
  }
  EXPECT_EQ(Serve(kChat, kAsk, {{200, kAnswer}}, {{"Content-Encoding", "identity"}}).status, 200);
}

}  // namespace
}  // namespace flyball::gateway
