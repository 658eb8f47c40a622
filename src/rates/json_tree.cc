#include "rates/json_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace flyball::rates {
namespace {

using Kind = JsonNode::Kind;

Place PlaceAt(std::string_view text, size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte, text.size()));
  const size_t line_start = before.rfind('\n');
  Place place;
  place.line = 1 + std::count(before.begin(), before.end(), '\n');
  place.column = static_cast<int64_t>(
      line_start == std::string_view::npos ? before.size() : before.size() - line_start - 1);
  place.column = std::max<int64_t>(place.column, 1);
  place.byte = static_cast<int64_t>(byte);
  return place;
}

class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  TreeBuilder(const JsonLimits& limits, std::string_view text) : limits_(limits), text_(text) {
    open_.push_back(&holder_);
  }

  bool null() override { return Put(Kind::kNull); }
  bool boolean(bool value) override { return Put(value ? Kind::kTrue : Kind::kFalse); }
  bool number_integer(number_integer_t value) override {
    return Put(Kind::kNumber, std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Put(Kind::kNumber, std::to_string(value));
  }
  bool number_float(number_float_t, const string_t& written) override {
    return Put(Kind::kNumber, written);
  }
  bool string(string_t& value) override { return Put(Kind::kString, std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return Open(Kind::kObject); }
  bool start_array(size_t) override { return Open(Kind::kArray); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    open_.back()->keys.push_back(std::move(name));
    return true;
  }
  bool parse_error(size_t byte, const std::string&,
                   const nlohmann::json::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: what": the last part.
    std::string_view what = error.what();
    if (const size_t at = what.find(": "); at != std::string_view::npos) what.remove_prefix(at + 2);
    error_ = Error{Code::kInvalidArgument, fmt::format("this is no JSON: {}", what), "",
                   PlaceAt(text_, byte)};
    return false;
  }

  Result<JsonNode> Take(bool parsed) {
    if (parsed && !holder_.items.empty()) return std::move(holder_.items.front());
    if (error_.message.empty()) {
      error_ = Error{Code::kInvalidArgument, "this is no JSON that can be read", "", {}};
    }
    return Fail(error_);
  }

 private:
  bool Put(Kind kind, std::string text = {}) {
    if (++nodes_ > limits_.nodes_max) {
      error_ = Error{Code::kInvalidArgument,
                     fmt::format("the document has more than {} values", limits_.nodes_max),
                     "is it a price file?",
                     {}};
      return false;
    }
    JsonNode& node = open_.back()->items.emplace_back();
    node.kind = kind;
    node.text = std::move(text);
    return true;
  }
  // A parent's items grow only while none of them is open, so the pointers hold.
  bool Open(Kind kind) {
    if (open_.size() > limits_.depth_max) {
      error_ = Error{Code::kInvalidArgument,
                     fmt::format("the document is nested deeper than {}", limits_.depth_max),
                     "is it a price file?",
                     {}};
      return false;
    }
    if (!Put(kind)) return false;
    open_.push_back(&open_.back()->items.back());
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  const JsonLimits& limits_;
  std::string_view text_;
  JsonNode holder_;
  std::vector<JsonNode*> open_;
  size_t nodes_ = 0;
  Error error_;
};

}  // namespace

const JsonNode* JsonNode::Find(std::string_view key) const {
  for (size_t i = keys.size(); i-- > 0;) {
    if (keys[i] == key) return &items[i];
  }
  return nullptr;
}

std::string_view JsonNode::Text(std::string_view key) const {
  const JsonNode* node = Find(key);
  return node != nullptr && node->is_string() ? std::string_view(node->text) : std::string_view();
}

Result<JsonNode> ParseJson(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Fail(Code::kInvalidArgument,
                fmt::format("the document has more than {} bytes", limits.bytes_max),
                "is it a price file?");
  }
  TreeBuilder builder(limits, text);
  const bool parsed = nlohmann::json::sax_parse(text, &builder);
  return builder.Take(parsed);
}

}  // namespace flyball::rates
