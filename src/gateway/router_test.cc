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
}

TEST(Router, ResponsesOfAzureBelongToNoDeployment) {
  estate::Upstream upstream = Make("a", estate::UpstreamApi::kAzureOpenAi, {"*"});
  upstream.base_url = "https://x.openai.azure.com";
  const auto at = [&](std::string version, Dialect dialect, std::string_view target) {
    upstream.api_version = std::move(version);
    return TargetAt(upstream, dialect, target, "m");
  };
  using enum Dialect;
  EXPECT_EQ(at("", kOpenAiResponses, "/v1/responses"), "/openai/v1/responses");
  EXPECT_EQ(at("2025-04-01-preview", kOpenAiResponses, "/v1/responses?a=b"),
            "/openai/responses?api-version=2025-04-01-preview&a=b");
  EXPECT_EQ(at("2024-10-21", kOpenAiResponses, "/v1/responses"), "/openai/v1/responses")
      << "dated versions of before 2025-03-01 have no Responses API";
  EXPECT_EQ(at("2025-04-01-preview", kOpenAiEmbeddings, "/v1/embeddings"),
            "/openai/deployments/m/embeddings?api-version=2025-04-01-preview");
  for (const Dialect dialect : {kOpenAiChat, kOpenAiResponses, kOpenAiEmbeddings}) {
    const std::string path(Info(dialect).path);
    EXPECT_EQ(at("v1", dialect, path + "?a=b"), "/openai" + path + "?a=b");
    EXPECT_EQ(at("preview", dialect, path), "/openai" + path + "?api-version=preview");
  }
}

}  // namespace
}  // namespace flyball::gateway
