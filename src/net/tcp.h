// Streams over TCP sockets, and how they come to be: names are resolved on a thread of their own
// and remembered, every address is tried, TLS (net/tls.h) is spoken where the endpoint asks for it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "net/loop.h"
#include "net/stream.h"

namespace flyball::net {

struct Address {
  sockaddr_storage where{};
  socklen_t size = 0;
};

// A socket on a loop: what the kernel said last, so that no call is made in vain.
class Socket final : private Watcher {
 public:
  Socket(Loop& loop, Fd fd);
  ~Socket() override;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int fd() const { return fd_.get(); }
  bool watched() const { return token_ != 0; }
  StreamOwner* owner = nullptr;
  bool can_read = false;
  bool can_write = false;
  bool hung_up = false;

 private:
  void OnReady(uint32_t what) override;
  Loop& loop_;
  Fd fd_;
  uint64_t token_;
};

// How many bytes the other side has acknowledged; survives the end of the connection.
uint64_t AcknowledgedBytes(int fd);

// A connected socket as a stream.
std::unique_ptr<Stream> MakeTcpStream(Loop& loop, Fd fd);

struct TlsOptions {
  std::string ca_file;       // empty: the authorities that the system trusts
  std::string more_ca_file;  // and these, when not empty
};
// FAILED_PRECONDITION when it holds no certificate that can be read.
Status CheckCaFile(const std::string& path);

struct DialerOptions {
  TlsOptions tls;
  int64_t name_cache_us = 30'000'000;      // how long an answer of the resolver holds
  int64_t address_timeout_us = 3'000'000;  // then the next address of a name is tried
};
// FAILED_PRECONDITION when the authorities can't be read.
Result<std::unique_ptr<Dialer>> MakeDialer(Loop& loop, const DialerOptions& options);

inline constexpr size_t kNamesCachedMax = 1024;
inline constexpr size_t kAddressesTriedMax = 8;

}  // namespace flyball::net
