#include "net/socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

namespace flyball::net {
namespace {

constexpr int kBacklog = 512;

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Result<Addresses> Resolve(const std::string& address, int port, bool passive) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0);
  addrinfo* found = nullptr;
  const int fault = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (fault != 0) {
    return Fail(Code::kUnavailable,
                "the address '" + address + "' is not known: " + gai_strerror(fault));
  }
  return Addresses(found, &freeaddrinfo);
}

Result<Fd> ListenOnOne(const addrinfo& where, const std::string& name) {
  Fd fd(socket(where.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    return Fail(Code::kUnavailable, "no socket for " + name + ": " + ErrnoText(errno));
  }
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd.get(), where.ai_addr, where.ai_addrlen) != 0 || listen(fd.get(), kBacklog) != 0) {
    const bool taken = errno == EADDRINUSE;
    return Fail(Code::kUnavailable, "can't listen on " + name + ": " + ErrnoText(errno),
                taken ? "stop what listens there, or choose another port" : "");
  }
  return fd;
}

Status WaitConnected(int fd, int timeout_ms) {
  pollfd wait{fd, POLLOUT, 0};
  const int ready = poll(&wait, 1, timeout_ms);
  if (ready == 0) {
    return Fail(Code::kDeadlineExceeded, "no connection within the time");
  }
  int error = ready < 0 ? errno : 0;
  socklen_t size = sizeof error;
  if (ready > 0) {
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error != 0) {
    return Fail(Code::kUnavailable, ErrnoText(error));
  }
  return {};
}

Result<Fd> ConnectToOne(const addrinfo& where, int timeout_ms) {
  Fd fd(socket(where.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    return Fail(Code::kUnavailable, ErrnoText(errno));
  }
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd.get(), where.ai_addr, where.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) {
      return Fail(Code::kUnavailable, ErrnoText(errno));
    }
    FB_CHECK(WaitConnected(fd.get(), timeout_ms));
  }
  return fd;
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

std::string ErrnoText(int error) { return std::generic_category().message(error); }

Result<Fd> ListenOn(const std::string& address, int port) {
  Addresses addresses = FB_TRY(Resolve(address, port, true));
  const std::string name = address + " port " + std::to_string(port);
  Result<Fd> last = Fail(Code::kUnavailable, "no address for " + name);
  for (const addrinfo* where = addresses.get(); where != nullptr; where = where->ai_next) {
    last = ListenOnOne(*where, name);
    if (last) {
      break;
    }
  }
  return last;
}

int PortOf(int listening_fd) {
  sockaddr_storage where{};
  socklen_t size = sizeof where;
  getsockname(listening_fd, reinterpret_cast<sockaddr*>(&where), &size);
  return where.ss_family == AF_INET6 ? ntohs(reinterpret_cast<const sockaddr_in6&>(where).sin6_port)
                                     : ntohs(reinterpret_cast<const sockaddr_in&>(where).sin_port);
}

Result<Fd> ConnectTo(const std::string& address, int port, int timeout_ms) {
  Addresses addresses = FB_TRY(Resolve(address, port, false));
  Result<Fd> last = Fail(Code::kUnavailable, "no address");
  for (const addrinfo* where = addresses.get(); where != nullptr; where = where->ai_next) {
    last = ConnectToOne(*where, timeout_ms);
    if (last) {
      return last;
    }
  }
  Error error = std::move(last).error();
  error.message = "can't reach " + address + " port " + std::to_string(port) + ": " + error.message;
  return Fail(std::move(error));
}

}  // namespace flyball::net
