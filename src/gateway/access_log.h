// Access log: a line of JSON for every request that is no page of our own: whose it was, where it
// went, how it ended and how long it took. Never a prompt, an answer, a header, a key or a query
// string.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/time.h"
#include "os/files.h"

namespace flyball::gateway {

// Empty texts and zeros are left out.
struct AccessLine {
  Instant at;                   // when it ended
  std::string_view peer, path;  // the path ends before a '?'
  std::string_view key;         // the id of the virtual key
  std::string_view dialect, model, upstream;
  bool stream = false;
  int attempts = 0;
  uint64_t call = 0;  // of the last attempt, as in the log of calls
  int status = 0;     // that the client got
  std::string_view ended;
  int64_t us = 0;  // from the whole request to the end of its answer
};

class AccessLog {
 public:
  // `path`: a file, or "-" (or /dev/stdout) for standard output, which may be another for tests.
  AccessLog(os::Files& files, std::string path, int output = STDOUT_FILENO)
      : files_(files),
        path_(std::move(path)),
        output_(output),
        is_output_(path_ == "-" || path_ == "/dev/stdout") {}
  ~AccessLog();  // what nobody takes within a moment is dropped, and told
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // Written with others, soon.
  void Add(const AccessLine& line);
  // A file that was moved away is begun anew. What can't be written, or what the reader of standard
  // output does not take, is dropped, counted and told once: no call waits for its line.
  void Flush();
  uint64_t dropped() const { return dropped_; }

 private:
  Status Write();
  void Drop();

  os::Files& files_;
  std::string path_;
  int output_;
  bool is_output_;
  bool cut_ = false;  // what is out ends within a line
  std::unique_ptr<os::WritableFile> file_;
  std::string lines_;
  uint64_t dropped_ = 0;
  log::LastingFault fault_;
};

}  // namespace flyball::gateway
