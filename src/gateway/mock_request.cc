#include "gateway/mock_request.h"

#include <algorithm>
#include <charconv>

namespace flyball::gateway {
namespace {

// A reader that skips what it does not want. Text that is no JSON makes it stop.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  void Blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }
  bool Take(char c) {
    Blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // The raw text of a string, without its quotes.
  bool String(std::string_view* out) {
    if (!Take('"')) return false;
    const size_t begin = at_;
    while (true) {
      at_ = text_.find_first_of("\"\\", at_);
      if (at_ == std::string_view::npos) return false;
      if (text_[at_] == '"') break;
      at_ += 2;
      if (at_ > text_.size()) return false;
    }
    *out = text_.substr(begin, at_ - begin);
    ++at_;
    return true;
  }
  // The raw text of any value.
  bool Value(std::string_view* out) {
    Blanks();
    const size_t begin = at_;
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        std::string_view ignored;
        if (!String(&ignored)) return false;
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
      } else if (c == '}' || c == ']') {
        if (depth == 0) break;
        --depth;
        ++at_;
      } else if (c == ',' && depth == 0) {
        break;
      } else {
        ++at_;
      }
      if (depth == 0 && (c == '"' || c == '}' || c == ']')) break;
    }
    *out = text_.substr(begin, at_ - begin);
    while (!out->empty() && static_cast<unsigned char>(out->back()) <= ' ') out->remove_suffix(1);
    return !out->empty() && depth == 0;
  }
  bool AtEnd() {
    Blanks();
    return at_ >= text_.size();
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

template <typename F>
bool EachField(std::string_view object, F take) {
  Scanner scanner(object);
  if (!scanner.Take('{')) return false;
  if (scanner.Take('}')) return true;
  do {
    std::string_view key;
    std::string_view value;
    if (!scanner.String(&key) || !scanner.Take(':') || !scanner.Value(&value)) return false;
    take(key, value);
  } while (scanner.Take(','));
  return scanner.Take('}');
}

int64_t Number(std::string_view value, int64_t otherwise) {
  int64_t number = otherwise;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

std::string_view Unquoted(std::string_view value) {
  return value.size() >= 2 && value.front() == '"' ? value.substr(1, value.size() - 2)
                                                   : std::string_view();
}

int64_t CountElements(std::string_view array) {
  Scanner scanner(array);
  if (!scanner.Take('[') || scanner.Take(']')) return 1;
  int64_t count = 0;
  std::string_view ignored;
  do {
    if (!scanner.Value(&ignored)) break;
    // A list of numbers is one text, as tokens.
    if (ignored.front() >= '0' && ignored.front() <= '9') return 1;
    ++count;
  } while (scanner.Take(','));
  return count;
}

// Chat nests the name in "function", the others do not.
std::string FirstTool(std::string_view array) {
  Scanner scanner(array);
  std::string_view first;
  std::string name;
  if (!scanner.Take('[') || !scanner.Value(&first)) return name;
  EachField(first, [&](std::string_view key, std::string_view value) {
    if (key == "name") name = Unquoted(value);
    if (key == "function") {
      EachField(value, [&](std::string_view inner, std::string_view inner_value) {
        if (inner == "name") name = Unquoted(inner_value);
      });
    }
  });
  return name;
}

}  // namespace

MockDialect MockDialectOf(std::string_view path) {
  path = path.substr(0, path.find('?'));
  // As Azure: there are no responses of one deployment.
  if (path.find("/openai/deployments/") != std::string_view::npos && path.ends_with("/responses")) {
    return MockDialect::kUnknown;
  }
  if (path.ends_with("/chat/completions")) return MockDialect::kChat;
  if (path.ends_with("/responses")) return MockDialect::kResponses;
  if (path.ends_with("/embeddings")) return MockDialect::kEmbeddings;
  if (path.ends_with("/models")) return MockDialect::kModels;
  if (path.ends_with("/messages")) return MockDialect::kMessages;
  if (path.ends_with("/messages/count_tokens")) return MockDialect::kCountTokens;
  if (path == "/mock/invoice") return MockDialect::kInvoice;
  return MockDialect::kUnknown;
}

std::string_view MockProvider(MockDialect dialect) {
  const bool anthropic = dialect == MockDialect::kMessages || dialect == MockDialect::kCountTokens;
  return anthropic ? "anthropic" : "openai";
}

std::optional<MockRequest> ReadMockRequest(std::string_view body) {
  MockRequest request;
  const bool good = EachField(body, [&](std::string_view key, std::string_view value) {
    if (key == "model") {
      request.model = Unquoted(value);
    } else if (key == "stream") {
      request.stream = value == "true";
    } else if (key == "stream_options") {
      EachField(value, [&](std::string_view inner, std::string_view inner_value) {
        if (inner == "include_usage") request.include_usage = inner_value == "true";
      });
    } else if (key == "max_tokens" || key == "max_completion_tokens" ||
               key == "max_output_tokens") {
      request.max_tokens = Number(value, -1);
    } else if (key == "n") {
      request.choices = std::clamp<int64_t>(Number(value, 1), 1, 128);
    } else if (key == "input") {
      request.inputs = CountElements(value);
    } else if (key == "encoding_format") {
      request.base64 = value == "\"base64\"";
    } else if (key == "tools") {
      request.tool = FirstTool(value);
    }
  });
  return good ? std::optional(std::move(request)) : std::nullopt;
}

}  // namespace flyball::gateway
