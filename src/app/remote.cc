#include "app/remote.h"

#include <fmt/format.h>

#include <charconv>
#include "app/error_json.h"
#include "base/text.h"
#include "net/http.h"
#include "os/files.h"

namespace flyball::app {
namespace {

constexpr int kPatientTimeoutMs = 24 * 3600 * 1000;

}  // namespace

Result<HostPort> ParseHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  HostPort parsed;
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    const auto [end, code] = std::from_chars(port.begin(), port.end(), parsed.port);
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    parsed.host = host;
    if (code == std::errc() && end == port.end() && parsed.port >= 0 && parsed.port <= 65535 &&
        !parsed.host.empty()) {
      return parsed;
    }
  }
  return Fail(Code::kInvalidArgument, fmt::format("'{}' is no ADDRESS:PORT", text),
              "such as 127.0.0.1:8080");
}

std::string UrlOf(const std::string& host, int port) {
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string ReachableHost(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  return host == "::" ? "::1" : host;
}

Result<std::optional<Remote>> Remote::Find(const Environment& environment) {
  return FindAt(environment, os::JoinPath(environment.home, "LOCK"));
}

Result<std::optional<Remote>> Remote::FindAt(const Environment& environment,
                                             const std::string& lock_path) {
  const Result<os::LockHolder> holder = os::HomeLock::ReadHolder(lock_path);
  if (!holder) {
    if (holder.error().code == Code::kNotFound) return std::nullopt;
    return Fail(holder.error());
  }
  if (holder->note.empty()) {
    return Fail(Code::kFailedPrecondition,
                fmt::format("process {} is using {}", holder->pid, environment.home),
                "wait until it is done");
  }
  Remote remote;
  remote.address_ = holder->note;
  const Result<std::string> token =
      environment.files.ReadAll(os::JoinPath(environment.home, "token"));
  if (token) remote.token_ = std::string(Trim(*token));
  return remote;
}

Result<std::string> Remote::Get(const std::string& path,
                                const std::map<std::string, std::string>& query) const {
  return Send("GET", path, query, {}, timeout_ms_);
}

Result<std::string> Remote::Post(const std::string& path, const std::string& json,
                                 bool patient) const {
  return Send("POST", path, {}, json, patient ? kPatientTimeoutMs : timeout_ms_);
}

Result<std::string> Remote::Send(const std::string& method, const std::string& path,
                                 std::map<std::string, std::string> query, std::string body,
                                 int timeout_ms) const {
  const HostPort where = FB_TRY(ParseHostPort(address_));
  net::Request request;
  request.method = method;
  request.path = path.substr(0, path.find('?'));
  request.query = std::move(query);
  if (const size_t mark = path.find('?'); mark != std::string::npos) {
    for (std::string_view pair : SplitText(std::string_view(path).substr(mark + 1), '&')) {
      const size_t equals = pair.find('=');
      request.query[std::string(pair.substr(0, equals))] =
          equals == std::string_view::npos ? "" : std::string(pair.substr(equals + 1));
    }
  }
  request.body = std::move(body);
  if (!request.body.empty()) request.headers["content-type"] = "application/json";
  if (!token_.empty()) request.headers["authorization"] = "Bearer " + token_;
  net::ClientResponse response = FB_TRY(net::Fetch(where.host, where.port, request, timeout_ms));
  if (response.status / 100 != 2) {
    return Fail(
        ErrorFromJson(response.body, fmt::format("the server answered {}", response.status)));
  }
  return std::move(response.body);
}

Status RefuseWhileServed(const Environment& environment, std::string_view command) {
  const std::optional<Remote> remote = FB_TRY(Remote::Find(environment));
  if (!remote) return {};
  return Fail(Code::kFailedPrecondition,
              fmt::format("`flyball {}` needs the home for itself, but the server at {} holds it",
                          command, remote->address()),
              "stop the server first");
}

}  // namespace flyball::app
