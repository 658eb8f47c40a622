#include "check/rule.h"

#include <array>

namespace flyball::check {
namespace {
constexpr std::array<std::string_view, 4> kVerdicts = {"passed", "failed", "not applicable",
                                                       "not decidable"};
constexpr std::array<std::string_view, 6> kKeywords = {"MUST",       "MUST NOT",    "SHOULD",
                                                       "SHOULD NOT", "RECOMMENDED", "MAY"};
}  // namespace

std::string_view VerdictName(Verdict verdict) { return kVerdicts[static_cast<size_t>(verdict)]; }
std::string_view KeywordName(Keyword keyword) { return kKeywords[static_cast<size_t>(keyword)]; }

Result<Keyword> ParseKeyword(std::string_view name) {
  for (size_t i = 0; i < kKeywords.size(); ++i) {
    if (kKeywords[i] == name) return static_cast<Keyword>(i);
  }
  return Fail(Code::kInvalidArgument, "'" + std::string(name) + "' is no keyword of a rule",
              "write MUST, MUST NOT, SHOULD, SHOULD NOT, RECOMMENDED or MAY");
}

}  // namespace flyball::check
