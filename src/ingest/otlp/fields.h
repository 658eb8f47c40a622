// Fields: attributes of spans under one name each, whatever convention and version they come from.
//
// The table of aliases in fields.cc names every attribute that is read, the most trusted first:
// OpenTelemetry's GenAI conventions as they are now, their older forms (OpenLLMetry's among them),
// OpenInference. None of them is stable yet, so a new name is a new row there and nothing else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace flyball::otlp {

enum class Field : uint8_t {
  kOperation,  // chat, embeddings, ... or of an agent
  kSpanKind,   // OpenInference's: LLM, EMBEDDING, CHAIN, ...
  kProvider,
  kAskedModel,
  kAnsweredModel,
  kAnswerId,
  kTier,
  kServerAddress,
  kServerPort,
  kBaseUrl,
  kInput,
  kOutput,
  kCacheRead,
  kCacheWrite,
  kReasoning,
  kTotal,
  kInputAudio,
  kInputImage,
  kInputVideo,
  kOutputAudio,
  kOutputImage,
  kTeam,
  kProject,
  kUseCase,
  kSession,
  kService,
  kEnvironment,
};
inline constexpr size_t kFieldCount = static_cast<size_t>(Field::kEnvironment) + 1;

struct Alias {
  std::string_view name;
  Field field;
};
// Of one field the first that is there counts.
std::span<const Alias> Aliases();
// "flyball.tag.NAME" is the tag NAME.
inline constexpr std::string_view kTagPrefix = "flyball.tag.";

inline constexpr size_t kTextMaxBytes = 160;  // a longer text is taken for absent
inline constexpr size_t kTagsMax = 8;         // further ones are passed over

struct Value {
  enum class Kind : uint8_t { kText, kCount, kOther };
  Kind kind = Kind::kOther;
  std::string_view text;
  int64_t count = 0;
};
// Of whom an attribute is; a span's goes before its resource's.
enum class Of : uint8_t { kSpan, kResource };

class Fields {
 public:
  static bool IsRead(std::string_view name);
  void Put(std::string_view name, const Value& value, Of of);

  // Trimmed; "" when it is absent, or is no text of UTF-8 without control characters.
  std::string Text(Field field) const;
  // nullopt when it is absent. INVALID_ARGUMENT names the attribute: no whole number, or one beyond
  // what usage can be.
  Result<std::optional<int64_t>> Count(Field field) const;
  // The attribute that the field was read from; it lives for ever.
  std::string_view NameOf(Field field) const;
  const std::map<std::string, std::string>& tags() const { return tags_; }

 private:
  struct Slot {
    uint16_t rank = UINT16_MAX;  // the lower counts
    Value::Kind kind = Value::Kind::kOther;
    std::string text;
    int64_t count = 0;
  };
  std::array<Slot, kFieldCount> slots_;
  std::map<std::string, std::string> tags_;
};

}  // namespace flyball::otlp
