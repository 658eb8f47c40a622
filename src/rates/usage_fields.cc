#include "rates/usage_fields.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "model/usage.h"
#include "rates/usage_dialect.h"

namespace flyball::rates {
namespace {

namespace dom = simdjson::dom;

UsageNode NodeOfNumber(int64_t value) {
  UsageNode node;
  node.kind = value < 0 ? UsageNode::Kind::kNegative : UsageNode::Kind::kCount;
  node.count = value;
  return node;
}

std::unexpected<Error> TooMany(size_t most) {
  return Fail(Code::kInvalidArgument,
              fmt::format("a part of the usage object has more than {} members", most));
}

}  // namespace

struct UsageNodeBuilder {
  std::vector<UsageNode>& nodes;

  Result<UsageNode> Build(const dom::element& element) {
    switch (element.type()) {
      case dom::element_type::INT64:
        return NodeOfNumber(element.get_int64().value_unsafe());
      case dom::element_type::STRING: {
        UsageNode node;
        node.kind = UsageNode::Kind::kText;
        node.text = element.get_string().value_unsafe();
        return node;
      }
      case dom::element_type::NULL_VALUE:
        return UsageNode{};
      case dom::element_type::OBJECT:
        return BuildObject(element.get_object().value_unsafe());
      case dom::element_type::ARRAY:
        return BuildArray(element.get_array().value_unsafe());
      default: {  // fractions, truths, and numbers beyond 63 bits
        UsageNode node;
        node.kind = UsageNode::Kind::kNoCount;
        return node;
      }
    }
  }

  // Members take their places first, so that they lie side by side; what is in them follows.
  Result<UsageNode> BuildObject(const dom::object& object) {
    UsageNode node;
    node.kind = UsageNode::Kind::kObject;
    node.first = static_cast<uint32_t>(nodes.size());
    for (const dom::key_value_pair& member : object) {
      if (node.size == kUsageFieldsMax) return TooMany(kUsageFieldsMax);
      for (uint32_t i = 0; i < node.size; ++i) {
        if (nodes[node.first + i].key == member.key) {
          return Fail(Code::kInvalidArgument,
                      fmt::format("'{}' stands twice in the usage object", member.key));
        }
      }
      nodes.emplace_back().key = member.key;
      ++node.size;
    }
    uint32_t i = node.first;
    for (const dom::key_value_pair& member : object) {
      UsageNode child = FB_TRY(Build(member.value));
      child.key = member.key;
      nodes[i++] = child;
    }
    return node;
  }

