#include "gateway/vendor_tools.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <string_view>

#include "gateway/strict_json.h"

namespace flyball::gateway {
namespace {

namespace dom = simdjson::dom;
using strict::Has;
using strict::IsOneOf;
using strict::PositiveNumber;
using strict::TextOf;
using strict::Wrong;

// Members of a tool that decide about its cost.
constexpr std::array<std::string_view, 2> kToolNames = {"type", "max_uses"};

enum class ToolKind : uint8_t {
  kOwn,     // the client runs it
  kSearch,  // the vendor runs it, for a fee
  kNoFee,   // the vendor runs it, for the tokens alone
  kUnknownFee,
};

ToolKind OpenAiTool(std::string_view type, const dom::object& tool) {
  constexpr std::array<std::string_view, 6> kOwn = {
      "function", "custom", "local_shell", "apply_patch", "computer", "computer_use_preview"};
  if (IsOneOf(type, kOwn)) return ToolKind::kOwn;
  if (type.starts_with("web_search")) return ToolKind::kSearch;
  if (type == "shell") {
    dom::object environment;
    const bool stated = tool["environment"].get(environment) == simdjson::SUCCESS;
    return stated && TextOf(environment, "type") == "local" ? ToolKind::kOwn
                                                            : ToolKind::kUnknownFee;
  }
  if (type == "tool_search") {
    return TextOf(tool, "execution") == "client" ? ToolKind::kOwn : ToolKind::kNoFee;
  }
  return type == "mcp" ? ToolKind::kNoFee : ToolKind::kUnknownFee;
}

ToolKind AnthropicTool(std::string_view type) {
  if (type == "custom") return ToolKind::kOwn;
  for (std::string_view own : {"bash_", "text_editor_", "computer_", "memory_"}) {
    if (type.starts_with(own)) return ToolKind::kOwn;
  }
  if (type.starts_with("web_search_")) return ToolKind::kSearch;
  return type.starts_with("web_fetch_") ? ToolKind::kNoFee : ToolKind::kUnknownFee;
}

Bucket SearchFee(const dom::object& search) {
  const std::string_view size = TextOf(search, "search_context_size");
  if (size == "high") return Bucket::kSearchesHigh;
  return size == "low" ? Bucket::kSearchesLow : Bucket::kSearches;
}

ToolKind KindOf(Dialect dialect, std::string_view type, const dom::object& tool) {
  if (type.empty()) {
    const bool named = Has(tool, "function") || Has(tool, "name");
    return named ? ToolKind::kOwn : ToolKind::kUnknownFee;
  }
  return Info(dialect).is_anthropic ? AnthropicTool(type) : OpenAiTool(type, tool);
}

}  // namespace

Status VendorTools::Read(const dom::element& value) {
  dom::array tools;
  if (value.get(tools) != simdjson::SUCCESS) {
    return value.is_null() ? Status() : Status(Wrong("tools", "is a list"));
  }
  for (const dom::element& tool : tools) {
    dom::object members;
    if (tool.get(members) != simdjson::SUCCESS) return Wrong("tools", "is a list of objects");
    facts_.has_tools = true;
    FB_CHECK(strict::NoneInAnotherCase(members, kToolNames));
    FB_CHECK(ReadOne(members));
  }
  return {};
}

void VendorTools::Conclude(std::optional<int64_t> max_tool_calls) {
  if (!facts_.has_vendor_tools) return;
  std::optional<int64_t> most;
  if (dialect_ == Dialect::kOpenAiResponses) most = max_tool_calls;
  if (Info(dialect_).is_anthropic && all_limited_) most = uses_;
  facts_.vendor_tool_uses = most.value_or(0);
  if (most) return;
  facts_.HasNoBound(
      "'tools' lets the vendor run tools without a limit, so that the call's cost has no "
      "bound",
      "state 'max_uses' in each of them (Anthropic) or 'max_tool_calls' (OpenAI's "
      "responses), or leave them out");
}

Status VendorTools::ReadOne(const dom::object& tool) {
  const std::string_view type = TextOf(tool, "type");
  if (dom::element inner; type == "namespace" && tool["tools"].get(inner) == simdjson::SUCCESS) {
    return Read(inner);
  }
  const ToolKind kind = KindOf(dialect_, type, tool);
  if (kind == ToolKind::kOwn) return {};
  if (kind == ToolKind::kUnknownFee) {
    facts_.HasNoBound(
        fmt::format("'tools' has the vendor run '{}', and what that costs is not known",
                    type.substr(0, 100)),
        "leave it out, or run such a tool yourself");
  }
  facts_.has_vendor_tools = true;
  if (kind == ToolKind::kSearch) {
    // Of several kinds of search each may be used: the widest counts.
    const Bucket fee = SearchFee(tool);
    const bool wider = facts_.search_fee == Bucket::kSearchesLow || fee == Bucket::kSearchesHigh;
    if (!facts_.search_fee || wider) facts_.search_fee = fee;
  }
  dom::element max_uses;
  if (tool["max_uses"].get(max_uses) != simdjson::SUCCESS || max_uses.is_null()) {
    all_limited_ = false;
    return {};
  }
  uses_ += FB_TRY(PositiveNumber("max_uses", max_uses, kToolUsesMax));
  if (uses_ <= kToolUsesMax) return {};
  return Wrong("max_uses", fmt::format("is, of all tools together, at most {}", kToolUsesMax));
}

}  // namespace flyball::gateway
