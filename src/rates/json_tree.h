// A JSON document as a tree that keeps numbers as they were written, so that prices are read
// without floating point. For price files: bounded, not fast.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace flyball::rates {

struct JsonLimits {
  size_t bytes_max = size_t{64} << 20;
  size_t depth_max = 32;
  size_t nodes_max = 4'000'000;
};

struct JsonNode {
  enum class Kind : uint8_t { kNull, kTrue, kFalse, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  std::string text;               // of a string; of a number as it stands in the document
  std::vector<JsonNode> items;    // of an array, or the values of an object
  std::vector<std::string> keys;  // of an object, as many as items; a key may stand twice

  bool is_object() const { return kind == Kind::kObject; }
  bool is_array() const { return kind == Kind::kArray; }
  bool is_string() const { return kind == Kind::kString; }
  bool is_number() const { return kind == Kind::kNumber; }
  // Of a key that stands twice the last, as other readers do. Null when absent.
  const JsonNode* Find(std::string_view key) const;
  std::string_view Text(std::string_view key) const;  // "" when it is no string
};

// INVALID_ARGUMENT with line and column: no JSON, or beyond a limit.
Result<JsonNode> ParseJson(std::string_view text, const JsonLimits& limits = {});

}  // namespace flyball::rates
