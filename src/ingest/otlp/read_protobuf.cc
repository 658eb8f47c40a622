// The protobuf form. Field numbers are those of opentelemetry-proto: trace/v1, common/v1,
// resource/v1, collector/*/v1, and google.rpc.Status.
#define PROTOZERO_USE_VIEW std::string_view
#include <protozero/pbf_message.hpp>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "ingest/otlp/wire.h"

namespace flyball::otlp {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;
using protozero::tag_and_type;
constexpr pbf_wire_type kBytes = pbf_wire_type::length_delimited;
constexpr int32_t kStatusError = 2;

// Lists and maps are not looked into: nothing that is read is one.
Value ReadValue(pbf_reader in) {
  Value value;
  while (in.next()) {
    switch (in.tag_and_type()) {
      case tag_and_type(1, kBytes):
        value = {Value::Kind::kText, in.get_view(), 0};
        break;
      case tag_and_type(3, pbf_wire_type::varint):
        value = {Value::Kind::kCount, {}, in.get_int64()};
        break;
      default:
        value = {};
        in.skip();
    }
  }
  return value;
}

void ReadAttribute(pbf_reader in, Of of, Fields* fields) {
  std::string_view key;
  pbf_reader value;
  while (in.next()) {
    switch (in.tag_and_type()) {
      case tag_and_type(1, kBytes):
        key = in.get_view();
        break;
      case tag_and_type(2, kBytes):
        value = in.get_message();
        break;
      default:
        in.skip();
    }
  }
  if (Fields::IsRead(key)) fields->Put(key, ReadValue(value), of);
}

Fields ReadResource(pbf_reader in) {
  Fields fields;
  while (in.next(1, kBytes)) ReadAttribute(in.get_message(), Of::kResource, &fields);
  return fields;
}

bool ReadFailed(pbf_reader in) {
  bool failed = false;
  while (in.next(3, pbf_wire_type::varint)) failed = in.get_enum() == kStatusError;
  return failed;
}

Span ReadSpan(pbf_reader in, const Fields& resource) {
  Span span;
  span.fields = resource;
  while (in.next()) {
    switch (in.tag_and_type()) {
      case tag_and_type(1, kBytes):
        span.trace_id = in.get_bytes();
        break;
      case tag_and_type(2, kBytes):
        span.span_id = in.get_bytes();
        break;
      case tag_and_type(4, kBytes):
        span.parent_id = in.get_bytes();
        break;
      case tag_and_type(8, pbf_wire_type::fixed64):
        span.end = FromUnixNanos(in.get_fixed64());
        break;
      case tag_and_type(9, kBytes):
        ReadAttribute(in.get_message(), Of::kSpan, &span.fields);
        break;
      case tag_and_type(15, kBytes):
        span.failed = ReadFailed(in.get_message());
        break;
      default:
        in.skip();
    }
  }
  return span;
}

// A resource holds for all spans beside it, wherever it stands.
void ReadResourceSpans(pbf_reader in, SpanCounter* counter) {
  Fields resource;
  for (pbf_reader look = in; look.next(1, kBytes);) resource = ReadResource(look.get_message());
  while (in.next(2, kBytes)) {
    pbf_reader scope = in.get_message();
    while (scope.next(2, kBytes)) {
      counter->Visit(ReadSpan(scope.get_message(), resource));
      if (counter->full()) return;
    }
  }
}

}  // namespace

Status ReadTracesProtobuf(std::string_view body, SpanCounter* counter) {
  try {
    pbf_reader in(body);
    while (in.next(1, kBytes)) ReadResourceSpans(in.get_message(), counter);
    return {};
  } catch (const protozero::exception& error) {
    return Malformed(error.what());
  }
}

// Metrics and logs are built alike: resources, in them scopes, in them what is not read.
Status CheckExportProtobuf(std::string_view body) {
  try {
    for (pbf_reader in(body); in.next(1, kBytes);) {
      for (pbf_reader resource = in.get_message(); resource.next(2, kBytes);) {
        for (pbf_reader scope = resource.get_message(); scope.next(2, kBytes);) {
          for (pbf_reader item = scope.get_message(); item.next();) item.skip();
        }
      }
    }
    return {};
  } catch (const protozero::exception& error) {
    return Malformed(error.what());
  }
}

std::string ExportAnswerProtobuf(int64_t rejected, std::string_view message) {
  std::string out;
  if (rejected == 0 && message.empty()) return out;
  protozero::pbf_writer answer(out);
  protozero::pbf_writer partial(answer, 1);
  if (rejected != 0) partial.add_int64(1, rejected);
  if (!message.empty()) partial.add_string(2, message.data(), message.size());
  return out;
}

std::string StatusAnswerProtobuf(const Error& error) {
  std::string out;
  protozero::pbf_writer status(out);
  status.add_int32(1, static_cast<int32_t>(error.code));
  const std::string message = error.ToString();
  status.add_string(2, message);
  return out;
}

}  // namespace flyball::otlp
