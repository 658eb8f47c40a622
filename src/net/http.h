// HTTP/1.1 server: sockets on one epoll loop, requests parsed by Beast, handlers on a bounded pool of threads.
//
// A handler gets a whole request (bodies up to the route's limit; larger ones stream to a file when the route asks) and
// answers once, or opens a stream of server-sent events. Every queue, body and connection count has a limit.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace flyball::net {

struct Request {
  std::string method;
  std::string path;                          // percent-decoded, without query
  std::map<std::string, std::string> query;  // decoded
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string body_file;  // where a large upload was spooled, when the route allows it; removed after the handler
  std::string peer;       // "127.0.0.1"
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string_view static_body;  // used instead of `body` when not empty: memory that outlives the server (embedded files)
};

// Pushes server-sent events to one client from any thread; false when the client is gone.
class EventStream {
 public:
  virtual ~EventStream() = default;
  virtual bool Send(std::string_view event, std::string_view data) = 0;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;  // 0: a free one
  int threads = 4;
  int connections_max = 1024;
  uint64_t body_max_bytes = 1u << 20;
  uint64_t upload_max_bytes = 64ull << 30;  // of routes whose body goes to a file
  std::string upload_dir;                   // where they are spooled
  int idle_timeout_ms = 60'000;
  int header_max_bytes = 64 << 10;
};

class Server {
 public:
  using Handler = std::function<Response(const Request&)>;
  // Tells for a request line whether its body is spooled to a file; called before the body is read. An error refuses the
  // request at once (wrong token), before any byte of the body is taken.
  using Admission = std::function<Result<bool>(const Request& head)>;
  using Subscriber = std::function<void(const Request&, std::shared_ptr<EventStream>)>;

  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, Handler handler, Admission admission,
                                               std::map<std::string, Subscriber> event_paths);
  virtual ~Server() = default;
  virtual int port() const = 0;
  // Stops accepting, lets running requests finish within the time, closes.
  virtual void Drain(int timeout_ms) = 0;
};

// For the CLI that works through a running server and for tests: one blocking request.
struct ClientResponse {
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string body;
};
Result<ClientResponse> Fetch(const std::string& address, int port, const Request& request, int timeout_ms);

}  // namespace flyball::net
