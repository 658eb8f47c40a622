#include "ingest/bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/assert.h"

namespace flyball::ingest {
namespace {

int64_t ModifiedNs(const struct stat& info) {
  return static_cast<int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec;
}

std::string Quoted(const std::string& path) { return "'" + path + "'"; }

// Plain bytes, with the file's offset kept; the other readers draw from it.
class PlainSource : public ByteSource {
 public:
  PlainSource(std::shared_ptr<const InputFile> file, RawTap tap)
      : file_(std::move(file)), tap_(std::move(tap)) {}

  Result<size_t> Read(char* out, size_t size) override {
    size_t got = FB_TRY(file_->ReadAt(offset_.load(std::memory_order_relaxed), out, size));
    if (tap_ && got > 0) tap_({out, got});
    offset_.fetch_add(got, std::memory_order_relaxed);
    return got;
  }
  uint64_t consumed() const override { return offset_.load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<const InputFile> file_;
  RawTap tap_;
  std::atomic<uint64_t> offset_{0};
};

std::unexpected<Error> Damaged(const InputFile& file, const char* kind, uint64_t at,
                               const char* what) {
  Error error{Code::kInvalidArgument,
              Quoted(file.path()) + " is " + kind + " data that " + what,
              "fetch the file again; nothing was imported",
              {}};
  error.place.file = file.path();
  error.place.byte = static_cast<int64_t>(at);
  return Fail(std::move(error));
}

// gzip, any number of members one after another (as `cat a.gz b.gz` makes them).
class GzipSource : public ByteSource {
 public:
  GzipSource(std::shared_ptr<const InputFile> file, RawTap tap)
      : file_(file), plain_(std::move(file), std::move(tap)), buffer_(kReadBytes) {
    std::memset(&stream_, 0, sizeof stream_);
    FB_ASSERT(inflateInit2(&stream_, 15 + 16) == Z_OK);
  }
  ~GzipSource() override { inflateEnd(&stream_); }

  Result<size_t> Read(char* out, size_t size) override {
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(std::min<size_t>(size, 1u << 30));
    const uInt wanted = stream_.avail_out;
    while (stream_.avail_out == wanted) {
      if (stream_.avail_in == 0) {
        size_t got = FB_TRY(plain_.Read(buffer_.data(), buffer_.size()));
        if (got == 0) {
          if (!between_members_) {
            return Damaged(*file_, "gzip", file_->size(), "ends too early (truncated)");
          }
          return size_t{0};
        }
        stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_in = static_cast<uInt>(got);
      }
      if (between_members_ && !first_ && SkipPadding()) continue;
      between_members_ = false;
      first_ = false;
      int code = inflate(&stream_, Z_NO_FLUSH);
      if (code == Z_STREAM_END) {
        inflateReset(&stream_);
        between_members_ = true;
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return Damaged(*file_, "gzip", plain_.consumed() - stream_.avail_in, "is damaged");
      }
    }
    return size_t{wanted - stream_.avail_out};
  }
  uint64_t consumed() const override { return plain_.consumed(); }

 private:
  // Zero bytes after a member are padding (tapes, tar); true when the input was used up by it.
  bool SkipPadding() {
    while (stream_.avail_in > 0 && *stream_.next_in == 0) {
      ++stream_.next_in;
      --stream_.avail_in;
    }
    return stream_.avail_in == 0;
  }

  std::shared_ptr<const InputFile> file_;
  PlainSource plain_;
  std::vector<char> buffer_;
  z_stream stream_;
  bool between_members_ = true;
  bool first_ = true;
};

class ZstdSource : public ByteSource {
 public:
  ZstdSource(std::shared_ptr<const InputFile> file, RawTap tap)
      : file_(file), plain_(std::move(file), std::move(tap)), buffer_(kReadBytes) {
    stream_ = ZSTD_createDCtx();
    FB_ASSERT(stream_ != nullptr);
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kZstdWindowMaxLog);
  }
  ~ZstdSource() override { ZSTD_freeDCtx(stream_); }

  Result<size_t> Read(char* out, size_t size) override {
    ZSTD_outBuffer output{out, size, 0};
    while (output.pos == 0) {
      if (input_.pos == input_.size && !pending_) {
        size_t got = FB_TRY(plain_.Read(buffer_.data(), buffer_.size()));
        if (got == 0) {
          if (!frame_done_) {
            return Damaged(*file_, "zstd", file_->size(), "ends too early (truncated)");
          }
          return size_t{0};
        }
        input_ = {buffer_.data(), got, 0};
      }
      size_t code = ZSTD_decompressStream(stream_, &output, &input_);
      if (ZSTD_isError(code) != 0) {
        bool window = ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge;
        return Damaged(*file_, "zstd", plain_.consumed() - (input_.size - input_.pos),
                       window ? "asks for a window of more than 128 MiB" : "is damaged");
      }
      frame_done_ = code == 0;
      // A full output may hide more that is already unpacked inside.
      pending_ = output.pos == output.size && !frame_done_;
    }
    return output.pos;
  }
  uint64_t consumed() const override { return plain_.consumed(); }

