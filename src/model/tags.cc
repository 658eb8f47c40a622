// The tags of a charge: a scanner of one flat JSON object, exact and without allocation until a
// text is wanted.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "model/signature.h"

namespace flyball::signature {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void AppendUtf8(uint32_t code, std::string* out) {
  auto put = [out](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | (code >> 6));
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3f));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

// Four hexadecimal digits at the front of the text; -1 when there are none.
int32_t HexFour(std::string_view text) {
  if (text.size() < 4) return -1;
  int32_t value = 0;
  for (char c : text.substr(0, 4)) {
    int digit = IsDigit(c)             ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// The code point of an escape "\uXXXX" or a pair of them, whose digits begin at `at`; moves `at`
// behind it.
std::optional<uint32_t> UnicodeEscape(std::string_view raw, size_t* at) {
  int32_t first = HexFour(raw.substr(*at));
  if (first < 0 || (first >= 0xdc00 && first <= 0xdfff)) return std::nullopt;
  *at += 4;
  if (first < 0xd800 || first > 0xdbff) return static_cast<uint32_t>(first);
  if (raw.substr(*at, 2) != "\\u") return std::nullopt;
  int32_t second = HexFour(raw.substr(*at + 2));
  if (second < 0xdc00 || second > 0xdfff) return std::nullopt;
  *at += 6;
  return 0x10000u + ((static_cast<uint32_t>(first) - 0xd800u) << 10) +
         (static_cast<uint32_t>(second) - 0xdc00u);
}

// The text that a JSON string stands for, given what is between its quotes; nullopt: a bad escape.
std::optional<std::string> Unescape(std::string_view raw) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  std::string text;
  text.reserve(raw.size());
  for (size_t at = 0; at < raw.size();) {
    char c = raw[at++];
    if (c != '\\') {
      text.push_back(c);
      continue;
    }
    if (at == raw.size()) return std::nullopt;
    char letter = raw[at++];
    if (letter == 'u') {
      std::optional<uint32_t> code = UnicodeEscape(raw, &at);
      if (!code) return std::nullopt;
      AppendUtf8(*code, &text);
      continue;
    }
    size_t which = kLetters.find(letter);
    if (which == std::string_view::npos) return std::nullopt;
    text.push_back(kMeanings[which]);
  }
  return text;
}

// A view of a value or key as it is written.
struct Raw {
  std::string_view text;  // of a string, what is between its quotes
  bool is_string = false;
  bool has_escapes = false;
};

std::optional<std::string> Decode(const Raw& raw) {
  return raw.has_escapes ? Unescape(raw.text) : std::string(raw.text);
}

class Scanner {
 public:
  enum class Step : uint8_t { kPair, kEnd, kFault };

  explicit Scanner(std::string_view text) : text_(text) {}

  // The next pair of the object; kEnd when it was closed and nothing but blanks follows.
  Step Next(Raw* key, Raw* value) {
    SkipBlanks();
    if (!opened_) {
      if (!Take('{')) return Step::kFault;
      opened_ = true;
      SkipBlanks();
      if (Take('}')) return End();
    } else {
      if (Take('}')) return End();
      if (!Take(',')) return Step::kFault;
      SkipBlanks();
    }
    if (!String(key)) return Step::kFault;
    SkipBlanks();
    if (!Take(':')) return Step::kFault;
    SkipBlanks();
    return String(value) || Literal(value) ? Step::kPair : Step::kFault;
  }

  size_t at() const { return at_; }

 private:
  Step End() {
    SkipBlanks();
    return at_ == text_.size() ? Step::kEnd : Step::kFault;
  }

  void SkipBlanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }

  bool Take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool String(Raw* raw) {
    if (!Take('"')) return false;
    size_t start = at_;
    bool escapes = false;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      bool escape = text_[at_] == '\\';
      escapes |= escape;
      at_ += escape ? 2 : 1;
    }
    if (at_ >= text_.size()) {
      at_ = text_.size();
      return false;
    }
    *raw = {text_.substr(start, at_ - start), true, escapes};
    ++at_;
    return true;
  }

  // A number, true, false or null.
  bool Literal(Raw* raw) {
    for (std::string_view word : {"true", "false", "null"}) {
      if (text_.substr(at_).starts_with(word)) {
        *raw = {text_.substr(at_, word.size()), false, false};
        at_ += word.size();
        return true;
      }
    }
    size_t end = NumberEnd(at_);
    if (end == at_) return false;
    *raw = {text_.substr(at_, end - at_), false, false};
    at_ = end;
    return true;
  }

  size_t DigitsEnd(size_t from) const {
    while (from < text_.size() && IsDigit(text_[from])) ++from;
    return from;
  }

  // RFC 8259: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?; the start itself when there is
  // no number.
  size_t NumberEnd(size_t start) const {
    auto is = [this](size_t at, std::string_view any) {
      return at < text_.size() && any.contains(text_[at]);
    };
    size_t at = is(start, "-") ? start + 1 : start;
    size_t end = is(at, "0") ? at + 1 : DigitsEnd(at);
    if (end == at) return start;
    if (is(end, ".")) {
      at = end + 1;
      end = DigitsEnd(at);
      if (end == at) return start;
    }
    if (is(end, "eE")) {
      at = is(end + 1, "+-") ? end + 2 : end + 1;
      end = DigitsEnd(at);
      if (end == at) return start;
    }
    return end;
  }

  std::string_view text_;
  size_t at_ = 0;
  bool opened_ = false;
};

bool IsNull(const Raw& value) { return !value.is_string && value.text == "null"; }

std::unexpected<Error> BadTags(size_t at) {
  return Fail(Error{Code::kInvalidArgument, "the tags are not a JSON object of plain values",
                    "write them as {\"key\":\"value\"}",
                    Place{.file = {}, .byte = static_cast<int64_t>(at) + 1}});
}

}  // namespace

std::optional<std::string> TagValue(std::string_view tags_json, std::string_view key) {
  if (tags_json.size() > kTagsMaxBytes) return std::nullopt;
  Scanner scanner(tags_json);
  Raw raw_key;
  Raw value;
  while (scanner.Next(&raw_key, &value) == Scanner::Step::kPair) {
    bool same = raw_key.has_escapes ? Unescape(raw_key.text) == key : raw_key.text == key;
    if (same && !IsNull(value)) return Decode(value);
  }
  return std::nullopt;
}

Result<Tags> ParseTags(std::string_view tags_json) {
  if (tags_json.size() > kTagsMaxBytes) {
    return Fail(Code::kInvalidArgument, "the tags of one charge are longer than 4 MiB");
  }
  if (size_t good = ValidUtf8Prefix(tags_json); good != tags_json.size()) return BadTags(good);
  Tags tags;
  Scanner scanner(tags_json);
  while (true) {
    Raw raw_key;
    Raw raw_value;
    Scanner::Step step = scanner.Next(&raw_key, &raw_value);
    if (step == Scanner::Step::kEnd) return tags;
    if (step == Scanner::Step::kFault) return BadTags(scanner.at());
    std::optional<std::string> key = Decode(raw_key);
    std::optional<std::string> value = Decode(raw_value);
    if (!key || !value) return BadTags(scanner.at());
    if (!IsNull(raw_value)) tags.emplace_back(*std::move(key), *std::move(value));
  }
}

}  // namespace flyball::signature
