// Dialects: which of the vendors' APIs a request speaks, and how an answer of ours looks in it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/call.h"

namespace flyball::gateway {

enum class Dialect : uint8_t {
  kOpenAiChat,            // POST /v1/chat/completions
  kOpenAiResponses,       // POST /v1/responses
  kOpenAiEmbeddings,      // POST /v1/embeddings
  kOpenAiModels,          // GET /v1/models, answered by the gateway itself
  kAnthropicMessages,     // POST /v1/messages
  kAnthropicCountTokens,  // POST /v1/messages/count_tokens, free of charge
};

struct DialectInfo {
  Dialect dialect;
  std::string_view name;  // in metrics and logs
  std::string_view method;
  std::string_view path;
  std::string_view output_limit;  // the member that bounds the output; "" when there is none
  bool is_anthropic;
};
const DialectInfo& Info(Dialect dialect);

// By method and path, exactly as they stand in the table (a query behind it is fine). Whatever is
// not in it is unknown: a request that could spend without being metered.
std::optional<Dialect> DialectOf(std::string_view method, std::string_view target);
// For an answer to what is no request yet: anything below /v1/messages speaks Anthropic.
bool SpeaksAnthropic(std::string_view path);

// Why a call is not dispatched.
enum class RefusalKind : uint8_t {
  kInvalid,          // 400
  kUnauthenticated,  // 401
  kForbidden,        // 403: the key may not use this model or route
  kUnknownRoute,     // 404
  kTooLarge,         // 413
  kEncoded,          // 415
  kOverBudget,       // 429: the client's own rate-limit error
  kUnavailable,      // 503
  kUpstreamFailed,   // 502
  kTimedOut,         // 504
  kOther,            // the status given
};
// An error in the shape of the dialect, so that its client library raises its own kind of error.
// A refusal by a budget says that it is of no use to try again at once.
Reply ErrorReply(bool anthropic, RefusalKind kind, std::string_view message, int status = 0);

}  // namespace flyball::gateway
