// JSON as text: cut into its parts without being read. Numbers stay as they are written, and
// nothing passes through floating point. Tolerant: who needs a text to be valid JSON reads it with
// a parser first or after.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace flyball::native {

struct JsonMember {
  std::string_view key;    // without its quotes, escapes as written
  std::string_view value;  // as written
};
// False when the text is not one object (one array), as far as cutting can tell.
bool CutObject(std::string_view text, std::vector<JsonMember>* members);
bool CutArray(std::string_view text, std::vector<std::string_view>* elements);
// The end of the value that begins at `at` (npos: it does not end), blanks before it skipped.
size_t JsonValueEnd(std::string_view text, size_t at);
// What a value says: a text without quotes and escapes, everything else as written, null nothing.
std::string JsonTextOf(std::string_view value);

// The rows of a vendor's JSON document (or of several, one behind the other) as JSON lines: the
// elements of an array, or of the array "data" of an object; where an element has an array
// "results", each of those with the other members of its element before its own. False: the text
// is cut off or no such document, or its elements say more beside their results than kOuterMax.
// `more`: the last of them says "has_more".
inline constexpr size_t kOuterMax = 64u << 10;
inline constexpr size_t kLinesMax = 512u << 20;  // of the lines; more is refused as well
bool JsonDocumentToLines(std::string_view text, std::string* lines, bool* more);
// Whether the content begins like such a document rather than like JSON lines.
bool LooksLikeJsonDocument(std::string_view start);

}  // namespace flyball::native