  Result<UsageNode> BuildArray(const dom::array& array) {
    UsageNode node;
    node.kind = UsageNode::Kind::kArray;
    node.first = static_cast<uint32_t>(nodes.size());
    for (const dom::element& item : array) {
      (void)item;
      if (node.size++ == kUsageIterationsMax) return TooMany(kUsageIterationsMax);
      nodes.emplace_back();
    }
    uint32_t i = node.first;
    for (const dom::element& item : array) nodes[i++] = FB_TRY(Build(item));
    return node;
  }
};

Result<UsageDocument> UsageDocument::Parse(std::string_view json) {
  if (json.size() > kUsageJsonBytesMax) {
    return Fail(Code::kInvalidArgument,
                fmt::format("a usage object of more than {} bytes is none", kUsageJsonBytesMax));
  }
  // A parser keeps its memory from call to call. Its texts are views into it.
  thread_local dom::parser parser(kUsageJsonBytesMax + simdjson::SIMDJSON_PADDING);
  thread_local const bool allocated =
      parser.allocate(kUsageJsonBytesMax, kUsageDepthMax) == simdjson::SUCCESS;
  if (!allocated) return Fail(Code::kResourceExhausted, "no memory to read a usage object");
  dom::element element;
  const simdjson::error_code error = parser.parse(json.data(), json.size()).get(element);
  if (error != simdjson::SUCCESS) {
    return Fail(Code::kInvalidArgument,
                fmt::format("the usage is no JSON: {}", simdjson::error_message(error)),
                R"(such as {"input":3,"output":550})");
  }
  if (element.type() != dom::element_type::OBJECT) {
    return Fail(Code::kInvalidArgument, "the usage is no JSON object",
                R"(such as {"input":3,"output":550})");
  }
  thread_local std::vector<UsageNode> nodes;
  nodes.clear();
  nodes.emplace_back();
  const UsageNode root = FB_TRY(UsageNodeBuilder{nodes}.Build(element));
  nodes.front() = root;
  return UsageDocument(nodes);
}

std::string FieldName::ToString() const {
  std::string name = list.empty() ? "" : fmt::format("{}[{}].", list, index);
  if (!object.empty()) name += fmt::format("{}.", object);
  return name.append(key);
}

const UsageNode* UsageFields::Find(std::string_view key) const {
  for (uint32_t i = 0; i < size(); ++i) {
    if (Member(i).key == key) return &Member(i);
  }
  return nullptr;
}

FieldName UsageFields::Name(std::string_view key) const {
  FieldName name = path_;
  name.key = key;
  return name;
}

Result<std::optional<int64_t>> UsageFields::Count(std::string_view key) const {
  const UsageNode* node = Find(key);
  if (node == nullptr || node->kind == UsageNode::Kind::kNull) return std::nullopt;
  if (node->kind == UsageNode::Kind::kNegative) {
    return Fail(Code::kInvalidArgument, fmt::format("'{}' is {}, and usage is never negative",
                                                    Name(key).ToString(), node->count));
  }
  if (node->kind != UsageNode::Kind::kCount) {
    return Fail(Code::kInvalidArgument,
                fmt::format("'{}' is no whole number", Name(key).ToString()));
  }
  if (node->count > kUsageCountMax) {
    return Fail(Code::kOutOfRange,
                fmt::format("'{}' is more than {} can be", Name(key).ToString(), kUsageCountMax));
  }
  return node->count;
}

Result<int64_t> UsageFields::CountOrZero(std::string_view key) const {
  return FB_TRY(Count(key)).value_or(0);
}

Result<NamedCount> UsageFields::Named(std::string_view key) const {
  return NamedCount{FB_TRY(CountOrZero(key)), Name(key)};
}

Result<NamedCount> UsageFields::FirstOf(std::initializer_list<std::string_view> keys) const {
  for (const std::string_view key : keys) {
    if (const std::optional<int64_t> count = FB_TRY(Count(key))) {
      return NamedCount{*count, Name(key)};
    }
  }
  return NamedCount{0, Name(*keys.begin())};
}

Result<UsageFields> UsageFields::Object(std::string_view key) const {
  const UsageNode* node = Find(key);
  if (node == nullptr || node->kind == UsageNode::Kind::kNull) return UsageFields();
  if (node->kind != UsageNode::Kind::kObject) {
    return Fail(Code::kInvalidArgument, fmt::format("'{}' is no object", Name(key).ToString()));
  }
  FieldName path = path_;
  path.object = key;
  return UsageFields(*document_, *node, path);
}

Result<std::vector<UsageFields>> UsageFields::Objects(std::string_view key) const {
  std::vector<UsageFields> objects;
  const UsageNode* node = Find(key);
  if (node == nullptr || node->kind == UsageNode::Kind::kNull) return objects;
  if (node->kind != UsageNode::Kind::kArray) {
    return Fail(Code::kInvalidArgument, fmt::format("'{}' is no list", Name(key).ToString()));
  }
  for (uint32_t i = 0; i < node->size; ++i) {
    const UsageNode& item = document_->At(*node, i);
    if (item.kind != UsageNode::Kind::kObject) {
      return Fail(Code::kInvalidArgument, fmt::format("'{}[{}]' is no object", key, i));
    }
    objects.emplace_back(*document_, item, FieldName{key, i, "", ""});
  }
  return objects;
}

std::string_view UsageFields::Text(std::string_view key) const {
  const UsageNode* node = Find(key);
  return node != nullptr && node->kind == UsageNode::Kind::kText ? node->text : std::string_view();
}

}  // namespace flyball::rates
