// CallFacts: what a request says that bounds its cost, read once from its JSON body.
//
// The bound must hold whatever the client writes: what is not understood is taken for the worst, a
// member that is there twice is refused (vendors differ in which of the two counts), and names are
// compared after their escapes have been resolved.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "gateway/dialect.h"

namespace flyball::gateway {

struct CallFacts {
  std::string model;
  bool stream = false;
  bool asks_usage = false;            // OpenAI chat: stream_options.include_usage is true
  std::optional<int64_t> output_max;  // tokens of one choice; nullopt: no limit stated
  int64_t choices = 1;
  // No vendor counts more tokens of text than the body has bytes: byte-level encodings never make
  // more tokens than bytes, and JSON never makes a text shorter.
  int64_t body_bytes = 0;
  // Their tokens follow from their size in pixels, however short their bytes or address.
  int64_t pictures = 0;
  // Documents, stored prompts, files, conversations: up to the model's whole window.
  bool input_is_open = false;
  // OpenAI's "prediction": what of it is rejected is billed as output beside the limit.
  bool predicts = false;
  bool fast = false;          // Anthropic's "speed"
  bool writes_cache = false;  // Anthropic's cache_control
  bool writes_cache_1h = false;
  bool has_media = false;  // pictures or sound, which models may price in their own way
  bool speaks = false;     // the answer may be sound
  bool has_tools = false;
  int64_t server_tools = 0;  // tools that the vendor runs and charges for, such as web search
  std::optional<int64_t> server_tool_uses_max;  // of all of them; nullopt: some have no limit
  std::optional<int64_t> tool_calls_max;        // OpenAI responses: of all of the vendor's tools
  std::string service_tier;                     // as stated; empty: the vendor's default
};

// INVALID_ARGUMENT with the member's name: no JSON object, no model, a limit that is no positive
// number, a member given twice.
Result<CallFacts> ReadCall(Dialect dialect, std::string_view body);

// Edits of a body that ReadCall has read; all other bytes stay as they are.
// A new first member.
std::string WithMember(std::string_view body, std::string_view name, std::string_view json_value);
// OpenAI chat: asks for the usage at the end of the stream.
Result<std::string> WithIncludeUsage(std::string_view body);

inline constexpr int64_t kOutputLimitMax = 100'000'000;  // tokens; a larger limit is absurd
inline constexpr int64_t kChoicesMax = 128;
inline constexpr int kJsonDepthMax = 64;
inline constexpr size_t kModelNameMaxBytes = 256;

}  // namespace flyball::gateway
