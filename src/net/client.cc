// The blocking client: one request, one connection, plain sockets and the same parser as the
// server.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "net/http.h"
#include "net/parser.h"
#include "net/socket.h"
#include "net/url.h"

namespace flyball::net {
namespace {

constexpr size_t kPieceBytes = 256u << 10;
constexpr size_t kResponseHeadMaxBytes = 256u << 10;

struct Body {
  std::string_view text;
  Fd file;
  uint64_t size = 0;
};

Result<Body> OpenBody(const Request& request) {
  Body body;
  if (request.body_file.empty()) {
    body.text = request.body;
    body.size = request.body.size();
    return body;
  }
  body.file = Fd(open(request.body_file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts{};
  if (!body.file.valid() || fstat(body.file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return Fail(Code::kInvalidArgument, "'" + request.body_file + "' can't be read",
                "name a readable file");
  }
  body.size = static_cast<uint64_t>(facts.st_size);
  return body;
}

std::string HeadText(const std::string& address, int port, const Request& request, uint64_t size) {
  std::string target = PercentEncode(request.path, true);
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    target += separator;
    target += PercentEncode(name, false) + "=" + PercentEncode(value, false);
    separator = '&';
  }
  const bool is_v6 = address.find(':') != std::string::npos;
  std::string head = fmt::format("{} {} HTTP/1.1\r\n", request.method, target);
  if (!request.headers.contains("host")) {
    head += fmt::format("Host: {}{}{}:{}\r\n", is_v6 ? "[" : "", address, is_v6 ? "]" : "", port);
  }
  for (const auto& [name, value] : request.headers) {
    head += name + ": " + value + "\r\n";
  }
  if (size > 0 || request.method == "POST" || request.method == "PUT") {
    head += fmt::format("Content-Length: {}\r\n", size);
  }
  return head + "Connection: close\r\n\r\n";
}

class Exchange {
 public:
  Exchange(Fd fd, const FetchOptions& options, bool is_head)
      : fd_(std::move(fd)),
        options_(options),
        parser_(MessageParser::Kind::kResponse, kResponseHeadMaxBytes, is_head) {}

  // False: the server has begun to answer, which while a body goes out can only be a refusal.
  Result<bool> Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const short ready = FB_TRY(Wait(POLLOUT | POLLIN));
      if ((ready & POLLIN) != 0) {
        return false;
      }
      const ssize_t n = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n >= 0) {
        bytes.remove_prefix(static_cast<size_t>(n));
      } else if (errno == EPIPE || errno == ECONNRESET) {
        return false;  // what it had to say may still be in the socket
      } else if (errno != EAGAIN && errno != EINTR) {
        return Fail(Code::kUnavailable, "the request can't be sent: " + ErrnoText(errno));
      }
    }
    return true;
  }

  Status SendBody(const Body& body) {
    if (!body.file.valid()) {
      FB_TRY(Send(body.text));
      return {};
    }
    std::string piece(kPieceBytes, '\0');
    uint64_t sent = 0;
    while (sent < body.size) {
      const size_t want = std::min<uint64_t>(piece.size(), body.size - sent);
      const ssize_t n = read(body.file.get(), piece.data(), want);
      if (n <= 0) {
        return Fail(Code::kUnavailable, "the file became shorter while it was sent");
      }
      if (!FB_TRY(Send(std::string_view(piece).substr(0, static_cast<size_t>(n))))) {
        return {};
      }
      sent += static_cast<uint64_t>(n);
      if (options_.progress && !options_.progress(sent, body.size)) {
        return Fail(Code::kCancelled, "the upload was cancelled");
      }
    }
    return {};
  }

  Result<ClientResponse> Receive() {
    ClientResponse response;
    std::string in;
    std::vector<char> buffer(kPieceBytes);
    while (!parser_.done()) {
      FB_TRY(Wait(POLLIN));
      const ssize_t n = recv(fd_.get(), buffer.data(), buffer.size(), 0);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        continue;
      }
      if (n < 0) {
        return Fail(Code::kUnavailable, "the connection broke: " + ErrnoText(errno));
      }
      if (n == 0) {
        if (auto ended = parser_.PutEnd(); !ended) {
          return Fail(Code::kUnavailable, "the server closed the connection without an answer");
        }
        break;
      }
      in.append(buffer.data(), static_cast<size_t>(n));
      FB_CHECK(Parse(&in, &response.body));
    }
    response.status = parser_.head().status;
    response.headers = std::move(parser_.head().headers);
    return response;
  }

 private:
  Result<short> Wait(int events) {
    pollfd wait{fd_.get(), static_cast<short>(events), 0};
    for (;;) {
      const int n = poll(&wait, 1, options_.timeout_ms);
      if (n > 0) {
        return wait.revents;
      }
      if (n == 0) {
        return Fail(Code::kDeadlineExceeded, "the server did not answer within the time");
      }
      if (errno != EINTR) {
        return Fail(Code::kUnavailable, ErrnoText(errno));
      }
    }
  }

  Status Parse(std::string* in, std::string* body) {
    size_t used = 0;
    while (used < in->size() && !parser_.done()) {
      auto taken = parser_.Put(std::string_view(*in).substr(used), body);
      if (!taken) {
        return Fail(Code::kUnavailable, "the server's answer is no HTTP: " + taken.error().message);
      }
      used += *taken;
      if (body->size() > options_.response_max_bytes) {
        return Fail(Code::kResourceExhausted,
                    "the answer is larger than " + FormatBytes(options_.response_max_bytes));
      }
      // "100 Continue" comes before the answer.
      if (parser_.head_done() && parser_.head().status / 100 == 1) {
        parser_ = MessageParser(MessageParser::Kind::kResponse, kResponseHeadMaxBytes);
        continue;
      }
      if (*taken == 0) {
        break;
      }
    }
    in->erase(0, used);
    return {};
  }

  Fd fd_;
  const FetchOptions& options_;
  MessageParser parser_;
};

}  // namespace

Result<ClientResponse> Fetch(const std::string& address, int port, const Request& request,
                             const FetchOptions& options) {
  const Body body = FB_TRY(OpenBody(request));
  Fd fd = FB_TRY(ConnectTo(address, port, options.timeout_ms));
  Exchange exchange(std::move(fd), options, request.method == "HEAD");
  if (FB_TRY(exchange.Send(HeadText(address, port, request, body.size)))) {
    FB_CHECK(exchange.SendBody(body));
  }
  return exchange.Receive();
}

Result<ClientResponse> Fetch(const std::string& address, int port, const Request& request,
                             int timeout_ms) {
  FetchOptions options;
  options.timeout_ms = timeout_ms;
  return Fetch(address, port, request, options);
}

}  // namespace flyball::net
