// Remote: a server that owns the home. The command line works through it, because one process owns
// a home.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "app/command.h"
#include "base/result.h"

namespace flyball::app {

class Remote {
 public:
  // The server that holds the home, when one does. FAILED_PRECONDITION: another command holds it
  // just now.
  static Result<std::optional<Remote>> Find(const Environment& environment);
  // The same for another lock of the home, such as the gateway's.
  static Result<std::optional<Remote>> FindAt(const Environment& environment,
                                              const std::string& lock_path);

  // Without any progress of an answer, unless `patient`.
  void set_timeout_ms(int timeout_ms) { timeout_ms_ = timeout_ms; }
  const std::string& address() const { return address_; }
  // The body of a 2xx answer; otherwise the error that the server sent, with its code.
  // `query`: by name, as they are; what must be escaped is.
  Result<std::string> Get(const std::string& path,
                          const std::map<std::string, std::string>& query = {}) const;
  // Without a time limit when `patient` (an import can run for hours).
  Result<std::string> Post(const std::string& path, const std::string& json,
                           bool patient = false) const;

 private:
  Result<std::string> Send(const std::string& method, const std::string& path,
                           std::map<std::string, std::string> query, std::string body,
                           int timeout_ms) const;
  int timeout_ms_ = 120'000;
  std::string address_;  // "127.0.0.1:8080"
  std::string token_;
};

// FAILED_PRECONDITION naming the server, for commands that need the home for themselves.
Status RefuseWhileServed(const Environment& environment, std::string_view command);

// "ADDRESS:PORT" or "[::1]:PORT".
struct HostPort {
  std::string host;
  int port = 0;
};
Result<HostPort> ParseHostPort(std::string_view text);
// "127.0.0.1:8080", "[::1]:8080".
std::string UrlOf(const std::string& host, int port);
// Where a server that listens there can be reached: a wildcard address is not one to connect to.
std::string ReachableHost(const std::string& host);

}  // namespace flyball::app
