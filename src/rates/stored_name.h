// Names of imported files in the home: "<time>-<format>-<sha256>.<ending>". They sort by time and
// say what the content has to be.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace flyball::rates {

inline constexpr size_t kStoredIdBytes = 12;

struct StoredName {
  Instant imported;  // whole seconds
  std::string format;
  std::string sha256;
  // The beginning of the hash, for people.
  std::string id() const { return sha256.substr(0, kStoredIdBytes); }
};
std::string FormatStoredName(const StoredName& name, std::string_view ending);  // ".json"
std::optional<StoredName> ParseStoredName(std::string_view text, std::string_view ending);

}  // namespace flyball::rates
