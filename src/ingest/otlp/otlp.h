// OTLP: calls that applications made to vendors by themselves, from their own telemetry.
//
//   POST /v1/traces -> bytes (protobuf | JSON) -> spans -> calls -> SpanLog (journal, each span
//   once) flyball publish -> SpanLog's files -> prices of the hour -> bill of a month -> ledger
//
// This header reads the wire and answers on it (opentelemetry-proto 1.x); fields.h knows what
// attributes are called, call.h makes a metered call of a span, span_log.h keeps it, bill.h charges
// it. Only spans are metered: metrics and logs of GenAI calls tell the same usage a second time,
// without an identity that could be recognised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ingest/otlp/span.h"

namespace flyball::otlp {

// Named limits.
inline constexpr size_t kBodyMaxBytes = size_t{8} << 20;       // as it comes over the wire
inline constexpr size_t kUnpackedMaxBytes = size_t{16} << 20;  // of a gzip body
inline constexpr int64_t kSpansMax = 100'000;                  // of one request
inline constexpr size_t kCallsMax = 10'000;                    // among them
inline constexpr size_t kJsonDepthMax = 64;

enum class Encoding : uint8_t { kProtobuf, kJson };
enum class Signal : uint8_t { kTraces, kMetrics, kLogs };

using SpanVisitor = std::function<void(const Span&)>;

// Every span of an ExportTraceServiceRequest, in its order; attributes that nobody reads are passed
// over. INVALID_ARGUMENT: the body is no such message (some spans may have been visited then);
// OUT_OF_RANGE: more than kSpansMax.
Status ReadTraces(std::string_view body, Encoding encoding, const SpanVisitor& visit);
// INVALID_ARGUMENT: the body is no export request of metrics or logs.
Status CheckExport(std::string_view body, Encoding encoding);

// What a gzip stream (of any number of members) unpacks to. INVALID_ARGUMENT: damaged or cut off;
// OUT_OF_RANGE: more than `bytes_max`.
Result<std::string> Gunzip(std::string_view packed, size_t bytes_max);

// Export...ServiceResponse. With a message and nothing rejected it is a warning.
std::string ExportAnswer(Signal signal, Encoding encoding, int64_t rejected,
                         std::string_view message);
// google.rpc.Status, the body of every error.
std::string StatusAnswer(Encoding encoding, const Error& error);

}  // namespace flyball::otlp
