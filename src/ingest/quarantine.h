// Quarantine: the rows that could not be repaired, one JSON object a line: file, line, code, reason
// and the row as it was.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ingest/defects.h"
#include "ingest/import.h"
#include "os/files.h"

namespace flyball::ingest {

inline constexpr size_t kQuarantineRawMaxBytes =
    64u << 10;  // of a row's text; the rest is cut and said so

// Thread-safe.
class Quarantine {
 public:
  Quarantine(os::Files& files, std::string path) : files_(files), path_(std::move(path)) {}

  struct Row {
    std::string file;
    int64_t line = 0;
    std::string reason;
    size_t input = 0;  // its place among the files of the import
  };
  Status Add(Row row, Fault fault, std::string_view raw);
  // Writes and syncs what is left; the file exists only when there was a row.
  Status Finish();
  bool empty() const { return count_ == 0; }
  // The first kQuarantineShown by file and line.
  std::vector<QuarantinedRow> TakeShown();

 private:
  os::Files& files_;
  std::string path_;
  std::mutex mutex_;
  std::unique_ptr<os::WritableFile> file_;
  std::string buffer_;
  int64_t count_ = 0;
  std::map<std::pair<size_t, int64_t>, QuarantinedRow> shown_;
};

}  // namespace flyball::ingest
