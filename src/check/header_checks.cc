#include "check/header_checks.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace flyball::check {
namespace {

constexpr size_t kNameMaxChars = 50;
constexpr size_t kAcronymChars = 3;  // so many capitals in a row, and one before a small letter

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsAlphanumeric(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return IsUpper(c) || IsLower(c) || IsDigit(c); });
}
bool IsPascalCase(std::string_view name) {
  return !name.empty() && IsUpper(name.front()) && IsAlphanumeric(name);
}
bool HasAcronym(std::string_view name) {
  size_t run = 0;
  for (char c : name) {
    run = IsUpper(c) ? run + 1 : 0;
    if (run >= kAcronymChars) return true;
  }
  return false;
}
std::string_view WithoutPrefix(std::string_view name) {
  return name.starts_with("x_") ? name.substr(2) : name;
}

std::vector<std::string> BreaksOrder(focus::DataSet data_set,
                                     const std::vector<std::string>& names) {
  auto focus_column = [&](const std::string& name) {
    return focus::FindColumn(data_set, name) != nullptr;
  };
  size_t last = names.size();
  for (size_t i = names.size(); i > 0; --i) {
    if (!focus_column(names[i - 1])) continue;
    last = i - 1;
    break;
  }
  std::vector<std::string> broken;
  for (size_t i = 0; i < last && last < names.size(); ++i) {
    if (!focus_column(names[i])) broken.push_back(names[i]);
  }
  return broken;
}

std::vector<std::string> Repeated(const std::vector<std::string>& names) {
  std::set<std::string> seen;
  std::vector<std::string> broken;
  for (const std::string& name : names) {
    if (!seen.insert(ToLower(name)).second) broken.push_back(name);
  }
  return broken;
}

bool Breaks(HeaderCheck check, const focus::Column* known, const std::string& name) {
  switch (check) {
    case HeaderCheck::kExactNames:
      return known != nullptr && known->name != name;
    case HeaderCheck::kPascalCase:
      return known != nullptr && !IsPascalCase(name);
    case HeaderCheck::kAlphanumeric:
      return known != nullptr && !IsAlphanumeric(name);
    case HeaderCheck::kNoAcronyms:
      return known != nullptr && HasAcronym(name);
    case HeaderCheck::kShortNames:
      return name.size() > kNameMaxChars;
    case HeaderCheck::kCustomPrefix:
      return known == nullptr && !name.starts_with("x_");
    case HeaderCheck::kCustomNames:
      return known == nullptr && !IsPascalCase(WithoutPrefix(name));
    case HeaderCheck::kPresent:
    case HeaderCheck::kFocusFirst:
    case HeaderCheck::kDuplicates:
      return false;  // of all names together
  }
  return false;
}

}  // namespace

std::vector<std::string> BreaksHeader(const Rule& rule, focus::DataSet data_set,
                                      const std::vector<std::string>& names) {
  if (rule.header == HeaderCheck::kPresent) {
    const bool there = std::ranges::any_of(
        names, [&](const std::string& name) { return EqualsIgnoreCase(name, rule.subject); });
    return there ? std::vector<std::string>{} : std::vector<std::string>{rule.subject};
  }
  if (rule.header == HeaderCheck::kFocusFirst) return BreaksOrder(data_set, names);
  if (rule.header == HeaderCheck::kDuplicates) return Repeated(names);
  std::vector<std::string> broken;
  for (const std::string& name : names) {
    if (Breaks(rule.header, focus::FindColumn(data_set, name), name)) broken.push_back(name);
  }
  return broken;
}

}  // namespace flyball::check
