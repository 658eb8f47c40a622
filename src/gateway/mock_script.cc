#include "gateway/mock_script.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"

namespace flyball::gateway {
namespace {

using Json = nlohmann::json;

struct NumberField {
  std::string_view name;
  int64_t MockBehaviour::* field;
};
constexpr std::array kNumbers = {
    NumberField{"first_byte_ms", &MockBehaviour::first_byte_ms},
    NumberField{"frame_ms", &MockBehaviour::frame_ms},
    NumberField{"frames", &MockBehaviour::frames},
    NumberField{"tokens_per_frame", &MockBehaviour::tokens_per_frame},
    NumberField{"input_tokens", &MockBehaviour::input_tokens},
    NumberField{"cached_percent", &MockBehaviour::cached_percent},
    NumberField{"cache_write_5m_tokens", &MockBehaviour::cache_write_5m_tokens},
    NumberField{"cache_write_1h_tokens", &MockBehaviour::cache_write_1h_tokens},
    NumberField{"reasoning_tokens", &MockBehaviour::reasoning_tokens},
    NumberField{"status", &MockBehaviour::status},
    NumberField{"retry_after_s", &MockBehaviour::retry_after_s},
    NumberField{"reset_after_frames", &MockBehaviour::reset_after_frames},
};
struct FlagField {
  std::string_view name;
  bool MockBehaviour::* field;
};
constexpr std::array kFlags = {
    FlagField{"tool_call", &MockBehaviour::tool_call},
    FlagField{"no_usage", &MockBehaviour::no_usage},
    FlagField{"no_tier", &MockBehaviour::no_tier},
    FlagField{"ignore_max_tokens", &MockBehaviour::ignore_max_tokens},
    FlagField{"bill_errors", &MockBehaviour::bill_errors},
    FlagField{"bill_after_disconnect", &MockBehaviour::bill_after_disconnect},
};
constexpr int64_t kNumberMax = 1'000'000'000;

std::unexpected<Error> Bad(const std::string& what) {
  return Fail(Code::kInvalidArgument, "the mock vendor's script: " + what,
              "docs/GATEWAY.md lists its fields");
}

Result<int64_t> ReadNumber(const std::string& name, const Json& value) {
  if (!value.is_number_integer() || value < -1 || value > kNumberMax) {
    return Bad("'" + name + "' is no whole number between -1 and 1000000000");
  }
  return value.get<int64_t>();
}

// True: the field is one of a behaviour's.
Result<bool> ReadField(const std::string& name, const Json& value, MockBehaviour* out) {
  for (const NumberField& number : kNumbers) {
    if (number.name == name) {
      out->*number.field = FB_TRY(ReadNumber(name, value));
      return true;
    }
  }
  for (const FlagField& flag : kFlags) {
    if (flag.name == name) {
      if (!value.is_boolean()) return Bad("'" + name + "' is neither true nor false");
      out->*flag.field = value.get<bool>();
      return true;
    }
  }
  return false;
}

Status ReadMatch(const Json& match, std::string* model, std::string* dialect) {
  if (!match.is_object()) return Bad("'match' is no object");
  for (const auto& [name, value] : match.items()) {
    if ((name != "model" && name != "dialect") || !value.is_string()) {
      return Bad("'match' has '" + name + "'; it knows model and dialect, as texts");
    }
    *(name == "model" ? model : dialect) = value.get<std::string>();
  }
  return {};
}

}  // namespace

Result<MockScript> MockScript::Parse(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return Bad("it is no JSON object");
  MockScript script;
  if (auto base = json.find("default"); base != json.end()) {
    for (const auto& [name, value] : base->items()) {
      if (!FB_TRY(ReadField(name, value, &script.default_)))
        return Bad("'" + name + "' is unknown");
    }
  }
  for (const auto& [key, value] : json.items()) {
    if (key == "seed") {
      script.random_ = Random(static_cast<uint64_t>(FB_TRY(ReadNumber(key, value))));
    } else if (key == "models") {
      script.models_.clear();
      for (const Json& model : value) {
        if (!model.is_string()) return Bad("'models' has something that is no text");
        script.models_.push_back(model.get<std::string>());
      }
    } else if (key == "rules") {
      for (const Json& rule : value) {
        Rule& made = script.rules_.emplace_back();
        made.behaviour = script.default_;
        for (const auto& [name, field] : rule.items()) {
          if (name == "match") {
            FB_CHECK(ReadMatch(field, &made.model, &made.dialect));
          } else if (name == "chance_percent") {
            made.chance_percent = FB_TRY(ReadNumber(name, field));
          } else if (name == "times") {
            made.times = FB_TRY(ReadNumber(name, field));
          } else if (!FB_TRY(ReadField(name, field, &made.behaviour))) {
            return Bad("'" + name + "' is unknown");
          }
        }
      }
    } else if (key != "default") {
      return Bad("'" + key + "' is unknown");
    }
  }
  return script;
}

MockBehaviour MockScript::Choose(MockDialect dialect, const MockRequest& request) {
  for (Rule& rule : rules_) {
    if (rule.times == 0 || !GlobMatch(rule.model, request.model) ||
        !GlobMatch(rule.dialect, MockDialectName(dialect))) {
      continue;
    }
    if (rule.chance_percent < 100 &&
        !random_.Chance(static_cast<uint64_t>(std::max<int64_t>(rule.chance_percent, 0)), 100)) {
      continue;
    }
    if (rule.times > 0) --rule.times;
    return rule.behaviour;
  }
  return default_;
}

std::string_view MockDialectName(MockDialect dialect) {
  static constexpr std::array<std::string_view, 8> kNames = {"chat",    "responses", "embeddings",
                                                             "models",  "messages",  "count_tokens",
                                                             "invoice", "unknown"};
  return kNames[static_cast<size_t>(dialect)];
}

}  // namespace flyball::gateway
