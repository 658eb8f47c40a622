#include "ingest/inputs.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <thread>

#include "base/hash.h"
#include "base/text.h"
#include "ingest/cells.h"
#include "ingest/native/json_text.h"
#include "ingest/translate.h"

namespace flyball::ingest {
namespace {

constexpr std::chrono::milliseconds kProgressEvery{100};
static_assert(kScanKeysMax == kColumnsMax);

std::unexpected<Error> WrongForm(const std::string& path, const char* what, const char* hint) {
  return Fail(Code::kInvalidArgument, "'" + path + "' " + what, hint);
}

// The first bytes of the content, and whether they are all of it.
struct Start {
  std::string text;
  bool whole = false;
};
Result<Start> ReadStart(const std::shared_ptr<const InputFile>& file) {
  std::unique_ptr<ByteSource> source = FB_TRY(OpenContent(file));
  Start start;
  start.text.resize(kHeaderMaxBytes);
  size_t filled = 0;
  while (filled < start.text.size()) {
    size_t got = FB_TRY(source->Read(start.text.data() + filled, start.text.size() - filled));
    if (got == 0) {
      start.whole = true;
      break;
    }
    filled += got;
  }
  start.text.resize(filled);
  return start;
}

Result<InputForm> FormOf(const InputFile& file, std::string_view start, Format format) {
  InputForm form = InputForm::kCsv;
  std::string_view body = SkipByteOrderMark(start);
  size_t first = body.find_first_not_of(" \t\r\n");
  char c = first == std::string_view::npos ? '\0' : body[first];
  if (file.is_parquet()) {
    form = InputForm::kParquet;
  } else if (start.starts_with("PAR1")) {
    return WrongForm(file.path(), "is a packed Parquet file", "unpack it first");
  } else if (native::LooksLikeJsonDocument(body)) {
    form = InputForm::kJsonDocument;
  } else if (c == '{') {
    form = InputForm::kJsonLines;
  }
  if (format == Format::kFocusParquet && form != InputForm::kParquet) {
    return WrongForm(file.path(), "is no Parquet file", "leave --format out to have it detected");
  }
  if (format == Format::kFocusJsonl && form != InputForm::kJsonLines) {
    return WrongForm(file.path(), "does not begin with a JSON object",
                     "leave --format out to have it detected");
  }
  if (format == Format::kFocusCsv && form != InputForm::kCsv) {
    return WrongForm(
        file.path(),
        form == InputForm::kParquet ? "is a Parquet file, not CSV" : "holds JSON lines, not CSV",
        "leave --format out to have it detected");
  }
  return form;
}

// Of FOCUS, or of a vendor's own format.
int CountColumns(const std::vector<std::string>& names) {
  return std::max(CountKnownColumns(names), CountNativeColumns(names));
}

// Runs both scans on two threads and reports progress from this one.
Status RunSideBySide(const std::function<Status()>& a, const std::function<Status()>& b,
                     const std::function<void()>& tick) {
  std::mutex mutex;
  std::condition_variable done;
  int running = 2;
  Status status_a, status_b;
  auto run = [&](const std::function<Status()>& work, Status* status) {
    Status result = work();
    std::lock_guard lock(mutex);
    *status = std::move(result);
    --running;
    done.notify_all();
  };
  std::thread thread_a(run, std::cref(a), &status_a);
  std::thread thread_b(run, std::cref(b), &status_b);
  {
    std::unique_lock lock(mutex);
    while (!done.wait_for(lock, kProgressEvery, [&] { return running == 0; })) {
      lock.unlock();
      tick();
      lock.lock();
    }
  }
  thread_a.join();
  thread_b.join();
  FB_CHECK(status_a);
  return status_b;
}

Result<std::string> HashFile(const InputFile& file, const std::atomic<bool>* cancelled) {
  Sha256 hash;
  std::vector<char> buffer(kReadBytes);
  uint64_t offset = 0;
  for (;;) {
    size_t got = FB_TRY(file.ReadAt(offset, buffer.data(), buffer.size()));
    if (got == 0) break;
    hash.Update({buffer.data(), got});
    offset += got;
    if (cancelled->load(std::memory_order_relaxed)) {
      return Fail(Code::kCancelled, "the import was cancelled");
    }
  }
  return Hex(hash.Finish());
}

Status CheckRows(const Input& input) {
  if (input.facts.rows > 0) return {};
  return WrongForm(input.file->path(),
                   input.form == InputForm::kJsonLines ? "has no rows" : "has a header but no rows",
                   "fetch the bill again, or leave this file out");
}

}  // namespace

std::string SourceFileName(const Input& input) { return RepairUtf8(input.file->name()); }

void Progress::Report(uint64_t done) {
  if (!callback_) return;
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || done < last_) return;
  last_ = done;
  if (!callback_(done, total_)) cancelled_.store(true, std::memory_order_relaxed);
}

Result<Input> OpenInput(const std::string& path, Format format, const native::Format* native) {
  Input input;
  input.file = input.content = FB_TRY(InputFile::Open(path));
  Start start = FB_TRY(ReadStart(input.content));
  input.form = FB_TRY(FormOf(*input.file, start.text, format));
  if (input.form == InputForm::kCsv) {
    Result<CsvHeader> header =
        ReadCsvHeader(start.text, start.whole, native != nullptr ? CountAllColumns : CountColumns);
    if (!header) {
      Error error = header.error();
      error.place.file = path;
      return Fail(std::move(error));
    }
    input.header = std::move(*header);
  }
  return input;
}

Status ScanContent(Input* input, Progress* progress, uint64_t before) {
  std::atomic<uint64_t> done{0};
  input->facts = FB_TRY(ScanRawFile(input->content, input->form == InputForm::kJsonLines,
                                    input->header.delimiter, kRecordMaxBytes,
                                    progress->cancelled_flag(), &done));
  if (input->native == nullptr) input->rows_stated = input->facts.rows;
  progress->Report(before + done.load());
  return CheckRows(*input);
}

Status ScanInput(Input* input, Progress* progress, uint64_t before) {
  std::atomic<uint64_t> done{0};
  auto hash = [&]() -> Status {
    input->sha256 = FB_TRY(HashFile(*input->file, progress->cancelled_flag()));
    return {};
  };
  if (input->form == InputForm::kParquet || input->form == InputForm::kJsonDocument) return hash();
  auto scan = [&]() -> Status {
    input->facts = FB_TRY(ScanRawFile(input->content, input->form == InputForm::kJsonLines,
                                      input->header.delimiter, kRecordMaxBytes,
                                      progress->cancelled_flag(), &done));
    return {};
  };
  FB_CHECK(RunSideBySide(scan, hash, [&] { progress->Report(before + done.load()); }));
  input->rows_stated = input->facts.rows;
  return CheckRows(*input);
}

}  // namespace flyball::ingest
