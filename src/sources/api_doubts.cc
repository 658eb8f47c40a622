#include "sources/api_doubts.h"

#include <fmt/format.h>

#include "base/text.h"

namespace flyball::sources {
namespace {

std::string PathIn(const std::string& folder) { return os::JoinPath(folder, "doubts"); }

}  // namespace

Doubts ReadDoubts(os::Files& files, const std::string& folder) {
  Doubts doubts;
  if (!files.Exists(PathIn(folder))) return doubts;
  const Result<std::string> text = files.ReadAll(PathIn(folder));
  if (!text) return doubts;
  for (const std::string_view line : SplitText(*text, '\n')) {
    const std::vector<std::string_view> parts = SplitText(line, ' ');
    ParsedInstant day, said;
    if (parts.size() != 2 || !ParseInstant(parts[0], &day) || !ParseInstant(parts[1], &said)) {
      continue;
    }
    doubts[day.instant] = said.instant;
  }
  return doubts;
}

Status WriteDoubts(os::Files& files, const std::string& folder, const Doubts& doubts) {
  if (doubts.empty()) return files.Exists(PathIn(folder)) ? files.Remove(PathIn(folder)) : Status();
  std::string text;
  for (const auto& [day, said] : doubts) {
    text += fmt::format("{} {}\n", FormatDate(day), FormatInstant(said));
  }
  FB_CHECK(files.MakeDirs(folder));
  return os::AtomicWrite(files, PathIn(folder), text);
}

}  // namespace flyball::sources
