// Budgets, keys and notifications: what the gateway's desk does, asked through the hook, because
// the gateway is another process and stands on the same floor.
#include "base/text.h"
#include "serve/api.h"
#include "serve/reply.h"

namespace flyball::serve {

net::Response Api::AtDesk(std::string method, std::string path, std::string body) {
  if (!hooks.ask_desk) {
    return ErrorReply(
        Error{Code::kUnimplemented, "this server keeps no budgets and no keys", {}, {}});
  }
  net::Response response;
  response.later = [this, method = std::move(method), path = std::move(path),
                    body = std::move(body)](std::function<void(net::Response)> answer) {
    desk.Submit([this, method, path, body] { return hooks.ask_desk(method, path, body); },
                [answer](Result<std::string> told) {
                  answer(told ? JsonReply(*std::move(told)) : ErrorReply(told.error()));
                });
  };
  return response;
}

net::Response Api::AskDesk(const Call& call) {
  constexpr std::string_view kBase = "/api/v1";
  const net::Request& request = call.request;
  if (request.body.size() > kDeskBodyMaxBytes) {
    return ErrorReply(Error{Code::kInvalidArgument, "the request is longer than 64 KiB", {}, {}});
  }
  if (const Status shallow = CheckJsonDepth(request.body); !shallow) {
    return ErrorReply(shallow.error());
  }
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  return AtDesk(method, request.path.substr(kBase.size()), method == "GET" ? "" : request.body);
}

net::Response Api::Notifications(const Call&) {
  if (!hooks.notifications) {
    return ErrorReply(Error{Code::kUnimplemented, "this server tells nobody", {}, {}});
  }
  return JsonReply(hooks.notifications());
}

net::Response Api::RevokeKey(const Call& call) {
  std::string body = R"({"key":)";
  AppendJsonString(call.path_values[0], &body);
  return AtDesk("POST", "/keys/revoke", body + "}");
}

}  // namespace flyball::serve
