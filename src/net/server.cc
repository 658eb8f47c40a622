// The epoll loop: one thread that owns all sockets, and a pool that runs handlers and writes
// spools. Threads hand work back to the loop as closures for one connection, which are dropped when
// that connection is gone.
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <span>
#include <thread>
#include <unordered_map>

#include "net/connection.h"
#include "net/http.h"
#include "net/socket.h"
#include "net/spool.h"
#include "net/worker_pool.h"

namespace flyball::net {
namespace {

constexpr uint64_t kListenerId = 0;
constexpr uint64_t kWakeId = 1;
constexpr size_t kReadBytes = 128u << 10;
constexpr int kAcceptsPerWake = 64;
constexpr int kEventsPerWake = 128;
constexpr int kAcceptPauseMs = 200;  // when the process has run out of descriptors

class Peer;

// What threads hand to the loop. Outlives the server in the hands of those who still hold an answer
// to give.
class Mailbox {
 public:
  using Job = std::function<void(Peer&)>;
  Mailbox() : wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  int fd() const { return wake_.get(); }
  void Post(uint64_t peer, Job job) {
    {
      std::lock_guard lock(mutex_);
      jobs_.emplace_back(peer, std::move(job));
    }
    Wake();
  }
  void Wake() {
    const uint64_t one = 1;
    [[maybe_unused]] ssize_t n = write(wake_.get(), &one, sizeof one);
  }
  std::vector<std::pair<uint64_t, Job>> Take() {
    uint64_t count = 0;
    [[maybe_unused]] ssize_t n = read(wake_.get(), &count, sizeof count);
    std::lock_guard lock(mutex_);
    return std::exchange(jobs_, {});
  }

 private:
  Fd wake_;
  std::mutex mutex_;
  std::vector<std::pair<uint64_t, Job>> jobs_;
};

// Counts what waits for a slow client, in the mailbox and in its connection, and gives the client
// up beyond the limit.
class Stream final : public EventStream {
 public:
  Stream(std::shared_ptr<Mailbox> mailbox, uint64_t peer, uint64_t limit)
      : mailbox_(std::move(mailbox)), peer_(peer), limit_(limit) {}
  bool Send(std::string_view event, std::string_view data) override;
  bool IsOpen() const override { return open_; }
  void Close() override;
  void ClientIsGone() { open_ = false; }
  void Taken(uint64_t bytes) { waiting_ -= std::min<uint64_t>(bytes, waiting_); }

 private:
  std::shared_ptr<Mailbox> mailbox_;
  uint64_t peer_;
  uint64_t limit_;
  std::atomic<bool> open_ = true;
  std::atomic<uint64_t> waiting_ = 0;
};

struct Core {
  ServerOptions options;
  std::unique_ptr<Clock> own_clock;
  Clock* clock = nullptr;
  Server::Handler handler;
  Server::Admission admission;
  Server::Refusal refusal;
  std::map<std::string, Server::Subscriber> event_paths;
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();

  Response Refuse(int status, const Error& error) const {
    if (refusal) {
      return refusal(status, error);
    }
    return {
        status, {{"Content-Type", "text/plain; charset=utf-8"}}, error.ToString() + "\n", {}, {},
        {}};
  }
};

class Peer final : public ConnectionOwner {
 private:
  class Reply;

 public:
  Peer(Core& core, WorkerPool& pool, uint64_t id, Fd fd, std::string peer, std::string local)
      : core_(core),
        pool_(pool),
        id_(id),
        fd_(std::move(fd)),
        connection(core.options, *core.clock, *this, std::move(peer), std::move(local)) {}
  ~Peer() override {
    if (stream_) {
      stream_->ClientIsGone();
    }
  }

  Result<BodyPlan> Admit(const Request& head) override {
    return core_.admission ? core_.admission(head) : BodyPlan();
  }
  Response Refuse(int status, const Error& error) override { return core_.Refuse(status, error); }
  void Spool(std::string piece) override;
  void Handle(Request request) override;

  int fd() const { return fd_.get(); }
  uint64_t id() const { return id_; }
  // False: the connection is over.
  bool Read(std::span<char> buffer);
  bool Flush();
  uint32_t wanted_events() const {
    return (connection.WantsBytes() ? uint32_t{EPOLLIN} : 0u) |
           (connection.Output().empty() ? 0u : uint32_t{EPOLLOUT});
  }

