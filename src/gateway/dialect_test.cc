#include "gateway/dialect.h"

#include <gtest/gtest.h>

namespace flyball::gateway {
namespace {

TEST(Dialect, KnowsItsRoutesExactly) {
  EXPECT_EQ(DialectOf("POST", "/v1/chat/completions"), Dialect::kOpenAiChat);
  EXPECT_EQ(DialectOf("POST", "/v1/messages?beta=true"), Dialect::kAnthropicMessages);
  EXPECT_EQ(DialectOf("GET", "/v1/models"), Dialect::kOpenAiModels);
  for (std::string_view path : {"/v1/chat/completions/", "//v1/chat/completions", "/V1/messages",
                                "/v1/batches", "/v1/files", "/v1/realtime", "/v1/./messages",
                                "/v1/%6Dessages", "/v1/images/generations", "/", "*"}) {
    EXPECT_EQ(DialectOf("POST", path), std::nullopt) << path;
  }
  EXPECT_EQ(DialectOf("GET", "/v1/messages"), std::nullopt);
}

TEST(Dialect, ErrorsHaveTheShapeOfTheVendor) {
  const Reply openai =
      ErrorReply(false, RefusalKind::kOverBudget, "team \"search\" is at its limit");
  EXPECT_EQ(openai.status, 429);
  EXPECT_EQ(openai.body,
            R"({"error":{"message":"team \"search\" is at its limit","type":"insufficient_quota",)"
            R"("param":null,"code":"budget_exceeded"}})");
  EXPECT_EQ(openai.headers.back().first, "x-should-retry");
  const Reply anthropic = ErrorReply(true, RefusalKind::kUnauthenticated, "no key");
  EXPECT_EQ(anthropic.status, 401);
  EXPECT_EQ(anthropic.body,
            R"({"type":"error","error":{"type":"authentication_error","message":"no key"}})");
}

}  // namespace
}  // namespace flyball::gateway
