// CSV, read one byte at a time by the grammar of csv.h and nothing else: slow, obvious, and sharing
// no code with the reader. Tests and the fuzzer hold the reader to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flyball::ingest {

struct ReferenceRecord {
  int64_t line = 1;
  std::vector<std::string> fields;
  std::vector<bool> quoted;
  bool unclosed = false;
  bool operator==(const ReferenceRecord&) const = default;
};

inline std::vector<ReferenceRecord> ReadCsvByReference(std::string_view text, char delimiter) {
  std::vector<ReferenceRecord> records;
  int64_t line = 1;
  size_t at = 0;
  while (at < text.size()) {
    // A line end, or the end of the text, right here: an empty line.
    if (text[at] == '\n') {
      ++at;
      ++line;
      continue;
    }
    if (text[at] == '\r' && (at + 1 == text.size() || text[at + 1] == '\n')) {
      at += at + 1 == text.size() ? 1 : 2;
      ++line;
      continue;
    }
    ReferenceRecord record;
    record.line = line;
    for (bool more = true; more;) {
      std::string field;
      bool quoted = at < text.size() && text[at] == '"';
      if (quoted) {
        ++at;
        for (;;) {
          if (at == text.size()) {
            record.unclosed = true;
            break;
          }
          char c = text[at++];
          if (c == '"' && at < text.size() && text[at] == '"') {
            field.push_back('"');
            ++at;
          } else if (c == '"') {
            break;
          } else {
            if (c == '\n') ++line;
            field.push_back(c);
          }
        }
      }
      std::string plain;
      while (at < text.size() && text[at] != delimiter && text[at] != '\n')
        plain.push_back(text[at++]);
      more = at < text.size() && text[at] == delimiter;
      if (!more && !plain.empty() && plain.back() == '\r') plain.pop_back();
      if (at < text.size()) ++at;
      record.fields.push_back(field + plain);
      record.quoted.push_back(quoted);
    }
    ++line;
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace flyball::ingest
