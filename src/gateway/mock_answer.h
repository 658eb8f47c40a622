// The words of the mock vendor: answers as the vendors shape them, as JSON and as streams of
// events, with usage as each vendor counts it. OpenAI's input includes what was cached and its
// output includes reasoning; Anthropic's input excludes what was cached.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mock_request.h"
#include "gateway/mock_script.h"

namespace flyball::gateway {

// What a vendor bills for, in buckets that do not overlap.
struct MockUsage {
  int64_t input = 0;
  int64_t cache_read = 0;
  int64_t cache_write_5m = 0;
  int64_t cache_write_1h = 0;
  int64_t output = 0;
  int64_t reasoning = 0;
  MockUsage& operator+=(const MockUsage& more);
};

// One answer, planned: what it says and costs when it is whole.
struct MockPlan {
  MockDialect dialect = MockDialect::kChat;
  MockRequest request;
  MockBehaviour behaviour;
  std::string id;
  int64_t frames = 0;      // after max_tokens
  bool cut_short = false;  // by max_tokens
  bool calls_tool = false;
  MockUsage usage;
};
MockPlan PlanAnswer(MockDialect dialect, MockRequest request, const MockBehaviour& behaviour,
                    size_t body_bytes, uint64_t number);
// What is billed when so many frames were made.
MockUsage UsageAfter(const MockPlan& plan, int64_t frames);

std::string AnswerBody(const MockPlan& plan);
// The events around the frames of a stream, and frame by frame.
std::string StreamBegin(const MockPlan& plan);
void AppendFrame(const MockPlan& plan, int64_t frame, std::string* out);
std::string StreamEnd(const MockPlan& plan);

std::string ModelList(const std::vector<std::string>& models);
std::string ErrorBody(MockDialect dialect, int status, std::string_view message);

inline constexpr int64_t kMockCreated = 1'750'000'000;

}  // namespace flyball::gateway
