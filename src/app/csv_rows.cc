#include "app/csv_rows.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "ingest/csv.h"
#include "ingest/import.h"

namespace flyball::app {
namespace {

constexpr size_t kBlockBytes = 1u << 16;

class StandardInput : public ingest::ByteSource {
 public:
  Result<size_t> Read(char* out, size_t size) override {
    for (;;) {
      const ssize_t got = ::read(STDIN_FILENO, out, size);
      if (got >= 0) {
        consumed_ += static_cast<uint64_t>(got);
        return static_cast<size_t>(got);
      }
      if (errno != EINTR) {
        return Fail(Code::kUnavailable,
                    std::string("standard input could not be read: ") + std::strerror(errno));
      }
    }
  }
  uint64_t consumed() const override { return consumed_; }

 private:
  std::atomic<uint64_t> consumed_{0};
};

Result<std::unique_ptr<ingest::ByteSource>> Open(const std::string& path) {
  if (path == "-") return std::make_unique<StandardInput>();
  return ingest::OpenContent(FB_TRY(ingest::InputFile::Open(path)));
}

}  // namespace

Status ReadCsvRows(const std::string& path, const OnRow& row) {
  const std::string name = path == "-" ? "standard input" : path;
  ingest::BlockReader blocks(FB_TRY(Open(path)), ingest::BlockReader::Form::kCsv, ',', name,
                             kBlockBytes, ingest::kRecordMaxBytes);
  ingest::CsvRecords records(',');
  ingest::Block block;
  ingest::Record record;
  std::vector<std::string_view> fields;
  bool first = true;
  while (FB_TRY(blocks.Next(&block))) {
    records.Start(&block);
    while (records.Next(&record)) {
      const Place place{name, record.line, 0, 0};
      if (record.fault != nullptr) {
        return Fail(Error{Code::kInvalidArgument, record.fault, {}, place});
      }
      fields.clear();
      for (const ingest::Field& field : record.fields) fields.push_back(field.text);
      constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
      if (first && !fields.empty() && fields[0].starts_with(kByteOrderMark)) {
        fields[0].remove_prefix(kByteOrderMark.size());
      }
      first = false;
      Status done = row(fields);
      if (!done) return Fail(std::move(done.error()).At(place));
    }
  }
  return {};
}

}  // namespace flyball::app
