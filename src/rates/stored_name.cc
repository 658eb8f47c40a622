#include "rates/stored_name.h"

#include <fmt/format.h>

namespace flyball::rates {
namespace {

constexpr size_t kHashBytes = 64;

// "20261125T191503Z": sorts by time.
std::string CompactTime(Instant time) {
  std::string text = FormatInstant(Instant{time.us - time.us % kMicrosPerSecond});
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

bool ParseCompactTime(std::string_view text, Instant* time) {
  if (text.size() != 16) return false;
  ParsedInstant parsed;
  const std::string spaced =
      fmt::format("{}-{}-{}T{}:{}:{}Z", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2),
                  text.substr(9, 2), text.substr(11, 2), text.substr(13, 2));
  if (!ParseInstant(spaced, &parsed)) return false;
  *time = parsed.instant;
  return true;
}

}  // namespace

std::string FormatStoredName(const StoredName& name, std::string_view ending) {
  return fmt::format("{}-{}-{}{}", CompactTime(name.imported), name.format, name.sha256, ending);
}

std::optional<StoredName> ParseStoredName(std::string_view text, std::string_view ending) {
  if (!text.ends_with(ending)) return std::nullopt;
  text.remove_suffix(ending.size());
  const size_t first = text.find('-');
  const size_t last = text.rfind('-');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  StoredName name;
  name.sha256 = text.substr(last + 1);
  name.format = text.substr(first + 1, last - first - 1);
  if (name.sha256.size() != kHashBytes ||
      !ParseCompactTime(text.substr(0, first), &name.imported)) {
    return std::nullopt;
  }
  return name;
}

}  // namespace flyball::rates
