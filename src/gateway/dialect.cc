#include "gateway/dialect.h"

#include "base/assert.h"
#include "base/text.h"

namespace flyball::gateway {
namespace {

constexpr std::array<DialectInfo, 6> kDialects = {{
    {Dialect::kOpenAiChat, "openai-chat", "POST", "/v1/chat/completions", "max_completion_tokens",
     false},
    {Dialect::kOpenAiResponses, "openai-responses", "POST", "/v1/responses", "max_output_tokens",
     false},
    {Dialect::kOpenAiEmbeddings, "openai-embeddings", "POST", "/v1/embeddings", "", false},
    {Dialect::kOpenAiModels, "openai-models", "GET", "/v1/models", "", false},
    {Dialect::kAnthropicMessages, "anthropic-messages", "POST", "/v1/messages", "max_tokens", true},
    {Dialect::kAnthropicCountTokens, "anthropic-count-tokens", "POST", "/v1/messages/count_tokens",
     "", true},
}};

struct ErrorWords {
  int status;
  std::string_view openai_type;
  std::string_view openai_code;
  std::string_view anthropic_type;
};

ErrorWords WordsOf(RefusalKind kind) {
  switch (kind) {
    case RefusalKind::kInvalid:
      return {400, "invalid_request_error", "invalid_request", "invalid_request_error"};
    case RefusalKind::kUnauthenticated:
      return {401, "invalid_request_error", "invalid_api_key", "authentication_error"};
    case RefusalKind::kForbidden:
      return {403, "invalid_request_error", "permission_denied", "permission_error"};
    case RefusalKind::kUnknownRoute:
      return {404, "invalid_request_error", "unknown_url", "not_found_error"};
    case RefusalKind::kTooLarge:
      return {413, "invalid_request_error", "request_too_large", "request_too_large"};
    case RefusalKind::kEncoded:
      return {415, "invalid_request_error", "unsupported_content_encoding",
              "invalid_request_error"};
    case RefusalKind::kOverBudget:
      return {429, "insufficient_quota", "budget_exceeded", "rate_limit_error"};
    case RefusalKind::kUnavailable:
      return {503, "server_error", "unavailable", "overloaded_error"};
    case RefusalKind::kUpstreamFailed:
      return {502, "server_error", "upstream_failed", "api_error"};
    case RefusalKind::kTimedOut:
      return {504, "server_error", "upstream_timeout", "timeout_error"};
    case RefusalKind::kOther:
      break;
  }
  return {400, "invalid_request_error", "refused", "invalid_request_error"};
}

}  // namespace

const DialectInfo& Info(Dialect dialect) {
  const DialectInfo& info = kDialects[static_cast<size_t>(dialect)];
  FB_ASSERT(info.dialect == dialect);
  return info;
}

std::optional<Dialect> DialectOf(std::string_view method, std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  for (const DialectInfo& info : kDialects) {
    if (info.path == path && info.method == method) return info.dialect;
  }
  return std::nullopt;
}

bool SpeaksAnthropic(std::string_view path) { return path.starts_with("/v1/messages"); }

Reply ErrorReply(bool anthropic, RefusalKind kind, std::string_view message, int status) {
  const ErrorWords words = WordsOf(kind);
  Reply reply;
  reply.status = status != 0 ? status : words.status;
  reply.headers.emplace_back("Content-Type", "application/json");
  // Both vendors' libraries try a 429 again by themselves unless told not to.
  if (kind == RefusalKind::kOverBudget) reply.headers.emplace_back("x-should-retry", "false");
  if (anthropic) {
    reply.body = R"({"type":"error","error":{"type":)";
    AppendJsonString(words.anthropic_type, &reply.body);
    reply.body += R"(,"message":)";
    AppendJsonString(message, &reply.body);
    reply.body += "}}";
    return reply;
  }
  reply.body = R"({"error":{"message":)";
  AppendJsonString(message, &reply.body);
  reply.body += R"(,"type":)";
  AppendJsonString(words.openai_type, &reply.body);
  reply.body += R"(,"param":null,"code":)";
  AppendJsonString(words.openai_code, &reply.body);
  reply.body += "}}";
  return reply;
}

}  // namespace flyball::gateway
