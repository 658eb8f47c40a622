// Tags: brought into the one shape that the ledger keeps, {"key":"value",...}, keys sorted, texts
// only.
//
// Read are: a JSON object of plain or nested values, a list of {"key":...,"value":...} pairs, an
// object without its braces ("a": "b", as one vendor exports it), a=b;c=d and DuckDB's or Java's
// {a=b, c=d}.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "ingest/defects.h"

namespace flyball::ingest {

// The canonical text. Counts tags_normalised when the text was no flat object of texts,
// tags_unparsed when it can't be read (then it is {"x_unparsed":"<text>"}).
std::string CanonicalTags(std::string_view text, RowDefects* defects);

// Remembers what it has seen: the same tags stand on many rows. One per thread.
class TagsReader {
 public:
  // Valid until the next call.
  std::string_view Read(std::string_view text, RowDefects* defects);

 private:
  static constexpr size_t kRememberedMax = 4096;
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  struct Known {
    std::string canonical;
    uint64_t repairs = 0;
  };
  std::unordered_map<std::string, Known, TextHash, std::equal_to<>> known_;
};

}  // namespace flyball::ingest
