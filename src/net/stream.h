// Stream: a connection that never blocks, whatever carries it: a socket (net/tcp.h), TLS
// (net/tls.h), or the simulated network (net/sim_stream.h). One thread owns it.
//
// Reading or writing tells when it would block; from then on the owner is called as soon as it is
// worth another try. Asking again in between costs no system call. An owner may drop its stream in
// that call.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace flyball::net {

enum class Io : uint8_t {
  kMoved,    // `bytes` of them, more than 0
  kBlocked,  // nothing now
  kEnd,      // reading: the other side has said all, and said so
  kBroken,
};

struct Moved {
  Io state = Io::kBlocked;
  size_t bytes = 0;
};

class StreamOwner {
 public:
  virtual ~StreamOwner() = default;
  virtual void OnStream() = 0;
};

class Stream {
 public:
  virtual ~Stream() = default;
  virtual void SetOwner(StreamOwner* owner) = 0;
  virtual Moved Read(char* into, size_t room) = 0;
  // Fewer bytes than were given: the rest would block.
  virtual Moved Write(std::span<const iovec> pieces) = 0;
  // Says that all is said; reading goes on.
  virtual void EndWriting() = 0;
  // HasNews: there may be something to read, or the other side has hung up. HungUp: it has, and
  // sends no more.
  virtual bool HasNews() const = 0;
  virtual bool HungUp() const = 0;
  // Marks this point of what is written. TookNothingSinceMark: the connection is over, and it is
  // certain that the other side's program has read no byte behind the mark.
  virtual void Mark() = 0;
  virtual bool TookNothingSinceMark() const = 0;
};

struct Endpoint {
  std::string host;
  int port = 0;
  bool tls = false;
  std::string
      ca_file{};  // certificates (PEM) that vouch for it, beside those that all are asked of
};

class Dialer {
 public:
  using Done = std::function<void(Result<std::unique_ptr<Stream>>)>;
  // Dropping it gives up, after which `done` is not called.
  class Attempt {
   public:
    virtual ~Attempt() = default;
  };
  virtual ~Dialer() = default;
  // `done` is called once, later, never from within Dial. UNAVAILABLE or DEADLINE_EXCEEDED when no
  // address answers within the time; FAILED_PRECONDITION when TLS finds the other side not to be
  // who it should be.
  virtual std::unique_ptr<Attempt> Dial(const Endpoint& to, int64_t timeout_us, Done done) = 0;
};

}  // namespace flyball::net
