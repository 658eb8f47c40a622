// KeyValueFormat: a JSON object of plain values; and the properties of SkuPriceDetails.
#include <simdjson.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "check/facts.h"
#include "model/focus.h"

namespace flyball::check {
namespace {

using namespace fact;
namespace dom = simdjson::dom;

constexpr size_t kKeysMax = 10'000;  // of one object; more is no set of tags

bool IsPascalCase(std::string_view key) {
  if (key.empty() || key.front() < 'A' || key.front() > 'Z') return false;
  return std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

const focus::SkuPriceProperty* FindProperty(std::string_view key) {
  for (const focus::SkuPriceProperty& property : focus::SkuPriceProperties()) {
    if (EqualsIgnoreCase(property.key, key)) return &property;
  }
  return nullptr;
}

bool IsNumber(const dom::element& value) {
  return value.is_int64() || value.is_uint64() || value.is_double();
}

Facts ReadProperty(std::string_view key, const dom::element& value) {
  Facts facts = 0;
  if (key.starts_with("x_")) return IsPascalCase(key.substr(2)) ? 0 : kKeyCase;
  const focus::SkuPriceProperty* property = FindProperty(key);
  if (property == nullptr) return kKeyNoPrefix | (IsPascalCase(key) ? 0 : kKeyCase);
  if (property->key != key) facts |= kKeySpelling;
  const bool number = property->type == ColumnType::kQuantity;
  if (!value.is_null() && (number ? !IsNumber(value) : !value.is_string())) facts |= kPropertyType;
  if (!IsPascalCase(key)) facts |= kKeyCase;
  return facts;
}

Facts ReadValue(const dom::element& value) {
  if (value.is_object() || value.is_array()) return kNested;
  if (value.is_null()) return kNullValue;
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS && text.empty()) return kEmptyValue;
  return 0;
}

}  // namespace

Facts ReadKeyValues(std::string_view text, bool sku_details) {
  thread_local dom::parser parser;
  dom::element document;
  dom::object object;
  if (parser.parse(text.data(), text.size()).get(document) != simdjson::SUCCESS) return kNoObject;
  if (document.get_object().get(object) != simdjson::SUCCESS) return kNoObject;
  Facts facts = 0;
  std::set<std::string_view> keys;
  for (const dom::key_value_pair& member : object) {
    if (keys.size() >= kKeysMax) return facts | kNoObject;
    if (!keys.insert(member.key).second) facts |= kSameKey;
    facts |= ReadValue(member.value);
    if (sku_details) facts |= ReadProperty(member.key, member.value);
  }
  if (!sku_details) return facts;
  for (std::string_view key : keys) {
    if (!key.starts_with("x_")) continue;
    const focus::SkuPriceProperty* property = FindProperty(key.substr(2));
    if (property != nullptr && !keys.contains(property->key)) facts |= kShadowed;
  }
  return facts;
}

}  // namespace flyball::check
