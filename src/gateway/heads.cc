#include "gateway/heads.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "net/connection.h"

namespace flyball::gateway {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool IsCredential(std::string_view name) {
  switch (name.size()) {
    case 7:
      return net::NameIs(name, "api-key");
    case 9:
      return net::NameIs(name, "x-api-key");
    case 13:
      return net::NameIs(name, "authorization");
    case 14:
      return net::NameIs(name, "x-goog-api-key");
    default:
      return false;
  }
}

constexpr std::string_view kOwnPrefix =
    "x-flyball-";  // attributes of a call: not the vendor's affair

// What the proxy says itself, and what is said to the gateway only.
bool IsOurs(std::string_view name) {
  if (name.size() > kOwnPrefix.size() &&
      EqualsIgnoreCase(name.substr(0, kOwnPrefix.size()), kOwnPrefix)) {
    return true;
  }
  switch (name.size()) {
    case 4:
      return net::NameIs(name, "host");
    case 6:
      return net::NameIs(name, "expect");
    case 14:
      return net::NameIs(name, "content-length");
    default:
      return false;
  }
}

bool IsNamedByConnection(std::span<const HeaderView> headers, std::string_view name) {
  const std::string lower = ToLower(name);
  return std::ranges::any_of(headers, [&](const HeaderView& header) {
    return net::NameIs(header.name, "connection") && net::ListHas(header.value, lower);
  });
}

bool Has(std::span<const OwnHeader> headers, std::string_view name) {
  return std::ranges::any_of(headers, [&](const OwnHeader& header) {
    return header.first.size() == name.size() && EqualsIgnoreCase(header.first, name);
  });
}

void AppendHeader(std::string_view name, std::string_view value, std::string* out) {
  out->append(name).append(": ").append(value).append(kLineEnd);
}

void AppendNumber(uint64_t number, std::string* out) {
  std::array<char, 20> text{};
  char* end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out->append(text.data(), end);
}

void AppendLength(uint64_t length, std::string* out) {
  out->append("Content-Length: ");
  AppendNumber(length, out);
  out->append(kLineEnd);
}

void AppendStatusLine(int status, std::string_view reason, std::string* out) {
  out->append("HTTP/1.1 ");
  AppendNumber(static_cast<uint64_t>(status), out);
  out->append(" ").append(reason).append(kLineEnd);
}

void AppendEnd(const AnswerForm& form, std::string* out) {
  if (!form.keep_alive) {
    out->append("Connection: close\r\n");
  } else if (form.minor == 0) {
    out->append("Connection: keep-alive\r\n");
  }
  out->append(kLineEnd);
}

}  // namespace

void AppendUpstreamHead(const RequestView& request, bool names_hop_headers, const Attempt& attempt,
                        std::string_view host, std::string* out) {
  out->append(request.method).append(" ").append(attempt.target).append(" HTTP/1.1\r\n");
  AppendHeader("Host", host, out);
  for (const HeaderView& header : request.headers) {
    if (IsOurs(header.name) || net::IsHopHeader(header.name) || IsCredential(header.name) ||
        Has(attempt.headers, header.name) ||
        (names_hop_headers && IsNamedByConnection(request.headers, header.name))) {
      continue;
    }
    AppendHeader(header.name, header.value, out);
  }
  for (const auto& [name, value] : attempt.headers) {
    AppendHeader(name, value, out);
  }
  if (!attempt.body.empty() || request.method == "POST" || request.method == "PUT" ||
      request.method == "PATCH") {
    AppendLength(attempt.body.size(), out);
  }
  out->append(kLineEnd);
}

void AppendAnswerHead(const net::Head& head, std::span<const OwnHeader> extra,
                      const AnswerForm& form, std::string* out) {
  AppendStatusLine(head.status, head.reason, out);
  for (const HeaderView& header : head.headers) {
    if (net::IsHopHeader(header.name) || net::NameIs(header.name, "content-length") ||
        (!extra.empty() && Has(extra, header.name)) ||
        (head.names_hop_headers && IsNamedByConnection(head.headers, header.name))) {
      continue;
    }
    AppendHeader(header.name, header.value, out);
  }
  for (const auto& [name, value] : extra) {
    AppendHeader(name, value, out);
  }
  if (form.body == BodyForm::kChunked) {
    out->append("Transfer-Encoding: chunked\r\n");
  } else if (form.body != BodyForm::kUntilClose && head.length >= 0) {
    AppendLength(static_cast<uint64_t>(head.length), out);
  }
  AppendEnd(form, out);
}

void AppendReply(const Reply& reply, bool to_head, const AnswerForm& form, std::string* out) {
  AppendStatusLine(reply.status, net::ReasonPhrase(reply.status), out);
  for (const auto& [name, value] : reply.headers) {
    AppendHeader(name, value, out);
  }
  if (reply.status >= 200 && reply.status != 204 && reply.status != 304) {
    AppendLength(reply.body.size(), out);
  }
  AppendEnd(form, out);
  if (!to_head) {
    out->append(reply.body);
  }
}

}  // namespace flyball::gateway
