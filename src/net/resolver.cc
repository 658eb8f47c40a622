#include "net/resolver.h"

#include <netdb.h>

#include <algorithm>
#include <cstring>

namespace flyball::net {
namespace {

Result<Addresses> SystemLookup(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const int fault = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (fault != 0) {
    return Fail(Code::kUnavailable, "the name '" + host + "' is not known: " + gai_strerror(fault),
                "check base_url and this machine's name service");
  }
  Addresses addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (addresses.size() == kAddressesTriedMax) break;
    Address address;
    std::memcpy(&address.where, at->ai_addr, at->ai_addrlen);
    address.size = at->ai_addrlen;
    addresses.push_back(address);
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

Resolver::Resolver(Loop& loop, int64_t cache_us, Lookup lookup)
    : loop_(loop),
      cache_us_(cache_us),
      lookup_(lookup ? std::move(lookup)
                     : [](const std::string& host) { return SystemLookup(host, AI_ADDRCONFIG); }) {
  thread_ = std::thread([this] { Work(); });
}

Resolver::~Resolver() {
  *alive_ = false;
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  more_.notify_one();
  thread_.join();
}

uint64_t Resolver::Ask(const std::string& host, Done done) {
  if (auto number = SystemLookup(host, AI_NUMERICHOST)) {
    done(number);
    return 0;
  }
  auto known = known_.find(host);
  if (known != known_.end() && loop_.timers().now_us() < known->second.until_us) {
    done(known->second.addresses);
    return 0;
  }
  const bool asked =
      std::ranges::any_of(waiting_, [&](const auto& entry) { return entry.second.host == host; });
  const uint64_t number = next_++;
  waiting_.emplace(number, Waiting{host, std::move(done)});
  if (!asked) {
    {
      std::lock_guard lock(mutex_);
      queue_.push_back(host);
    }
    more_.notify_one();
  }
  return number;
}

void Resolver::Cancel(uint64_t number) {
  auto found = waiting_.find(number);
  if (found != waiting_.end()) {
    found->second.done = nullptr;  // stays, so that the name is not asked for twice
  }
}

void Resolver::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    more_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    if (stop_) {
      return;
    }
    const std::string host = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    Result<Addresses> answer = lookup_(host);
    loop_.Post([this, alive = alive_, host, answer = std::move(answer)] {
      if (*alive) Answer(host, answer);
    });
    lock.lock();
  }
}

void Resolver::Answer(const std::string& host, const Result<Addresses>& answer) {
  if (answer) {
    if (known_.size() >= kNamesCachedMax) {
      known_.clear();
    }
    known_[host] = Known{*answer, loop_.timers().now_us() + cache_us_};
  }
  // One by one, as who is answered may cancel another.
  std::vector<uint64_t> askers;
  for (const auto& [number, waiting] : waiting_) {
    if (waiting.host == host) askers.push_back(number);
  }
  for (const uint64_t number : askers) {
    const Done done = std::move(waiting_.at(number).done);
    waiting_.erase(number);
    if (done) done(answer);
  }
}

}  // namespace flyball::net
