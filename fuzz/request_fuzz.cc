// Fuzzes what a client sends to the gateway as the body of a call. A refusal is fine; a crash, a
// bound below nothing, or an edit that makes another call of it is a bug.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "gateway/body_edit.h"
#include "gateway/bound.h"
#include "gateway/call_facts.h"
#include "rates/price_file.h"

namespace {

using namespace flyball;
using namespace flyball::gateway;

const rates::PriceBook& Book() {
  static const rates::PriceBook book = [] {
    Result<rates::PriceBook> built = rates::PriceBook::Build({rates::BuiltinPrices().layer});
    FB_ASSERT(built.has_value());
    return *std::move(built);
  }();
  return book;
}

void CheckBound(Dialect dialect, const CallFacts& facts) {
  const int64_t output = facts.output_max.value_or(4096);
  FB_ASSERT(output > 0 && facts.choices > 0);
  const Result<CallBound> bound = BoundOf(dialect, facts, output, estate::Upstream{}, Book(),
                                          Instant{0}, rates::MissingPrice::kFree);
  if (!bound) return;
  FB_ASSERT(!facts.unbounded);
  FB_ASSERT(bound->hold.fixed >= Money{} && bound->hold.output >= Money{});
  FB_ASSERT(bound->hold.tokens_fixed >= facts.body_bytes);
  FB_ASSERT(bound->hold.tokens_output >= output);
}

// The call that an edited body makes is the one before, with the edit.
void CheckEdits(Dialect dialect, const CallFacts& facts, std::string_view body) {
  std::string edited(body);
  const std::string_view limit = Info(dialect).output_limit;
  if (!limit.empty() && !facts.output_max) {
    const Result<std::string> with = WithMember(edited, limit, "77");
    FB_ASSERT(with.has_value());
    edited = *with;
    const Result<CallFacts> limited = ReadCall(dialect, edited);
    FB_ASSERT(limited.has_value() && limited->output_max == 77);
  }
  if (dialect != Dialect::kOpenAiChat) return;
  const Result<std::string> asks = WithIncludeUsage(edited);
  FB_ASSERT(asks.has_value());
  const Result<CallFacts> again = ReadCall(dialect, *asks);
  FB_ASSERT(again.has_value() && again->asks_usage);
  FB_ASSERT(again->model == facts.model && again->stream == facts.stream);
  FB_ASSERT(again->choices == facts.choices && again->pictures == facts.pictures);
  FB_ASSERT(again->vendor_tool_uses == facts.vendor_tool_uses);
  FB_ASSERT(again->unbounded.has_value() == facts.unbounded.has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const Dialect dialect :
       {Dialect::kOpenAiChat, Dialect::kOpenAiResponses, Dialect::kOpenAiEmbeddings,
        Dialect::kAnthropicMessages, Dialect::kAnthropicCountTokens}) {
    const Result<CallFacts> facts = ReadCall(dialect, body);
    if (!facts) {
      FB_ASSERT(!facts.error().message.empty());
      continue;
    }
    CheckBound(dialect, *facts);
    CheckEdits(dialect, *facts, body);
  }
  return 0;
}
