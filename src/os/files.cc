#include "os/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/text.h"
#include "os/posix_error.h"

namespace flyball::os {

std::unexpected<Error> FailErrno(int error, std::string_view cannot_what, std::string_view path) {
  Code code = Code::kUnavailable;
  std::string hint;
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      code = Code::kResourceExhausted;
      hint = "free some space on that disk, or choose another folder";
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = Code::kPermissionDenied;
      hint = "check who owns it and its permissions";
      break;
    case ENOENT:
      code = Code::kNotFound;
      break;
    default:
      break;
  }
  return Fail(code,
              "cannot " + std::string(cannot_what) + " '" + std::string(path) +
                  "': " + std::generic_category().message(error),
              std::move(hint));
}

namespace {

constexpr mode_t kFileMode = 0666;  // less what the umask takes away
constexpr size_t kReadBlockBytes = 1 << 20;

// A file descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) (void)close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

int OpenRetrying(const std::string& path, int flags) {
  int fd = -1;
  do {
    fd = open(path.c_str(), flags | O_CLOEXEC, kFileMode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

Status SyncPath(const std::string& path, int flags) {
  Fd fd(OpenRetrying(path, flags));
  if (fd.get() < 0) return FailErrno(errno, "open", path);
  if (fsync(fd.get()) != 0) return FailErrno(errno, "sync", path);
  return {};
}

class RealWritableFile : public WritableFile {
 public:
  RealWritableFile(int fd, std::string path, uint64_t size)
      : fd_(fd), path_(std::move(path)), size_(size) {}

  Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      ssize_t written = write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        return FailErrno(errno, "write", path_);
      }
      size_ += static_cast<uint64_t>(written);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return {};
  }

  Status Truncate(uint64_t size) override {
    int outcome = 0;
    do {
      outcome = ftruncate(fd_.get(), static_cast<off_t>(size));
    } while (outcome != 0 && errno == EINTR);
    if (outcome != 0) return FailErrno(errno, "truncate", path_);
    size_ = size;
    return {};
  }

  Status Sync() override {
    if (fsync(fd_.get()) != 0) return FailErrno(errno, "sync", path_);
    return {};
  }

  uint64_t size() const override { return size_; }

 private:
  Fd fd_;
  std::string path_;
  uint64_t size_;
};

class RealFiles : public Files {
 public:
  Result<std::string> ReadAll(const std::string& path) override {
    Fd fd(OpenRetrying(path, O_RDONLY));
    if (fd.get() < 0) return FailErrno(errno, "open", path);
    struct stat info{};
    if (fstat(fd.get(), &info) != 0) return FailErrno(errno, "read", path);
    std::string content;
    size_t used = 0;
    // One byte more than the size: the read that finds the end needs no second block.
    content.resize(static_cast<size_t>(std::max<off_t>(info.st_size, 0)) + 1);
    while (true) {
      if (used == content.size()) content.resize(content.size() + kReadBlockBytes);
      ssize_t got = read(fd.get(), content.data() + used, content.size() - used);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return FailErrno(errno, "read", path);
      if (got == 0) break;
      used += static_cast<size_t>(got);
    }
    content.resize(used);
    return content;
  }

  Result<std::string> ReadPart(const std::string& path, uint64_t offset, size_t bytes) override {
    Fd fd(OpenRetrying(path, O_RDONLY));
    if (fd.get() < 0) return FailErrno(errno, "open", path);
    std::string part(bytes, '\0');
    size_t used = 0;
    while (used < bytes) {
      ssize_t got =
          pread(fd.get(), part.data() + used, bytes - used, static_cast<off_t>(offset + used));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return FailErrno(errno, "read", path);
      if (got == 0) break;
      used += static_cast<size_t>(got);
    }
    part.resize(used);
    return part;
  }

  Result<std::unique_ptr<WritableFile>> OpenAppend(const std::string& path) override {
    Fd fd(OpenRetrying(path, O_WRONLY | O_APPEND | O_CREAT));
    if (fd.get() < 0) return FailErrno(errno, "open", path);
    struct stat info{};
    if (fstat(fd.get(), &info) != 0) return FailErrno(errno, "open", path);
    return std::make_unique<RealWritableFile>(fd.release(), path,
                                              static_cast<uint64_t>(info.st_size));
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) {
      return FailErrno(errno, "rename '" + from + "' to", to);
    }
    return {};
  }

  Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return FailErrno(errno, "remove", path);
    return {};
  }

  Status RemoveTree(const std::string& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return FailErrno(error.value(), "remove", path);
    return {};
  }

  Status MakeDirs(const std::string& path) override {
    std::vector<std::string> missing;
    for (std::string at = path; !Exists(at); at = ParentPath(at)) {
      missing.push_back(at);
      if (ParentPath(at) == at) break;  // not even "." can be seen: mkdir will say why
    }
    for (auto at = missing.rbegin(); at != missing.rend(); ++at) {
      if (mkdir(at->c_str(), 0777) != 0 && errno != EEXIST) {
        return FailErrno(errno, "make the folder", *at);
      }
      FB_CHECK(SyncDir(ParentPath(*at)));
    }
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      return FailErrno(ENOTDIR, "make the folder", path);
    }
    return {};
  }

  Result<std::vector<std::string>> List(const std::string& dir) override {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator at(dir, error);
    for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
      names.push_back(at->path().filename().string());
    }
    if (error) return FailErrno(error.value(), "list", dir);
    std::sort(names.begin(), names.end());
    return names;
  }

  bool Exists(const std::string& path) override { return access(path.c_str(), F_OK) == 0; }

  Result<uint64_t> Size(const std::string& path) override {
    struct stat info{};
    if (stat(path.c_str(), &info) != 0) return FailErrno(errno, "read the size of", path);
    return static_cast<uint64_t>(info.st_size);
  }

  Status SyncFile(const std::string& path) override { return SyncPath(path, O_RDONLY); }
  Status SyncDir(const std::string& path) override {
    return SyncPath(path, O_RDONLY | O_DIRECTORY);
  }
};

}  // namespace

std::unique_ptr<Files> MakeRealFiles() { return std::make_unique<RealFiles>(); }

Status AtomicWrite(Files& files, const std::string& path, std::string_view content) {
  const std::string temporary = path + ".tmp";
  auto write = [&]() -> Status {
    std::unique_ptr<WritableFile> file = FB_TRY(files.OpenAppend(temporary));
    if (file->size() != 0) FB_CHECK(file->Truncate(0));  // left behind by a crash
    FB_CHECK(file->Append(content));
    FB_CHECK(file->Sync());
    return files.Rename(temporary, path);
  };
  if (Status written = write(); !written) {
    (void)files.Remove(temporary);  // the first error is the one to tell
    return written;
  }
  return files.SyncDir(ParentPath(path));
}

std::string ParentPath(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  while (slash > 0 && path[slash - 1] == '/') --slash;
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string JoinPath(std::string_view a, std::string_view b) {
  if (a.empty()) return std::string(b);
  std::string path(a);
  if (path.back() != '/') path += '/';
  while (!b.empty() && b.front() == '/') b.remove_prefix(1);
  return path.append(b);
}

bool IsPlainName(std::string_view name) {
  if (name.empty() || name == "." || name == "..") return false;
  constexpr std::string_view kRefused = "/=*?[]{}\\\"'";  // separators, globs, key=value folders
  return ValidUtf8Prefix(name) == name.size() &&
         std::none_of(name.begin(), name.end(), [&](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f ||
                  kRefused.find(c) != std::string_view::npos;
         });
}

}  // namespace flyball::os
