#include "net/loop.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/assert.h"

namespace flyball::net {
namespace {

constexpr int kEventsPerBatch = 256;
constexpr int kAcceptsPerEvent = 64;
constexpr uint64_t kWakeToken = ~uint64_t{0};

uint64_t TokenOf(uint32_t slot, uint32_t generation) { return (uint64_t{generation} << 32) | slot; }

uint32_t Meaning(uint32_t events) {
  uint32_t what = 0;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) what |= kReadable;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) what |= kWritable;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) what |= kHungUp;
  return what;
}

std::string AddressText(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* where =
      address.ss_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr)
          : &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  const char* got = inet_ntop(address.ss_family, where, text.data(), text.size());
  return got != nullptr ? got : "";
}

}  // namespace

Loop::Loop(Clock& clock)
    : clock_(clock),
      timers_(clock.MonotonicUs()),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  FB_ASSERT(epoll_.valid() && wake_.valid());
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeToken;
  FB_ASSERT(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0);
}

Loop::~Loop() = default;

uint64_t Loop::Add(int fd, Watcher* watcher, bool level) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t index = free_.back();
  Slot& slot = slots_[index];
  epoll_event event{};
  event.events = level ? uint32_t{EPOLLIN} : EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = TokenOf(index, slot.generation + 1);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return 0;
  }
  free_.pop_back();
  ++slot.generation;  // never 0, so that no token is
  slot.watcher = watcher;
  return event.data.u64;
}

void Loop::Remove(uint64_t token, int fd) {
  if (token == 0) {
    return;
  }
  const auto index = static_cast<uint32_t>(token);
  Slot& slot = slots_[index];
  FB_ASSERT(TokenOf(index, slot.generation) == token && slot.watcher != nullptr);
  slot.watcher = nullptr;
  if (slot.generation < ~uint32_t{0} - 1) {
    free_.push_back(index);  // a slot whose generations are used up is never used again
  }
  epoll_event none{};
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &none);
}

void Loop::Post(std::function<void()> job) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(job));
  }
  if (first) {
    const uint64_t one = 1;
    [[maybe_unused]] ssize_t n = write(wake_.get(), &one, sizeof one);
  }
}

void Loop::Stop() {
  stopped_ = true;
  const uint64_t one = 1;
  [[maybe_unused]] ssize_t n = write(wake_.get(), &one, sizeof one);
}

void Loop::Run() {
  while (!stopped_) {
    RunOnce(-1);
  }
}

int Loop::WaitMs(int most_ms) const {
  const int64_t next_us = timers_.NextUs();
  if (next_us == kNeverUs) {
    return most_ms;
  }
  const int64_t left_us = std::max<int64_t>(next_us - clock_.MonotonicUs(), 0);
  const int64_t wait_ms = std::min<int64_t>((left_us + 999) / 1000, 60'000);
  return static_cast<int>(most_ms < 0 ? wait_ms : std::min<int64_t>(wait_ms, most_ms));
}

void Loop::RunOnce(int wait_ms) {
  std::array<epoll_event, kEventsPerBatch> events;  // NOLINT: filled by the kernel
  const int n = epoll_wait(epoll_.get(), events.data(), kEventsPerBatch, WaitMs(wait_ms));
  timers_.SetNow(clock_.MonotonicUs());
  bool woken = false;
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.u64 == kWakeToken) {
      woken = true;
    } else {
      Dispatch(event.data.u64, event.events);
    }
  }
  if (woken) {
    RunPosted();
  }
  timers_.Advance(timers_.now_us());
}

void Loop::Dispatch(uint64_t token, uint32_t events) {
  const auto index = static_cast<uint32_t>(token);
  const Slot& slot = slots_[index];
  if (slot.watcher != nullptr && TokenOf(index, slot.generation) == token) {
    slot.watcher->OnReady(Meaning(events));
  }
}

void Loop::RunPosted() {
  uint64_t count = 0;
  [[maybe_unused]] ssize_t n = read(wake_.get(), &count, sizeof count);
  std::vector<std::function<void()>> jobs;
  {
    std::lock_guard lock(mutex_);
    jobs.swap(posted_);
  }
  for (const auto& job : jobs) {
    job();
  }
}

Acceptor::Acceptor(Loop& loop, Fd listener, OnAccept on_accept)
    : loop_(loop),
      listener_(std::move(listener)),
      on_accept_(std::move(on_accept)),
      token_(loop.Add(listener_.get(), this, true)),
      again_(loop.timers(), [this] {
        token_ = loop_.Add(listener_.get(), this, true);
        if (token_ == 0) again_.SetAfter(int64_t{kAcceptPauseMs} * 1000);
      }) {}

Acceptor::~Acceptor() { loop_.Remove(token_, listener_.get()); }

void Acceptor::Pause() {
  ++pauses_;
  loop_.Remove(std::exchange(token_, 0), listener_.get());
  again_.SetAfter(int64_t{kAcceptPauseMs} * 1000);
}

void Acceptor::OnReady(uint32_t /*what*/) {
  for (int i = 0; i < kAcceptsPerEvent; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Fd fd(accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size,
                  SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        Pause();
        return;
      }
      if (errno != EINTR && errno != ECONNABORTED) {
        return;
      }
      continue;
    }
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    on_accept_(std::move(fd), AddressText(address));
  }
}

}  // namespace flyball::net
