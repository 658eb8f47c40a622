// NameMatch: which model names a price stands for, as a small tree of conditions on the name. Names
// are compared in lower case.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace flyball::rates {

inline constexpr int kNameMatchDepthMax = 8;
inline constexpr size_t kNameMatchClausesMax = 256;
inline constexpr size_t kNamePatternBytesMax = 512;

class NameMatch {
 public:
  enum class Kind : uint8_t { kEquals, kStartsWith, kEndsWith, kContains, kRegex, kAnyOf, kAllOf };

  static NameMatch Text(Kind kind, std::string_view text);  // one of the first four
  // INVALID_ARGUMENT: RE2 can't compile the pattern, or it is too long. Matches anywhere in the
  // name.
  static Result<NameMatch> Regex(std::string_view pattern);
  static NameMatch AnyOf(std::vector<NameMatch> parts);
  static NameMatch AllOf(std::vector<NameMatch> parts);

  // `lower` is the name in lower case.
  bool Matches(std::string_view lower) const;
  // The names that it means literally, as far as it is "equals" or any of these.
  void AppendNames(std::vector<std::string>* names) const;

 private:
  Kind kind_ = Kind::kEquals;
  std::string text_;
  std::shared_ptr<const re2::RE2> regex_;
  std::vector<NameMatch> parts_;
};

}  // namespace flyball::rates
