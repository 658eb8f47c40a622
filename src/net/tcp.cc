#include "net/tcp.h"

#include <linux/tcp.h>
#include <netdb.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "net/resolver.h"
#include "net/tls.h"

namespace flyball::net {
namespace {

class TcpStream final : public Stream {
 public:
  explicit TcpStream(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}
  void SetOwner(StreamOwner* owner) override { socket_->owner = owner; }
  Moved Read(char* into, size_t room) override;
  Moved Write(std::span<const iovec> pieces) override;
  void EndWriting() override { shutdown(socket_->fd(), SHUT_WR); }
  bool HasNews() const override { return socket_->can_read; }
  bool HungUp() const override { return socket_->hung_up; }
  void Mark() override { mark_ = written_; }
  bool TookNothingSinceMark() const override {
    // The kernel counts the first packet of the connection as one byte more.
    return AcknowledgedBytes(socket_->fd()) <= mark_ + 1;
  }

 private:
  std::unique_ptr<Socket> socket_;
  uint64_t written_ = 0;
  uint64_t mark_ = 0;
};

Moved TcpStream::Read(char* into, size_t room) {
  if (!socket_->can_read) {
    return {};
  }
  while (true) {
    const ssize_t n = recv(socket_->fd(), into, room, 0);
    if (n > 0) {
      // A short read has emptied the socket: what comes later makes a new event, unless the end
      // has come already.
      socket_->can_read = static_cast<size_t>(n) == room || socket_->hung_up;
      return {Io::kMoved, static_cast<size_t>(n)};
    }
    if (n == 0) {
      return {Io::kEnd, 0};
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      socket_->can_read = false;
      return {};
    }
    if (errno != EINTR) {
      return {Io::kBroken, 0};
    }
  }
}

Moved TcpStream::Write(std::span<const iovec> pieces) {
  if (!socket_->can_write) {
    return {};
  }
  size_t asked = 0;
  for (const iovec& piece : pieces) {
    asked += piece.iov_len;
  }
  while (true) {
    ssize_t n = 0;
    if (pieces.size() == 1) {
      n = send(socket_->fd(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(pieces.data());
      message.msg_iovlen = pieces.size();
      n = sendmsg(socket_->fd(), &message, MSG_NOSIGNAL);
    }
    if (n >= 0) {
      socket_->can_write = static_cast<size_t>(n) == asked;
      written_ += static_cast<uint64_t>(n);
      return {Io::kMoved, static_cast<size_t>(n)};
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      socket_->can_write = false;
      return {};
    }
    if (errno != EINTR) {
      return {Io::kBroken, 0};
    }
  }
}

class SocketDialer;

// One dial: resolve, connect to one address after the other, shake hands.
class DialAttempt final : public Dialer::Attempt, private StreamOwner {
 public:
  DialAttempt(SocketDialer& dialer, Endpoint to, int64_t timeout_us, Dialer::Done done);
  ~DialAttempt() override;

 private:
  void OnStream() override;
  void OnAddresses(const Result<Addresses>& found);
  bool TryNext();
  void GoOn();
  void OnConnected();
  void OnTime();
  void Fault(std::string why) { fault_ = Error{Code::kUnavailable, std::move(why), {}, {}}; }
  void Finish(Result<std::unique_ptr<Stream>> result);

  SocketDialer& dialer_;
  Endpoint to_;
  Dialer::Done done_;
  int64_t deadline_us_;
  Timer timer_;
  uint64_t question_ = 0;
  bool resolved_ = false;
  Addresses addresses_;
  size_t next_ = 0;
  std::unique_ptr<Socket> socket_;
  std::unique_ptr<TlsStream> tls_;
  Error fault_;
};

class SocketDialer final : public Dialer {
 public:
  SocketDialer(Loop& on, const DialerOptions& how, std::unique_ptr<TlsContext> context)
      : loop(on), options(how), tls(std::move(context)), resolver(on, how.name_cache_us) {}
  std::unique_ptr<Attempt> Dial(const Endpoint& to, int64_t timeout_us, Done done) override {
    return std::make_unique<DialAttempt>(*this, to, timeout_us, std::move(done));
  }
  // The authorities of one endpoint vouch for no other.
  Result<TlsContext*> ContextFor(const std::string& ca_file) {
    if (ca_file.empty()) return tls.get();
    std::unique_ptr<TlsContext>& own = with_authorities_[ca_file];
    if (own == nullptr) {
      TlsOptions its = options.tls;
      its.more_ca_file = ca_file;
      own = FB_TRY(TlsContext::Make(its));
    }
    return own.get();
  }

  Loop& loop;  // NOLINT: the attempts use them
  DialerOptions options;
  std::unique_ptr<TlsContext> tls;
  Resolver resolver;

 private:
  std::map<std::string, std::unique_ptr<TlsContext>> with_authorities_;
};

DialAttempt::DialAttempt(SocketDialer& dialer, Endpoint to, int64_t timeout_us, Dialer::Done done)
    : dialer_(dialer),
      to_(std::move(to)),
      done_(std::move(done)),
      deadline_us_(dialer.loop.timers().now_us() + timeout_us),
      timer_(dialer.loop.timers(), [this] { OnTime(); }) {
  fault_ = Error{Code::kUnavailable, "there is no address to try", {}, {}};
  timer_.SetAt(deadline_us_);
  question_ = dialer_.resolver.Ask(to_.host,
                                   [this](const Result<Addresses>& found) { OnAddresses(found); });
}

DialAttempt::~DialAttempt() { dialer_.resolver.Cancel(question_); }

void DialAttempt::OnAddresses(const Result<Addresses>& found) {
  question_ = 0;
  if (found) {
    addresses_ = *found;
  } else {
    fault_ = found.error();
  }
  resolved_ = true;
  if (!TryNext()) {
    timer_.SetAt(dialer_.loop.timers().now_us());  // from the loop: nothing is told from Dial
  }
}

void DialAttempt::OnTime() {
  const bool late = dialer_.loop.timers().now_us() >= deadline_us_;
  if (late || !resolved_) {
    const bool named = resolved_;
    Finish(Fail(Code::kDeadlineExceeded,
                named ? "no connection within the time" : "the name was not resolved in time"));
    return;
  }
  if (socket_ || tls_) {
    Fault("the address did not answer in time");
  }
  GoOn();
}

void DialAttempt::GoOn() {
  if (TryNext()) {
    return;
  }
  Error error = fault_;
  if (error.code == Code::kUnavailable && resolved_) {
    error.message =
        "can't reach " + to_.host + " port " + std::to_string(to_.port) + ": " + error.message;
  }
  Finish(Fail(std::move(error)));
}

// False: no address is left.
bool DialAttempt::TryNext() {
  tls_.reset();
  socket_.reset();
  while (next_ < addresses_.size()) {
    Address address = addresses_[next_++];
    const auto port = htons(static_cast<uint16_t>(to_.port));
    if (address.where.ss_family == AF_INET6) {
      reinterpret_cast<sockaddr_in6&>(address.where).sin6_port = port;
    } else {
      reinterpret_cast<sockaddr_in&>(address.where).sin_port = port;
    }
    Fd fd(socket(address.where.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid()) {
      Fault("no socket: " + ErrnoText(errno));
      continue;
    }
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int now =
        connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.where), address.size);
    if (now != 0 && errno != EINPROGRESS) {
      Fault(ErrnoText(errno));
      continue;
    }
    socket_ = std::make_unique<Socket>(dialer_.loop, std::move(fd));
    if (!socket_->watched()) {
      Fault("the kernel watches no more sockets");
      socket_.reset();
      continue;
    }
    socket_->owner = this;
    const int64_t now_us = dialer_.loop.timers().now_us();
    const bool last = next_ == addresses_.size();
    timer_.SetAt(last ? deadline_us_
                      : std::min(deadline_us_, now_us + dialer_.options.address_timeout_us));
    return true;
  }
  return false;
}

void DialAttempt::OnStream() {
  if (!tls_) {
    if (socket_->can_write || socket_->hung_up) OnConnected();
    return;
  }
  Result<bool> shaken = tls_->Handshake();
  if (!shaken) {
    fault_ = std::move(shaken).error();
    GoOn();
  } else if (*shaken) {
    Finish(std::move(tls_));
  }
}

void DialAttempt::OnConnected() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    Fault(ErrnoText(error));
    GoOn();
    return;
  }
  if (to_.tls) {
    Result<TlsContext*> context = dialer_.ContextFor(to_.ca_file);
    if (!context) {
      fault_ = std::move(context).error();
      GoOn();
      return;
    }
    tls_ = (*context)->Wrap(std::move(socket_), to_);
    tls_->SetOwner(this);
    OnStream();
    return;
  }
  Finish(std::make_unique<TcpStream>(std::move(socket_)));
}

void DialAttempt::Finish(Result<std::unique_ptr<Stream>> result) {
  timer_.Stop();
  if (result) {
    (*result)->SetOwner(nullptr);
  }
  const Dialer::Done done = std::move(done_);
  done(std::move(result));  // may drop this attempt
}

}  // namespace

