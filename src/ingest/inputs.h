// Inputs: the files of one import, each opened, recognised by what is in it, and looked through
// once.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/bytes.h"
#include "ingest/csv.h"
#include "ingest/import.h"
#include "ingest/native/native.h"
#include "ingest/plan.h"
#include "ingest/raw_scan.h"

namespace flyball::ingest {

enum class InputForm : uint8_t { kCsv, kJsonLines, kParquet, kJsonDocument };

struct Input {
  std::shared_ptr<const InputFile> file;  // as the user named it
  std::shared_ptr<const InputFile>
      content;  // what is read: the same, or what was written from it in staging
  const native::Format* native = nullptr;  // the vendor's format that it was translated from
  InputForm form = InputForm::kCsv;
  CsvHeader header;    // of CSV
  std::string sha256;  // of the file's own bytes
  RawFacts facts;      // once it has been scanned
  // Rows of the file as its vendor wrote it; a translated one may become more of them, or fewer.
  int64_t rows_stated = 0;
  FilePlan plan;

  const std::vector<std::string>& field_names() const {
    return form == InputForm::kJsonLines ? facts.keys : header.names;
  }
};

// The input's name as it stands in x_SourceFile: without its folder, and always UTF-8.
std::string SourceFileName(const Input& input);

// Tells the caller how far an import is, and hears whether it shall go on. Thread-safe; the
// callback runs on one thread at a time.
class Progress {
 public:
  Progress(std::function<bool(uint64_t, uint64_t)> callback, uint64_t total)
      : callback_(std::move(callback)), total_(total) {}
  void Report(uint64_t done);
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  const std::atomic<bool>* cancelled_flag() const { return &cancelled_; }

 private:
  std::mutex mutex_;
  std::function<bool(uint64_t, uint64_t)> callback_;
  uint64_t total_;
  uint64_t last_ = 0;
  std::atomic<bool> cancelled_{false};
};

// Opens the file and finds out its form and header. INVALID_ARGUMENT when it is none that can be
// imported, or is not of the format that the user named.
// `native`: the vendor's format that the user named; any header will do then.
Result<Input> OpenInput(const std::string& path, Format format,
                        const native::Format* native = nullptr);
// SHA-256 of the file and, but for Parquet and JSON documents, the raw facts of its content, in one
// pass each, side by side. `before`: bytes that were done when it began.
Status ScanInput(Input* input, Progress* progress, uint64_t before);
// Only the raw facts of input->content.
Status ScanContent(Input* input, Progress* progress, uint64_t before);

}  // namespace flyball::ingest
