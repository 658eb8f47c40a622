// Files: the operating system's file system behind one interface, with a twin that loses power.
//
// Errors name the path and what the system said: NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED
// (the disk is full), and UNAVAILABLE for all else. Everything that Flyball must not lose (log,
// journals, estate snapshots, slice files) is written through here, so that the simulated twin
// (os/sim_files.h) can drop or reorder unsynced writes, fill the disk or fail, by seed. Paths are
// absolute or relative to the working directory. All calls may be made from any thread; one
// FileHandle belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace flyball::os {

class WritableFile {
 public:
  virtual ~WritableFile() = default;
  // On an error a part of the bytes may have been appended; size() says how many.
  virtual Status Append(std::string_view bytes) = 0;
  virtual Status Truncate(uint64_t size) = 0;
  // Data and size are on the device when this returns.
  virtual Status Sync() = 0;
  virtual uint64_t size() const = 0;
};

class Files {
 public:
  virtual ~Files() = default;
  virtual Result<std::string> ReadAll(const std::string& path) = 0;
  // At most `bytes` from `offset` on; fewer only where the file ends.
  virtual Result<std::string> ReadPart(const std::string& path, uint64_t offset, size_t bytes) = 0;
  // Opens for append, creating it when absent.
  virtual Result<std::unique_ptr<WritableFile>> OpenAppend(const std::string& path) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& path) = 0;  // a file; absent is fine
  virtual Status RemoveTree(
      const std::string& path) = 0;  // a folder with all in it; absent is fine
  // With all folders above it; present is fine. Durable when it returns: each new folder's parent
  // is synced.
  virtual Status MakeDirs(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> List(const std::string& dir) = 0;  // names, sorted
  virtual bool Exists(const std::string& path) = 0;
  virtual Result<uint64_t> Size(const std::string& path) = 0;
  virtual Status SyncFile(const std::string& path) = 0;  // of a file somebody else wrote (DuckDB)
  virtual Status SyncDir(const std::string& path) = 0;  // makes renames and creations in it durable
};

std::unique_ptr<Files> MakeRealFiles();

// Writes `path`.tmp, syncs, renames over `path`, syncs the folder: readers see the old content or
// the new, whole.
// Durable when it returns Ok; after an error either may be there.
Status AtomicWrite(Files& files, const std::string& path, std::string_view content);
// The folder of a path: "a" for "a/b", "." for "b", "/" for "/b".
std::string ParentPath(std::string_view path);
std::string JoinPath(std::string_view a, std::string_view b);
// A single plain file or folder name, safe in a path, a log and a list of files: valid UTF-8, not
// empty, not "." or "..", without separators, quotes, control characters, or what globs and
// key=value folders are made of (= * ? [ ] { } \).
bool IsPlainName(std::string_view name);

// Who holds a home.
struct LockHolder {
  int64_t pid = 0;
  std::string note;  // what the holder wrote with SetNote, such as the address that it serves on;
                     // may be empty
};
inline constexpr size_t kLockNoteMaxBytes = 1024;

// Exclusive advisory lock on a home folder (an open file description lock on its lock file),
// released with the object or the process. ALREADY_EXISTS when held: the error carries the holder's
// pid and, when it serves, its address. The lock file itself stays, unless Remove takes it away; a
// note in it counts only while the lock is held.
class HomeLock {
 public:
  static Result<HomeLock> Acquire(const std::string& path);
  // Without taking the lock: who holds it. NOT_FOUND when nobody does.
  static Result<LockHolder> ReadHolder(const std::string& path);
  static Result<std::string> ReadNote(const std::string& path);
  HomeLock(HomeLock&&) noexcept;
  HomeLock& operator=(HomeLock&&) noexcept;
  ~HomeLock();

  // One line for whoever finds the home held, at most kLockNoteMaxBytes: control characters are
  // refused.
  Status SetNote(std::string_view note);
  // For a home that does not come into being after all: removes the lock file and gives the lock
  // back.
  Status Remove() &&;

 private:
  HomeLock(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_ = -1;
  std::string path_;
};

}  // namespace flyball::os
