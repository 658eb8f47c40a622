#include "ingest/otlp/test_spans.h"

#define PROTOZERO_USE_VIEW std::string_view
#include <fmt/format.h>
#include <zlib.h>

#include <protozero/pbf_writer.hpp>

#include "base/assert.h"
#include "base/hash.h"
#include "base/text.h"

namespace flyball::otlp {
namespace {

void Write(const TestAttributes& attributes, uint32_t field, protozero::pbf_writer* to) {
  for (const auto& [name, value] : attributes) {
    protozero::pbf_writer attribute(*to, field);
    attribute.add_string(1, name);
    protozero::pbf_writer any(attribute, 2);
    if (const auto* text = std::get_if<std::string>(&value)) {
      any.add_string(1, *text);
    } else {
      any.add_int64(3, std::get<int64_t>(value));
    }
  }
}

void Write(const TestSpan& span, protozero::pbf_writer* scope) {
  protozero::pbf_writer to(*scope, 2);
  to.add_bytes(1, span.trace_id);
  to.add_bytes(2, span.span_id);
  if (!span.parent_id.empty()) to.add_bytes(4, span.parent_id);
  to.add_string(5, "chat gpt-5");
  to.add_enum(6, 3);
  to.add_fixed64(7, static_cast<uint64_t>(span.end.us - kMicrosPerSecond) * 1000);
  to.add_fixed64(8, static_cast<uint64_t>(span.end.us) * 1000);
  Write(span.attributes, 9, &to);
  if (span.failed) protozero::pbf_writer(to, 15).add_enum(3, 2);
}

std::string AttributesJson(const TestAttributes& attributes) {
  std::string out = "[";
  for (const auto& [name, value] : attributes) {
    if (out.size() > 1) out += ',';
    out += R"({"key":)";
    AppendJsonString(name, &out);
    if (const auto* text = std::get_if<std::string>(&value)) {
      out += R"(,"value":{"stringValue":)";
      AppendJsonString(*text, &out);
      out += "}}";
    } else {
      out += fmt::format(R"(,"value":{{"intValue":"{}"}}}})", std::get<int64_t>(value));
    }
  }
  return out + "]";
}

std::string HexOf(const std::string& bytes) {
  return Hex({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

std::string SpanJson(const TestSpan& span) {
  std::string out = fmt::format(
      R"({{"traceId":"{}","spanId":"{}","parentSpanId":"{}","name":"chat gpt-5","kind":3,)"
      R"("startTimeUnixNano":"{}","endTimeUnixNano":"{}","attributes":{})",
      HexOf(span.trace_id), HexOf(span.span_id), HexOf(span.parent_id),
      (span.end.us - kMicrosPerSecond) * 1000, span.end.us * 1000, AttributesJson(span.attributes));
  if (span.failed) out += R"(,"status":{"code":2})";
  return out + "}";
}

}  // namespace

std::string ToProtobuf(const std::vector<TestResource>& resources) {
  std::string out;
  protozero::pbf_writer request(out);
  for (const TestResource& resource : resources) {
    protozero::pbf_writer to(request, 1);
    {
      protozero::pbf_writer scope(to, 2);
      for (const TestSpan& span : resource.spans) Write(span, &scope);
    }
    // Behind the spans, where a reader must find it too.
    protozero::pbf_writer about(to, 1);
    Write(resource.attributes, 1, &about);
  }
  return out;
}

std::string ToJson(const std::vector<TestResource>& resources) {
  std::string out = R"({"resourceSpans":[)";
  for (const TestResource& resource : resources) {
    if (out.back() != '[') out += ',';
    out += R"({"resource":{"attributes":)" + AttributesJson(resource.attributes) +
           R"(},"scopeSpans":[{"scope":{"name":"test"},"spans":[)";
    for (size_t i = 0; i < resource.spans.size(); ++i) {
      if (i > 0) out += ',';
      out += SpanJson(resource.spans[i]);
    }
    out += "]}]}";
  }
  return out + "]}";
}

std::string TestId(uint64_t number, size_t bytes) {
  std::string id(bytes, '\0');
  for (size_t i = 0; i < 8; ++i) id[bytes - 1 - i] = static_cast<char>(number >> (8 * i));
  return id;
}

std::string GzipOf(const std::string& text) {
  z_stream stream{};
  FB_ASSERT(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  FB_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace flyball::otlp
