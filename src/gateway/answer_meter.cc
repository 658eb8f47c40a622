#include "gateway/answer_meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace flyball::gateway {
namespace {

using Paths = std::array<std::string_view, 6>;
enum PathIndex : uint8_t { kUsage, kModel, kId, kTier, kCreated, kExtra };

// Of an answer.
constexpr Paths kAnswer = {"usage", "model", "id", "service_tier", "", ""};
// Of an event of a chat stream.
constexpr Paths kChunk = {"usage", "model", "id", "service_tier", "created", "choices"};
// Of an event of a responses stream.
constexpr Paths kResponses = {"response.usage",        "response.model",  "response.id",
                              "response.service_tier", "sequence_number", "type"};
// Of the first event of a messages stream.
constexpr Paths kStart = {"message.usage",        "message.model", "message.id",
                          "message.service_tier", "index",         "type"};
// Of its others.
constexpr Paths kDelta = {"usage", "", "", "", "index", "type"};

const Paths& PathsOf(const AnswerOptions& options) {
  if (!options.stream) return kAnswer;
  if (options.dialect == Dialect::kOpenAiChat) return kChunk;
  return options.dialect == Dialect::kOpenAiResponses ? kResponses : kDelta;
}

bool IsObject(std::string_view raw) { return raw.starts_with('{'); }

bool IsEmptyList(std::string_view raw) {
  return raw.starts_with('[') && raw.find_first_not_of("[] \t\r\n") == std::string_view::npos;
}

// Whether the text has this member with an object for its value. In a string of JSON the name's
// quotes would be escaped.
bool HasObject(std::string_view text, std::string_view quoted_name) {
  size_t at = text.find(quoted_name);
  if (at == std::string_view::npos) return false;
  at = text.find_first_not_of(" \t\r\n:", at + quoted_name.size());
  return at != std::string_view::npos && text[at] == '{';
}

// "usage":null of an event whose client has not asked for usage.
std::string WithoutNullUsage(std::string_view raw) {
  std::string text(raw);
  for (std::string_view member : {R"(,"usage":null)", R"(, "usage": null)", R"("usage":null,)"}) {
    const size_t at = text.rfind(member);
    if (at == std::string::npos) continue;
    text.erase(at, member.size());
    break;
  }
  return text;
}

}  // namespace

AnswerMeter::AnswerMeter(const AnswerOptions& options)
    : options_(options), pick_(PathsOf(options)) {}

void AnswerMeter::TakePicked(const JsonPick& pick) {
  if (IsObject(pick.Value(kUsage))) usage_ = pick.Value(kUsage);
  if (!pick.Value(kModel).empty()) model_ = UnquoteJson(pick.Value(kModel));
  if (!pick.Value(kId).empty()) id_ = UnquoteJson(pick.Value(kId));
  if (!pick.Value(kTier).empty()) tier_ = UnquoteJson(pick.Value(kTier));
}

BodyVerdict AnswerMeter::Put(std::string_view piece, std::string* out) {
  if (!options_.stream) {
    pick_.Put(piece);
    return BodyVerdict::kPass;
  }
  if (splitter_.overflowed()) return BodyVerdict::kPass;  // nothing is read or changed any more
  splitter_.Put(piece);
  SseEvent event;
  while (splitter_.Next(&event)) Event(event, out);
  if (splitter_.overflowed() && options_.strip_usage) *out += splitter_.rest();
  return options_.strip_usage ? BodyVerdict::kReplace : BodyVerdict::kPass;
}

std::string AnswerMeter::Finish() {
  if (!options_.stream) {
    TakePicked(pick_);
    final_ = pick_.done() && !usage_.empty();
    return {};
  }
  const bool holds_back = options_.strip_usage && !splitter_.overflowed();
  return holds_back ? std::string(splitter_.rest()) : std::string();
}

void AnswerMeter::Event(const SseEvent& event, std::string* out) {
  switch (options_.dialect) {
    case Dialect::kOpenAiResponses:
      return ResponsesEvent(event);
    case Dialect::kAnthropicMessages:
      return AnthropicEvent(event);
    default:
      return OpenAiEvent(event, out);
  }
}

// Chunks have "choices"; the one with the usage comes last, with none of them, before [DONE].
void AnswerMeter::OpenAiEvent(const SseEvent& event, std::string* out) {
  const bool first = id_.empty();
  bool hidden = false;
  const bool has_usage = HasObject(event.data, "\"usage\"");
  if (first || has_usage) {
    pick_.Reset();
    pick_.Put(event.data);
    const std::string before = std::exchange(usage_, {});
    TakePicked(pick_);
    if (!pick_.Value(kCreated).empty()) created_ = pick_.Value(kCreated);
    if (usage_.empty()) {
      usage_ = before;
    } else {
      final_ = true;
      hidden = IsEmptyList(pick_.Value(kExtra));
    }
  }
  if (!hidden) CountOutput(event);
  if (!options_.strip_usage || hidden) return;
  *out += has_usage ? std::string(event.raw) : WithoutNullUsage(event.raw);
}

