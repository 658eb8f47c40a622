#include "gateway/json_pick.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace flyball::gateway {
namespace {

constexpr int kArrayBits = 64;

}  // namespace

JsonPick::JsonPick(std::span<const std::string_view> paths) : paths_(paths) {
  FB_ASSERT(paths.size() <= kPathsMax);
}

void JsonPick::Reset() {
  const std::span<const std::string_view> paths = paths_;
  *this = JsonPick(paths);
}

void JsonPick::Put(std::string_view piece) {
  size_t at = 0;
  size_t quote = 0;  // the first one from `at` on, where that was looked for
  while (at < piece.size()) {
    // Most bytes are inside strings: the next one that means something is found at a stride.
    if (in_string_ && !escaped_) {
      if (quote < at || at == 0) quote = std::min(piece.find('"', at), piece.size());
      const size_t end = std::min(piece.substr(0, quote).find('\\', at), quote);
      const std::string_view plain = piece.substr(at, end - at);
      if (capturing_ >= 0) capture_ += plain;
      if (is_name_ && name_.size() <= kNameMaxBytes) name_ += plain;
      at = end;
      if (at == piece.size()) break;
    }
    PutByte(piece[at++]);
  }
  if (capture_.size() > kValueMaxBytes) overflow_ = true;
  if (overflow_) capture_.clear();
}

void JsonPick::PutByte(char c) {
  if (done_) return;
  if (in_string_) {
    if (capturing_ >= 0) capture_ += c;
    InString(c);
    return;
  }
  switch (c) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
      if (capturing_ >= 0 && depth_ >= capture_depth_) capture_ += c;
      return;
    case ':':
      if (capturing_ >= 0) capture_ += c;
      wants_value_ = true;
      return;
    case ',':
      if (capturing_ >= 0 && depth_ < capture_depth_) ValueEnds();
      if (capturing_ >= 0) capture_ += c;
      wants_name_ = depth_ < kArrayBits && (arrays_ >> depth_ & 1) == 0;
      return;
    case '}':
    case ']':
      if (capturing_ >= 0 && depth_ < capture_depth_) ValueEnds();  // a number or word ends here
      if (capturing_ >= 0) capture_ += c;
      --depth_;
      if (capturing_ >= 0 && depth_ < capture_depth_) ValueEnds();
      if (depth_ == 1) parent_.clear();
      if (depth_ <= 0) done_ = true;
      wants_name_ = false;
      return;
    default:
      break;
  }
  if (wants_value_) ValueBegins(c);
  if (capturing_ >= 0) capture_ += c;
  if (c == '{' || c == '[') {
    if (depth_ == 1 && c == '{') parent_ = name_;
    ++depth_;
    if (depth_ < kArrayBits) {
      arrays_ = (arrays_ & ~(uint64_t{1} << depth_)) | (uint64_t{c == '['} << depth_);
    }
    wants_name_ = c == '{';
  } else if (c == '"') {
    in_string_ = true;
    is_name_ = wants_name_;
    wants_name_ = false;
    if (is_name_) name_.clear();
  }
}

void JsonPick::InString(char c) {
  if (escaped_) {
    escaped_ = false;
    return;  // names of ours have no escapes
  }
  if (c == '\\') {
    escaped_ = true;
    if (is_name_) name_ += c;
  } else if (c == '"') {
    in_string_ = false;
    is_name_ = false;
    // A picked string is whole with its closing quote.
    if (capturing_ >= 0 && depth_ < capture_depth_) ValueEnds();
  } else if (is_name_ && name_.size() <= kNameMaxBytes) {
    name_ += c;
  }
}

// The first byte of a member's value.
void JsonPick::ValueBegins(char) {
  wants_value_ = false;
  if (capturing_ >= 0 || depth_ < 1 || depth_ > 2) return;
  if (depth_ == 2 && parent_.empty()) return;
  for (size_t i = 0; i < paths_.size(); ++i) {
    std::string_view path = paths_[i];
    if (depth_ == 2) {
      if (!path.starts_with(parent_) || path.size() <= parent_.size() ||
          path[parent_.size()] != '.') {
        continue;
      }
      path.remove_prefix(parent_.size() + 1);
    }
    if (path != name_) continue;
    capturing_ = static_cast<int>(i);
    capture_depth_ = depth_ + 1;  // brackets inside the value are at least this deep
    capture_.clear();
    overflow_ = false;
    return;
  }
}

void JsonPick::ValueEnds() {
  const auto path = static_cast<size_t>(capturing_);
  capturing_ = -1;
  if (overflow_) capture_.clear();
  values_[path] = std::move(capture_);
  capture_.clear();
}

std::string UnquoteJson(std::string_view raw) {
  if (raw.size() >= 2 && raw.find('\\') == std::string_view::npos) {
    return raw.front() == '"' && raw.back() == '"' ? std::string(raw.substr(1, raw.size() - 2))
                                                   : std::string();
  }
  simdjson::dom::parser parser;
  std::string_view text;
  // A bare value is no document for the parser of old, a list of one is.
  const std::string list = "[" + std::string(raw) + "]";
  simdjson::dom::element first;
  if (parser.parse(list).at(0).get(first) != simdjson::SUCCESS ||
      first.get(text) != simdjson::SUCCESS) {
    return {};
  }
  return std::string(text);
}

}  // namespace flyball::gateway
