// TLS as a client, over a socket of the loop: OpenSSL behind the interface of a plain stream.
//
// The name is sent (SNI) and verified against the authorities, as is an address; HTTP/1.1 is agreed
// by ALPN, TLS 1.2 is the least; the last session of an endpoint is offered again. Memory of an
// idle connection is given back.
#pragma once

#include <memory>

#include "net/tcp.h"

namespace flyball::net {

class TlsStream : public Stream {
 public:
  // True: done. False: not yet, ask again when the owner is called. FAILED_PRECONDITION: the other
  // side is not who it should be, or does not speak TLS.
  virtual Result<bool> Handshake() = 0;
  virtual bool ReusedSession() const = 0;
};

class TlsContext {
 public:
  // FAILED_PRECONDITION when the authorities can't be read. SIGPIPE is ignored from then on.
  static Result<std::unique_ptr<TlsContext>> Make(const TlsOptions& options);
  virtual ~TlsContext() = default;
  virtual std::unique_ptr<TlsStream> Wrap(std::unique_ptr<Socket> socket, const Endpoint& to) = 0;
};

inline constexpr size_t kTlsSessionsMax = 256;

}  // namespace flyball::net
