#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "os/files.h"
#include "os/posix_error.h"

namespace flyball::os {
namespace {

constexpr mode_t kLockMode = 0644;
constexpr size_t kLockFileMaxBytes = kLockNoteMaxBytes + 64;

struct flock WholeFile(short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

// The file says "pid\nnote\n".
LockHolder ReadContent(int fd) {
  char buffer[kLockFileMaxBytes];
  ssize_t got = pread(fd, buffer, sizeof(buffer), 0);
  LockHolder holder;
  if (got <= 0) return holder;
  std::string_view text(buffer, static_cast<size_t>(got));
  std::from_chars(text.data(), text.data() + text.size(), holder.pid);
  size_t line_end = text.find('\n');
  if (line_end == std::string_view::npos) return holder;
  text.remove_prefix(line_end + 1);
  holder.note = text.substr(0, text.find('\n'));
  return holder;
}

Status WriteContent(int fd, const std::string& path, std::string_view note) {
  std::string content = std::to_string(getpid()) + "\n" + std::string(note) + "\n";
  if (pwrite(fd, content.data(), content.size(), 0) != static_cast<ssize_t>(content.size()) ||
      ftruncate(fd, static_cast<off_t>(content.size())) != 0) {
    return FailErrno(errno, "write the lock file", path);
  }
  return {};
}

bool IsFileAt(int fd, const std::string& path) {
  struct stat opened{};
  struct stat named{};
  return fstat(fd, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

std::unexpected<Error> FailHeld(const std::string& path, const LockHolder& holder) {
  std::string message = "'" + path + "' is held by ";
  message += holder.pid > 0 ? "process " + std::to_string(holder.pid) : "another process";
  if (!holder.note.empty()) message += ", " + holder.note;
  return Fail(Code::kAlreadyExists, std::move(message),
              "one process at a time owns a home: stop that one, or work through it");
}

}  // namespace

Result<HomeLock> HomeLock::Acquire(const std::string& path) {
  for (;;) {
    int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kLockMode);
    if (fd < 0) return FailErrno(errno, "open the lock file", path);
    HomeLock held(fd, path);
    struct flock lock = WholeFile(F_WRLCK);
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
      if (errno == EAGAIN || errno == EACCES) return FailHeld(path, ReadContent(fd));
      return FailErrno(errno, "lock", path);
    }
    // Its last holder may have removed the file between our open and our lock.
    if (!IsFileAt(fd, path)) continue;
    FB_CHECK(WriteContent(fd, path, ""));
    return held;
  }
}

Result<LockHolder> HomeLock::ReadHolder(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FailErrno(errno, "open the lock file", path);
  HomeLock reader(fd, path);
  struct flock lock = WholeFile(F_RDLCK);
  if (fcntl(fd, F_OFD_GETLK, &lock) != 0) return FailErrno(errno, "look at the lock of", path);
  if (lock.l_type == F_UNLCK) return Fail(Code::kNotFound, "nobody holds '" + path + "'");
  return ReadContent(fd);
}

Result<std::string> HomeLock::ReadNote(const std::string& path) {
  LockHolder holder = FB_TRY(ReadHolder(path));
  return holder.note;
}

HomeLock::HomeLock(HomeLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

HomeLock& HomeLock::operator=(HomeLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

HomeLock::~HomeLock() {
  if (fd_ >= 0) (void)close(fd_);  // gives the lock back
}

Status HomeLock::SetNote(std::string_view note) {
  if (note.size() > kLockNoteMaxBytes || std::any_of(note.begin(), note.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20;
      })) {
    return Fail(Code::kInvalidArgument, "a lock's note is one line of at most " +
                                            std::to_string(kLockNoteMaxBytes) + " bytes");
  }
  return WriteContent(fd_, path_, note);
}

Status HomeLock::Remove() && {
  HomeLock last = std::move(*this);
  if (unlink(last.path_.c_str()) != 0) return FailErrno(errno, "remove the lock file", last.path_);
  return {};
}

}  // namespace flyball::os
