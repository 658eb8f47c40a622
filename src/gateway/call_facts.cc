#include "gateway/call_facts.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"

namespace flyball::gateway {
namespace {

namespace dom = simdjson::dom;

std::unexpected<Error> Wrong(std::string_view member, std::string_view expected) {
  return Fail(Code::kInvalidArgument, fmt::format("'{}' {}", member, expected));
}

bool IsTrue(const dom::element& value) {
  bool is = false;
  return value.get(is) == simdjson::SUCCESS && is;
}

std::string_view TextOf(const dom::element& value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? text : std::string_view();
}

Result<int64_t> PositiveNumber(std::string_view member, const dom::element& value, int64_t most) {
  int64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS || number < 1 || number > most) {
    return Wrong(member, fmt::format("is a whole number from 1 to {}", most));
  }
  return number;
}

Result<std::string> ShortText(std::string_view member, const dom::element& value) {
  const std::string_view text = TextOf(value);
  if (text.empty() || text.size() > kModelNameMaxBytes) {
    return Wrong(member, fmt::format("is a text of 1 to {} bytes", kModelNameMaxBytes));
  }
  return std::string(text);
}

// Members of a part of a message that is no text.
bool IsMedia(std::string_view name) {
  constexpr std::array<std::string_view, 10> kMedia = {
      "source", "image",     "image_url", "input_image", "audio",
      "video",  "video_url", "file_data", "inline_data", "input_audio"};
  return std::find(kMedia.begin(), kMedia.end(), name) != kMedia.end();
}

// A part that is rendered page by page, whatever its bytes: a document that is not given as text.
bool IsRenderedDocument(const dom::object& part) {
  dom::element type, source, kind;
  if (part["type"].get(type) != simdjson::SUCCESS || TextOf(type) != "document") return false;
  if (part["source"].get(source) != simdjson::SUCCESS) return false;
  if (source["type"].get(kind) != simdjson::SUCCESS) return true;
  return TextOf(kind) != "text" && TextOf(kind) != "content";
}

// Walks what lies below the body's members, whose shape is the vendors' affair, for what makes
// input that the body's bytes do not bound.
class Walker {
 public:
  explicit Walker(CallFacts* facts) : facts_(*facts) {}

  Status Walk(const dom::element& value, int depth) {
    if (depth > kJsonDepthMax) {
      return Fail(Code::kInvalidArgument,
                  fmt::format("the body is nested deeper than {} levels", kJsonDepthMax));
    }
    dom::array items;
    if (value.get(items) == simdjson::SUCCESS) {
      for (const dom::element& item : items) FB_CHECK(Walk(item, depth + 1));
      return {};
    }
    dom::object members;
    if (value.get(members) != simdjson::SUCCESS) return {};
    facts_.input_is_open |= IsRenderedDocument(members);
    for (const auto& [name, member] : members) {
      Look(name, member);
      FB_CHECK(Walk(member, depth + 1));
    }
    return {};
  }

 private:
  void Look(std::string_view name, const dom::element& value) {
    if (name == "cache_control" && !value.is_null()) {
      facts_.writes_cache = true;
      dom::object control;
      if (value.get(control) != simdjson::SUCCESS) return;
      for (const auto& [key, ttl] : control) {
        if (key == "ttl" && TextOf(ttl) != "5m") facts_.writes_cache_1h = true;
      }
    } else if (IsMedia(name)) {
      facts_.has_media = true;
    }
    if (name == "url" || name == "image_url") {
      facts_.pictures += TextOf(value).empty() ? 0 : 1;
    } else if (name == "data" || name == "image") {
      facts_.pictures += value.is_string() ? 1 : 0;
    } else if (name == "file_url" || name == "file_data" || name == "video_url" ||
               name == "file_id" || name == "file_ids" || name == "container" ||
               name == "vector_store_ids") {
      facts_.input_is_open |= !value.is_null();
    }
  }

