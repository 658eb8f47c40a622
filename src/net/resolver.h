// Names to addresses, off the loop: getaddrinfo blocks, so a thread calls it. Answers are
// remembered for a while; who asks for a name that is being looked up waits for the same answer.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "net/loop.h"
#include "net/tcp.h"

namespace flyball::net {

using Addresses = std::vector<Address>;

class Resolver {
 public:
  using Lookup = std::function<Result<Addresses>(const std::string& host)>;
  using Done = std::function<void(const Result<Addresses>&)>;
  // `lookup` is called on the resolver's thread; empty: the system's.
  Resolver(Loop& loop, int64_t cache_us, Lookup lookup = {});
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // On the loop's thread, as is `done`: at once when the answer is known (numbers, the cache). The
  // ports of the addresses are not set. The number is for Cancel, 0 when `done` was called.
  uint64_t Ask(const std::string& host, Done done);
  void Cancel(uint64_t number);

 private:
  struct Known {
    Addresses addresses;
    int64_t until_us = 0;
  };
  struct Waiting {
    std::string host;
    Done done;
  };
  void Work();
  void Answer(const std::string& host, const Result<Addresses>& answer);

  Loop& loop_;
  int64_t cache_us_;
  Lookup lookup_;
  std::map<std::string, Known> known_;
  std::map<uint64_t, Waiting> waiting_;
  uint64_t next_ = 1;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::string> queue_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace flyball::net
