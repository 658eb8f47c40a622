// Counts out of a JSON object, each key once: what the readers of usage objects stand on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace flyball::rates {

struct UsageNode {
  enum class Kind : uint8_t { kNull, kCount, kNegative, kNoCount, kText, kObject, kArray };
  Kind kind = Kind::kNull;
  int64_t count = 0;      // of kCount
  std::string_view key;   // of an object's member
  std::string_view text;  // of kText
  uint32_t first = 0;     // members or items are the nodes [first, first + size)
  uint32_t size = 0;
};

// Where a field stands, put into words only for an error: "iterations[1].cache_creation.x".
struct FieldName {
  std::string_view list = {};  // the array that the object is an item of
  uint32_t index = 0;          // in it
  std::string_view object = {};
  std::string_view key = {};
  std::string ToString() const;
};

// A count, and where it comes from.
struct NamedCount {
  int64_t count = 0;
  FieldName name;
};

// A parsed document. It lies in memory of the thread and lives until the next Parse there.
class UsageDocument {
 public:
  // INVALID_ARGUMENT: no JSON object, a repeated key, or beyond the limits of usage_dialect.h.
  static Result<UsageDocument> Parse(std::string_view json);
  const UsageNode& root() const { return nodes_->front(); }
  const UsageNode& At(const UsageNode& parent, uint32_t index) const {
    return (*nodes_)[parent.first + index];
  }

 private:
  explicit UsageDocument(const std::vector<UsageNode>& nodes) : nodes_(&nodes) {}
  const std::vector<UsageNode>* nodes_;
};

// An object of a document, or none: then every field is absent. `path` names it in errors; its key
// is not used.
class UsageFields {
 public:
  UsageFields() = default;
  UsageFields(const UsageDocument& document, const UsageNode& node, FieldName path)
      : document_(&document), node_(&node), path_(path) {}
  bool present() const { return node_ != nullptr; }
  const UsageNode* Find(std::string_view key) const;
  // Absent and null are nullopt; INVALID_ARGUMENT: no whole number, negative, or too large.
  Result<std::optional<int64_t>> Count(std::string_view key) const;
  Result<int64_t> CountOrZero(std::string_view key) const;
  // The count, or zero; and of the first of several keys that is there.
  Result<NamedCount> Named(std::string_view key) const;
  Result<NamedCount> FirstOf(std::initializer_list<std::string_view> keys) const;
  Result<UsageFields> Object(std::string_view key) const;
  Result<std::vector<UsageFields>> Objects(std::string_view key) const;  // of an array
  std::string_view Text(std::string_view key) const;                     // "" when it is no text
  FieldName Name(std::string_view key) const;
  uint32_t size() const { return node_ == nullptr ? 0 : node_->size; }
  const UsageNode& Member(uint32_t index) const { return document_->At(*node_, index); }

 private:
  const UsageDocument* document_ = nullptr;
  const UsageNode* node_ = nullptr;
  FieldName path_;
};

}  // namespace flyball::rates
