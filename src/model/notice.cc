#include "model/notice.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace flyball::notice {
namespace {

constexpr std::array<std::string_view, 3> kSeverities = {"info", "warning", "critical"};
constexpr std::array<std::string_view, 3> kStates = {"open", "acknowledged", "resolved"};
constexpr std::array<std::string_view, 6> kReceivers = {"webhook",   "slack",        "teams",
                                                        "pagerduty", "alertmanager", "email"};

template <typename Kind, size_t kCount>
std::optional<Kind> Parse(const std::array<std::string_view, kCount>& names,
                          std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Kind>(found - names.begin());
}

bool IsLine(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

bool FitsOne(const std::vector<std::string>& globs, const Notice& notice, std::string_view label) {
  const auto fits = [&](std::string_view value) {
    return std::ranges::any_of(globs,
                               [&](const std::string& glob) { return GlobMatch(glob, value); });
  };
  if (label == "kind") return fits(notice.kind);
  return std::ranges::any_of(
      notice.labels, [&](const auto& had) { return had.first == label && fits(had.second); });
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  return kSeverities[static_cast<size_t>(severity)];
}
std::optional<Severity> ParseSeverity(std::string_view name) {
  return Parse<Severity>(kSeverities, name);
}
std::string_view StateName(State state) { return kStates[static_cast<size_t>(state)]; }
std::optional<State> ParseState(std::string_view name) { return Parse<State>(kStates, name); }
std::string_view ReceiverKindName(ReceiverKind kind) {
  return kReceivers[static_cast<size_t>(kind)];
}

Status Validate(const Notice& notice) {
  const auto wrong = [](std::string what) {
    return Fail(Code::kInvalidArgument, "of a notice, " + std::move(what));
  };
  if (notice.id.empty() || notice.id.size() > kIdMaxBytes || !IsLine(notice.id)) {
    return wrong("`id` is a line of up to 128 bytes");
  }
  if (notice.title.empty() || notice.title.size() > kTitleMaxBytes || !IsLine(notice.title)) {
    return wrong("`title` is a line of up to 512 bytes");
  }
  if (notice.text.size() > kTextMaxBytes) return wrong("`text` has up to 8 KiB");
  if (notice.detail.size() > kDetailMaxBytes) return wrong("`detail` has up to 64 KiB");
  if (notice.labels.size() > kLabelsMax) return wrong("there are up to 32 labels");
  for (const std::string_view text : {std::string_view(notice.id), std::string_view(notice.title),
                                      std::string_view(notice.text)}) {
    if (ValidUtf8Prefix(text) != text.size()) return wrong("texts are UTF-8");
  }
  for (const auto& [name, value] : notice.labels) {
    if (name.empty() || ValidUtf8Prefix(name) != name.size() ||
        ValidUtf8Prefix(value) != value.size() || name.size() + value.size() > kTitleMaxBytes) {
      return wrong("labels are short texts in UTF-8");
    }
  }
  return {};
}

bool Matches(const Match& match, const Notice& notice) {
  if (match.least && notice.severity < *match.least) return false;
  if (match.least_amount && (!notice.amount || *notice.amount < *match.least_amount)) return false;
  return std::ranges::all_of(match.labels, [&](const auto& wanted) {
    return FitsOne(wanted.second, notice, wanted.first);
  });
}

}  // namespace flyball::notice