 private:
  void OpenStream(Request request, const Server::Subscriber& subscriber);

  Core& core_;
  WorkerPool& pool_;
  uint64_t id_;
  Fd fd_;
  std::shared_ptr<net::Spool> spool_;
  std::shared_ptr<Stream> stream_;
  bool shut_ = false;

 public:
  uint32_t armed_events = EPOLLIN;
  Connection connection;
};

void Stream::Close() {
  if (open_.exchange(false)) {
    mailbox_->Post(peer_, [](Peer& peer) { peer.connection.Drain(); });
  }
}

bool Stream::Send(std::string_view event, std::string_view data) {
  if (!open_) {
    return false;
  }
  std::string frame = EventFrame(event, data);
  if (waiting_ + frame.size() > limit_) {
    Close();
    return false;
  }
  waiting_ += frame.size();
  mailbox_->Post(peer_,
                 [frame = std::move(frame)](Peer& peer) { peer.connection.PushEvent(frame); });
  return true;
}

void Peer::Spool(std::string piece) {
  auto job = [mailbox = core_.mailbox, id = id_, dir = core_.options.upload_dir, spool = spool_,
              piece = std::move(piece)]() mutable {
    Status status;
    if (!spool) {
      auto created = net::Spool::Create(dir);
      if (created) {
        spool = *std::move(created);
      } else {
        status = Fail(std::move(created).error());
      }
    }
    if (status) {
      status = spool->Write(piece);
    }
    mailbox->Post(id, [spool, status](Peer& peer) {
      peer.spool_ = spool;
      peer.connection.Spooled(status);
    });
  };
  pool_.Submit(std::move(job));
}

void Peer::OpenStream(Request request, const Server::Subscriber& subscriber) {
  stream_ = std::make_shared<Stream>(core_.mailbox, id_, core_.options.event_queue_max_bytes);
  connection.OpenEvents();
  pool_.Submit([&subscriber, request = std::move(request), stream = stream_] {
    subscriber(request, stream);
  });
}

// One answer to one request: later ones are dropped, and who forgets to answer answers 500.
class Peer::Reply {
 public:
  Reply(std::shared_ptr<Mailbox> mailbox, uint64_t peer, std::shared_ptr<net::Spool> spool)
      : mailbox_(std::move(mailbox)), peer_(peer), spool_(std::move(spool)) {}
  ~Reply() {
    if (!given_) {
      // The server itself may be gone by now, so nobody is asked for better words.
      Response forgotten;
      forgotten.status = 500;
      Give(std::move(forgotten));
    }
  }
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  void Give(Response response) {
    if (given_.exchange(true)) {
      return;
    }
    mailbox_->Post(peer_, [response = std::move(response)](Peer& peer) mutable {
      peer.connection.Respond(std::move(response));
    });
  }

 private:
  std::shared_ptr<Mailbox> mailbox_;
  uint64_t peer_;
  std::shared_ptr<net::Spool> spool_;  // lives as long as whoever may still answer
  std::atomic<bool> given_ = false;
};

void Peer::Handle(Request request) {
  auto events = core_.event_paths.find(request.path);
  if (events != core_.event_paths.end() && request.method == "GET") {
    OpenStream(std::move(request), events->second);
    return;
  }
  std::shared_ptr<net::Spool> spool = std::exchange(spool_, nullptr);
  if (spool) {
    request.body_file = spool->path();
  }
  auto reply = std::make_shared<Reply>(core_.mailbox, id_, std::move(spool));
  pool_.Submit([&core = core_, reply = std::move(reply), request = std::move(request)] {
    Response response;
    try {
      response = core.handler(request);
    } catch (const std::exception& fault) {
      response = core.Refuse(500, Error{Code::kInternal, fault.what(), {}, {}});
    }
    if (response.later) {
      response.later([reply](Response answer) { reply->Give(std::move(answer)); });
    } else {
      reply->Give(std::move(response));
    }
  });
}

bool Peer::Read(std::span<char> buffer) {
  const ssize_t n = recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (n > 0) {
    connection.Receive({buffer.data(), static_cast<size_t>(n)});
  } else if (n == 0) {
    connection.ReceiveEnd();
  } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
    return false;
  }
  return true;
}

bool Peer::Flush() {
  while (!connection.Output().empty()) {
    const std::string_view bytes = connection.Output();
    const ssize_t n = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    connection.Written(static_cast<size_t>(n));
    if (stream_) {
      stream_->Taken(static_cast<uint64_t>(n));
    }
  }
  if (connection.IsLingering() && !shut_) {
    shut_ = true;
    shutdown(fd_.get(), SHUT_WR);
  }
  return !connection.IsClosed();
}

std::string AddressText(const sockaddr_storage& address, socklen_t size) {
  std::array<char, NI_MAXHOST> host{};
  getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host.data(), host.size(), nullptr,
              0, NI_NUMERICHOST);
  return host.data();
}

