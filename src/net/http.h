// HTTP/1.1 server: sockets on one epoll loop, requests parsed by Beast, handlers on a bounded pool
// of threads.
//
// A handler gets a whole request (bodies up to the server's limit; larger ones stream to a file
// when the route asks) and answers once, or opens a stream of server-sent events. Every queue, body
// and connection count has a limit.
//
// What a connection does with bytes stands apart from sockets in net/connection.h, so that
// net/sim_net.h can drive it with seeded chunks, delays and losses; net/parser.h wraps Beast.
// Refused before a handler sees it: malformed requests (400), hosts other than loopback names while
// bound to loopback (421, against DNS rebinding), writes from another origin (403), bodies (413)
// and heads (431) beyond their limits, requests that arrive too slowly (408).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace flyball::net {

struct Request {
  std::string method;
  std::string path;  // percent-decoded, without query; "." and ".." never occur in it
  std::map<std::string, std::string> query;    // decoded
  std::map<std::string, std::string> headers;  // names in lower case; repeated ones joined by ", "
  std::string body;
  std::string body_file;  // where a large upload was spooled; removed once answered. Fetch: sent as
                          // the body
  std::string peer;       // the client's address, "127.0.0.1"
  std::string local;      // the address of this end of the connection

  // The value of a header (name in lower case), or "".
  std::string_view Header(const std::string& name) const {
    auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  }
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string_view static_body;  // used instead of `body` when not empty: memory that outlives the
                                 // server (embedded files)
  // A large body that several answers share (a cache); used instead of `body` when set.
  std::shared_ptr<const std::string> shared_body;
  // When set, the rest is not looked at: the answer comes later (work that runs for minutes holds
  // no thread). Called once with a function that takes the answer, once, from any thread.
  std::function<void(std::function<void(Response)>)> later;
};

// Pushes server-sent events to one client from any thread; false when the client is gone. A client
// that does not keep up (event_queue_max_bytes) is dropped.
class EventStream {
 public:
  virtual ~EventStream() = default;
  virtual bool Send(std::string_view event, std::string_view data) = 0;
  virtual bool IsOpen() const = 0;
  // Ends the stream and its connection.
  virtual void Close() = 0;
};

struct ServerOptions {
  std::string address = "127.0.0.1";  // an address or a host name; "::1" works
  int port = 0;                       // 0: a free one
  int threads = 4;
  int connections_max = 1024;
  uint64_t body_max_bytes = 1u << 20;
  uint64_t upload_max_bytes = 64ull << 30;  // of routes whose body goes to a file
  std::string upload_dir;                   // where they are spooled
  int header_max_bytes = 64 << 10;
  int idle_timeout_ms = 60'000;  // between requests
  int head_timeout_ms = 10'000;  // from the first byte of a request to the end of its head
  int body_window_ms =
      20'000;  // every such window must bring body_window_min_bytes or the end of the body
  int body_window_min_bytes = 4096;
  int write_timeout_ms = 30'000;  // without the client taking a byte
  int heartbeat_ms = 15'000;      // comment line on quiet event streams
  uint64_t event_queue_max_bytes = 256u << 10;
  // Only hosts that name this machine's loopback are served (on by itself when `address` is one).
  bool loopback_hosts_only = false;
  Clock* clock = nullptr;  // nullptr: the system's
};

// What becomes of a request's body.
struct BodyPlan {
  bool to_file = false;         // spooled, up to upload_max_bytes
  uint64_t body_max_bytes = 0;  // of one that is not; 0: the server's
};

class Server {
 public:
  using Handler = std::function<Response(const Request&)>;
  // Tells for a request line where its body goes; called before the body is read, on the loop's
  // thread: it must not block. An error refuses the request at once (wrong token), before any byte
  // of the body is taken.
  using Admission = std::function<Result<BodyPlan>(const Request& head)>;
  using Subscriber = std::function<void(const Request&, std::shared_ptr<EventStream>)>;
  // The answer to a request that is refused before a handler sees it. Without one: a line of plain
  // text.
  using Refusal = std::function<Response(int status, const Error& error)>;

  // UNAVAILABLE when the address can't be bound.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, Handler handler,
                                               Admission admission,
                                               std::map<std::string, Subscriber> event_paths,
                                               Refusal refusal = {});
  virtual ~Server() = default;
  virtual int port() const = 0;
  // Stops accepting, lets running requests finish within the time, closes.
  virtual void Drain(int timeout_ms) = 0;
};

// Whether an address or host name is this machine's loopback: "localhost", "127.x.y.z", "::1".
bool IsLoopback(std::string_view host);

// For the CLI that works through a running server and for tests: one blocking request on its own
// connection.
struct ClientResponse {
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string body;
};
struct FetchOptions {
  int timeout_ms = 30'000;  // without any progress
  uint64_t response_max_bytes = 1ull << 30;
  // Called while `body_file` is sent; false cancels (CANCELLED).
  std::function<bool(uint64_t sent, uint64_t total)> progress;
};
// UNAVAILABLE: nobody listens or the connection broke; DEADLINE_EXCEEDED: no progress within the
// time.
Result<ClientResponse> Fetch(const std::string& address, int port, const Request& request,
                             const FetchOptions& options);
Result<ClientResponse> Fetch(const std::string& address, int port, const Request& request,
                             int timeout_ms);

}  // namespace flyball::net
