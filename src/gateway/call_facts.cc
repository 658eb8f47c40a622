#include "gateway/call_facts.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "gateway/strict_json.h"
#include "gateway/vendor_tools.h"

namespace flyball::gateway {
namespace {

namespace dom = simdjson::dom;
using strict::Folded;
using strict::Has;
using strict::HasOtherCase;
using strict::IsOneOf;
using strict::IsTrue;
using strict::NoNameTwice;
using strict::PositiveNumber;
using strict::TextOf;
using strict::Wrong;

Result<std::string> ShortText(std::string_view member, const dom::element& value) {
  const std::string_view text = TextOf(value);
  if (text.empty() || text.size() > kModelNameMaxBytes) {
    return Wrong(member, fmt::format("is a text of 1 to {} bytes", kModelNameMaxBytes));
  }
  return std::string(text);
}

// Members of the body that decide about its cost.
constexpr std::array<std::string_view, 34> kBodyNames = {"model",
                                                         "max_tokens",
                                                         "max_completion_tokens",
                                                         "max_output_tokens",
                                                         "n",
                                                         "best_of",
                                                         "stream",
                                                         "stream_options",
                                                         "service_tier",
                                                         "tools",
                                                         "functions",
                                                         "web_search_options",
                                                         "max_tool_calls",
                                                         "previous_response_id",
                                                         "conversation",
                                                         "prompt",
                                                         "mcp_servers",
                                                         "prediction",
                                                         "speed",
                                                         "cache_control",
                                                         "container",
                                                         "context_management",
                                                         "fallbacks",
                                                         "fallback",
                                                         "fallback_models",
                                                         "models",
                                                         "search_parameters",
                                                         "plugins",
                                                         "enable_search",
                                                         "input",
                                                         "messages",
                                                         "audio",
                                                         "modalities",
                                                         "system"};

// ---- what lies below the body's members

// What a member of this name says about a call's input, wherever it stands.
enum Trait : uint8_t {
  kMedia = 1,    // a part of a message that is no text
  kPicture = 2,  // its text is one, or the address of one
  kOpen = 4,     // it names what only the vendor knows, or renders
  kCache = 8,
  kSaid = 16,  // by the name that the vendor gave it
};
struct Known {
  std::string_view name;
  uint8_t traits;
};
constexpr std::array<Known, 19> kKnown = {{{"cache_control", kCache},
                                           {"source", kMedia},
                                           {"image", kMedia | kPicture},
                                           {"image_url", kMedia | kPicture},
                                           {"input_image", kMedia},
                                           {"inline_data", kMedia},
                                           {"audio", kMedia | kSaid},
                                           {"input_audio", kMedia},
                                           {"video", kMedia},
                                           {"input_video", kMedia},
                                           {"video_url", kMedia | kOpen},
                                           {"file_data", kMedia | kOpen},
                                           {"file_url", kOpen},
                                           {"file_id", kOpen},
                                           {"file_ids", kOpen},
                                           {"container", kOpen},
                                           {"vector_store_ids", kOpen},
                                           {"url", kPicture},
                                           {"data", kPicture}}};

uint8_t TraitsOf(std::string_view name) {
  // Most names of a call (role, text, type, name) begin with none of their letters.
  constexpr std::string_view kFirst = "csiavfud";
  if (name.empty() || kFirst.find(name.front()) == std::string_view::npos) return 0;
  for (const Known& known : kKnown) {
    if (known.name == name) return known.traits;
  }
  return 0;
}

// A part that is rendered page by page, whatever its bytes: a document that is not given as text.
bool IsRenderedDocument(std::string_view type, const dom::object& part) {
  dom::element source, kind;
  if (type != "document") return false;
  if (part["source"].get(source) != simdjson::SUCCESS) return false;
  if (source["type"].get(kind) != simdjson::SUCCESS) return true;
  return TextOf(kind) != "text" && TextOf(kind) != "content";
}

// What was found before and is told again: its address is that of no picture.
bool IsCitation(std::string_view type) {
  constexpr std::array<std::string_view, 3> kCitations = {"url_citation", "web_search_result",
                                                          "web_search_result_location"};
  return IsOneOf(type, kCitations);
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
    FB_CHECK(NoNameTwice(members));
    const std::string_view type = TextOf(members, "type");
    facts_.input_is_open |= IsRenderedDocument(type, members);
    const bool cites = IsCitation(type);
    for (const auto& [name, member] : members) {
      if (!cites || name != "url") Look(name, member);
      if (HasOtherCase(name)) Look(Folded(name), member);
      FB_CHECK(Walk(member, depth + 1));
    }
    return {};
  }