void AnswerMeter::ResponsesEvent(const SseEvent& event) {
  // Only the events that carry the whole response are read; the many deltas between them are not.
  if (event.data.find("\"response\"") == std::string_view::npos) {
    CountOutput(event);
    ++sequence_;
    return;
  }
  pick_.Reset();
  pick_.Put(event.data);
  TakePicked(pick_);
  const std::string_view number = pick_.Value(kCreated);
  (void)std::from_chars(number.data(), number.data() + number.size(), sequence_);
  ++sequence_;
  const std::string type = UnquoteJson(pick_.Value(kExtra));
  const bool last = type == "response.completed" || type == "response.incomplete" ||
                    type == "response.failed" || type == "response.cancelled";
  if (last && !usage_.empty()) final_ = true;
}

void AnswerMeter::AnthropicEvent(const SseEvent& event) {
  const auto has = [&](std::string_view text) {
    return event.data.find(text) != std::string_view::npos;
  };
  if (id_.empty() && has("\"message_start\"")) {
    JsonPick start(kStart);
    start.Put(event.data);
    TakePicked(start);
    start_usage_ = std::exchange(usage_, {});
    return;
  }
  if (has("\"message_stop\"")) final_ = !usage_.empty();
  if (!has("\"usage\"") && !has("\"content_block_st")) {
    CountOutput(event);
    return;
  }
  pick_.Reset();
  pick_.Put(event.data);
  if (IsObject(pick_.Value(kUsage))) usage_ = pick_.Value(kUsage);
  const std::string type = UnquoteJson(pick_.Value(kExtra));
  const std::string_view index = pick_.Value(kCreated);
  if (type == "content_block_start") {
    (void)std::from_chars(index.data(), index.data() + index.size(), open_block_);
  } else if (type == "content_block_stop") {
    open_block_ = -1;
  }
}

void AnswerMeter::CountOutput(const SseEvent& event) {
  const auto size = static_cast<int64_t>(event.data.size());
  frame_bytes_ = output_events_ == 0 ? size : std::min(frame_bytes_, size);
  ++output_events_;
  output_bytes_ += size;
}

int64_t AnswerMeter::output_tokens_estimate() const {
  constexpr int64_t kBytesPerToken = 4;  // of English prose; other text is denser in tokens
  return std::max(output_events_, (output_bytes_ - output_events_ * frame_bytes_) / kBytesPerToken);
}

bool AnswerMeter::EndStream(std::string_view piece, BodyVerdict verdict, std::string_view why,
                            std::string* out) const {
  if (splitter_.overflowed()) return false;
  if (verdict == BodyVerdict::kPass) {
    const size_t partial = splitter_.rest().size();
    if (partial > piece.size()) return false;
    out->assign(piece.substr(0, piece.size() - partial));
  }
  *out += ": ";  // a comment: clients skip it, people who look at the stream find it
  for (const char c : why) *out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  *out += "\n\n";
  *out += EndOfStream();
  return true;
}

std::string AnswerMeter::EndOfStream() const {
  std::string id, model;
  AppendJsonString(id_, &id);
  AppendJsonString(model_, &model);
  if (options_.dialect == Dialect::kOpenAiResponses) {
    return fmt::format(
        "event: response.incomplete\ndata: {{\"type\":\"response.incomplete\","
        "\"sequence_number\":{},\"response\":{{\"id\":{},\"object\":\"response\",\"model\":{},"
        "\"status\":\"incomplete\",\"incomplete_details\":{{\"reason\":\"max_output_tokens\"}},"
        "\"output\":[]}}}}\n\n",
        sequence_, id, model);
  }
  if (options_.dialect == Dialect::kAnthropicMessages) {
    std::string end;
    if (open_block_ >= 0) {
      end += fmt::format(
          "event: content_block_stop\ndata: {{\"type\":\"content_block_stop\",\"index\":{}}}\n\n",
          open_block_);
    }
    end +=
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
        "\"max_tokens\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":0}}\n\n"
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    return end;
  }
  return fmt::format(
      "data: {{\"id\":{},\"object\":\"chat.completion.chunk\",\"created\":{},\"model\":{},"
      "\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"length\"}}]}}\n\n"
      "data: [DONE]\n\n",
      id, created_.empty() ? "0" : created_, model);
}

}  // namespace flyball::gateway
