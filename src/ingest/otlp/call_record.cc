// What the journal keeps of a call: JSON, absent members left out.
#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>

#include "base/text.h"
#include "ingest/otlp/call.h"

namespace flyball::otlp {
namespace {

namespace dom = simdjson::dom;

struct TextMember {
  const char* name;
  std::string Call::* text;
};
constexpr TextMember kTexts[] = {
    {"provider", &Call::provider}, {"model", &Call::model},     {"answered", &Call::answered},
    {"answer", &Call::answer_id},  {"tier", &Call::tier},       {"server", &Call::server},
    {"team", &Call::team},         {"project", &Call::project}, {"use_case", &Call::use_case},
    {"session", &Call::session},
};

std::unexpected<Error> Broken(std::string_view member) {
  return Fail(Code::kDataLoss, fmt::format("a kept span has no usable '{}'", member));
}

bool ReadHex(std::string_view hex, uint64_t* out) {
  const auto read = std::from_chars(hex.data(), hex.data() + hex.size(), *out, 16);
  return hex.size() == 16 && read.ec == std::errc() && read.ptr == hex.data() + hex.size();
}

Status DecodeIds(const dom::object& in, Call* call) {
  std::string_view trace, span, parent;
  if (in["t"].get(trace) != simdjson::SUCCESS || trace.size() != 32 ||
      !ReadHex(trace.substr(0, 16), &call->id.trace[0]) ||
      !ReadHex(trace.substr(16), &call->id.trace[1])) {
    return Broken("t");
  }
  if (in["s"].get(span) != simdjson::SUCCESS || !ReadHex(span, &call->id.span)) return Broken("s");
  if (in["p"].get(parent) == simdjson::SUCCESS && !ReadHex(parent, &call->parent)) {
    return Broken("p");
  }
  return {};
}

Status DecodeUsage(const dom::object& in, Usage* usage) {
  dom::object counts;
  if (in["usage"].get(counts) != simdjson::SUCCESS) return Broken("usage");
  for (const auto& [name, value] : counts) {
    const std::optional<Bucket> bucket = BucketByName(name);
    int64_t count = 0;
    if (!bucket || value.get(count) != simdjson::SUCCESS || !usage->Add(*bucket, count)) {
      return Broken("usage");
    }
  }
  return {};
}

}  // namespace

std::string EncodeCall(const Call& call) {
  std::string out = fmt::format(R"({{"t":"{:016x}{:016x}","s":"{:016x}")", call.id.trace[0],
                                call.id.trace[1], call.id.span);
  if (call.parent != 0) out += fmt::format(R"(,"p":"{:016x}")", call.parent);
  out += fmt::format(R"(,"at":{})", call.end.us);
  for (const TextMember& member : kTexts) {
    const std::string& text = call.*member.text;
    if (text.empty()) continue;
    out += fmt::format(R"(,"{}":)", member.name);
    AppendJsonString(text, &out);
  }
  const char* separator = R"(,"tags":{)";
  for (const auto& [name, value] : call.tags) {
    out += separator;
    separator = ",";
    AppendJsonString(name, &out);
    out += ':';
    AppendJsonString(value, &out);
  }
  if (!call.tags.empty()) out += '}';
  separator = R"(,"usage":{)";
  for (const BucketInfo& info : Buckets()) {
    const int64_t count = call.usage[info.bucket];
    if (count == 0) continue;
    out += fmt::format(R"({}"{}":{})", separator, info.name, count);
    separator = ",";
  }
  return out + "}}";
}

Result<Call> DecodeCall(std::string_view json) {
  dom::parser parser;
  dom::object in;
  if (parser.parse(json.data(), json.size(), true).get(in) != simdjson::SUCCESS) {
    return Fail(Code::kDataLoss, "a kept span is no JSON object");
  }
  Call call;
  FB_CHECK(DecodeIds(in, &call));
  if (in["at"].get(call.end.us) != simdjson::SUCCESS) return Broken("at");
  for (const TextMember& member : kTexts) {
    std::string_view text;
    if (in[member.name].get(text) == simdjson::SUCCESS) call.*member.text = text;
  }
  dom::object tags;
  if (in["tags"].get(tags) == simdjson::SUCCESS) {
    for (const auto& [name, value] : tags) {
      std::string_view text;
      if (value.get(text) != simdjson::SUCCESS) return Broken("tags");
      call.tags.emplace_back(name, text);
    }
  }
  FB_CHECK(DecodeUsage(in, &call.usage));
  return call;
}

}  // namespace flyball::otlp
