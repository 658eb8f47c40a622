#include <gtest/gtest.h>

#include "estate/test_section.h"
#include "os/sim_files.h"

namespace flyball::estate {
namespace {

TEST(GatewaySection, UpstreamsAndBudgets) {
  Result<Estate> estate = LoadText(R"(currency: EUR
gateway:
  listen: 127.0.0.1:8081
  access_log: access.log
  output_limit: 4096
  missing_price: ceiling
  upstreams:
    - { name: openai, dialect: openai, base_url: "https://api.openai.com/", key_env: OPENAI_API_KEY,
        models: [gpt-*, o3], weight: 3 }
    - { name: backup, dialect: openai-compatible, base_url: "http://10.0.0.7:8000", priority: 2 }
budgets:
  - { scope: team=search, amount: 100, window: month, zone: Europe/Paris, warn: [50, 80] }
  - { name: trial, scope: organisation, tokens: 1000000, window: rolling 24 hours, hard: false }
)");
  ASSERT_TRUE(estate) << estate.error().ToString();
  const Gateway& gateway = estate->gateway;
  EXPECT_EQ(gateway.listen, "127.0.0.1:8081");
  EXPECT_EQ(gateway.output_limit, 4096);
  EXPECT_EQ(gateway.access_log, "access.log");
  EXPECT_EQ(gateway.missing_price, "ceiling");
  ASSERT_EQ(gateway.upstreams.size(), 2u);
  EXPECT_EQ(gateway.upstreams[0].base_url, "https://api.openai.com");
  EXPECT_EQ(gateway.upstreams[0].models, (std::vector<std::string>{"gpt-*", "o3"}));
  EXPECT_EQ(gateway.upstreams[0].weight, 3);
  EXPECT_EQ(gateway.upstreams[1].api, UpstreamApi::kOpenAiCompatible);
  EXPECT_EQ(gateway.upstreams[1].priority, 2);
  ASSERT_EQ(estate->budgets.size(), 2u);
  EXPECT_EQ(estate->budgets[0].name, "team=search per month");
  EXPECT_EQ(estate->budgets[0].currency, "EUR");
  EXPECT_EQ(estate->budgets[0].limit, Money::Parse("100").value().units());
  EXPECT_EQ(estate->budgets[0].window.zone, "Europe/Paris");
  EXPECT_EQ(estate->budgets[1].measure, budget::Measure::kTokens);
  EXPECT_FALSE(estate->budgets[1].hard);
}

TEST(GatewaySection, ExchangeRatesAreExact) {
  Result<Estate> estate = LoadText(R"(exchange_rates:
  - { from: USD, to: EUR, rate: 0.925925926 }
  - { from: EUR, to: USD, rate: "1.08" }
)");
  ASSERT_TRUE(estate) << estate.error().ToString();
  ASSERT_EQ(estate->exchange_rates.size(), 2u);
  EXPECT_EQ(estate->exchange_rates[0].from, "USD");
  EXPECT_EQ(estate->exchange_rates[0].to, "EUR");
  EXPECT_EQ(estate->exchange_rates[0].rate.ToString(), "0.925925926");
  EXPECT_EQ(estate->exchange_rates[1].rate.ToString(), "1.08");
}

// Every mistake is named with its place.
TEST(GatewaySection, MistakesHaveTheirPlace) {
  struct Wrong {
    const char* yaml;
    const char* says;
    int line;
  };
  const Wrong wrongs[] = {
      {"gateway:\n  upstream: []\n", "upstreams", 2},
      {"gateway:\n  upstreams:\n    - { name: a, base_url: 'https://x' }\n", "dialect", 3},
      {"gateway:\n  upstreams:\n    - { name: a, dialect: opnai, base_url: 'https://x' }\n",
       "openai", 3},
      {"gateway:\n  upstreams:\n    - { name: a, dialect: openai, base_url: 'ftp://x' }\n",
       "https://", 3},
      {"gateway:\n  upstreams:\n    - { name: a, dialect: openai, base_url: 'https://u:p@x' }\n",
       "password", 3},
      {"gateway:\n  upstreams:\n    - { name: a, dialect: openai, base_url: 'https://x', weight: 0 "
       "}\n",
       "weight", 3},
      {"budgets:\n  - { scope: team=a }\n", "amount", 2},
      {"budgets:\n  - { scope: teem=a, amount: 1 }\n", "scope", 2},
      {"budgets:\n  - { scope: team=a, amount: 1, tokens: 1 }\n", "either", 2},
      {"budgets:\n  - { scope: team=a, amount: -1 }\n", "", 2},
      {"budgets:\n  - { scope: team=a, amount: 1, window: decade }\n", "decade", 2},
      {"budgets:\n  - { scope: team=a, amount: 1 }\n  - { scope: team=a, amount: 2 }\n",
       "two budgets", 3},
      {"exchange_rates:\n  - { from: USD, to: EUR }\n", "rate", 2},
      {"exchange_rates:\n  - { from: USD, to: eur, rate: 1 }\n", "ISO 4217", 2},
      {"exchange_rates:\n  - { from: USD, to: USD, rate: 1 }\n", "two currencies", 2},
      {"exchange_rates:\n  - { from: USD, to: EUR, rate: 0 }\n", "above 0", 2},
      {"exchange_rates:\n  - { from: USD, to: EUR, rate: 1 }\n"
       "  - { from: USD, to: EUR, rate: 2 }\n",
       "second time", 3},
  };
  for (const Wrong& wrong : wrongs) {
    Result<Estate> estate = LoadText(wrong.yaml);
    ASSERT_FALSE(estate) << wrong.yaml;
    EXPECT_EQ(estate.error().code, Code::kInvalidArgument) << wrong.yaml;
    EXPECT_EQ(estate.error().place.line, wrong.line) << estate.error().ToString();
    EXPECT_NE(estate.error().ToString().find(wrong.says), std::string::npos)
        << estate.error().ToString();
  }
}

}  // namespace
}  // namespace flyball::estate
