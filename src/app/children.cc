#include "app/children.h"

#include <csignal>

#include "base/log.h"

namespace flyball::app {

Child::Child(const Environment& environment, Plan plan)
    : program_(environment.program), plan_(std::move(plan)), thread_([this] { Keep(); }) {}

Child::~Child() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    if (running_ != nullptr) running_->Kill(SIGTERM);
  }
  wake_.notify_all();
  thread_.join();
}

void Child::Keep() {
  do {
    if (!plan_.wanted || plan_.wanted()) RunOnce();
  } while (Pause());
}

bool Child::Pause() {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, std::chrono::microseconds(plan_.pause_us),
                         [this] { return stopping_; });
}

void Child::RunOnce() {
  os::ChildOptions options;
  options.argv = {program_};
  options.argv.insert(options.argv.end(), plan_.arguments.begin(), plan_.arguments.end());
  options.on_error_line = [this](std::string_view line) {
    log::Info("from a child", {{"child", plan_.name}, {"line", line}});
  };
  Result<os::Child> child = os::Child::Spawn(options);
  if (!child) {
    log::Error("a child could not be started",
               {{"child", plan_.name}, {"why", child.error().ToString()}});
    return;
  }
  {
    std::lock_guard lock(mutex_);
    running_ = &*child;
    if (stopping_) child->Kill(SIGTERM);
  }
  const Result<os::ChildExit> exit = child->Wait();
  {
    std::lock_guard lock(mutex_);
    running_ = nullptr;
    if (stopping_) return;
  }
  if (exit && exit->exit_code == 0 && !plan_.log_end) return;
  log::Warn("a child has ended",
            {{"child", plan_.name}, {"exit", exit ? std::to_string(exit->exit_code) : "unknown"}});
}

}  // namespace flyball::app
