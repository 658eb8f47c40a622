// WebClient: blocking requests to other hosts' APIs (libcurl). Certificates are verified, no
// redirect is followed, paths go out as they are given, and connections are used again.
//
// An address may hold a secret in its query (a SAS), so errors name the host alone. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace flyball::net {

// Whether the address is one of this machine, so that clear text goes nowhere else.
bool IsLoopbackUrl(std::string_view url);

struct WebRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct WebResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // what no sink took

  std::string_view Header(const std::string& name) const {
    auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  }
};

struct WebOptions {
  std::string ca_file;  // empty: the authorities that the system trusts
  int connect_timeout_ms = 10'000;
  int quiet_timeout_s = 30;  // without a byte
  int whole_timeout_s = 0;   // of a request with its answer; 0: none
  uint64_t body_max_bytes = 32u << 20;
  // Asked now and then; true ends the request (CANCELLED).
  std::function<bool()> stopped;
};

class WebClient {
 public:
  // Takes the body of an answer as it comes, once its head is known; an error ends the request.
  using Sink = std::function<Status(const WebResponse& head, std::string_view bytes)>;

  explicit WebClient(WebOptions options);
  ~WebClient();
  WebClient(const WebClient&) = delete;
  WebClient& operator=(const WebClient&) = delete;

  // UNAVAILABLE: there is no connection, or it broke; DEADLINE_EXCEEDED: no byte within the time;
  // FAILED_PRECONDITION: the other side is not who it should be. Answers of 200 and 206 go to the
  // sink, when there is one, all others into the body.
  Result<WebResponse> Fetch(const WebRequest& request, const Sink& sink = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flyball::net
