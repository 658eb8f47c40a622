// Bytes: the content of an input file, front to back, unpacked when it is packed.
//
// What packs the bytes (nothing, gzip, zstd) is seen in the first bytes of the file, never in its
// name. A packed stream that ends early is an error: half a bill is not a bill. Memory is bounded:
// a zstd frame that asks for a window beyond kZstdWindowMaxLog is refused.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace flyball::ingest {

inline constexpr size_t kReadBytes = 1u << 18;  // one read from the disk
inline constexpr int kZstdWindowMaxLog = 27;    // 128 MiB, zstd's own limit for --long

enum class Packing : uint8_t { kNone, kGzip, kZstd };
std::string_view PackingName(Packing packing);

// A regular file on disk, opened once; what it was when it was opened.
class InputFile {
 public:
  // INVALID_ARGUMENT when there is no such file, when it is a folder or a pipe (an import reads
  // twice), or is empty.
  static Result<std::shared_ptr<InputFile>> Open(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  const std::string& name() const { return name_; }  // without its folder
  uint64_t size() const { return size_; }
  Packing packing() const { return packing_; }
  bool is_parquet() const { return is_parquet_; }
  // Reads at an offset; 0 at the end. Any thread.
  Result<size_t> ReadAt(uint64_t offset, char* out, size_t size) const;
  // FAILED_PRECONDITION when the file on disk is no longer what was opened.
  Status CheckUnchanged() const;

 private:
  InputFile() = default;
  std::string path_, name_;
  int fd_ = -1;
  uint64_t size_ = 0;
  int64_t modified_ns_ = 0;
  Packing packing_ = Packing::kNone;
  bool is_parquet_ = false;
};

// Sequential reader of the unpacked content. One thread.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills `out` with at least one byte, or returns 0 at the end.
  virtual Result<size_t> Read(char* out, size_t size) = 0;
  // Bytes of the file (packed) consumed so far; may be asked from any thread.
  virtual uint64_t consumed() const = 0;
};

// Sees every raw byte of the file on its way in, before unpacking (for hashing); may be empty.
using RawTap = std::function<void(std::string_view)>;
Result<std::unique_ptr<ByteSource>> OpenContent(std::shared_ptr<const InputFile> file,
                                                RawTap tap = {});
// A part of a file that is not packed; `end` may lie behind its end.
std::unique_ptr<ByteSource> OpenRange(std::shared_ptr<const InputFile> file, uint64_t begin,
                                      uint64_t end);
// A text in memory, for tests and fuzzing.
std::unique_ptr<ByteSource> MakeTextSource(std::string text, size_t read_bytes = kReadBytes);

}  // namespace flyball::ingest
