// Fuzzes OTLP export requests, both forms and packed ones. A refusal is fine; a crash, or a call
// that does not come back from its record as it was, is a bug.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "ingest/otlp/call.h"
#include "ingest/otlp/otlp.h"

namespace {

using namespace flyball;

void Read(std::string_view body, otlp::Encoding encoding) {
  const Instant now = ToInstant({2026, 11, 25});
  const Status read = otlp::ReadTraces(body, encoding, [&](const otlp::Span& span) {
    const Result<std::optional<otlp::Call>> call = otlp::ReadCall(span, now);
    if (!call) {
      FB_ASSERT(!call.error().message.empty());
      return;
    }
    if (!*call) return;
    FB_ASSERT(!(*call)->usage.empty());
    const std::string record = otlp::EncodeCall(**call);
    FB_ASSERT(record.find('\n') == std::string::npos);
    const Result<otlp::Call> back = otlp::DecodeCall(record);
    FB_ASSERT(back.has_value() && *back == **call);
  });
  FB_ASSERT(read || !read.error().message.empty());
  (void)otlp::CheckExport(body, encoding);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  Read(body, otlp::Encoding::kProtobuf);
  Read(body, otlp::Encoding::kJson);
  constexpr size_t kUnpackedMax = 64u << 10;
  const Result<std::string> unpacked = otlp::Gunzip(body, kUnpackedMax);
  FB_ASSERT(!unpacked || unpacked->size() <= kUnpackedMax);
  (void)otlp::DecodeCall(body);
  return 0;
}
