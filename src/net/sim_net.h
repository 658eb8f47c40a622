// The network's twin: drives a Connection without sockets, by seed. Bytes arrive in pieces of
// random size with random delays on a simulated clock, the client reads the answer in pieces, and
// the connection may be lost at any byte. Handlers run at once; spooled bodies are kept in memory.
// One SimClient is one connection; single-threaded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/connection.h"
#include "net/http.h"

namespace flyball::net {

struct SimPlan {
  size_t chunk_max_bytes = 1u << 16;   // every piece has between 1 and this many bytes
  size_t write_max_bytes = 1u << 16;   // the client takes between 1 and this many bytes at a time
  int64_t delay_max_us = 0;            // between pieces
  std::optional<uint64_t> lost_after;  // bytes sent when the connection breaks
};

class SimClient final : public ConnectionOwner {
 public:
  SimClient(const ServerOptions& options, SimClock& clock, Random& random, Server::Handler handler,
            Server::Admission admission = {});

  // Sends the bytes by the plan and returns what the server wrote meanwhile.
  std::string Send(std::string_view bytes, const SimPlan& plan = {});
  // Time passes in steps, with the connection's deadlines served; returns what the server wrote.
  std::string Wait(int64_t us, const SimPlan& plan = {});
  bool IsClosed() const { return connection_.IsClosed(); }
  Connection& connection() { return connection_; }
  const std::vector<Request>& handled() const {
    return handled_;
  }  // `body` holds spooled bodies too

  Result<BodyPlan> Admit(const Request& head) override;
  void Spool(std::string piece) override;
  void Handle(Request request) override;
  Response Refuse(int status, const Error& error) override;

 private:
  void Settle(const SimPlan& plan, std::string* out);

  SimClock& clock_;
  Random& random_;
  Server::Handler handler_;
  Server::Admission admission_;
  ServerOptions options_;
  Connection connection_;
  std::string spool_;
  bool spool_waits_ = false;
  std::optional<Request> waiting_;
  std::vector<Request> handled_;
  uint64_t sent_bytes_ = 0;
};

}  // namespace flyball::net
