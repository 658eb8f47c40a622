#include "ingest/otlp/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "model/usage.h"

namespace flyball::otlp {
namespace {

constexpr Alias kAliases[] = {
    {"gen_ai.operation.name", Field::kOperation},
    {"llm.request.type", Field::kOperation},
    {"openinference.span.kind", Field::kSpanKind},

    {"gen_ai.provider.name", Field::kProvider},
    {"gen_ai.system", Field::kProvider},
    {"llm.provider", Field::kProvider},
    {"llm.system", Field::kProvider},
    {"gen_ai.request.model", Field::kAskedModel},
    {"llm.request.model", Field::kAskedModel},
    {"llm.request.model_name", Field::kAskedModel},
    {"llm.model_name", Field::kAskedModel},
    {"embedding.model_name", Field::kAskedModel},
    {"gen_ai.response.model", Field::kAnsweredModel},
    {"llm.response.model", Field::kAnsweredModel},
    {"llm.response.model_name", Field::kAnsweredModel},
    {"gen_ai.response.id", Field::kAnswerId},
    {"llm.response.id", Field::kAnswerId},
    {"openai.response.service_tier", Field::kTier},
    {"gen_ai.openai.response.service_tier", Field::kTier},

    {"server.address", Field::kServerAddress},
    {"server.port", Field::kServerPort},
    {"gen_ai.openai.api_base", Field::kBaseUrl},
    {"openai.api_base", Field::kBaseUrl},

    {"gen_ai.usage.input_tokens", Field::kInput},
    {"gen_ai.usage.prompt_tokens", Field::kInput},
    {"llm.usage.prompt_tokens", Field::kInput},
    {"llm.token_count.prompt", Field::kInput},
    {"gen_ai.usage.output_tokens", Field::kOutput},
    {"gen_ai.usage.completion_tokens", Field::kOutput},
    {"llm.usage.completion_tokens", Field::kOutput},
    {"llm.token_count.completion", Field::kOutput},
    {"gen_ai.usage.cache_read.input_tokens", Field::kCacheRead},
    {"gen_ai.usage.cache_read_input_tokens", Field::kCacheRead},
    {"gen_ai.usage.input_tokens.cached", Field::kCacheRead},
    {"llm.usage.cache_read_input_tokens", Field::kCacheRead},
    {"llm.token_count.prompt_details.cache_read", Field::kCacheRead},
    {"gen_ai.usage.cache_creation.input_tokens", Field::kCacheWrite},
    {"gen_ai.usage.cache_write.input_tokens", Field::kCacheWrite},
    {"gen_ai.usage.cache_creation_input_tokens", Field::kCacheWrite},
    {"llm.usage.cache_creation_input_tokens", Field::kCacheWrite},
    {"llm.token_count.prompt_details.cache_write", Field::kCacheWrite},
    {"gen_ai.usage.reasoning.output_tokens", Field::kReasoning},
    {"gen_ai.usage.reasoning_tokens", Field::kReasoning},
    {"llm.usage.reasoning_tokens", Field::kReasoning},
    {"llm.token_count.completion_details.reasoning", Field::kReasoning},
    {"gen_ai.usage.total_tokens", Field::kTotal},
    {"llm.usage.total_tokens", Field::kTotal},
    {"llm.token_count.total", Field::kTotal},
    {"gen_ai.usage.audio.input_tokens", Field::kInputAudio},
    {"llm.token_count.prompt_details.audio", Field::kInputAudio},
    {"gen_ai.usage.image.input_tokens", Field::kInputImage},
    {"gen_ai.usage.video.input_tokens", Field::kInputVideo},
    {"gen_ai.usage.audio.output_tokens", Field::kOutputAudio},
    {"llm.token_count.completion_details.audio", Field::kOutputAudio},
    {"gen_ai.usage.image.output_tokens", Field::kOutputImage},

    {"flyball.team", Field::kTeam},
    {"team", Field::kTeam},
    {"team.name", Field::kTeam},
    {"flyball.project", Field::kProject},
    {"project", Field::kProject},
    {"project.name", Field::kProject},
    {"openinference.project.name", Field::kProject},
    {"flyball.use_case", Field::kUseCase},
    {"use_case", Field::kUseCase},
    {"gen_ai.conversation.id", Field::kSession},
    {"session.id", Field::kSession},
    {"service.name", Field::kService},
    {"deployment.environment.name", Field::kEnvironment},
    {"deployment.environment", Field::kEnvironment},
};

const Alias* FindAlias(std::string_view name) {
  static const auto* const kByName = [] {
    auto* map = new std::unordered_map<std::string_view, const Alias*>;
    for (const Alias& alias : kAliases) map->emplace(alias.name, &alias);
    return map;
  }();
  const auto found = kByName->find(name);
  return found == kByName->end() ? nullptr : found->second;
}

bool IsPlain(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return text.size() <= kTextMaxBytes && ValidUtf8Prefix(text) == text.size() &&
         std::ranges::none_of(text, is_control);
}

std::string_view TagName(std::string_view name) {
  return name.starts_with(kTagPrefix) ? name.substr(kTagPrefix.size()) : std::string_view();
}

}  // namespace

std::span<const Alias> Aliases() { return kAliases; }

bool Fields::IsRead(std::string_view name) {
  return !TagName(name).empty() || FindAlias(name) != nullptr;
}

void Fields::Put(std::string_view name, const Value& value, Of of) {
  const std::string_view text = Trim(value.text);
  if (const std::string_view tag = TagName(name); !tag.empty()) {
    if (value.kind != Value::Kind::kText || text.empty() || !IsPlain(text) || !IsPlain(tag)) return;
    // A resource's are put before the span's own, which replace them.
    const bool known = tags_.contains(std::string(tag));
    if (known || tags_.size() < kTagsMax) tags_.insert_or_assign(std::string(tag), text);
    return;
  }
  const Alias* alias = FindAlias(name);
  if (alias == nullptr) return;
  if (value.kind == Value::Kind::kText && (text.empty() || !IsPlain(text))) return;
  const auto index = static_cast<size_t>(alias - kAliases);
  const auto rank = static_cast<uint16_t>(of == Of::kSpan ? index : index + std::size(kAliases));
  Slot& slot = slots_[static_cast<size_t>(alias->field)];
  if (rank >= slot.rank) return;
  slot = Slot{rank, value.kind, std::string(text), value.count};
}

std::string Fields::Text(Field field) const {
  const Slot& slot = slots_[static_cast<size_t>(field)];
  if (slot.rank == UINT16_MAX || slot.kind == Value::Kind::kOther) return {};
  return slot.kind == Value::Kind::kCount ? std::to_string(slot.count) : slot.text;
}

std::string_view Fields::NameOf(Field field) const {
  const Slot& slot = slots_[static_cast<size_t>(field)];
  return slot.rank == UINT16_MAX ? "" : kAliases[slot.rank % std::size(kAliases)].name;
}

Result<std::optional<int64_t>> Fields::Count(Field field) const {
  const Slot& slot = slots_[static_cast<size_t>(field)];
  if (slot.rank == UINT16_MAX) return std::nullopt;
  if (slot.kind != Value::Kind::kCount) {
    return Fail(Code::kInvalidArgument, fmt::format("'{}' is no whole number", NameOf(field)));
  }
  if (slot.count < 0 || slot.count > kUsageCountMax) {
    return Fail(Code::kInvalidArgument,
                fmt::format("'{}' is {}, which no usage can be", NameOf(field), slot.count));
  }
  return slot.count;
}

}  // namespace flyball::otlp