class EpollServer final : public Server {
 public:
  EpollServer(Core core, Fd listener)
      : core_(std::move(core)),
        listener_(std::move(listener)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        port_(PortOf(listener_.get())),
        pool_(std::make_unique<WorkerPool>(core_.options.threads)) {
    Watch(listener_.get(), EPOLLIN, kListenerId);
    Watch(core_.mailbox->fd(), EPOLLIN, kWakeId);
    loop_ = std::thread([this] { Loop(); });
  }
  ~EpollServer() override {
    Drain(0);
    pool_.reset();  // joins: what still runs may refer to core_
  }
  int port() const override { return port_; }
  void Drain(int timeout_ms) override {
    std::lock_guard lock(drain_mutex_);
    if (!loop_.joinable()) {
      return;
    }
    drain_until_us_ = core_.clock->MonotonicUs() + int64_t{timeout_ms} * 1000;
    draining_ = true;
    core_.mailbox->Wake();
    loop_.join();
  }

 private:
  void Watch(int fd, uint32_t events, uint64_t id) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }
  int TickMs() const {
    const ServerOptions& o = core_.options;
    const int shortest = std::min({o.idle_timeout_ms, o.head_timeout_ms, o.body_window_ms,
                                   o.write_timeout_ms, o.heartbeat_ms});
    return std::clamp(shortest / 4, 5, 500);
  }
  void Loop();
  void Accept();
  void AcceptOne(Fd fd, const sockaddr_storage& address, socklen_t size);
  bool MakeRoom();
  void Serve(uint64_t id, uint32_t events);
  void Settle(Peer& peer, bool alive);
  void RunMail();
  void TickAll();
  bool DrainStep();

  Core core_;
  Fd listener_;
  Fd epoll_;
  int port_;
  std::unique_ptr<WorkerPool> pool_;
  std::unordered_map<uint64_t, std::unique_ptr<Peer>> peers_;
  uint64_t next_id_ = kWakeId + 1;
  int64_t accept_again_us_ = 0;  // 0: accepting
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
  std::mutex drain_mutex_;
  std::atomic<bool> draining_ = false;
  std::atomic<int64_t> drain_until_us_ = 0;
  bool drain_begun_ = false;
  std::thread loop_;
};

void EpollServer::Loop() {
  std::array<epoll_event, kEventsPerWake> events{};
  const int tick_ms = TickMs();
  int64_t next_tick_us = 0;
  while (!DrainStep()) {
    const bool timed = !peers_.empty() || accept_again_us_ != 0;
    const int wait_ms = drain_begun_ ? std::min(tick_ms, 20) : timed ? tick_ms : -1;
    const int n = epoll_wait(epoll_.get(), events.data(), kEventsPerWake, wait_ms);
    for (int i = 0; i < n; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      if (event.data.u64 == kListenerId) {
        Accept();
      } else if (event.data.u64 != kWakeId) {
        Serve(event.data.u64, event.events);
      }
    }
    RunMail();
    const int64_t now_us = core_.clock->MonotonicUs();
    if (now_us >= next_tick_us) {
      next_tick_us = now_us + int64_t{tick_ms} * 1000;
      TickAll();
    }
  }
  peers_.clear();
}

void EpollServer::Accept() {
  for (int i = 0; i < kAcceptsPerWake; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Fd fd(accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size,
                  SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      AcceptOne(std::move(fd), address, size);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr);
      accept_again_us_ = core_.clock->MonotonicUs() + int64_t{kAcceptPauseMs} * 1000;
    }
    if (errno != EINTR && errno != ECONNABORTED) {
      return;
    }
  }
}

