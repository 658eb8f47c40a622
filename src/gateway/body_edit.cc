#include "gateway/body_edit.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <optional>

#include "base/text.h"

namespace flyball::gateway {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kNull = "null";

// Where the value of a member stands in the body; only objects and null are looked for.
struct Span {
  size_t at = 0;
  size_t size = 0;
};

Result<std::optional<Span>> FindMember(std::string_view body, std::string_view wanted) {
  const simdjson::padded_string padded(body);
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object members;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document.get_object().get(members) != simdjson::SUCCESS) {
    return Fail(Code::kInvalidArgument, "the body is no JSON object");
  }
  for (auto member : members) {
    std::string_view name;
    if (member.unescaped_key().get(name) != simdjson::SUCCESS) break;
    if (name != wanted) continue;
    ondemand::value value;
    if (member.value().get(value) != simdjson::SUCCESS) break;
    std::string_view raw;
    ondemand::object object;
    if (value.get_object().get(object) == simdjson::SUCCESS) {
      if (object.raw_json().get(raw) != simdjson::SUCCESS) break;
    } else {
      raw = value.raw_json_token().substr(0, kNull.size());
      if (raw != kNull) break;
    }
    raw = raw.substr(0, raw.find_last_not_of(" \t\r\n") + 1);
    return Span{static_cast<size_t>(raw.data() - padded.data()), raw.size()};
  }
  return std::nullopt;
}

std::string Replaced(std::string_view body, const Span& span, std::string_view with) {
  return fmt::format("{}{}{}", body.substr(0, span.at), with, body.substr(span.at + span.size));
}

std::string WithFirstMember(std::string_view body, std::string_view name,
                            std::string_view json_value) {
  const size_t brace = body.find('{');
  const size_t next = body.find_first_not_of(" \t\r\n", brace + 1);
  const bool only = next != std::string_view::npos && body[next] == '}';
  return fmt::format("{}\"{}\":{}{}{}", body.substr(0, brace + 1), name, json_value,
                     only ? "" : ",", body.substr(brace + 1));
}

// The options that stand there, with the usage asked for.
std::string OptionsWithUsage(std::string_view raw) {
  std::string options = R"({"include_usage":true)";
  simdjson::dom::parser parser;
  simdjson::dom::object members;
  if (parser.parse(raw.data(), raw.size(), true).get(members) == simdjson::SUCCESS) {
    for (const auto& [name, value] : members) {
      if (name == "include_usage") continue;
      options += ",";
      AppendJsonString(name, &options);
      options += ":" + simdjson::to_string(value);
    }
  }
  return options + "}";
}

}  // namespace

Result<std::string> WithMember(std::string_view body, std::string_view name,
                               std::string_view json_value) {
  if (const std::optional<Span> there = FB_TRY(FindMember(body, name))) {
    return Replaced(body, *there, json_value);
  }
  return WithFirstMember(body, name, json_value);
}

Result<std::string> WithIncludeUsage(std::string_view body) {
  // An object or null: ReadCall lets nothing else through.
  if (const std::optional<Span> there = FB_TRY(FindMember(body, "stream_options"))) {
    return Replaced(body, *there, OptionsWithUsage(body.substr(there->at, there->size)));
  }
  return WithFirstMember(body, "stream_options", OptionsWithUsage("{}"));
}

}  // namespace flyball::gateway
