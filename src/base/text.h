// Small text tools: UTF-8, trimming, glob, CSV cells, JSON strings.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace flyball {

// Length of the longest prefix that is well-formed UTF-8 (== size when all of it is).
size_t ValidUtf8Prefix(std::string_view text);
std::string_view Trim(std::string_view text);
// Without the byte order mark of UTF-8 that some programs begin a file with.
std::string_view SkipByteOrderMark(std::string_view text);
std::vector<std::string_view> SplitText(std::string_view text, char separator);
bool EqualsIgnoreCase(std::string_view a, std::string_view b);
std::string ToLower(std::string_view text);
std::string ToUpper(std::string_view text);
// '*' any run, '?' one byte; linear in text x pattern, no backtracking blow-up.
bool GlobMatch(std::string_view pattern, std::string_view text);
// Appends the text as a cell of CSV (RFC 4180), quoted where it has to be.
void AppendCsvCell(std::string_view text, std::string* out);
// Appends the text as a JSON string with its quotes.
void AppendJsonString(std::string_view text, std::string* out);
// "123.4 MiB", "1.2 GiB" for people; and the reverse for --memory ("256MiB", "2GiB", "512M", plain
// bytes); -1: no size.
std::string FormatBytes(uint64_t bytes);
int64_t ParseBytes(std::string_view text);
// The candidate nearest to the text by edit distance, or "" when none is near: for "did you mean".
std::string_view Nearest(std::string_view text, const std::vector<std::string_view>& candidates);

}  // namespace flyball
