// CallFacts: what a request says that bounds its cost, read once from its JSON body.
//
// The bound must hold whatever the client writes: what is not understood is taken for the worst, a
// member that is there twice anywhere is refused (vendors differ in which of the two counts), as is
// one of ours in another case (servers written in Go don't tell them apart), and names are compared
// after their escapes have been resolved.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "gateway/dialect.h"
#include "model/usage.h"

namespace flyball::gateway {

struct CallFacts {
  std::string model;
  bool stream = false;
  bool asks_usage = false;            // OpenAI chat: stream_options.include_usage is true
  std::optional<int64_t> output_max;  // tokens of one choice; nullopt: no limit stated
  bool states_max_tokens = false;     // OpenAI chat: by (also) the older name of the limit
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
  bool has_media = false;  // pictures, sound, films, which models may price in their own way
  bool has_tools = false;
  // Tools that the vendor runs, such as a search of the web: all of their uses together.
  bool has_vendor_tools = false;
  int64_t vendor_tool_uses = 0;
  // The fee of a search, by how much of what it finds is read; only of calls that may search.
  std::optional<Bucket> search_fee;
  // Why the call's cost has no bound; the first reason, with the member and the remedy.
  std::optional<Error> unbounded;
  void HasNoBound(std::string message, std::string hint);
  std::string service_tier;  // as stated; empty: the vendor's default
};

// INVALID_ARGUMENT with the member's name: no JSON object, no model, a limit that is no positive
// number, a member given twice or in another case. A call without a bound is no error here: it may
// be one that is free of charge.
Result<CallFacts> ReadCall(Dialect dialect, std::string_view body);

inline constexpr int64_t kOutputLimitMax = 100'000'000;  // tokens; a larger limit is absurd
inline constexpr int64_t kChoicesMax = 128;
inline constexpr int64_t kToolUsesMax = 1000;  // of all of the vendor's tools in one call
inline constexpr int kJsonDepthMax = 64;
inline constexpr size_t kModelNameMaxBytes = 256;

}  // namespace flyball::gateway
