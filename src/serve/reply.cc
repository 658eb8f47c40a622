#include "serve/reply.h"

#include <algorithm>

#include "base/text.h"

namespace flyball::serve {

net::Response Reply(int status, std::string_view content_type, std::string body) {
  net::Response response;
  response.status = status;
  response.headers = {{"Content-Type", std::string(content_type)},
                      {"Cache-Control", "no-store"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cross-Origin-Resource-Policy", "same-origin"}};
  response.body = std::move(body);
  return response;
}

net::Response JsonReply(std::string body, int status) {
  return Reply(status, "application/json", std::move(body));
}

std::string ErrorJson(const Error& error) {
  std::string out = R"({"error":{"code":)";
  AppendJsonString(CodeName(error.code), &out);
  out += R"(,"message":)";
  AppendJsonString(error.message, &out);
  if (!error.hint.empty()) {
    out += R"(,"hint":)";
    AppendJsonString(error.hint, &out);
  }
  const Place& place = error.place;
  if (!place.file.empty() || place.line > 0 || place.byte > 0) {
    out += R"(,"place":{"file":)";
    AppendJsonString(place.file, &out);
    out +=
        fmt::format(R"(,"line":{},"column":{},"byte":{}}})", place.line, place.column, place.byte);
  }
  return out + "}}";
}

net::Response ErrorReply(const Error& error) { return ErrorReply(HttpStatus(error.code), error); }

net::Response ErrorReply(int status, const Error& error) {
  return JsonReply(ErrorJson(error), status);
}

std::string MediaType(const net::Request& request) {
  const std::string_view type = request.Header("content-type");
  return ToLower(Trim(type.substr(0, type.find(';'))));
}

bool IsForwarded(const net::Request& request) {
  constexpr const char* kMarks[] = {
      "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"};
  return std::ranges::any_of(kMarks,
                             [&](const char* mark) { return request.headers.contains(mark); });
}

bool IsFromThisMachine(const net::Request& request) {
  const bool own = !request.peer.empty() && request.peer == request.local;
  return (own || net::IsLoopback(request.peer)) && !IsForwarded(request);
}

}  // namespace flyball::serve