 private:
  std::shared_ptr<const InputFile> file_;
  PlainSource plain_;
  std::vector<char> buffer_;
  ZSTD_DCtx* stream_ = nullptr;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool frame_done_ = true;
  bool pending_ = false;
};

class RangeSource : public ByteSource {
 public:
  RangeSource(std::shared_ptr<const InputFile> file, uint64_t begin, uint64_t end)
      : file_(std::move(file)), begin_(begin), end_(end) {}
  Result<size_t> Read(char* out, size_t size) override {
    const uint64_t at = begin_ + done_.load(std::memory_order_relaxed);
    size = static_cast<size_t>(std::min<uint64_t>(size, end_ > at ? end_ - at : 0));
    size_t got = size == 0 ? 0 : FB_TRY(file_->ReadAt(at, out, size));
    done_.fetch_add(got, std::memory_order_relaxed);
    return got;
  }
  uint64_t consumed() const override { return done_.load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<const InputFile> file_;
  const uint64_t begin_, end_;
  std::atomic<uint64_t> done_{0};
};

class TextSource : public ByteSource {
 public:
  TextSource(std::string text, size_t read_bytes)
      : text_(std::move(text)), read_bytes_(read_bytes) {}
  Result<size_t> Read(char* out, size_t size) override {
    size_t take = std::min({size, read_bytes_, text_.size() - offset_});
    std::memcpy(out, text_.data() + offset_, take);
    offset_ += take;
    return take;
  }
  uint64_t consumed() const override { return offset_; }

 private:
  std::string text_;
  size_t read_bytes_;
  size_t offset_ = 0;
};

}  // namespace

std::string_view PackingName(Packing packing) {
  switch (packing) {
    case Packing::kNone:
      return "none";
    case Packing::kGzip:
      return "gzip";
    case Packing::kZstd:
      return "zstd";
  }
  return "none";
}

Result<std::shared_ptr<InputFile>> InputFile::Open(const std::string& path) {
  auto refuse = [&](const std::string& what, const char* hint) {
    return Fail(Error{Code::kInvalidArgument, Quoted(path) + " " + what, hint, {}});
  };
  if (path.find('\0') != std::string::npos) {
    return Fail(Code::kInvalidArgument, "a file name with a zero byte in it cannot be read");
  }
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return refuse("does not exist", "check the path of the file to import");
    }
    const char* hint = errno == EMFILE || errno == ENFILE
                           ? "import fewer files at once, or raise the limit of open files"
                       : errno == EACCES || errno == EPERM ? "check its permissions"
                                                           : "check the path of the file to import";
    return refuse(std::string("cannot be read: ") + std::strerror(errno), hint);
  }
  std::shared_ptr<InputFile> file(new InputFile);
  file->fd_ = fd;
  file->path_ = path;
  file->name_ = path.substr(path.find_last_of('/') + 1);
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    return refuse("is not a regular file", "an import reads its file twice; save it to disk first");
  }
  file->size_ = static_cast<uint64_t>(info.st_size);
  file->modified_ns_ = ModifiedNs(info);
  if (file->size_ == 0) return refuse("is empty", "fetch the bill again");

  unsigned char head[4] = {0, 0, 0, 0};
  size_t got = FB_TRY(file->ReadAt(0, reinterpret_cast<char*>(head), sizeof head));
  if (got >= 2 && head[0] == 0x1F && head[1] == 0x8B) {
    file->packing_ = Packing::kGzip;
  } else if (got == 4 &&
             ((head[0] == 0x28 && head[1] == 0xB5 && head[2] == 0x2F && head[3] == 0xFD) ||
              (head[0] >> 4 == 5 && head[1] == 0x2A && head[2] == 0x4D && head[3] == 0x18))) {
    file->packing_ = Packing::kZstd;
  } else if (got == 4 && std::memcmp(head, "PAR1", 4) == 0) {
    file->is_parquet_ = true;
  }
  return file;
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<size_t> InputFile::ReadAt(uint64_t offset, char* out, size_t size) const {
  for (;;) {
    ssize_t got = ::pread(fd_, out, size, static_cast<off_t>(offset));
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) {
      return Fail(Code::kUnavailable,
                  "reading " + Quoted(path_) + " failed: " + std::strerror(errno));
    }
  }
}

Status InputFile::CheckUnchanged() const {
  struct stat info{};
  if (::fstat(fd_, &info) != 0 || static_cast<uint64_t>(info.st_size) != size_ ||
      ModifiedNs(info) != modified_ns_) {
    return Fail(Code::kFailedPrecondition, Quoted(path_) + " was changed while it was being read",
                "import it again once it is complete");
  }
  return {};
}

Result<std::unique_ptr<ByteSource>> OpenContent(std::shared_ptr<const InputFile> file, RawTap tap) {
  std::unique_ptr<ByteSource> source;
  switch (file->packing()) {
    case Packing::kNone:
      source = std::make_unique<PlainSource>(std::move(file), std::move(tap));
      break;
    case Packing::kGzip:
      source = std::make_unique<GzipSource>(std::move(file), std::move(tap));
      break;
    case Packing::kZstd:
      source = std::make_unique<ZstdSource>(std::move(file), std::move(tap));
      break;
  }
  return source;
}

std::unique_ptr<ByteSource> OpenRange(std::shared_ptr<const InputFile> file, uint64_t begin,
                                      uint64_t end) {
  return std::make_unique<RangeSource>(std::move(file), begin, end);
}

std::unique_ptr<ByteSource> MakeTextSource(std::string text, size_t read_bytes) {
  return std::make_unique<TextSource>(std::move(text), read_bytes);
}

}  // namespace flyball::ingest
