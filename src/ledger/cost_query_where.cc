// The one-line filter language of the command line and of the page's address:
// 'provider=AWS;team=search,ads;tag:env!=dev'.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "ledger/cost_query.h"

namespace flyball::ledger {
namespace {

constexpr std::string_view kSpecial = ",;=!\\";

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// Reads the text once, left to right; knows where it stands so that every error can say the column.
class WhereReader {
 public:
  explicit WhereReader(std::string_view text) : text_(text) {}

  Result<std::vector<Filter>> Read() {
    std::vector<Filter> filters;
    SkipBlanks();
    while (!AtEnd()) {
      if (filters.size() == static_cast<size_t>(kQueryMaxFilters)) {
        return Wrong("more than " + std::to_string(kQueryMaxFilters) + " filters",
                     "ask for less in one query");
      }
      filters.push_back(FB_TRY(ReadFilter()));
      if (AtEnd()) break;
      ++at_;  // the ';' that ended the filter
      SkipBlanks();
    }
    return filters;
  }

 private:
  bool AtEnd() const { return at_ == text_.size(); }
  char Here() const { return text_[at_]; }
  void SkipBlanks() {
    while (!AtEnd() && IsBlank(Here())) ++at_;
  }

  std::unexpected<Error> WrongAt(size_t byte, std::string message, std::string hint) const {
    // Columns count characters, not bytes: what the user sees.
    auto is_lead = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
    auto column =
        std::count_if(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(byte), is_lead) +
        1;
    Error error{Code::kInvalidArgument, "filter: " + std::move(message), std::move(hint), {}};
    error.place.column = column;
    error.place.byte = static_cast<int64_t>(byte) + 1;
    error.message += " at column " + std::to_string(column);
    return std::unexpected(std::move(error));
  }
  std::unexpected<Error> Wrong(std::string message, std::string hint) const {
    return WrongAt(at_, std::move(message), std::move(hint));
  }

  // A name or a value up to the next special character, unescaped, without the blanks around it.
  Result<std::string> ReadWord() {
    SkipBlanks();
    std::string word;
    size_t keep = 0;  // length up to the last character that is not a bare blank
    while (!AtEnd() && (Here() == '\\' || kSpecial.find(Here()) == std::string_view::npos)) {
      if (Here() == '\\') {
        ++at_;
        if (AtEnd()) return Wrong("a backslash ends the text", "write \\\\ for a backslash");
        if (!IsBlank(Here()) && kSpecial.find(Here()) == std::string_view::npos) {
          return WrongAt(at_ - 1, "a backslash stands before a character that needs none",
                         "write \\\\ for a backslash");
        }
        word.push_back(Here());
        keep = word.size();
      } else {
        word.push_back(Here());
        if (!IsBlank(Here())) keep = word.size();
      }
      ++at_;
    }
    word.resize(keep);
    if (word.size() > kQueryMaxValueBytes) {
      return Wrong("a word of more than " + std::to_string(kQueryMaxValueBytes) + " bytes ends",
                   "");
    }
    return word;
  }

  Result<Filter> ReadFilter() {
    Filter filter;
    size_t start = at_;
    filter.dimension = FB_TRY(ReadWord());
    if (filter.dimension.empty()) {
      return WrongAt(start, "a dimension is missing",
                     "write 'provider=AWS;team=search,ads;tag:env!=dev'");
    }
    if (!AtEnd() && Here() == '!') {
      filter.negated = true;
      ++at_;
    }
    if (AtEnd() || Here() != '=') {
      return Wrong("'=' or '!=' is missing after '" + filter.dimension + "'",
                   "write '" + filter.dimension + "=VALUE'");
    }
    ++at_;
    while (true) {
      filter.values.push_back(FB_TRY(ReadValue(filter)));
      if (AtEnd() || Here() == ';') return filter;
      ++at_;  // ','
    }
  }

  Result<std::string> ReadValue(const Filter& filter) {
    if (filter.values.size() == static_cast<size_t>(kQueryMaxValues)) {
      return Wrong(
          "more than " + std::to_string(kQueryMaxValues) + " values for '" + filter.dimension + "'",
          "");
    }
    size_t start = at_;
    std::string value = FB_TRY(ReadWord());
    if (!AtEnd() && (Here() == '=' || Here() == '!')) {
      return Wrong(std::string("an unescaped '") + Here() + "' stands in a value of '" +
                       filter.dimension + "'",
                   std::string("write \\") + Here() + ", or ';' before the next filter");
    }
    if (value.empty()) {
      return WrongAt(start, "a value is missing for '" + filter.dimension + "'",
                     "write (none) for charges without one");
    }
    return value;
  }

  std::string_view text_;
  size_t at_ = 0;
};

void AppendEscaped(std::string_view word, std::string* out) {
  for (size_t i = 0; i < word.size(); ++i) {
    bool at_edge = i == 0 || i + 1 == word.size();
    if (kSpecial.find(word[i]) != std::string_view::npos || (at_edge && IsBlank(word[i])))
      out->push_back('\\');
    out->push_back(word[i]);
  }
}

}  // namespace

Result<std::vector<Filter>> ParseWhere(std::string_view text) {
  if (text.size() > kQueryMaxBytes) {
    return Fail(Code::kInvalidArgument, "filter: longer than " + FormatBytes(kQueryMaxBytes));
  }
  if (size_t good = ValidUtf8Prefix(text); good != text.size()) {
    return Fail(Code::kInvalidArgument,
                "filter: byte " + std::to_string(good + 1) + " is not valid UTF-8");
  }
  if (text.find('\0') != std::string_view::npos) {
    return Fail(Code::kInvalidArgument, "filter: a NUL character stands in it");
  }
  return WhereReader(text).Read();
}

std::string FormatWhere(const std::vector<Filter>& filters) {
  std::string out;
  for (const Filter& filter : filters) {
    if (!out.empty()) out += ';';
    AppendEscaped(filter.dimension, &out);
    out += filter.negated ? "!=" : "=";
    for (size_t i = 0; i < filter.values.size(); ++i) {
      if (i > 0) out += ',';
      AppendEscaped(filter.values[i], &out);
    }
  }
  return out;
}

}  // namespace flyball::ledger