  CallFacts& facts_;
};

// A tool with "function" or without a type is the client's own; others run at the vendor.
Status ReadTools(const dom::element& value, bool anthropic, CallFacts* facts) {
  dom::array tools;
  if (value.get(tools) != simdjson::SUCCESS) {
    return value.is_null() ? Status() : Status(Wrong("tools", "is a list"));
  }
  int64_t uses = 0;
  bool bounded = true;
  for (const dom::element& tool : tools) {
    facts->has_tools = true;
    dom::object members;
    if (tool.get(members) != simdjson::SUCCESS) return Wrong("tools", "is a list of objects");
    std::string_view type;
    std::optional<int64_t> most;
    for (const auto& [name, member] : members) {
      if (name == "type") type = TextOf(member);
      if (name == "max_uses") most = FB_TRY(PositiveNumber("max_uses", member, 1000));
    }
    const bool own = type.empty() || type == "function" || type == "custom" ||
                     (anthropic && (type.starts_with("bash_") || type.starts_with("text_editor_") ||
                                    type.starts_with("computer_") || type.starts_with("memory_")));
    if (own) continue;
    ++facts->server_tools;
    bounded = bounded && most.has_value();
    uses += most.value_or(0);
  }
  if (facts->server_tools > 0 && bounded) facts->server_tool_uses_max = uses;
  return {};
}

Status ReadStreamOptions(const dom::element& value, CallFacts* facts) {
  dom::object options;
  if (value.get(options) != simdjson::SUCCESS) {
    return value.is_null() ? Status() : Status(Wrong("stream_options", "is an object"));
  }
  int seen = 0;
  for (const auto& [name, member] : options) {
    if (name != "include_usage") continue;
    if (++seen > 1) return Wrong("include_usage", "is given twice");
    facts->asks_usage = IsTrue(member);
  }
  return {};
}

bool BoundsOutput(Dialect dialect, std::string_view name) {
  if (name == Info(dialect).output_limit) return true;
  return dialect == Dialect::kOpenAiChat && name == "max_tokens";  // its older name
}

// Members of the body itself.
Status ReadMember(Dialect dialect, std::string_view name, const dom::element& value,
                  CallFacts* facts) {
  if (name == "model") {
    facts->model = FB_TRY(ShortText(name, value));
  } else if (BoundsOutput(dialect, name)) {
    if (value.is_null()) return {};
    const int64_t limit = FB_TRY(PositiveNumber(name, value, kOutputLimitMax));
    // Of both names of chat, the larger one bounds.
    facts->output_max = std::max(limit, facts->output_max.value_or(0));
  } else if (name == "n" || name == "best_of") {
    if (value.is_null()) return {};
    facts->choices = std::max(facts->choices, FB_TRY(PositiveNumber(name, value, kChoicesMax)));
  } else if (name == "stream" && !Info(dialect).output_limit.empty()) {
    // Others (embeddings, counts) have no stream, whatever is asked for.
    if (!value.is_bool() && !value.is_null()) return Wrong(name, "is true or false");
    facts->stream = IsTrue(value);
  } else if (name == "stream_options") {
    return ReadStreamOptions(value, facts);
  } else if (name == "service_tier") {
    if (!value.is_null()) facts->service_tier = FB_TRY(ShortText(name, value));
  } else if (name == "tools") {
    return ReadTools(value, Info(dialect).is_anthropic, facts);
  } else if (name == "web_search_options" && !value.is_null()) {
    ++facts->server_tools;
  } else if (name == "max_tool_calls") {
    if (!value.is_null()) facts->tool_calls_max = FB_TRY(PositiveNumber(name, value, 1000));
  } else if (name == "audio" || name == "modalities") {
    facts->speaks |= !value.is_null();
  } else if (name == "previous_response_id" || name == "conversation" || name == "prompt" ||
             name == "mcp_servers") {
    facts->input_is_open |= !value.is_null();
    if (name == "mcp_servers" && !value.is_null()) ++facts->server_tools;
  } else if (name == "prediction") {
    facts->predicts |= !value.is_null();
  } else if (name == "speed") {
    facts->fast |= !value.is_null() && TextOf(value) != "standard";
  }
  return {};
}

}  // namespace

Result<CallFacts> ReadCall(Dialect dialect, std::string_view body) {
  thread_local dom::parser parser;
  dom::element document;
  if (const simdjson::error_code error = parser.parse(body.data(), body.size(), true).get(document);
      error != simdjson::SUCCESS) {
    return Fail(Code::kInvalidArgument,
                fmt::format("the body is no JSON: {}", simdjson::error_message(error)));
  }
  dom::object members;
  if (document.get(members) != simdjson::SUCCESS) {
    return Fail(Code::kInvalidArgument, "the body is no JSON object");
  }
  CallFacts facts;
  facts.body_bytes = static_cast<int64_t>(body.size());
  Walker walker(&facts);
  std::set<std::string_view> seen;
  for (const auto& [name, value] : members) {
    if (!seen.insert(name).second) return Wrong(name.substr(0, 100), "is given twice");
    FB_CHECK(ReadMember(dialect, name, value, &facts));
    FB_CHECK(walker.Walk(value, 1));
  }
  if (facts.model.empty()) return Wrong("model", "is missing");
  if (facts.server_tools > 0 && facts.tool_calls_max) {
    facts.server_tool_uses_max =
        std::min(*facts.tool_calls_max, facts.server_tool_uses_max.value_or(*facts.tool_calls_max));
  }
  // Neither has a limit that a call could state.
  if (facts.server_tools > 0 &&
      (seen.contains("web_search_options") || seen.contains("mcp_servers"))) {
    facts.server_tool_uses_max.reset();
  }
  return facts;
}

std::string WithMember(std::string_view body, std::string_view name, std::string_view json_value) {
  const size_t brace = body.find('{');
  const size_t next = body.find_first_not_of(" \t\r\n", brace + 1);
  const bool only = next != std::string_view::npos && body[next] == '}';
  return fmt::format("{}\"{}\":{}{}{}", body.substr(0, brace + 1), name, json_value,
                     only ? "" : ",", body.substr(brace + 1));
}

namespace {

// The options that stand there, with the usage asked for.
std::string OptionsWithUsage(std::string_view raw) {
  std::string options = R"({"include_usage":true)";
  dom::parser parser;
  dom::object members;
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

Result<std::string> WithIncludeUsage(std::string_view body) {
  namespace ondemand = simdjson::ondemand;
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
    if (name != "stream_options") continue;
    ondemand::value value;
    if (member.value().get(value) != simdjson::SUCCESS) break;
    std::string_view raw;
    ondemand::object options;
    // An object or null: ReadCall lets nothing else through.
    if (value.get_object().get(options) == simdjson::SUCCESS) {
      if (options.raw_json().get(raw) != simdjson::SUCCESS) break;
    } else {
      raw = value.raw_json_token().substr(0, std::string_view("null").size());
    }
    raw = raw.substr(0, raw.find_last_not_of(" \t\r\n") + 1);
    const auto at = static_cast<size_t>(raw.data() - padded.data());
    std::string edited(body.substr(0, at));
    edited += OptionsWithUsage(raw);
    return edited += body.substr(at + raw.size());
  }
  return WithMember(body, "stream_options", OptionsWithUsage("{}"));
}

}  // namespace flyball::gateway
