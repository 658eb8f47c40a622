#include "ingest/jsonl.h"

#include <simdjson.h>

#include <cstring>
#include <unordered_map>

namespace flyball::ingest {
namespace {

namespace ondemand = simdjson::ondemand;
static_assert(simdjson::SIMDJSON_PADDING <= kBlockPadding);

std::string_view WithoutEndBlanks(std::string_view text) {
  while (!text.empty() && std::memchr(" \t\r\n", text.back(), 4) != nullptr) text.remove_suffix(1);
  return text;
}

class JsonRecords : public RecordReader {
 public:
  JsonRecords(std::vector<std::string> keys, bool numbered)
      : keys_(std::move(keys)), numbered_(numbered) {
    for (size_t i = 0; i < keys_.size(); ++i) places_.emplace(keys_[i], i);
  }

  void Start(const Block* block) override {
    at_ = block->bytes.data();
    end_ = at_ + block->size;
    line_ = block->first_line;
  }

  bool Next(Record* record) override {
    while (at_ < end_) {
      const void* found = std::memchr(at_, '\n', static_cast<size_t>(end_ - at_));
      const char* stop = found == nullptr ? end_ : static_cast<const char*>(found);
      std::string_view text(at_, static_cast<size_t>(stop - at_));
      if (text.ends_with('\r')) text.remove_suffix(1);
      at_ = stop < end_ ? stop + 1 : end_;
      int64_t line = line_++;
      if (text.empty()) {
        ++empty_lines_;
        continue;
      }
      if (numbered_) {
        line = 0;
        while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
          line = line * 10 + (text.front() - '0');
          text.remove_prefix(1);
        }
        if (!text.empty()) text.remove_prefix(1);  // the tab behind it
      }
      record->line = line;
      record->raw = text;
      record->field_count = keys_.size();
      record->fault = nullptr;
      record->fields.assign(keys_.size(), Field{.text = {}, .quoted = false, .null = true});
      if (!Take(text, &record->fields)) record->fault = "the line is not a JSON object";
      return true;
    }
    return false;
  }

 private:
  bool Take(std::string_view text, std::vector<Field>* fields) {
    seen_.assign(keys_.size(), false);
    // Behind the line stands the rest of the block and its padding: it may be read, and is not
    // used.
    simdjson::padded_string_view padded(text.data(), text.size(), text.size() + kBlockPadding);
    ondemand::document document;
    ondemand::object object;
    if (parser_.iterate(padded).get(document) != simdjson::SUCCESS) return false;
    if (document.get_object().get(object) != simdjson::SUCCESS) return false;
    size_t expected = 0;
    for (auto member : object) {
      std::string_view key;
      ondemand::value value;
      if (member.error() != simdjson::SUCCESS) return false;
      ondemand::field field;
      if (std::move(member).get(field) != simdjson::SUCCESS) return false;
      key = KeyText(field);
      value = field.value();
      size_t place = expected;
      if (place >= keys_.size() || keys_[place] != key) {
        auto found = places_.find(key);
        if (found == places_.end()) return false;
        place = found->second;
      }
      expected = place + 1;
      Field taken;
      if (!TakeValue(value, &taken)) return false;
      if (seen_[place]) continue;
      seen_[place] = true;
      (*fields)[place] = taken;
    }
    // Nothing may follow the object.
    const char* rest = nullptr;
    return document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS;
  }

  static std::string_view KeyText(ondemand::field& field) {
    const char* start = field.key().raw();
    const char* at = start;
    while (*at != '"') at += *at == '\\' ? 2 : 1;
    return {start, static_cast<size_t>(at - start)};
  }

  static bool TakeValue(ondemand::value& value, Field* field) {
    ondemand::json_type type;
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    field->null = false;
    switch (type) {
      case ondemand::json_type::string:
        field->quoted = true;
        return value.get_string().get(field->text) == simdjson::SUCCESS;
      case ondemand::json_type::null:
        field->null = true;
        field->text = {};
        return value.is_null();
      case ondemand::json_type::boolean: {
        bool truth = false;
        if (value.get_bool().get(truth) != simdjson::SUCCESS) return false;
        field->text = truth ? "true" : "false";
        return true;
      }
      case ondemand::json_type::number:
        // As it is written; the iteration steps over it by itself.
        field->text = WithoutEndBlanks(value.raw_json_token());
        return true;
      case ondemand::json_type::array: {
        ondemand::array array;
        if (value.get_array().get(array) != simdjson::SUCCESS) return false;
        return array.raw_json().get(field->text) == simdjson::SUCCESS;
      }
      case ondemand::json_type::object: {
        ondemand::object object;
        if (value.get_object().get(object) != simdjson::SUCCESS) return false;
        return object.raw_json().get(field->text) == simdjson::SUCCESS;
      }
    }
    return false;
  }

  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::vector<std::string> keys_;
  bool numbered_;
  std::unordered_map<std::string, size_t, TextHash, std::equal_to<>> places_;
  std::vector<bool> seen_;
  ondemand::parser parser_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  int64_t line_ = 1;
};

}  // namespace

std::unique_ptr<RecordReader> MakeJsonRecords(std::vector<std::string> keys, bool numbered) {
  return std::make_unique<JsonRecords>(std::move(keys), numbered);
}

}  // namespace flyball::ingest
