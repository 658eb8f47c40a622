// Export requests for tests, in both forms of the wire.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"

namespace flyball::otlp {

using TestAttributes = std::vector<std::pair<std::string, std::variant<std::string, int64_t>>>;

struct TestSpan {
  std::string trace_id = std::string(15, '\0') + "\x01";
  std::string span_id = std::string(7, '\0') + "\x01";
  std::string parent_id;
  Instant end = ToInstant({2026, 11, 25});
  bool failed = false;
  TestAttributes attributes;
};
struct TestResource {
  TestAttributes attributes;
  std::vector<TestSpan> spans;
};

// A chat of 1000 input tokens, 600 of them read from the cache, and 50 output tokens.
inline TestAttributes ChatAttributes() {
  return {{"gen_ai.operation.name", "chat"},
          {"gen_ai.provider.name", "openai"},
          {"gen_ai.request.model", "gpt-5"},
          {"gen_ai.usage.input_tokens", 1000},
          {"gen_ai.usage.cache_read.input_tokens", 600},
          {"gen_ai.usage.output_tokens", 50}};
}

std::string ToProtobuf(const std::vector<TestResource>& resources);
std::string ToJson(const std::vector<TestResource>& resources);
// One number to tell spans and traces apart by.
std::string TestId(uint64_t number, size_t bytes);
std::string GzipOf(const std::string& text);

}  // namespace flyball::otlp
