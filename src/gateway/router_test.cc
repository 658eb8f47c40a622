#include "gateway/router.h"

#include <gtest/gtest.h>

#include <map>

namespace flyball::gateway {
namespace {

estate::Upstream Make(std::string name, estate::UpstreamApi api, std::vector<std::string> models,
                      int weight = 1, int priority = 1) {
  estate::Upstream upstream;
  upstream.name = std::move(name);
  upstream.api = api;
  upstream.base_url = "https://" + upstream.name + ".example";
  upstream.models = std::move(models);
  upstream.weight = weight;
  upstream.priority = priority;
  return upstream;
}

TEST(Router, ByDialectModelAndPriority) {
  using enum estate::UpstreamApi;
  const std::vector<estate::Upstream> upstreams = {Make("backup", kOpenAi, {"*"}, 1, 2),
                                                   Make("claude", kAnthropic, {"claude-*"}),
                                                   Make("first", kOpenAiCompatible, {"gpt-*"})};
  Random random(1);
  EXPECT_EQ(CandidatesFor(upstreams, Dialect::kOpenAiChat, "gpt-5", random),
            (std::vector<size_t>{2, 0}));
  EXPECT_EQ(CandidatesFor(upstreams, Dialect::kOpenAiChat, "llama", random),
            (std::vector<size_t>{0}));
  EXPECT_EQ(CandidatesFor(upstreams, Dialect::kAnthropicMessages, "claude-3", random),
            (std::vector<size_t>{1}));
  EXPECT_TRUE(CandidatesFor(upstreams, Dialect::kAnthropicMessages, "gpt-5", random).empty());
}

TEST(Router, WeightsDecideAmongEquals) {
  const std::vector<estate::Upstream> upstreams = {
      Make("a", estate::UpstreamApi::kOpenAi, {"*"}, 1),
      Make("b", estate::UpstreamApi::kOpenAi, {"*"}, 3)};
  Random random(7);
  std::map<size_t, int> first;
  for (int i = 0; i < 4000; ++i) {
    ++first[CandidatesFor(upstreams, Dialect::kOpenAiChat, "m", random).front()];
  }
  EXPECT_NEAR(first[1], 3000, 150);
}

TEST(Router, TargetsAtTheUpstream) {
  estate::Upstream upstream = Make("a", estate::UpstreamApi::kOpenAi, {"*"});
  EXPECT_EQ(TargetAt(upstream, Dialect::kOpenAiChat, "/v1/chat/completions?a=b", "m"),
            "/v1/chat/completions?a=b");
  upstream.base_url = "http://10.0.0.7:8000/llm/v1";
  EXPECT_EQ(TargetAt(upstream, Dialect::kOpenAiEmbeddings, "/v1/embeddings", "m"),
            "/llm/v1/embeddings");
  upstream.api = estate::UpstreamApi::kAzureOpenAi;
  upstream.base_url = "https://x.openai.azure.com";
  EXPECT_EQ(TargetAt(upstream, Dialect::kOpenAiChat, "/v1/chat/completions", "gpt 5/../x"),
            "/openai/deployments/gpt%205%2F..%2Fx/chat/completions?api-version=2024-10-21");
  EXPECT_EQ(TargetAt(upstream, Dialect::kOpenAiResponses, "/v1/responses?a=b", "gpt-5"),
            "/openai/v1/responses?a=b")
      << "Azure's responses are of no deployment";
  upstream.api_version = "2025-04-01-preview";
  EXPECT_EQ(TargetAt(upstream, Dialect::kOpenAiResponses, "/v1/responses?a=b", "gpt-5"),
            "/openai/responses?api-version=2025-04-01-preview&a=b");
}

TEST(Router, ListsNamesNotPatterns) {
  const std::vector<estate::Upstream> upstreams = {
      Make("a", estate::UpstreamApi::kOpenAi, {"gpt-5", "gpt-*"}),
      Make("b", estate::UpstreamApi::kAnthropic, {"claude-3", "gpt-5"})};
  EXPECT_EQ(ListedModels(upstreams), (std::vector<std::string>{"gpt-5", "claude-3"}));
}

}  // namespace
}  // namespace flyball::gateway
