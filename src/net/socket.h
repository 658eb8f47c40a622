// The few socket calls that server and client share, with errors as Results.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace flyball::net {

// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Non-blocking, close-on-exec. UNAVAILABLE with the reason; ALREADY_EXISTS when the port is taken.
Result<Fd> ListenOn(const std::string& address, int port);
int PortOf(int listening_fd);
// Connects within the time; the socket is non-blocking afterwards.
Result<Fd> ConnectTo(const std::string& address, int port, int timeout_ms);
// "Connection refused" for an errno, thread-safe.
std::string ErrnoText(int error);

}  // namespace flyball::net
