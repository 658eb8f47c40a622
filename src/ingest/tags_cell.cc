#include "ingest/tags_cell.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "model/signature.h"

namespace flyball::ingest {
namespace {

using Pairs = std::map<std::string, std::string>;

constexpr size_t kTagsMaxPairs = 10'000;

std::string ToJson(const Pairs& pairs) {
  std::string json = "{";
  for (const auto& [key, value] : pairs) {
    if (json.size() > 1) json.push_back(',');
    AppendJsonString(key, &json);
    json.push_back(':');
    AppendJsonString(value, &json);
  }
  json.push_back('}');
  return json;
}

std::string TextOf(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return {};
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// [{"key":"k","value":"v"}, ...], whatever the case of the two words.
std::optional<Pairs> FromList(const nlohmann::json& list) {
  Pairs pairs;
  for (const nlohmann::json& item : list) {
    if (!item.is_object()) return std::nullopt;
    std::optional<std::string> key;
    std::string value;
    for (const auto& [name, part] : item.items()) {
      if (EqualsIgnoreCase(name, "key")) key = TextOf(part);
      if (EqualsIgnoreCase(name, "value")) value = TextOf(part);
    }
    if (!key.has_value()) return std::nullopt;
    pairs[*key] = value;
  }
  return pairs;
}

std::optional<Pairs> FromJson(std::string_view text) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return std::nullopt;
  if (json.is_array()) return FromList(json);
  if (!json.is_object()) return std::nullopt;
  Pairs pairs;
  for (const auto& [key, value] : json.items()) pairs[key] = TextOf(value);
  return pairs;
}

// a=b;c=d or {a=b, c=d}. A key must not be empty, nor hold what would make the text JSON.
std::optional<Pairs> FromAssignments(std::string_view text) {
  char separator = ';';
  if (text.starts_with('{') && text.ends_with('}')) {
    text = text.substr(1, text.size() - 2);
    separator = ',';
  } else if (text.find(';') == std::string_view::npos) {
    separator = ',';
  }
  Pairs pairs;
  for (std::string_view part : SplitText(text, separator)) {
    part = Trim(part);
    if (part.empty()) continue;
    size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) return std::nullopt;
    std::string_view key = Trim(part.substr(0, equals));
    if (key.empty() || key.find_first_of("\"{}[]") != std::string_view::npos) return std::nullopt;
    pairs[std::string(key)] = std::string(Trim(part.substr(equals + 1)));
    if (pairs.size() > kTagsMaxPairs) return std::nullopt;
  }
  if (pairs.empty()) return std::nullopt;
  return pairs;
}

// True when every value of the flat object is a text (what FOCUS asks for).
bool OnlyTexts(std::string_view text) {
  bool inside = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inside) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        inside = false;
      }
      continue;
    }
    if (c == '"') {
      inside = true;
    } else if (std::string_view("{}:, \t\r\n").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string CanonicalTags(std::string_view text, RowDefects* defects) {
  std::string_view trimmed = Trim(text);
  if (Result<signature::Tags> flat = signature::ParseTags(trimmed); flat && OnlyTexts(trimmed)) {
    Pairs pairs;
    for (auto& [key, value] : *flat) pairs[std::move(key)] = std::move(value);
    return ToJson(pairs);
  }
  std::optional<Pairs> pairs = FromJson(trimmed);
  if (!pairs && trimmed.starts_with('"')) pairs = FromJson("{" + std::string(trimmed) + "}");
  if (!pairs) pairs = FromAssignments(trimmed);
  if (pairs) {
    defects->Add(Repair::kTagsNormalised);
    return ToJson(*pairs);
  }
  defects->Add(Repair::kTagsUnparsed);
  return ToJson({{"x_unparsed", std::string(text)}});
}

std::string_view TagsReader::Read(std::string_view text, RowDefects* defects) {
  auto found = known_.find(text);
  if (found == known_.end()) {
    if (known_.size() >= kRememberedMax) known_.clear();
    RowDefects own;
    std::string canonical = CanonicalTags(text, &own);
    found = known_.emplace(std::string(text), Known{std::move(canonical), own.repairs}).first;
  }
  defects->repairs |= found->second.repairs;
  return found->second.canonical;
}

}  // namespace flyball::ingest
