// Store: what is asked of a bucket or container, and how its answers are read; values and pure
// functions, without I/O. Each kind makes one: s3.h, azure.h, gcs.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/web.h"

namespace flyball::sources {

struct Object {
  std::string key;
  uint64_t bytes = 0;
  std::string version;  // an ETag or a generation: another one when the content is another
  std::string md5;      // 16 bytes; empty where the store tells none
  std::optional<uint32_t> crc32c;
  Instant modified;
};

struct Page {
  std::vector<Object> objects;
  std::string next;  // what the next page is asked with; empty: this was the last
};

struct Store {
  std::string name;  // for people: "s3://bucket"
  // The first page with "".
  std::function<Result<net::WebRequest>(const std::string& next)> list;
  std::function<Result<Page>(std::string_view body)> read_page;
  // Its bytes from `from` on, of this version of it only.
  std::function<Result<net::WebRequest>(const Object& object, uint64_t from)> get;
};

// Whether a key can be the name of a bill: UTF-8 without control characters, which would speak to
// the terminal, and not endless.
bool IsUsableKey(std::string_view key);

inline constexpr size_t kObjectsMax = 200'000;  // of one source
inline constexpr size_t kKeyMaxBytes = 1024;

}  // namespace flyball::sources
