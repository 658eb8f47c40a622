// The JSON form: protobuf's mapping with lowerCamelCase names, ids in hex, 64-bit integers as texts
// or numbers, enums as numbers. Names that are not known are passed over.
#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "ingest/otlp/wire.h"

namespace flyball::otlp {
namespace {

namespace dom = simdjson::dom;

// "" for a text that is no hex: an id that is wrong.
std::string FromHex(std::string_view hex) {
  std::string bytes;
  if (hex.size() % 2 != 0) return bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    uint8_t byte = 0;
    const auto read = std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    if (read.ptr != hex.data() + i + 2) return {};
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

template <typename T>
bool ReadInteger(const dom::element& element, T* out) {
  if (element.get(*out) == simdjson::SUCCESS) return true;
  std::string_view text;
  if (element.get(text) != simdjson::SUCCESS) return false;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), *out);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

Value ReadValue(const dom::element& element) {
  Value value;
  dom::element inner;
  std::string_view text;
  int64_t count = 0;
  if (element["stringValue"].get(text) == simdjson::SUCCESS) {
    value = {Value::Kind::kText, text, 0};
  } else if (element["intValue"].get(inner) == simdjson::SUCCESS && ReadInteger(inner, &count)) {
    value = {Value::Kind::kCount, {}, count};
  }
  return value;
}

// Null stands for an empty list, as for an absent one.
template <typename Each>
Status ForEach(const dom::element& of, std::string_view name, const Each& each) {
  dom::element element;
  if (of[name].get(element) != simdjson::SUCCESS || element.is_null()) return {};
  dom::array list;
  if (element.get(list) != simdjson::SUCCESS) return Malformed(std::string(name) + " is no list");
  for (const dom::element& item : list) {
    if (!item.is_object()) return Malformed(std::string(name) + " holds what is no object");
    FB_CHECK(each(item));
  }
  return {};
}

Status ReadAttributes(const dom::element& of, Of whose, Fields* fields) {
  return ForEach(of, "attributes", [&](const dom::element& item) -> Status {
    std::string_view key;
    dom::element value;
    if (item["key"].get(key) != simdjson::SUCCESS || !Fields::IsRead(key)) return {};
    if (item["value"].get(value) == simdjson::SUCCESS) fields->Put(key, ReadValue(value), whose);
    return {};
  });
}

std::string ReadId(const dom::element& span, std::string_view name) {
  std::string_view hex;
  return span[name].get(hex) == simdjson::SUCCESS ? FromHex(hex) : std::string();
}

bool ReadFailed(const dom::element& span) {
  dom::element code;
  if (span["status"]["code"].get(code) != simdjson::SUCCESS) return false;
  int64_t number = 0;
  std::string_view name;  // some writers give enums their names
  return (code.get(number) == simdjson::SUCCESS && number == 2) ||
         (code.get(name) == simdjson::SUCCESS && name == "STATUS_CODE_ERROR");
}

Result<Span> ReadSpan(const dom::element& in, const Fields& resource) {
  Span span;
  span.fields = resource;
  span.trace_id = ReadId(in, "traceId");
  span.span_id = ReadId(in, "spanId");
  span.parent_id = ReadId(in, "parentSpanId");
  dom::element end;
  uint64_t nanos = 0;
  if (in["endTimeUnixNano"].get(end) == simdjson::SUCCESS && ReadInteger(end, &nanos)) {
    span.end = FromUnixNanos(nanos);
  }
  span.failed = ReadFailed(in);
  FB_CHECK(ReadAttributes(in, Of::kSpan, &span.fields));
  return span;
}

Status ReadResourceSpans(const dom::element& in, SpanCounter* counter) {
  Fields fields;
  dom::element resource;
  if (in["resource"].get(resource) == simdjson::SUCCESS && resource.is_object()) {
    FB_CHECK(ReadAttributes(resource, Of::kResource, &fields));
  }
  return ForEach(in, "scopeSpans", [&](const dom::element& scope) {
    return ForEach(scope, "spans", [&](const dom::element& item) -> Status {
      if (counter->full()) return {};
      counter->Visit(FB_TRY(ReadSpan(item, fields)));
      return {};
    });
  });
}

Status ParseObject(std::string_view body, dom::parser* parser, dom::element* root) {
  auto error = parser->allocate(std::max<size_t>(body.size(), 1), kJsonDepthMax);
  if (!error) error = parser->parse(body.data(), body.size(), true).get(*root);
  if (error) return Malformed(simdjson::error_message(error));
  if (!root->is_object()) return Malformed("it is no JSON object");
  return {};
}

}  // namespace

Status ReadTracesJson(std::string_view body, SpanCounter* counter) {
  dom::parser parser;
  dom::element root;
  FB_CHECK(ParseObject(body, &parser, &root));
  return ForEach(root, "resourceSpans", [&](const dom::element& resource) {
    return ReadResourceSpans(resource, counter);
  });
}

Status CheckExportJson(std::string_view body) {
  dom::parser parser;
  dom::element root;
  return ParseObject(body, &parser, &root);
}

}  // namespace flyball::otlp