Socket::Socket(Loop& loop, Fd fd)
    : loop_(loop), fd_(std::move(fd)), token_(loop.Add(fd_.get(), this)) {}

Socket::~Socket() { loop_.Remove(token_, fd_.get()); }

void Socket::OnReady(uint32_t what) {
  can_read = can_read || (what & kReadable) != 0;
  can_write = can_write || (what & kWritable) != 0;
  hung_up = hung_up || (what & kHungUp) != 0;
  if (owner != nullptr) {
    owner->OnStream();
  }
}

uint64_t AcknowledgedBytes(int fd) {
  tcp_info facts{};
  socklen_t size = sizeof facts;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &facts, &size) != 0) {
    return ~uint64_t{0};  // not known: as if all had been taken
  }
  return facts.tcpi_bytes_acked;
}

std::unique_ptr<Stream> MakeTcpStream(Loop& loop, Fd fd) {
  return std::make_unique<TcpStream>(std::make_unique<Socket>(loop, std::move(fd)));
}

Result<std::unique_ptr<Dialer>> MakeDialer(Loop& loop, const DialerOptions& options) {
  std::unique_ptr<TlsContext> tls = FB_TRY(TlsContext::Make(options.tls));
  return std::make_unique<SocketDialer>(loop, options, std::move(tls));
}

}  // namespace flyball::net
