#include "ingest/otlp/otlp.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "ingest/otlp/wire.h"

namespace flyball::otlp {
namespace {

std::string_view RejectedName(Signal signal) {
  switch (signal) {
    case Signal::kMetrics:
      return "rejectedDataPoints";
    case Signal::kLogs:
      return "rejectedLogRecords";
    case Signal::kTraces:
      break;
  }
  return "rejectedSpans";
}

}  // namespace

Status ReadTraces(std::string_view body, Encoding encoding, const SpanVisitor& visit) {
  SpanCounter counter(visit);
  FB_CHECK(encoding == Encoding::kJson ? ReadTracesJson(body, &counter)
                                       : ReadTracesProtobuf(body, &counter));
  if (counter.full()) {
    return Fail(Code::kOutOfRange, fmt::format("a request has at most {} spans", kSpansMax));
  }
  return {};
}

Status CheckExport(std::string_view body, Encoding encoding) {
  return encoding == Encoding::kJson ? CheckExportJson(body) : CheckExportProtobuf(body);
}

Result<std::string> Gunzip(std::string_view packed, size_t bytes_max) {
  z_stream stream{};
  FB_ASSERT(inflateInit2(&stream, 15 + 16) == Z_OK);
  // zlib reads only; its interface is older than const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  char piece[16 << 10];
  int code = Z_OK;
  do {
    if (code == Z_STREAM_END) inflateReset(&stream);  // the next member
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    code = inflate(&stream, Z_NO_FLUSH);
    out.append(piece, sizeof piece - stream.avail_out);
  } while (out.size() <= bytes_max &&
           (code == Z_OK || (code == Z_STREAM_END && stream.avail_in > 0)));
  inflateEnd(&stream);
  if (out.size() > bytes_max) {
    return Fail(Code::kOutOfRange, "the body unpacks to more than " + FormatBytes(bytes_max));
  }
  if (code != Z_STREAM_END) {
    return Fail(Code::kInvalidArgument, "the body is no whole gzip stream");
  }
  return out;
}

std::string ExportAnswer(Signal signal, Encoding encoding, int64_t rejected,
                         std::string_view message) {
  if (encoding == Encoding::kProtobuf) return ExportAnswerProtobuf(rejected, message);
  if (rejected == 0 && message.empty()) return "{}";
  std::string out = R"({"partialSuccess":{)";
  // A 64-bit integer is a text in protobuf's JSON.
  if (rejected != 0) out += fmt::format(R"("{}":"{}",)", RejectedName(signal), rejected);
  out += R"("errorMessage":)";
  AppendJsonString(message, &out);
  return out + "}}";
}

std::string StatusAnswer(Encoding encoding, const Error& error) {
  if (encoding == Encoding::kProtobuf) return StatusAnswerProtobuf(error);
  std::string out = fmt::format(R"({{"code":{},"message":)", static_cast<int>(error.code));
  AppendJsonString(error.ToString(), &out);
  return out + "}";
}

}  // namespace flyball::otlp
