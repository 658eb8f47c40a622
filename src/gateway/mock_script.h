// The script of the mock vendor: how it behaves, by rules over what it is asked. A JSON file:
//
//   {"seed": 7, "models": ["gpt-4o"],
//    "default": {"frames": 64, "frame_ms": 20},
//    "rules": [{"match": {"model": "gpt-*", "dialect": "chat"}, "chance_percent": 5, "times": 3,
//               "status": 429, "retry_after_s": 2}]}
//
// The first rule that matches, still has `times` left and wins its chance is laid over the
// default. The same script, seed and order of requests give the same answers. docs/GATEWAY.md lists
// the fields.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "gateway/mock_request.h"

namespace flyball::gateway {

struct MockBehaviour {
  int64_t first_byte_ms = 0;
  int64_t frame_ms = 0;  // between frames of a stream
  int64_t frames = 16;   // pieces of output
  int64_t tokens_per_frame = 1;
  int64_t input_tokens = -1;   // all of them, cached or not; -1: a quarter of the body's bytes
  int64_t cached_percent = 0;  // of the input, read from the cache
  int64_t cache_write_5m_tokens = 0;  // of the input, Anthropic only
  int64_t cache_write_1h_tokens = 0;
  int64_t reasoning_tokens = 0;  // of the output, beside the frames
  bool tool_call = false;        // calls the first tool, when there are tools
  int64_t status = 200;          // an error instead of an answer
  int64_t retry_after_s = -1;
  int64_t reset_after_frames = -1;  // breaks the connection
  bool no_usage = false;
  bool no_tier = false;  // neither the answer nor the bill says at which tier it was served
  bool ignore_max_tokens = false;
  bool bill_errors = false;  // does the work, bills it, and answers with `status` all the same
  bool bill_after_disconnect =
      false;  // generates and bills all, whether the client is there or not
};

class MockScript {
 public:
  // INVALID_ARGUMENT names the field that is wrong.
  static Result<MockScript> Parse(std::string_view json);
  MockScript() = default;

  MockBehaviour Choose(MockDialect dialect, const MockRequest& request);
  const std::vector<std::string>& models() const { return models_; }

 private:
  struct Rule {
    std::string model = "*";
    std::string dialect = "*";
    int64_t chance_percent = 100;
    int64_t times = -1;  // -1: always
    MockBehaviour behaviour;
  };
  Random random_{1};
  std::vector<std::string> models_ = {"gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5"};
  MockBehaviour default_;
  std::vector<Rule> rules_;
};

std::string_view MockDialectName(MockDialect dialect);

}  // namespace flyball::gateway
