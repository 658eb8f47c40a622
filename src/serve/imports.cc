#include "serve/imports.h"

#include <array>

#include "base/clock.h"
#include "base/hash.h"

namespace flyball::serve {

std::string_view ImportStateName(ImportQueue::State state) {
  switch (state) {
    case ImportQueue::State::kWaiting:
      return "waiting";
    case ImportQueue::State::kRunning:
      return "running";
    case ImportQueue::State::kDone:
      return "done";
    case ImportQueue::State::kFailed:
      return "failed";
  }
  return "";
}

ImportQueue::ImportQueue(Run run) : run_(std::move(run)), thread_([this] { Work(); }) {}

ImportQueue::~ImportQueue() { Stop(); }

Result<std::string> ImportQueue::Submit(ImportJob job, std::shared_ptr<void> holds, Done done) {
  std::array<uint8_t, 8> random{};
  SecureRandomBytes(random.data(), random.size());
  auto entry = std::make_shared<Entry>();
  entry->view.id = Hex(random);
  entry->view.source = job.source;
  entry->job = std::move(job);
  entry->holds = std::move(holds);
  entry->done = std::move(done);
  std::lock_guard lock(mutex_);
  if (stopping_) {
    return Fail(Code::kUnavailable, "the server is stopping");
  }
  if (waiting_.size() >= kImportsWaitingMax) {
    return Fail(Code::kResourceExhausted, "too many imports are waiting", "try again later");
  }
  entries_[entry->view.id] = entry;
  waiting_.push_back(entry);
  wake_.notify_one();
  return entry->view.id;
}

std::optional<ImportQueue::View> ImportQueue::Find(const std::string& id) {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(id);
  return found == entries_.end() ? std::nullopt : std::optional(found->second->view);
}

void ImportQueue::Work() {
  for (;;) {
    std::shared_ptr<Entry> entry;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) {
        return;
      }
      entry = std::move(waiting_.front());
      waiting_.pop_front();
      entry->view.state = State::kRunning;
    }
    Result<std::string> report =
        run_ ? run_(
                   entry->job,
                   [this, &entry](uint64_t done, uint64_t total) {
                     std::lock_guard lock(mutex_);
                     entry->view.bytes_done = done;
                     entry->view.bytes_total = total;
                     return !stopping_;
                   },
                   stop_.get_token())
             : Result<std::string>(Fail(Code::kUnimplemented, "this server does not import"));
    Finish(entry, std::move(report));
  }
}

void ImportQueue::Finish(const std::shared_ptr<Entry>& entry, Result<std::string> report) {
  entry->holds.reset();
  Done done;
  {
    std::lock_guard lock(mutex_);
    entry->view.state = report ? State::kDone : State::kFailed;
    entry->view.report = report;
    done = std::move(entry->done);
    finished_.push_back(entry->view.id);
    if (finished_.size() > kImportsRememberedMax) {
      entries_.erase(finished_.front());
      finished_.pop_front();
    }
  }
  if (done) {
    done(report);
  }
}

void ImportQueue::Stop() {
  std::deque<std::shared_ptr<Entry>> refused;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    refused.swap(waiting_);
  }
  stop_.request_stop();
  wake_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
  for (const auto& entry : refused) {
    Finish(entry, Fail(Code::kUnavailable, "the server is stopping", "import again later"));
  }
}

}  // namespace flyball::serve
