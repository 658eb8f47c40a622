#include "estate/snapshot.h"

#include <fmt/format.h>

#include <charconv>

namespace flyball::estate {
namespace {
constexpr std::string_view kTitle = "# Flyball rulebook snapshot 1\n";
constexpr std::string_view kMark = "--- # ";

Error Broken(size_t at) {
  return Error{Code::kDataLoss, "the stored rulebook is damaged",
               "run `flyball classify` to store the rules anew",
               Place{"rulebook snapshot", 0, 0, static_cast<int64_t>(at + 1)}};
}
}  // namespace

std::string WriteSnapshot(const std::vector<SnapshotPart>& parts) {
  std::string out(kTitle);
  for (const SnapshotPart& part : parts) {
    out += fmt::format("{}{} {} {}\n", kMark, part.pack ? "pack" : "estate", part.name,
                       part.text.size());
    out += part.text;
    out += '\n';
  }
  return out;
}

Result<std::vector<SnapshotPart>> ReadSnapshot(std::string_view snapshot) {
  if (!snapshot.starts_with(kTitle)) return Fail(Broken(0));
  std::vector<SnapshotPart> parts;
  size_t at = kTitle.size();
  while (at < snapshot.size()) {
    size_t end = snapshot.find('\n', at);
    std::string_view head = snapshot.substr(at, end == snapshot.npos ? end : end - at);
    if (end == snapshot.npos || !head.starts_with(kMark)) return Fail(Broken(at));
    head.remove_prefix(kMark.size());
    SnapshotPart part;
    part.pack = head.starts_with("pack ");
    if (!part.pack && !head.starts_with("estate ")) return Fail(Broken(at));
    head.remove_prefix(part.pack ? 5 : 7);
    size_t space = head.rfind(' ');
    if (space == head.npos) return Fail(Broken(at));
    part.name = std::string(head.substr(0, space));
    size_t size = 0;
    const char* last = head.data() + head.size();
    auto read = std::from_chars(head.data() + space + 1, last, size);
    bool whole = read.ec == std::errc() && read.ptr == last;
    if (!whole || size >= snapshot.size() - end - 1 || snapshot[end + 1 + size] != '\n') {
      return Fail(Broken(at));
    }
    part.text = snapshot.substr(end + 1, size);
    parts.push_back(std::move(part));
    at = end + 1 + size + 1;
  }
  return parts;
}

}  // namespace flyball::estate
