#include "ingest/csv.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/text.h"
#include "ingest/find_byte.h"
#include "ingest/import.h"
#include "ingest/plan.h"

namespace flyball::ingest {
namespace {

Error BadInput(std::string message, std::string hint, Place place = {}) {
  return Error{Code::kInvalidArgument, std::move(message), std::move(hint), std::move(place)};
}

void ReadHeaderNames(const Record& record, CsvHeader* header) {
  header->names.clear();
  for (const Field& field : record.fields) header->names.emplace_back(Trim(field.text));
}

// Why the first line is no header of a bill, in one sentence.
Error NoHeader(std::string_view first_line) {
  std::string shown(first_line.substr(0, 60));
  shown.resize(ValidUtf8Prefix(shown));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return BadInput(
      "the first line is no header with FOCUS columns: \"" + shown +
          (first_line.size() > 60 ? "...\"" : "\""),
      "a FOCUS file begins with a line of column names such as BilledCost,BillingCurrency",
      {{}, 1, 0, 0});
}

}  // namespace

Result<CsvHeader> ReadCsvHeader(std::string_view start, bool whole, KnownColumns known) {
  if (start.size() >= 2 && (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF"))) {
    return Fail(BadInput("the file is UTF-16 text", "save it as UTF-8"));
  }
  if (start.find('\0') != std::string_view::npos) {
    return Fail(BadInput("the file is binary data, not CSV, JSON lines or Parquet",
                         "name a FOCUS file; gzip and zstd are unpacked by themselves"));
  }
  CsvHeader best;
  int best_known = 0;
  std::string_view body = SkipByteOrderMark(start);
  std::string_view first_line;
  for (char delimiter : {',', ';', '\t', '|'}) {
    BlockReader blocks(MakeTextSource(std::string(body)), BlockReader::Form::kCsv, delimiter, "",
                       body.size() + 1, kHeaderMaxBytes + 1);
    Block block;
    if (!FB_TRY(blocks.Next(&block))) break;
    CsvRecords records(delimiter);
    records.Start(&block);
    Record record;
    if (!records.Next(&record)) break;
    size_t end = static_cast<size_t>(record.raw.data() - block.bytes.data()) + record.raw.size();
    bool line_ended = end < block.size;
    if (delimiter == ',') first_line = body.substr(end - record.raw.size(), record.raw.size());
    if (!line_ended && !whole) continue;
    CsvHeader header;
    header.delimiter = delimiter;
    ReadHeaderNames(record, &header);
    int count = known(header.names);
    if (count <= best_known) continue;
    size_t line_end = block.text().find('\n', end);
    size_t used = line_end == std::string_view::npos ? block.size : line_end + 1;
    header.bytes = used + (start.size() - body.size());
    header.lines = std::count(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(used), '\n');
    best = std::move(header);
    best_known = count;
  }
  if (Trim(body).empty()) return Fail(BadInput("the file has no content", "fetch the bill again"));
  if (best_known == 0) {
    if (body.find('\n') == std::string_view::npos && !whole) {
      return Fail(BadInput("the first line is longer than " + FormatBytes(kHeaderMaxBytes),
                           "a FOCUS file begins with a line of column names", {{}, 1, 0, 0}));
    }
    return Fail(NoHeader(first_line));
  }
  if (best.delimiter != ',') {
    const std::string found =
        best.delimiter == '\t' ? "tabs" : std::string("'") + best.delimiter + "'";
    return Fail(BadInput("the fields are separated by " + found + ", and a FOCUS CSV has commas",
                         "save the file with commas", {{}, 1, 0, 0}));
  }
  return best;
}

Result<CsvHeader> ReadOwnHeader(const InputFile& file) {
  std::string start(std::min<uint64_t>(file.size(), kHeaderMaxBytes), '\0');
  start.resize(FB_TRY(file.ReadAt(0, start.data(), start.size())));
  const bool whole = start.size() == file.size();
  return ReadCsvHeader(start, whole, CountAllColumns);
}

BlockReader::BlockReader(std::unique_ptr<ByteSource> source, Form form, char delimiter,
                         std::string place, size_t block_bytes, uint64_t record_max_bytes)
    : source_(std::move(source)),
      form_(form),
      delimiter_(delimiter),
      place_(std::move(place)),
      block_bytes_(block_bytes),
      record_max_bytes_(record_max_bytes) {}

Status BlockReader::Skip(uint64_t bytes, int64_t lines) {
  std::vector<char> buffer(std::min<uint64_t>(bytes, kReadBytes));
  while (bytes > 0) {
    size_t got = FB_TRY(source_->Read(buffer.data(), std::min<uint64_t>(bytes, buffer.size())));
    if (got == 0) break;
    bytes -= got;
  }
  line_ += lines;
  return {};
}

// Appends what the source gives; false at its end.
Result<bool> BlockReader::ReadMore(Block* block) {
  const size_t want = std::max(block_bytes_, size_t{4096});
  // Reads of a block's size as long as records are small, doubling while one long record is being
  // gathered.
  size_t room = block->size < want ? want - block->size : block->size;
  room = std::min<uint64_t>(room, std::max<uint64_t>(record_max_bytes_ + 1, want) - block->size);
  if (block->bytes.size() < block->size + room + kBlockPadding) {
    block->bytes.resize(block->size + room + kBlockPadding);
  }
  size_t filled = 0;
  while (filled < room) {
    size_t got = FB_TRY(source_->Read(block->bytes.data() + block->size, room - filled));
    if (got == 0) {
      ended_ = true;
      break;
    }
    filled += got;
    block->size += got;
  }
  return filled > 0;
}

// Goes on from scanned_ and returns the end of the last whole record (0: none yet).
size_t BlockReader::FindRecordsEnd(const Block& block) {
  const char* base = block.bytes.data();
  const char* at = base + scanned_;
  const char* end = base + block.size;
  if (form_ == Form::kJsonLines) {
    const void* last = ::memrchr(at, '\n', static_cast<size_t>(end - at));
    if (last != nullptr)
      record_start_ = static_cast<size_t>(static_cast<const char*>(last) - base) + 1;
    scanned_ = block.size;
    return record_start_;
  }
  while (at < end) {
    if (in_quotes_) {
      at = static_cast<const char*>(std::memchr(at, '"', static_cast<size_t>(end - at)));
      if (at == nullptr) {
        at = end;
        break;
      }
      if (at + 1 == end && !ended_)
        break;  // what follows the quote decides; look again with more bytes
      if (at + 1 < end && at[1] == '"') {
        at += 2;
        continue;
      }
      in_quotes_ = false;
      ++at;
      continue;
    }
    at = FindEither(at, end, '"', '\n');
    if (at == end) break;
    if (*at == '\n') {
      record_start_ = static_cast<size_t>(at - base) + 1;
      ++records_ended_;
    } else if (at == base + record_start_ || at[-1] == delimiter_) {
      in_quotes_ = true;
    }
    ++at;
  }
  scanned_ = static_cast<size_t>(at - base);
  return record_start_;
}

Result<bool> BlockReader::Next(Block* block) {
  block->size = carry_.size();
  block->first_line = line_;
  if (block->bytes.size() < carry_.size() + kBlockPadding) {
    block->bytes.resize(std::max(block_bytes_, carry_.size()) + kBlockPadding);
  }
  if (!carry_.empty()) std::memcpy(block->bytes.data(), carry_.data(), carry_.size());
  carry_.clear();
  block->number_records = number_records_;
  scanned_ = record_start_ = 0;
  records_ended_ = 0;
  in_quotes_ = false;
  size_t end = 0;
  while (end == 0) {
    if (!ended_) FB_TRY(ReadMore(block));
    end = FindRecordsEnd(*block);
    if (end == 0 && block->size > record_max_bytes_) {
      return Fail(BadInput("the record is longer than " + FormatBytes(record_max_bytes_),
                           "look for a quote that is never closed", {place_, line_, 0, 0}));
    }
    if (ended_) break;
  }
  if (ended_) end = block->size;  // the last record needs no line end
  if (end == 0) return false;
  carry_.assign(block->bytes.begin() + static_cast<std::ptrdiff_t>(end),
                block->bytes.begin() + static_cast<std::ptrdiff_t>(block->size));
  block->size = end;
  std::memset(block->bytes.data() + end, 0, kBlockPadding);
  if (number_records_) {
    line_ += records_ended_;
    return true;
  }
  line_ += CountLineFeeds(block->text());
  return true;
}

void CsvRecords::Start(const Block* block) {
  at_ = block->bytes.data();
  end_ = at_ + block->size;
  line_ = block->first_line;
  number_records_ = block->number_records;
  if (unescaped_.size() < block->size) unescaped_.resize(block->size);
  marks_.Start(at_, end_, delimiter_);
}

const char* CsvRecords::FieldEnd(const char* at) {
  at = marks_.Next(at);
  while (at < end_ && *at == '"') at = marks_.Next(at + 1);
  return at;
}

// `at` stands behind the opening quote. Returns where the field ends: at a delimiter, a line feed
// or the block's end.
const char* CsvRecords::ReadQuoted(const char* at, Field* field, Record* record,
                                   int64_t* newlines) {
  field->quoted = true;
  const char* from = at;
  char* copy = nullptr;  // set once the text differs from what stands in the block
  char* out = nullptr;
  auto keep = [&](const char* first, const char* last) {
    if (copy == nullptr) copy = out = unescaped_.data() + unescaped_size_;
    std::memcpy(out, first, static_cast<size_t>(last - first));
    out += last - first;
  };
  for (at = marks_.Next(at); at < end_; at = marks_.Next(at + 1)) {
    if (*at == '\n') {
      ++*newlines;
    } else if (*at == '"') {
      if (at + 1 == end_ || at[1] != '"') break;
      keep(from, at + 1);
      from = ++at + 1;
    }
  }
  const char* close = at;
  if (at < end_) {
    ++at;
  } else {
    record->fault = "a quote that opens in this record is never closed";
  }
  const char* stop = FieldEnd(at);
  const char* tail_end = stop;
  if (tail_end > at && tail_end[-1] == '\r' && (stop == end_ || *stop == '\n')) --tail_end;
  if (copy == nullptr && tail_end == at) {
    field->text = {from, static_cast<size_t>(close - from)};
    return stop;
  }
  keep(from, close);
  keep(at, tail_end);
  field->text = {copy, static_cast<size_t>(out - copy)};
  unescaped_size_ += field->text.size();
  return stop;
}

bool CsvRecords::Next(Record* record) {
  // Empty lines are no records.
  for (;;) {
    if (at_ >= end_) return false;
    if (*at_ == '\n') {
      ++at_;
    } else if (*at_ == '\r' && (at_ + 1 == end_ || at_[1] == '\n')) {
      at_ += at_ + 1 == end_ ? 1 : 2;
    } else {
      break;
    }
    ++line_;
    ++empty_lines_;
  }
  record->line = line_;
  record->fault = nullptr;
  record->fields.clear();
  record->field_count = 0;
  unescaped_size_ = 0;
  if (numbered_) {
    record->line = 0;
    while (at_ < end_ && *at_ != delimiter_) record->line = record->line * 10 + (*at_++ - '0');
    ++at_;
  }
  const char* start = at_;
  int64_t newlines = 0;
  const char* stop = at_;
  for (;;) {
    Field field;
    if (at_ < end_ && *at_ == '"') {
      stop = ReadQuoted(at_ + 1, &field, record, &newlines);
    } else {
      stop = FieldEnd(at_);
      const char* last = stop;
      if (last > at_ && last[-1] == '\r' && (stop == end_ || *stop == '\n')) --last;
      field.text = {at_, static_cast<size_t>(last - at_)};
    }
    ++record->field_count;
    if (record->fields.size() <= static_cast<size_t>(kColumnsMax)) record->fields.push_back(field);
    if (stop < end_ && *stop == delimiter_) {
      at_ = stop + 1;
      continue;
    }
    break;
  }
  const char* raw_end = stop;
  if (record->fault == nullptr && raw_end > start && raw_end[-1] == '\r') --raw_end;
  record->raw = {start, static_cast<size_t>(raw_end - start)};
  at_ = stop < end_ ? stop + 1 : end_;
  line_ += number_records_ ? 1 : 1 + newlines;
  return true;
}

Status VisitCsv(std::unique_ptr<ByteSource> source, char delimiter, const std::string& name,
                const std::function<Status(const Record& record)>& visit) {
  constexpr size_t kBlockBytes = 1u << 16;
  BlockReader blocks(std::move(source), BlockReader::Form::kCsv, delimiter, name, kBlockBytes,
                     kRecordMaxBytes);
  CsvRecords records(delimiter);
  Block block;
  Record record;
  while (FB_TRY(blocks.Next(&block))) {
    records.Start(&block);
    while (records.Next(&record)) FB_CHECK(visit(record));
  }
  return {};
}

}  // namespace flyball::ingest
