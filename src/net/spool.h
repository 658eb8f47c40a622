// Spool: the file that a large body is written to as it arrives. It removes itself.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/socket.h"

namespace flyball::net {

class Spool {
 public:
  // A new file, readable by this user only, with a name that nobody can guess.
  static Result<std::shared_ptr<Spool>> Create(const std::string& dir);
  Spool(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  // RESOURCE_EXHAUSTED when the disk is full.
  Status Write(std::string_view bytes);
  const std::string& path() const { return path_; }

 private:
  Fd fd_;
  std::string path_;
};

}  // namespace flyball::net
