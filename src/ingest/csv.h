// CSV: from bytes to records, without an opinion about what they mean.
//
// Grammar (RFC 4180, read tolerantly): a record ends at a line feed outside quotes; a carriage
// return before it, or at the end of the file, belongs to the line end. A field that begins with
// '"' runs to the next '"' that is not doubled; what stands between that and the delimiter is
// appended as it is. A '"' elsewhere is a plain character. An empty line is no record.
//
// The work is cut in two, so that it runs in parallel: one thread at a time cuts the stream into
// blocks of whole records (BlockReader), many threads take the blocks apart (CsvRecords).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ingest/bytes.h"
#include "ingest/find_byte.h"
#include "ingest/record.h"

namespace flyball::ingest {

inline constexpr size_t kHeaderMaxBytes = 1u << 20;

struct CsvHeader {
  char delimiter = ',';
  std::vector<std::string> names;  // as written, blanks around them cut
  uint64_t bytes =
      0;  // of the content up to and with the header's line end, byte order mark included
  int64_t lines = 1;  // lines up to and with the header
};
// Reads the header from the first bytes of the content (up to kHeaderMaxBytes; `whole` when they
// are all of it). `known` says how many of the given names FOCUS knows; the delimiter is the one
// under which most are known, and another one than a comma is refused by name. INVALID_ARGUMENT
// when there is no header that FOCUS knows, with what is wrong and where.
using KnownColumns = int (*)(const std::vector<std::string>& names);
Result<CsvHeader> ReadCsvHeader(std::string_view start, bool whole, KnownColumns known);

// The header of a CSV file that we wrote ourselves, whatever its names.
Result<CsvHeader> ReadOwnHeader(const InputFile& file);

// Cuts a stream into blocks of whole records. Not thread-safe: guard it.
class BlockReader {
 public:
  // `place` names the file in errors. kJsonLines: a line feed always ends a record.
  enum class Form : uint8_t { kCsv, kJsonLines };
  BlockReader(std::unique_ptr<ByteSource> source, Form form, char delimiter, std::string place,
              size_t block_bytes, uint64_t record_max_bytes);
  // Records are numbered (1 = first) instead of lines; for content that was written from a table.
  void NumberRecords() { number_records_ = true; }
  // Skips so many bytes of content (the header), and counts so many lines as passed; before the
  // first Next.
  Status Skip(uint64_t bytes, int64_t lines);
  // False at the end. The block's memory is reused.
  Result<bool> Next(Block* block);
  uint64_t consumed() const { return source_->consumed(); }

 private:
  Result<bool> ReadMore(Block* block);
  size_t FindRecordsEnd(const Block& block);

  std::unique_ptr<ByteSource> source_;
  Form form_;
  char delimiter_;
  std::string place_;
  size_t block_bytes_;
  uint64_t record_max_bytes_;
  std::vector<char> carry_;  // the start of a record whose end was not yet read
  int64_t line_ = 1;
  int64_t records_ended_ = 0;  // in the current block
  bool number_records_ = false;
  bool ended_ = false;
  // Where the search for record ends stands inside the current block.
  size_t scanned_ = 0;
  size_t record_start_ = 0;  // after the last record end found
  bool in_quotes_ = false;
};

// Takes one block apart, record by record. Fields point into the block or into the reader's own
// memory, and are valid until the next call.
class CsvRecords : public RecordReader {
 public:
  // `numbered`: each record begins with the number of its line (see Portion).
  explicit CsvRecords(char delimiter, bool numbered = false)
      : delimiter_(delimiter), numbered_(numbered) {}
  void Start(const Block* block) override;
  bool Next(Record* record) override;

 private:
  const char* ReadQuoted(const char* at, Field* field, Record* record, int64_t* newlines);

  // The first of the two bytes that end a field, at or behind `at`.
  const char* FieldEnd(const char* at);

  char delimiter_;
  MarkFinder marks_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  int64_t line_ = 0;
  bool numbered_;
  bool number_records_ = false;
  std::vector<char> unescaped_;
  size_t unescaped_size_ = 0;
};

// Every record of CSV text of any columns to `visit`, in order; it is valid for the call, and may
// have a fault. `name` is the input's in errors. Stops at the first error.
Status VisitCsv(std::unique_ptr<ByteSource> source, char delimiter, const std::string& name,
                const std::function<Status(const Record& record)>& visit);

}  // namespace flyball::ingest
