#include "os/secret.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/clock.h"
#include "base/hash.h"
#include "os/files.h"
#include "os/posix_error.h"

namespace flyball::os {
namespace {

constexpr mode_t kSecretMode = 0600;

bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    content.remove_prefix(static_cast<size_t>(n));
  }
  return fsync(fd) == 0;
}

}  // namespace

Status WriteSecret(const std::string& path, std::string_view content) {
  std::array<uint8_t, 8> random{};
  SecureRandomBytes(random.data(), random.size());
  const std::string temporary = path + ".tmp-" + Hex(random);
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kSecretMode);
  if (fd < 0) return FailErrno(errno, "create", path);
  const bool written = WriteAll(fd, content);
  int error = errno;
  if (close(fd) != 0 && written) error = errno;
  if (!written || rename(temporary.c_str(), path.c_str()) != 0) {
    if (written) error = errno;
    unlink(temporary.c_str());
    return FailErrno(error, "write", path);
  }
  const int folder = open(ParentPath(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    (void)fsync(folder);
    (void)close(folder);
  }
  return {};
}

Result<SecretLock> SecretLock::Take(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kSecretMode);
  if (fd < 0) return FailErrno(errno, "open the lock file", path);
  SecretLock lock(fd);
  while (flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) return FailErrno(errno, "lock", path);
  }
  return lock;
}

SecretLock::~SecretLock() {
  if (fd_ >= 0) (void)close(fd_);
}

FileStamp StampOf(const std::string& path) {
  struct stat facts{};
  if (stat(path.c_str(), &facts) != 0) return {};
  return {static_cast<int64_t>(facts.st_ino), static_cast<int64_t>(facts.st_size),
          int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec};
}

std::vector<FileStamp> StampsOf(const std::vector<std::string>& paths) {
  std::vector<FileStamp> stamps;
  for (const std::string& path : paths) stamps.push_back(StampOf(path));
  return stamps;
}

}  // namespace flyball::os
