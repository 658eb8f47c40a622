#include "serve/desk_queue.h"

#include "serve/service.h"

namespace flyball::serve {
namespace {

std::unexpected<Error> Stopping() { return Fail(Code::kUnavailable, "the server is stopping"); }

}  // namespace

DeskQueue::DeskQueue(std::string what)
    : what_(std::move(what)), thread_(std::make_unique<net::WorkerPool>(1)) {}

void DeskQueue::Submit(Work work, Done done) {
  Result<std::string> refused = Stopping();
  {
    std::lock_guard lock(mutex_);
    if (thread_ != nullptr && waiting_ < kDeskWaitingMax) {
      ++waiting_;
      thread_->Submit([this, work = std::move(work), done = std::move(done)] {
        done(Leave() ? work() : Stopping());
      });
      return;
    }
    if (thread_ != nullptr) {
      refused =
          Fail(Code::kResourceExhausted, "too many requests wait for " + what_, "try again later");
    }
  }
  done(std::move(refused));
}

bool DeskQueue::Leave() {
  std::lock_guard lock(mutex_);
  --waiting_;
  return thread_ != nullptr;
}

void DeskQueue::Stop() {
  std::unique_ptr<net::WorkerPool> thread;
  {
    std::lock_guard lock(mutex_);
    thread = std::move(thread_);
  }
}

}  // namespace flyball::serve
