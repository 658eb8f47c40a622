// Proxy: the byte-moving half of the gateway. Read call.h first: it draws the seam to the other
// half, which decides.
//
// Clients speak HTTP/1.1 to it, one request at a time a connection (what they pipeline waits). A
// request is read whole, within limits; its Call says where it goes; the answer is passed on piece
// by piece as it comes, each in one write, and no faster than the client takes it. Connections to
// upstreams are kept and used again. A client that leaves in the middle of an answer does not end
// the upstream's: it is read on, to the bin and within bounds, so that the call's usage is known.
//
// The proxy does no input or output of its own: it is given streams (net/stream.h), a dialer, and a
// wheel of timers, so that the tests drive it by seeds over the simulated network. One thread.
//
// - proxy_core.h: the parts below, and what they share
// - client.cc: one connection of a client: reads requests, writes answers
// - exchange.cc: one call: its attempts, the answer, its one End
// - heads.h: what stands in the heads that go either way
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/call.h"
#include "net/stream.h"
#include "net/timers.h"

namespace flyball::gateway {

struct ProxyOptions {
  size_t connections_max = 8192;
  size_t head_max_bytes = 64u << 10;
  size_t headers_max = 128;
  size_t body_max_bytes = 32u << 20;
  size_t bodies_max_bytes = 512u << 20;  // of all requests that are read or run
  size_t payer_max_bytes = 128u << 20;  // of those of one key, while more than half of that is held
  int64_t idle_timeout_us = 75'000'000;  // between requests of a client
  int64_t head_timeout_us = 10'000'000;  // from the first byte of a request to the end of its head
  int64_t body_window_us = 20'000'000;   // every such window must bring body_window_min_bytes
  size_t body_window_min_bytes = 4096;
  int64_t write_timeout_us = 60'000'000;  // without the client taking a byte
  int64_t connect_timeout_us = 5'000'000;
  int64_t answer_timeout_us = 600'000'000;  // where an Attempt says nothing
  size_t upstream_idle_max = 256;           // connections kept for an upstream
  int64_t upstream_idle_us = 55'000'000;
  size_t unsent_high_bytes = 256u << 10;  // the upstream is read no further above this
  size_t unsent_low_bytes = 64u << 10;    // and again below this
  uint64_t drain_max_bytes = 4u << 20;    // of an answer whose client has left
  int64_t drain_max_us = 60'000'000;
  size_t drains_max = 256;
};

struct Upstream {
  net::Endpoint endpoint;
  std::string host;  // of the Host header
};

struct ProxyStats {
  uint64_t accepted = 0;
  uint64_t turned_away = 0;  // connections beyond connections_max
  uint64_t requests = 0;
  uint64_t refused = 0;  // by the proxy itself
  uint64_t dialed = 0;
  uint64_t reused = 0;
  uint64_t stale = 0;  // kept connections that turned out to be closed, and were made anew
  uint64_t drained = 0;
  size_t clients = 0;
  size_t draining = 0;
  size_t kept = 0;  // idle connections to upstreams
};

class Proxy {
 public:
  // All but the upstreams must outlive the proxy.
  Proxy(const ProxyOptions& options, std::vector<Upstream> upstreams, Governor& governor,
        net::TimerWheel& timers, net::Dialer& dialer);
  // Ends what still runs: every Call sees its End.
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  void Accept(std::unique_ptr<net::Stream> stream, std::string peer);
  // Idle clients go at once, the others after their answer; what is left after the time is ended.
  // `done` is called once, when nothing is left, maybe at once.
  void Drain(int64_t within_us, std::function<void()> done);
  ProxyStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

inline constexpr int64_t kGovernorTickUs = 200'000;
inline constexpr int64_t kLingerUs = 2'000'000;  // after a refusal
inline constexpr uint64_t kLingerMaxBytes = 16u << 20;

}  // namespace flyball::gateway
