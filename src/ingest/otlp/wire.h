// What the two forms of the wire share. Internal to ingest/otlp/; otlp.h is the door.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "ingest/otlp/otlp.h"

namespace flyball::otlp {

// Hands spans on as long as there are not too many.
class SpanCounter {
 public:
  explicit SpanCounter(const SpanVisitor& visit) : visit_(visit) {}
  void Visit(const Span& span) {
    if (++count_ <= kSpansMax) visit_(span);
  }
  bool full() const { return count_ > kSpansMax; }

 private:
  const SpanVisitor& visit_;
  int64_t count_ = 0;
};

inline Instant FromUnixNanos(uint64_t nanos) { return {static_cast<int64_t>(nanos / 1000)}; }

inline std::unexpected<Error> Malformed(std::string_view why) {
  return Fail(Code::kInvalidArgument, "the body is no OTLP export request: " + std::string(why),
              "is the Content-Type that of the body?");
}

Status ReadTracesProtobuf(std::string_view body, SpanCounter* counter);
Status ReadTracesJson(std::string_view body, SpanCounter* counter);
Status CheckExportProtobuf(std::string_view body);
Status CheckExportJson(std::string_view body);
std::string ExportAnswerProtobuf(int64_t rejected, std::string_view message);
std::string StatusAnswerProtobuf(const Error& error);

}  // namespace flyball::otlp