void EpollServer::AcceptOne(Fd fd, const sockaddr_storage& address, socklen_t size) {
  if (!MakeRoom()) {
    static constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    [[maybe_unused]] ssize_t n = send(fd.get(), kFull.data(), kFull.size(), MSG_NOSIGNAL);
    return;
  }
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const uint64_t id = next_id_++;
  Watch(fd.get(), EPOLLIN, id);
  sockaddr_storage own{};
  socklen_t own_size = sizeof own;
  std::string local;
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &own_size) == 0) {
    local = AddressText(own, own_size);
  }
  peers_.emplace(id, std::make_unique<Peer>(core_, *pool_, id, std::move(fd),
                                            AddressText(address, size), std::move(local)));
}

// At the limit the connection that has been idle longest goes; false when all are at work.
bool EpollServer::MakeRoom() {
  if (peers_.size() < static_cast<size_t>(core_.options.connections_max)) {
    return true;
  }
  uint64_t oldest = 0;
  int64_t since_us = std::numeric_limits<int64_t>::max();
  for (const auto& [id, peer] : peers_) {
    if (peer->connection.IsIdle() && peer->connection.idle_since_us() < since_us) {
      oldest = id;
      since_us = peer->connection.idle_since_us();
    }
  }
  return peers_.erase(oldest) > 0;
}

void EpollServer::Serve(uint64_t id, uint32_t events) {
  auto found = peers_.find(id);
  if (found == peers_.end()) {
    return;
  }
  Peer& peer = *found->second;
  bool alive = (events & EPOLLERR) == 0;
  if (alive && peer.connection.WantsBytes() && (events & (EPOLLIN | EPOLLHUP)) != 0) {
    alive = peer.Read(buffer_);
  } else if ((events & EPOLLHUP) != 0) {
    alive = false;  // both directions are gone: nobody waits for the answer
  }
  Settle(peer, alive);
}

void EpollServer::Settle(Peer& peer, bool alive) {
  if (!alive || !peer.Flush()) {
    peers_.erase(peer.id());
    return;
  }
  const uint32_t wanted = peer.wanted_events();
  if (wanted != peer.armed_events) {
    epoll_event event{};
    event.events = wanted;
    event.data.u64 = peer.id();
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, peer.fd(), &event);
    peer.armed_events = wanted;
  }
}

void EpollServer::RunMail() {
  for (auto& [id, job] : core_.mailbox->Take()) {
    auto found = peers_.find(id);
    if (found != peers_.end()) {
      job(*found->second);
      Settle(*found->second, true);
    }
  }
}

void EpollServer::TickAll() {
  const int64_t now_us = core_.clock->MonotonicUs();
  if (accept_again_us_ != 0 && now_us >= accept_again_us_ && !drain_begun_) {
    accept_again_us_ = 0;
    Watch(listener_.get(), EPOLLIN, kListenerId);
  }
  std::vector<uint64_t> due;
  for (const auto& [id, peer] : peers_) {
    if (peer->connection.deadline_us() <= now_us) {
      due.push_back(id);
    }
  }
  for (uint64_t id : due) {
    Peer& peer = *peers_.at(id);
    peer.connection.Tick();
    Settle(peer, true);
  }
}

// True when the loop has to end.
bool EpollServer::DrainStep() {
  if (!draining_) {
    return false;
  }
  if (!drain_begun_) {
    drain_begun_ = true;
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr);
    listener_ = Fd();
    std::vector<Peer*> all;
    for (const auto& [id, peer] : peers_) {
      all.push_back(peer.get());
    }
    for (Peer* peer : all) {
      peer->connection.Drain();
      Settle(*peer, true);
    }
  }
  return peers_.empty() || core_.clock->MonotonicUs() >= drain_until_us_;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Handler handler,
                                              Admission admission,
                                              std::map<std::string, Subscriber> event_paths,
                                              Refusal refusal) {
  Fd listener = FB_TRY(ListenOn(options.address, options.port));
  Core core;
  core.options = options;
  core.options.loopback_hosts_only = options.loopback_hosts_only || IsLoopback(options.address);
  core.clock = options.clock;
  if (core.clock == nullptr) {
    core.own_clock = MakeSystemClock();
    core.clock = core.own_clock.get();
  }
  core.handler = std::move(handler);
  core.admission = std::move(admission);
  core.refusal = std::move(refusal);
  core.event_paths = std::move(event_paths);
  return std::make_unique<EpollServer>(std::move(core), std::move(listener));
}

}  // namespace flyball::net