  // At one member, of the body itself or of what lies below.
  void Look(std::string_view name, const dom::element& value) {
    const uint8_t traits = TraitsOf(name);
    if (traits == 0 || value.is_null()) return;
    facts_.has_media |= (traits & kMedia) != 0;
    facts_.input_is_open |= (traits & kOpen) != 0;
    if ((traits & kPicture) != 0) facts_.pictures += TextOf(value).empty() ? 0 : 1;
    if ((traits & kCache) != 0) LookAtCache(value);
    dom::object said;
    if ((traits & kSaid) != 0 && value.get(said) == simdjson::SUCCESS) {
      facts_.input_is_open |= Has(said, "id");
    }
  }

 private:
  void LookAtCache(const dom::element& value) {
    facts_.writes_cache = true;
    dom::object control;
    if (value.get(control) != simdjson::SUCCESS) return;
    facts_.writes_cache_1h |= Has(control, "ttl") && TextOf(control, "ttl") != "5m";
  }

  CallFacts& facts_;
};

// An item of a response's input that the vendor keeps all or a part of: its name stands for any
// text.
bool IsKeptByVendor(const dom::object& item) {
  constexpr std::array<std::string_view, 16> kWhole = {
      "function_call",         "function_call_output",    "custom_tool_call",
      "computer_call_output",  "custom_tool_call_output", "computer_call",
      "local_shell_call",      "local_shell_call_output", "shell_call",
      "shell_call_output",     "apply_patch_call",        "apply_patch_call_output",
      "mcp_approval_response", "mcp_approval_request",    "tool_search_call",
      "tool_search_output"};
  const std::string_view type = TextOf(item, "type");
  if (type.empty() || type == "message") return !Has(item, "content");
  if (type == "reasoning" || type == "compaction") {
    return TextOf(item, "encrypted_content").empty();
  }
  return !IsOneOf(type, kWhole);
}

void ReadResponseInput(const dom::element& value, CallFacts* facts) {
  dom::array items;
  if (value.get(items) != simdjson::SUCCESS) return;  // a text
  for (const dom::element& item : items) {
    dom::object members;
    if (item.get(members) != simdjson::SUCCESS) continue;
    facts->input_is_open |= IsKeptByVendor(members);
  }
}

// ---- what has no bound

// Models that search the web of themselves, as often as they see fit, for a fee beside the tokens.
bool SearchesByItself(std::string_view model) {
  const std::string name = ToLower(model.substr(model.rfind('/') + 1));  // as prices are found
  return name.find("-search-preview") != std::string_view::npos ||
         name.find("-search-api") != std::string_view::npos || name.starts_with("sonar") ||
         name.starts_with("compound") || name.ends_with(":online");
}

bool IsNothing(const dom::element& value) {
  bool is = false;
  dom::array list;
  return value.is_null() || (value.get(is) == simdjson::SUCCESS && !is) ||
         (value.get(list) == simdjson::SUCCESS && list.size() == 0);
}

// Members that make of a call what can't be foreseen from here.
void LookForNoBound(Dialect dialect, std::string_view name, const dom::element& value,
                    CallFacts* facts) {
  constexpr std::array<std::string_view, 5> kSearches = {"web_search_options", "search_parameters",
                                                         "plugins", "enable_search", "mcp_servers"};
  constexpr std::array<std::string_view, 4> kModels = {"models", "fallbacks", "fallback",
                                                       "fallback_models"};
  if (IsNothing(value)) return;
  if (IsOneOf(name, kSearches)) {
    facts->HasNoBound(
        fmt::format("'{}' lets the vendor run tools without a limit, so that the call's "
                    "cost has no bound",
                    name),
        "leave it out; a tool with a limit can be held");
  } else if (IsOneOf(name, kModels)) {
    facts->HasNoBound(
        fmt::format("'{}' lets other models answer than the one that is held for", name),
        "leave it out, and try the others in calls of their own");
  } else if (name == "prompt" && dialect == Dialect::kOpenAiResponses) {
    facts->HasNoBound("'prompt' names a template of the vendor's, with tools that can't be seen",
                      "send its text as 'input' and its tools as 'tools'");
  }
}

// Anthropic's list of edits, and OpenAI's: what clears the context costs nothing, what rewrites it
// is one more pass of the model, whose output has no limit.
void ReadContextManagement(const dom::element& value, CallFacts* facts) {
  if (IsNothing(value)) return;
  dom::array edits;
  if (value.get(edits) != simdjson::SUCCESS && value["edits"].get(edits) != simdjson::SUCCESS) {
    return facts->HasNoBound("'context_management' has no list of edits", "leave it out");
  }
  for (const dom::element& edit : edits) {
    dom::object members;
    if (edit.get(members) == simdjson::SUCCESS && TextOf(members, "type").starts_with("clear_")) {
      continue;
    }
    facts->HasNoBound(
        "'context_management' lets the vendor rewrite the conversation, in passes of the "
        "model without a limit",
        "keep only edits that clear");
  }
}

// ---- the body

Status ReadStreamOptions(const dom::element& value, CallFacts* facts) {
  dom::object options;
  if (value.get(options) != simdjson::SUCCESS) {
    return value.is_null() ? Status() : Status(Wrong("stream_options", "is an object"));
  }
  dom::element asks;
  facts->asks_usage = options["include_usage"].get(asks) == simdjson::SUCCESS && IsTrue(asks);
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
  } else if (name == "stream_options") {
    return ReadStreamOptions(value, facts);
  } else if (value.is_null()) {
    return {};
  } else if (BoundsOutput(dialect, name)) {
    const int64_t limit = FB_TRY(PositiveNumber(name, value, kOutputLimitMax));
    // Of both names of chat, the larger one bounds.
    facts->output_max = std::max(limit, facts->output_max.value_or(0));
    facts->states_max_tokens |= name == "max_tokens";
  } else if (name == "n" || name == "best_of") {
    facts->choices = std::max(facts->choices, FB_TRY(PositiveNumber(name, value, kChoicesMax)));
  } else if (name == "stream" && !Info(dialect).output_limit.empty()) {
    // Others (embeddings, counts) have no stream, whatever is asked for.
    if (!value.is_bool()) return Wrong(name, "is true or false");
    facts->stream = IsTrue(value);
  } else if (name == "service_tier") {
    facts->service_tier = FB_TRY(ShortText(name, value));
  } else if (name == "functions") {  // tools by their older name
    facts->has_tools = true;
  } else if (name == "input" && dialect == Dialect::kOpenAiResponses) {
    ReadResponseInput(value, facts);
  } else if (name == "previous_response_id" || name == "conversation" || name == "prompt") {
    facts->input_is_open = true;
  } else if (name == "context_management") {
    ReadContextManagement(value, facts);
  } else if (name == "prediction") {
    facts->predicts = true;
  } else if (name == "speed") {
    facts->fast = TextOf(value) != "standard";
  }
  LookForNoBound(dialect, name, value, facts);
  return {};
}

