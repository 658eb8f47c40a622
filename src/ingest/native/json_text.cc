#include "ingest/native/json_text.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace flyball::native {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

size_t SkipBlanks(std::string_view text, size_t at) {
  at = text.find_first_not_of(kBlanks, at);
  return at == std::string_view::npos ? text.size() : at;
}

// Behind the quote that ends the text which begins at `at` with one.
size_t TextEnd(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

// The array "data" of an object that has one.
std::string_view DataOf(const std::vector<JsonMember>& members) {
  for (const JsonMember& member : members) {
    if (member.key == "data" && member.value.starts_with('[')) return member.value;
  }
  return {};
}

// A line feed can only be a blank: texts have theirs escaped.
void AppendOnOneLine(std::string_view text, std::string* line) {
  for (char c : text) *line += c == '\n' || c == '\r' ? ' ' : c;
}

void AppendMember(const JsonMember& member, std::string* line) {
  if (line->size() > 1) *line += ',';
  *line += '"';
  AppendOnOneLine(member.key, line);
  *line += "\":";
  AppendOnOneLine(member.value, line);
}

bool AppendElement(std::string_view element, std::string* lines) {
  std::vector<JsonMember> members;
  if (!CutObject(element, &members)) return false;
  std::string outer = "{";
  std::string_view results;
  for (const JsonMember& member : members) {
    if (member.key == "results" && member.value.starts_with('[')) {
      results = member.value;
    } else {
      AppendMember(member, &outer);
    }
  }
  if (!results.empty() && outer.size() > kOuterMax) return false;
  if (results.empty()) {
    *lines += outer + "}\n";
    return true;
  }
  std::vector<std::string_view> inner;
  if (!CutArray(results, &inner)) return false;
  for (std::string_view result : inner) {
    std::vector<JsonMember> own;
    if (!CutObject(result, &own)) return false;
    std::string line = "{";
    for (const JsonMember& member : members) {
      const bool replaced =
          std::ranges::any_of(own, [&](const JsonMember& mine) { return mine.key == member.key; });
      if (member.key != "results" && !replaced) AppendMember(member, &line);
    }
    for (const JsonMember& member : own) AppendMember(member, &line);
    *lines += line + "}\n";
  }
  return true;
}

}  // namespace

size_t JsonValueEnd(std::string_view text, size_t at) {
  at = SkipBlanks(text, at);
  if (at >= text.size()) return std::string_view::npos;
  if (text[at] == '"') return TextEnd(text, at);
  if (text[at] != '{' && text[at] != '[') {
    size_t end = text.find_first_of(",]} \t\r\n", at);
    return end == std::string_view::npos ? text.size() : end;
  }
  size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = TextEnd(text, at);
      if (at == std::string_view::npos) return at;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (--depth == 0) return at + 1;
    }
    ++at;
  }
  return std::string_view::npos;
}

bool CutObject(std::string_view text, std::vector<JsonMember>* members) {
  members->clear();
  size_t at = SkipBlanks(text, 0);
  if (at >= text.size() || text[at] != '{') return false;
  at = SkipBlanks(text, at + 1);
  while (at < text.size() && text[at] != '}') {
    if (text[at] != '"') return false;
    const size_t key_end = TextEnd(text, at);
    if (key_end == std::string_view::npos) return false;
    const std::string_view key = text.substr(at + 1, key_end - at - 2);
    at = SkipBlanks(text, key_end);
    if (at >= text.size() || text[at] != ':') return false;
    at = SkipBlanks(text, at + 1);
    const size_t end = JsonValueEnd(text, at);
    if (end == std::string_view::npos || end == at) return false;
    members->push_back({key, text.substr(at, end - at)});
    at = SkipBlanks(text, end);
    if (at < text.size() && text[at] == ',') {
      at = SkipBlanks(text, at + 1);
    } else if (at >= text.size() || text[at] != '}') {
      return false;
    }
  }
  return at < text.size() && SkipBlanks(text, at + 1) == text.size();
}

bool CutArray(std::string_view text, std::vector<std::string_view>* elements) {
  elements->clear();
  size_t at = SkipBlanks(text, 0);
  if (at >= text.size() || text[at] != '[') return false;
  at = SkipBlanks(text, at + 1);
  while (at < text.size() && text[at] != ']') {
    const size_t end = JsonValueEnd(text, at);
    if (end == std::string_view::npos || end == at) return false;
    elements->push_back(text.substr(at, end - at));
    at = SkipBlanks(text, end);
    if (at < text.size() && text[at] == ',') {
      at = SkipBlanks(text, at + 1);
    } else if (at >= text.size() || text[at] != ']') {
      return false;
    }
  }
  return at < text.size() && SkipBlanks(text, at + 1) == text.size();
}

std::string JsonTextOf(std::string_view value) {
  if (value == "null") return {};
  if (!value.starts_with('"')) return std::string(value);
  if (value.size() >= 2 && value.find('\\') == std::string_view::npos) {
    return std::string(value.substr(1, value.size() - 2));
  }
  const auto parsed = nlohmann::json::parse(value, nullptr, false);
  return parsed.is_string() ? parsed.get<std::string>() : std::string(value);
}

bool JsonDocumentToLines(std::string_view text, std::string* lines, bool* more) {
  *more = false;
  text = SkipByteOrderMark(text);
  std::vector<JsonMember> members;
  std::vector<std::string_view> elements;
  for (size_t at = SkipBlanks(text, 0); at < text.size();) {
    const size_t end = JsonValueEnd(text, at);
    if (end == std::string_view::npos || end == at) return false;
    std::string_view value = text.substr(at, end - at);
    if (value.starts_with('{')) {
      if (!CutObject(value, &members)) return false;
      *more = std::ranges::any_of(members, [](const JsonMember& member) {
        return member.key == "has_more" && member.value == "true";
      });
      value = DataOf(members);
    }
    if (!CutArray(value, &elements)) return false;
    for (std::string_view element : elements) {
      if (!AppendElement(element, lines) || lines->size() > kLinesMax) return false;
    }
    at = SkipBlanks(text, end);
  }
  return true;
}

bool LooksLikeJsonDocument(std::string_view start) {
  start = SkipByteOrderMark(start);
  size_t at = SkipBlanks(start, 0);
  if (at < start.size() && start[at] == '[') return true;
  if (at >= start.size() || start[at] != '{') return false;
  at = SkipBlanks(start, at + 1);
  while (at < start.size() && start[at] == '"') {
    const size_t key_end = TextEnd(start, at);
    if (key_end == std::string_view::npos) return false;
    const bool data = start.substr(at, key_end - at) == "\"data\"";
    at = SkipBlanks(start, key_end);
    if (at >= start.size() || start[at] != ':') return false;
    at = SkipBlanks(start, at + 1);
    if (data && at < start.size() && start[at] == '[') return true;
    at = JsonValueEnd(start, at);
    if (at == std::string_view::npos) return false;
    at = SkipBlanks(start, at);
    if (at >= start.size() || start[at] != ',') return false;
    at = SkipBlanks(start, at + 1);
  }
  return false;
}

}  // namespace flyball::native
