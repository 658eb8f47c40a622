// EventHub: the listeners of /api/v1/events. Thread-safe; a listener that does not keep up is
// dropped by net.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace flyball::serve {

class EventHub {
 public:
  // At the limit the one that has listened longest makes room.
  void Add(std::shared_ptr<net::EventStream> listener);
  void Send(std::string_view event, std::string_view data);
  size_t size();

 private:
  void DropClosed();

  std::mutex mutex_;
  std::vector<std::shared_ptr<net::EventStream>> listeners_;  // oldest first
};

}  // namespace flyball::serve
