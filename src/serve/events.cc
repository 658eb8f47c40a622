#include "serve/events.h"

#include <utility>

#include "serve/service.h"

namespace flyball::serve {

void EventHub::DropClosed() {
  std::erase_if(listeners_, [](const auto& listener) { return !listener->IsOpen(); });
}

void EventHub::Add(std::shared_ptr<net::EventStream> listener) {
  std::lock_guard lock(mutex_);
  DropClosed();
  if (listeners_.size() >= kEventListenersMax) {
    listeners_.front()->Close();
    listeners_.erase(listeners_.begin());
  }
  listeners_.push_back(std::move(listener));
}

void EventHub::Send(std::string_view event, std::string_view data) {
  std::lock_guard lock(mutex_);
  for (const auto& listener : listeners_) {
    listener->Send(event, data);
  }
  DropClosed();
}

size_t EventHub::size() {
  std::lock_guard lock(mutex_);
  DropClosed();
  return listeners_.size();
}

}  // namespace flyball::serve
