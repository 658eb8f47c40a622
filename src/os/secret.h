// Small files that only this user may read, such as lists of hashed tokens, changed by one process
// at a time.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace flyball::os {

// Writes a file that only this user can read, whole or not at all, and durably.
Status WriteSecret(const std::string& path, std::string_view content);

// Waits until no other process changes the list; given back with the object or the process. For
// changes that take no time: the wait has no end.
class SecretLock {
 public:
  static Result<SecretLock> Take(const std::string& path);
  SecretLock(SecretLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  SecretLock& operator=(SecretLock&&) = delete;
  ~SecretLock();

 private:
  explicit SecretLock(int fd) : fd_(fd) {}
  int fd_;
};

// Changes when a file does: what was read of it before counts no more.
struct FileStamp {
  int64_t inode = 0;
  int64_t bytes = -1;  // there is no such file
  int64_t modified_ns = 0;
  bool operator==(const FileStamp&) const = default;
};
FileStamp StampOf(const std::string& path);
std::vector<FileStamp> StampsOf(const std::vector<std::string>& paths);

}  // namespace flyball::os
