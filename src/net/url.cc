#include "net/url.h"

#include <arpa/inet.h>

#include "base/text.h"
#include "net/http.h"

namespace flyball::net {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

Status CheckPath(std::string_view path) {
  if (path.empty() || path.front() != '/') {
    return Fail(Code::kInvalidArgument, "the path of a request begins with '/'");
  }
  for (std::string_view segment : SplitText(path.substr(1), '/')) {
    if (segment == "." || segment == "..") {
      return Fail(Code::kInvalidArgument, "'.' and '..' may not stand in a path");
    }
  }
  return {};
}

Status ParseQuery(std::string_view text, std::map<std::string, std::string>* out) {
  if (text.empty()) {
    return {};
  }
  for (std::string_view pair : SplitText(text, '&')) {
    if (pair.empty()) {
      continue;
    }
    const size_t equals = pair.find('=');
    std::string name = FB_TRY(PercentDecode(pair.substr(0, equals), true));
    std::string value;
    if (equals != std::string_view::npos) {
      value = FB_TRY(PercentDecode(pair.substr(equals + 1), true));
    }
    if (name.empty() || out->size() >= kQueryParametersMax) {
      return Fail(Code::kInvalidArgument, "nameless or too many parameters in the request");
    }
    if (!out->try_emplace(name, std::move(value)).second) {
      return Fail(Code::kInvalidArgument, "the parameter '" + name + "' stands twice");
    }
  }
  return {};
}

}  // namespace

Result<std::string> PercentDecode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return Fail(Code::kInvalidArgument, "'%' must be followed by two hexadecimal digits");
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    // Tab and line feed may stand in a parameter's value, in a path nothing of the kind.
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0 || byte == 0x7f ||
        (byte < 0x20 && !(plus_is_blank && (c == '\t' || c == '\n')))) {
      return Fail(Code::kInvalidArgument,
                  "control characters may not stand in a request's address");
    }
    out += c;
  }
  if (ValidUtf8Prefix(out) != out.size()) {
    return Fail(Code::kInvalidArgument, "the request's address is not UTF-8");
  }
  return out;
}

std::string PercentEncode(std::string_view text, bool keep_slashes) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (IsUnreserved(c) || (c == '/' && keep_slashes)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

Result<Target> ParseTarget(std::string_view target) {
  Target parsed;
  if (target == "*") {
    parsed.path = "*";
    return parsed;
  }
  if (target.find('#') != std::string_view::npos) {
    return Fail(Code::kInvalidArgument, "a fragment may not stand in a request's address");
  }
  for (std::string_view scheme : {"http://", "https://"}) {
    if (target.starts_with(scheme)) {
      const size_t slash = target.find('/', scheme.size());
      target = slash == std::string_view::npos ? "/" : target.substr(slash);
      break;
    }
  }
  const size_t mark = target.find('?');
  parsed.path = FB_TRY(PercentDecode(target.substr(0, mark), false));
  FB_CHECK(CheckPath(parsed.path));
  if (mark != std::string_view::npos) {
    FB_CHECK(ParseQuery(target.substr(mark + 1), &parsed.query));
  }
  return parsed;
}

std::string_view HostOf(std::string_view authority) {
  const bool bracketed = authority.starts_with('[');
  const size_t end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && end == std::string_view::npos) {
    return {};
  }
  std::string_view host = bracketed ? authority.substr(1, end - 1) : authority.substr(0, end);
  std::string_view rest = end == std::string_view::npos
                              ? std::string_view()
                              : authority.substr(end + (bracketed ? 1 : 0));
  const bool has_port = rest.starts_with(':');
  const bool only_digits = rest.find_first_not_of("0123456789", 1) == std::string_view::npos;
  return rest.empty() || (has_port && only_digits) ? host : std::string_view();
}

bool IsLoopback(std::string_view host) {
  if (EqualsIgnoreCase(host, "localhost")) {
    return true;
  }
  const std::string text(host);
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  in6_addr v6{};
  return inet_pton(AF_INET6, text.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool IsSameOrigin(const std::map<std::string, std::string>& headers) {
  auto site = headers.find("sec-fetch-site");
  if (site != headers.end() && site->second != "same-origin" && site->second != "none") {
    return false;
  }
  auto origin = headers.find("origin");
  if (origin == headers.end()) {
    return true;
  }
  auto host = headers.find("host");
  std::string_view text = origin->second;
  const size_t scheme = text.find("://");
  return scheme != std::string_view::npos && host != headers.end() &&
         EqualsIgnoreCase(text.substr(scheme + 3), host->second);
}

}  // namespace flyball::net
