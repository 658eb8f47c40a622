#include "app/csv_rows.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/text.h"
#include "ingest/csv.h"
#include "ingest/import.h"

namespace flyball::app {
namespace {

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
  std::vector<std::string_view> fields;
  bool first = true;
  return ingest::VisitCsv(FB_TRY(Open(path)), ',', name,
                          [&](const ingest::Record& record) -> Status {
                            const Place place{name, record.line, 0, 0};
                            if (record.fault != nullptr) {
                              return Fail(Error{Code::kInvalidArgument, record.fault, {}, place});
                            }
                            fields.clear();
                            for (const ingest::Field& field : record.fields)
                              fields.push_back(field.text);
                            if (first && !fields.empty()) fields[0] = SkipByteOrderMark(fields[0]);
                            first = false;
                            Status done = row(fields);
                            if (!done) return Fail(std::move(done.error()).At(place));
                            return {};
                          });
}

}  // namespace flyball::app
