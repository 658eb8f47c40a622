// Record: what every format is taken apart into, before anything is known of its meaning.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flyball::ingest {

struct Field {
  std::string_view text;
  bool quoted = false;  // written in quotes: an empty text is then a text, not a null
  bool null = false;    // the format itself says null (JSON null, key not there)
};

struct Record {
  int64_t line = 0;             // where it starts, 1 = first line of the file
  std::string_view raw;         // as it stands in the input, without its line end
  std::vector<Field> fields;    // the first kColumnsMax + 1
  size_t field_count = 0;       // how many there were
  const char* fault = nullptr;  // not null: the record cannot be read, and why
};

// A run of whole records, with bytes behind its end that may be read, never used.
inline constexpr size_t kBlockPadding = 64;
struct Block {
  std::vector<char> bytes;  // capacity; size() >= size + kBlockPadding
  size_t size = 0;
  int64_t first_line = 1;  // or record, when records are numbered instead of lines
  bool number_records = false;
  std::string_view text() const { return {bytes.data(), size}; }
};

// Takes blocks apart. One per thread.
class RecordReader {
 public:
  virtual ~RecordReader() = default;
  virtual void Start(const Block* block) = 0;
  virtual bool Next(Record* record) = 0;  // false: the block is used up
  // Lines without a record seen so far.
  int64_t empty_lines() const { return empty_lines_; }

 protected:
  int64_t empty_lines_ = 0;
};

}  // namespace flyball::ingest
