// Fuzzes vendors' answers and streams on their way through the gateway. It is a bug when they mean
// another usage in pieces than as a whole, when bytes are added or, but for what is stripped, lost,
// or when a stream can't be ended well.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "gateway/answer_meter.h"

namespace {

using namespace flyball;
using namespace flyball::gateway;

struct Read {
  std::string out, usage, start_usage, model, id, tier, end;
  bool is_final = false;
  int64_t output_tokens = 0;
  bool operator==(const Read&) const = default;
};

// In pieces of these sizes, in turn.
Read ReadIn(std::string_view body, const AnswerOptions& options, std::string_view sizes) {
  AnswerMeter meter(options);
  Read read;
  for (size_t at = 0, turn = 0; at < body.size();) {
    size_t most = body.size();
    if (!sizes.empty()) most = 1 + static_cast<uint8_t>(sizes[turn++ % sizes.size()]) % 40;
    const std::string_view piece = body.substr(at, most);
    at += piece.size();
    std::string out;
    if (meter.Put(piece, &out) == BodyVerdict::kPass) out = piece;
    read.out += out;
  }
  read.out += meter.Finish();
  read.usage = meter.usage();
  read.start_usage = meter.start_usage();
  read.model = meter.model();
  read.id = meter.answer_id();
  read.tier = meter.service_tier();
  read.is_final = meter.is_final();
  read.output_tokens = meter.output_tokens_estimate();
  read.end = meter.EndOfStream();
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const std::string_view sizes = body.substr(0, 8);
  for (const Dialect dialect :
       {Dialect::kOpenAiChat, Dialect::kOpenAiResponses, Dialect::kAnthropicMessages}) {
    for (const bool stream : {false, true}) {
      for (const bool strip : {false, true}) {
        if (strip && (!stream || dialect != Dialect::kOpenAiChat)) continue;
        const AnswerOptions options{dialect, stream, strip};
        const Read whole = ReadIn(body, options, {});
        FB_ASSERT(whole == ReadIn(body, options, sizes));
        FB_ASSERT(strip ? whole.out.size() <= body.size() : whole.out == body);
        FB_ASSERT(!whole.is_final || !whole.usage.empty());
        FB_ASSERT(whole.end.ends_with("\n\n"));
      }
    }
  }
  return 0;
}
