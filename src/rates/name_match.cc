#include "rates/name_match.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "base/text.h"

namespace flyball::rates {

NameMatch NameMatch::Text(Kind kind, std::string_view text) {
  NameMatch match;
  match.kind_ = kind;
  match.text_ = ToLower(text);
  return match;
}

Result<NameMatch> NameMatch::Regex(std::string_view pattern) {
  if (pattern.size() > kNamePatternBytesMax) {
    return Fail(
        Code::kInvalidArgument,
        fmt::format("a pattern of model names has more than {} bytes", kNamePatternBytesMax));
  }
  re2::RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  NameMatch match;
  match.kind_ = Kind::kRegex;
  match.text_ = pattern;
  match.regex_ = std::make_shared<const re2::RE2>(
      re2::StringPiece(match.text_.data(), match.text_.size()), options);
  if (!match.regex_->ok()) {
    return Fail(Code::kInvalidArgument,
                fmt::format("'{}' is no pattern: {}", pattern, match.regex_->error()));
  }
  return match;
}

NameMatch NameMatch::AnyOf(std::vector<NameMatch> parts) {
  NameMatch match;
  match.kind_ = Kind::kAnyOf;
  match.parts_ = std::move(parts);
  return match;
}

NameMatch NameMatch::AllOf(std::vector<NameMatch> parts) {
  NameMatch match;
  match.kind_ = Kind::kAllOf;
  match.parts_ = std::move(parts);
  return match;
}

bool NameMatch::Matches(std::string_view lower) const {
  const auto matches = [lower](const NameMatch& part) { return part.Matches(lower); };
  switch (kind_) {
    case Kind::kEquals:
      return lower == text_;
    case Kind::kStartsWith:
      return lower.starts_with(text_);
    case Kind::kEndsWith:
      return lower.ends_with(text_);
    case Kind::kContains:
      return lower.find(text_) != std::string_view::npos;
    case Kind::kRegex:
      return re2::RE2::PartialMatch(re2::StringPiece(lower.data(), lower.size()), *regex_);
    case Kind::kAnyOf:
      return std::any_of(parts_.begin(), parts_.end(), matches);
    case Kind::kAllOf:
      return !parts_.empty() && std::all_of(parts_.begin(), parts_.end(), matches);
  }
  return false;
}

void NameMatch::AppendNames(std::vector<std::string>* names) const {
  if (kind_ == Kind::kEquals) names->push_back(text_);
  if (kind_ != Kind::kAnyOf) return;
  for (const NameMatch& part : parts_) part.AppendNames(names);
}

}  // namespace flyball::rates
