// OTLP over HTTP: spans in, each answered in the form that it came in. What is answered with 200 is
// on the disk.
#include <map>

#include "base/log.h"
#include "base/text.h"
#include "ingest/otlp/call.h"
#include "serve/api.h"
#include "serve/reply.h"

namespace flyball::serve {
namespace {

using otlp::Encoding;
using otlp::Signal;

constexpr std::string_view kProtobufType = "application/x-protobuf";
constexpr std::string_view kJsonType = "application/json";
constexpr size_t kReasonsShownMax = 3;
constexpr std::string_view kNotMetered =
    "taken, and not metered: Flyball meters spans, which tell of each call once";

Signal SignalOf(std::string_view path) {
  return path.ends_with("/metrics") ? Signal::kMetrics
         : path.ends_with("/logs")  ? Signal::kLogs
                                    : Signal::kTraces;
}

// Exporters try again after 429, 502, 503 and 504 only, and what could not be kept must come again.
int StatusOf(const Error& error) {
  switch (error.code) {
    case Code::kOutOfRange:
      return 413;
    case Code::kUnimplemented:
      return 415;
    case Code::kInvalidArgument:
      return 400;
    default:
      return 503;
  }
}

net::Response Respond(int status, Encoding encoding, std::string body) {
  return Reply(status, encoding == Encoding::kJson ? kJsonType : kProtobufType, std::move(body));
}

// "3 of 9 calls can't be metered: a call states no usage (2); ..."
std::string Rejections(const std::map<std::string, int64_t>& reasons) {
  std::string text;
  size_t shown = 0;
  for (const auto& [reason, count] : reasons) {
    if (shown++ == kReasonsShownMax) {
      text += "; and others";
      break;
    }
    text += fmt::format("{}{} ({})", text.empty() ? "" : "; ", reason, count);
  }
  return text;
}

}  // namespace

Result<std::string> Api::TakeSpans(Encoding encoding, std::string_view body) {
  const std::lock_guard lock(otlp_mutex_);
  const Instant now = clock.Now();
  std::vector<otlp::Call> calls;
  std::map<std::string, int64_t> reasons;
  int64_t rejected = 0;
  uint64_t passed_over = 0;
  FB_CHECK(otlp::ReadTraces(body, encoding, [&](const otlp::Span& span) {
    if (calls.size() > otlp::kCallsMax) return;
    Result<std::optional<otlp::Call>> call = otlp::ReadCall(span, now);
    if (!call) {
      ++rejected;
      ++reasons[call.error().message];
    } else if (*call) {
      calls.push_back(**std::move(call));
    } else {
      ++passed_over;
    }
  }));
  if (calls.size() > otlp::kCallsMax) {
    return Fail(Code::kOutOfRange, fmt::format("a request has at most {} calls", otlp::kCallsMax));
  }
  Result<otlp::SpanLog::Taken> taken = hooks.span_log->Take(calls);
  if (!taken) {
    log::Error("spans could not be kept", {{"why", taken.error().ToString()}});
    return Fail(Code::kUnavailable, "the spans could not be kept: " + taken.error().message);
  }
  otlp_counts_.kept += static_cast<uint64_t>(taken->kept);
  otlp_counts_.repeated += static_cast<uint64_t>(taken->repeated);
  otlp_counts_.passed_over += passed_over;
  otlp_counts_.rejected += static_cast<uint64_t>(rejected);
  return otlp::ExportAnswer(Signal::kTraces, encoding, rejected, Rejections(reasons));
}

Result<std::string> Api::TakeOtlp(Signal signal, Encoding encoding, const net::Request& request) {
  if (hooks.span_log == nullptr) return Fail(Code::kUnavailable, "this server takes no spans");
  const std::string_view coding = Trim(request.Header("content-encoding"));
  std::string unpacked;
  std::string_view body = request.body;
  if (EqualsIgnoreCase(coding, "gzip")) {
    unpacked = FB_TRY(otlp::Gunzip(request.body, otlp::kUnpackedMaxBytes));
    body = unpacked;
  } else if (!coding.empty() && !EqualsIgnoreCase(coding, "identity")) {
    return Fail(Code::kUnimplemented, "bodies are taken as they are or packed with gzip");
  }
  if (signal == Signal::kTraces) return TakeSpans(encoding, body);
  FB_CHECK(otlp::CheckExport(body, encoding));
  return otlp::ExportAnswer(signal, encoding, 0, body.empty() ? "" : kNotMetered);
}

net::Response Api::PostOtlp(const Call& call) {
  const std::string type = MediaType(call.request);
  if (type != kProtobufType && type != kJsonType) {
    const Error error{
        Code::kUnimplemented, "OTLP comes as application/x-protobuf or application/json", {}, {}};
    return Respond(415, Encoding::kJson, otlp::StatusAnswer(Encoding::kJson, error));
  }
  const Encoding encoding = type == kJsonType ? Encoding::kJson : Encoding::kProtobuf;
  Result<std::string> answer = TakeOtlp(SignalOf(call.request.path), encoding, call.request);
  if (answer) return Respond(200, encoding, *std::move(answer));
  return Respond(StatusOf(answer.error()), encoding, otlp::StatusAnswer(encoding, answer.error()));
}

}  // namespace flyball::serve
