// AnswerMeter: reads the usage off an answer while it goes by, and ends a stream well when it must.
//
// In: the pieces of an answer's body. Out: what the client gets, the vendor's own usage objects as
// they stood, and whether they are final. Whole answers and streams of both vendors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/call.h"
#include "gateway/dialect.h"
#include "gateway/json_pick.h"
#include "gateway/sse.h"

namespace flyball::gateway {

struct AnswerOptions {
  Dialect dialect = Dialect::kOpenAiChat;
  bool stream = false;
  // We asked for the usage, the client did not: it does not get to see it.
  bool strip_usage = false;
};

class AnswerMeter {
 public:
  explicit AnswerMeter(const AnswerOptions& options);

  // kPass, or kReplace with what to send instead. Never kCut: that is its caller's decision, by
  // output_tokens_estimate.
  BodyVerdict Put(std::string_view piece, std::string* out);
  // The answer is whole. What is still held back goes out.
  std::string Finish();

  // Raw JSON of the vendor's usage; "" when none has come. Anthropic streams state it in two
  // events, whose members together are the usage: `start_usage` holds the first one's.
  const std::string& usage() const { return usage_; }
  const std::string& start_usage() const { return start_usage_; }
  // The usage is the vendor's last word: the answer, or the stream up to its last event, was whole.
  bool is_final() const { return final_; }
  const std::string& model() const { return model_; }  // that answered, as the vendor names it
  const std::string& answer_id() const { return id_; }
  const std::string& service_tier() const { return tier_; }
  // Of streams: about how many tokens of output have come, by the number and the size of the events
  // that may carry some. What a vendor does not show (reasoning) is not seen.
  int64_t output_tokens_estimate() const;

  // Ends the stream, with the piece that was put last, as if the limit of tokens were reached:
  // finish_reason "length", stop_reason "max_tokens", response.incomplete. `verdict` and `out` are
  // Put's; then `out` is what the client gets last. False: not here, in the middle of an event that
  // the client has a part of.
  bool EndStream(std::string_view piece, BodyVerdict verdict, std::string_view why,
                 std::string* out) const;
  // The events that do so.
  std::string EndOfStream() const;

 private:
  void TakePicked(const JsonPick& pick);
  void Event(const SseEvent& event, std::string* out);
  void OpenAiEvent(const SseEvent& event, std::string* out);
  void ResponsesEvent(const SseEvent& event);
  void AnthropicEvent(const SseEvent& event);
  void CountOutput(const SseEvent& event);

  AnswerOptions options_;
  JsonPick pick_;
  SseSplitter splitter_;
  std::string usage_, start_usage_, model_, id_, tier_, created_;
  bool final_ = false;
  int64_t output_events_ = 0;
  int64_t output_bytes_ = 0;
  int64_t frame_bytes_ = 0;  // the smallest event: what of each is not output
  int open_block_ = -1;      // Anthropic: the content block that has begun and not ended
  int64_t sequence_ = 0;
};

}  // namespace flyball::gateway
