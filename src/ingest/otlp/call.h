// Call: one metered call to a model, as a span tells it.
//
// Only leaves are calls: chat, text_completion, generate_content, embeddings, or OpenInference's
// LLM and EMBEDDING. Spans of agents, chains and tools repeat the sums of the calls below them.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ingest/otlp/span.h"
#include "model/usage.h"

namespace flyball::otlp {

struct SpanId {
  std::array<uint64_t, 2> trace{};
  uint64_t span = 0;
  auto operator<=>(const SpanId&) const = default;
};

struct Call {
  SpanId id;
  uint64_t parent = 0;  // a span of the same trace; 0: none
  Instant end;
  std::string provider;  // as the span spells it; "": not said
  std::string model;     // as asked for
  std::string answered;  // the model that answered, as the vendor names it
  std::string answer_id;
  std::string tier;
  std::string server;  // "host:port" that was called, as far as it is said
  std::string team, project, use_case, session;
  std::vector<std::pair<std::string, std::string>> tags;
  Usage usage;
  bool operator==(const Call&) const = default;
};

// How old a span may be, and how far a clock may go ahead of ours.
inline constexpr int64_t kSpanAgeMaxUs = 400 * kMicrosPerDay;
inline constexpr int64_t kSpanAheadMaxUs = kMicrosPerHour;

// nullopt: the span is no call to a model, or one that failed and states no usage. INVALID_ARGUMENT
// says why it is a call that can't be metered.
Result<std::optional<Call>> ReadCall(const Span& span, Instant now);

// One line of JSON without a line break. Decode: DATA_LOSS names what is wrong with it.
std::string EncodeCall(const Call& call);
Result<Call> DecodeCall(std::string_view json);

}  // namespace flyball::otlp

template <>
struct std::hash<flyball::otlp::SpanId> {
  size_t operator()(const flyball::otlp::SpanId& id) const noexcept {
    // The ids are random, but those who send them are not bound to that.
    uint64_t mixed = (id.trace[0] * 0x9e3779b97f4a7c15u) ^ id.trace[1];
    mixed = ((mixed ^ (mixed >> 29)) * 0xbf58476d1ce4e5b9u) ^ id.span;
    return (mixed ^ (mixed >> 32)) * 0x94d049bb133111ebu;
  }
};
