#include "engine/supervisor.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace flyball::engine {
namespace {

constexpr int64_t kInterruptAgainUs = 5'000;
constexpr int64_t kLookAgainUs = 60 * kMicrosPerSecond;  // when nothing is due sooner

}  // namespace

Supervisor::Supervisor(Clock& clock, int64_t limit_us)
    : clock_(clock), limit_us_(limit_us), thread_([this] { Loop(); }) {}

Supervisor::~Supervisor() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Status Supervisor::Why(Ended ended) const {
  if (ended == Ended::kTime) {
    return Fail(Code::kDeadlineExceeded,
                fmt::format("the question took longer than {} ms", limit_us_ / 1000),
                "ask for a shorter time, a coarser grain, fewer dimensions or the top; `flyball "
                "serve --query-timeout` sets the limit");
  }
  if (ended == Ended::kStop) {
    return Fail(Code::kUnavailable, "Flyball is stopping", "ask again when it has started");
  }
  return {};
}

Result<Supervisor::Watch> Supervisor::Over(Connection& connection) {
  std::lock_guard lock(mutex_);
  if (stopping_) return Fail(Why(Ended::kStop).error());
  const bool first = watched_.empty();
  const int64_t until_us = limit_us_ > 0 ? clock_.MonotonicUs() + limit_us_ : INT64_MAX;
  watched_.push_back({&connection, until_us});
  // The others are due earlier, and the thread looks again then.
  if (first) changed_.notify_all();
  return Watch(*this, std::prev(watched_.end()));
}

void Supervisor::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void Supervisor::Loop() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    const int64_t now_us = clock_.MonotonicUs();
    int64_t wait_us = kLookAgainUs;
    for (Watched& each : watched_) {
      if (each.ended == Ended::kNo && each.until_us <= now_us) each.ended = Ended::kTime;
      if (each.ended == Ended::kNo && stopping_) each.ended = Ended::kStop;
      if (each.ended == Ended::kNo) {
        wait_us = std::min(wait_us, each.until_us - now_us);
      } else {
        each.connection->Interrupt();
        wait_us = std::min(wait_us, kInterruptAgainUs);
      }
    }
    changed_.wait_for(lock, std::chrono::microseconds(wait_us));
  }
}

Supervisor::Watch::Watch(Watch&& other) noexcept
    : supervisor_(std::exchange(other.supervisor_, nullptr)), at_(other.at_) {}

Status Supervisor::Watch::LetGo() {
  if (supervisor_ == nullptr) return {};
  Supervisor& supervisor = *std::exchange(supervisor_, nullptr);
  std::lock_guard lock(supervisor.mutex_);
  const Ended ended = at_->ended;
  supervisor.watched_.erase(at_);
  return supervisor.Why(ended);
}

}  // namespace flyball::engine
