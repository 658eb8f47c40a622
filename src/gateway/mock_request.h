// What the mock vendor understands of a request: the few fields that shape its answer. One pass
// over the top level of the JSON, so that a long prompt costs it next to nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flyball::gateway {

enum class MockDialect : uint8_t {
  kChat,         // OpenAI chat/completions
  kResponses,    // OpenAI responses
  kEmbeddings,   // OpenAI embeddings
  kModels,       // OpenAI models
  kMessages,     // Anthropic messages
  kCountTokens,  // Anthropic messages/count_tokens
  kInvoice,      // the mock's own
  kUnknown,
};
// By the end of the path, so that prefixes of gateways and deployments are fine.
MockDialect MockDialectOf(std::string_view path);
// Whose API it is: "anthropic" or "openai".
std::string_view MockProvider(MockDialect dialect);

struct MockRequest {
  std::string model;
  bool stream = false;
  bool include_usage = false;  // stream_options.include_usage
  int64_t max_tokens = -1;     // of whatever name; -1: none
  int64_t choices = 1;
  int64_t inputs = 1;  // of embeddings
  bool base64 = false;
  std::string tool;  // the first tool's name; empty: no tools
};
// nullopt: not a JSON object.
std::optional<MockRequest> ReadMockRequest(std::string_view body);

}  // namespace flyball::gateway