Result<CallFacts> ReadBody(Dialect dialect, const dom::object& members, size_t bytes) {
  CallFacts facts;
  facts.body_bytes = static_cast<int64_t>(bytes);
  FB_CHECK(NoNameTwice(members));
  FB_CHECK(strict::NoneInAnotherCase(members, kBodyNames));
  Walker walker(&facts);
  VendorTools tools(dialect, &facts);
  std::optional<int64_t> max_tool_calls;
  for (const auto& [name, value] : members) {
    walker.Look(name, value);
    FB_CHECK(walker.Walk(value, 1));
    FB_CHECK(ReadMember(dialect, name, value, &facts));
    if (name == "tools") FB_CHECK(tools.Read(value));
    if (name == "max_tool_calls" && !value.is_null()) {
      max_tool_calls = FB_TRY(PositiveNumber(name, value, kToolUsesMax));
    }
  }
  if (facts.model.empty()) return Wrong("model", "is missing");
  tools.Conclude(max_tool_calls);
  if (SearchesByItself(facts.model)) {
    facts.HasNoBound(
        fmt::format("the model '{}' searches by itself, as often as it sees fit, so that "
                    "the call's cost has no bound",
                    facts.model),
        "take another model, and a search tool with a limit");
  }
  return facts;
}

constexpr size_t kKeptParserBytes = size_t{1} << 20;

}  // namespace

void CallFacts::HasNoBound(std::string message, std::string hint) {
  if (unbounded) return;
  unbounded = Error{Code::kInvalidArgument, std::move(message), std::move(hint), {}};
}

Result<CallFacts> ReadCall(Dialect dialect, std::string_view body) {
  // A parser keeps the memory of the largest body that it has read: a huge one gets its own.
  thread_local dom::parser kept;
  std::optional<dom::parser> large;
  if (body.size() > kKeptParserBytes) large.emplace();
  dom::parser& parser = large ? *large : kept;
  dom::element document;
  if (const simdjson::error_code error = parser.parse(body.data(), body.size(), true).get(document);
      error != simdjson::SUCCESS) {
    return Fail(strict::NoJson(body, simdjson::error_message(error)));
  }
  dom::object members;
  if (document.get(members) != simdjson::SUCCESS) {
    return Fail(Code::kInvalidArgument, "the body is no JSON object");
  }
  return ReadBody(dialect, members, body.size());
}

}  // namespace flyball::gateway
