#include "base/text.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/money.h"

namespace flyball {
namespace {

constexpr size_t kNearestMaxBytes =
    64;  // longer words are not corrected: the distance costs their product

char LowerOf(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Bytes of the well-formed UTF-8 sequence at the start, 0 when there is none (Unicode 15, table
// 3-7).
size_t SequenceLength(const unsigned char* p, size_t left) {
  unsigned char lead = p[0];
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (left < length) return 0;
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
  if (lead == 0xe0) low = 0xa0;   // overlong
  if (lead == 0xed) high = 0x9f;  // surrogates
  if (lead == 0xf0) low = 0x90;   // overlong
  if (lead == 0xf4) high = 0x8f;  // beyond U+10FFFF
  if (p[1] < low || p[1] > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((p[i] & 0xc0) != 0x80) return 0;
  }
  return length;
}

// Levenshtein distance without regard to case.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t above = row[j];
      size_t change = diagonal + (LowerOf(a[i - 1]) == LowerOf(b[j - 1]) ? 0 : 1);
      row[j] = std::min({above + 1, row[j - 1] + 1, change});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

size_t ValidUtf8Prefix(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t at = 0;
  while (at < text.size()) {
    // Bills are ASCII nearly everywhere: eight bytes a step.
    uint64_t word = 0;
    if (text.size() - at >= 8) {
      std::memcpy(&word, bytes + at, 8);
      if ((word & 0x8080808080808080ULL) == 0) {
        at += 8;
        continue;
      }
    }
    size_t length = SequenceLength(bytes + at, text.size() - at);
    if (length == 0) return at;
    at += length;
  }
  return at;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view SkipByteOrderMark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

std::vector<std::string_view> SplitText(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return LowerOf(x) == LowerOf(y); });
}

std::string ToLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = LowerOf(c);
  return lower;
}

std::string ToUpper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

bool GlobMatch(std::string_view pattern, std::string_view text) {
  // A mismatch goes back to the latest '*' only: an earlier one could match nothing that the latest
  // cannot.
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

void AppendCsvCell(std::string_view text, std::string* out) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out->append(text);
    return;
  }
  out->push_back('"');
  for (char c : text) {
    if (c == '"') out->push_back('"');
    out->push_back(c);
  }
  out->push_back('"');
}

void AppendJsonString(std::string_view text, std::string* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  out->push_back('"');
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  auto plain = [](unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; };
  for (size_t i = 0; i < text.size();) {
    size_t start = i;
    while (i < text.size() && plain(bytes[i])) ++i;
    out->append(text, start, i - start);
    if (i == text.size()) break;
    unsigned char c = bytes[i];
    if (c >= 0x80) {
      size_t length = SequenceLength(bytes + i, text.size() - i);
      if (length == 0) {
        out->append("\xef\xbf\xbd");  // U+FFFD: a document with other bytes would be no JSON
        ++i;
      } else {
        out->append(text, i, length);
        i += length;
      }
      continue;
    }
    ++i;
    switch (c) {
      case '"':
        out->append("\\\"");
        break;
      case '\\':
        out->append("\\\\");
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\r':
        out->append("\\r");
        break;
      case '\t':
        out->append("\\t");
        break;
      default:
        out->append("\\u00");
        out->push_back(kDigits[c >> 4]);
        out->push_back(kDigits[c & 15]);
    }
  }
  out->push_back('"');
}

std::string FormatBytes(uint64_t bytes) {
  constexpr std::string_view kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  // In rounded tenths, so that 1023.96 KiB moves up to 1.0 MiB.
  size_t unit = 0;
  uint128 tenths = 0;
  for (;; ++unit) {
    tenths = ((static_cast<uint128>(bytes) * 20 >> (10 * (unit + 1))) + 1) / 2;
    if (tenths < 10240 || unit + 1 == std::size(kUnits)) break;
  }
  return std::to_string(static_cast<uint64_t>(tenths / 10)) + "." +
         std::to_string(static_cast<uint64_t>(tenths % 10)) + " " + std::string(kUnits[unit]);
}

int64_t ParseBytes(std::string_view text) {
  text = Trim(text);
  size_t digits = 0;
  while (digits < text.size() &&
         ((text[digits] >= '0' && text[digits] <= '9') || text[digits] == '.')) {
    ++digits;
  }
  constexpr int kFractionDigits = 6;
  ParsedDecimal number;
  if (ParseDecimalFast(text.substr(0, digits), kFractionDigits, &number) != DecimalFault::kNone) {
    return -1;
  }
  struct Unit {
    std::string_view name;
    int64_t bytes;
  };
  // "512M" is binary, as every --memory option reads it; "512MB" is decimal, as it says.
  constexpr Unit kUnits[] = {{"", 1},
                             {"b", 1},
                             {"k", 1 << 10},
                             {"kib", 1 << 10},
                             {"kb", 1000},
                             {"m", 1 << 20},
                             {"mib", 1 << 20},
                             {"mb", 1000000},
                             {"g", 1 << 30},
                             {"gib", 1 << 30},
                             {"gb", 1000000000},
                             {"t", int64_t{1} << 40},
                             {"tib", int64_t{1} << 40},
                             {"tb", 1000000000000}};
  std::string_view suffix = Trim(text.substr(digits));
  for (const Unit& unit : kUnits) {
    if (!EqualsIgnoreCase(suffix, unit.name)) continue;
    int128 limit = std::numeric_limits<int64_t>::max();
    if (number.units > limit) return -1;
    int128 bytes = number.units * unit.bytes / 1000000;
    return bytes > limit ? -1 : static_cast<int64_t>(bytes);
  }
  return -1;
}

std::string_view Nearest(std::string_view text, const std::vector<std::string_view>& candidates) {
  if (text.empty() || text.size() > kNearestMaxBytes) return "";
  size_t best_distance = std::max<size_t>(1, text.size() / 3) + 1;
  std::string_view best;
  for (std::string_view candidate : candidates) {
    if (candidate.size() > kNearestMaxBytes) continue;
    size_t distance = EditDistance(text, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace flyball
