// Anomalies and incidents: what the live watch says, asked through the hook.
#include "serve/api.h"
#include "serve/reply.h"

namespace flyball::serve {

net::Response Api::AskWatch(const Call& call) {
  constexpr std::string_view kBase = "/api/v1";
  const net::Request& request = call.request;
  if (!hooks.ask_watch) {
    return ErrorReply(Error{Code::kUnimplemented, "this server does not watch", {}, {}});
  }
  if (request.body.size() > kDeskBodyMaxBytes) {
    return ErrorReply(Error{Code::kInvalidArgument, "the request is longer than 64 KiB", {}, {}});
  }
  if (const Status shallow = CheckJsonDepth(request.body); !shallow) {
    return ErrorReply(shallow.error());
  }
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  Result<std::string> told = hooks.ask_watch(
      {method, request.path.substr(kBase.size()), request.query, request.body, call.author});
  return told ? JsonReply(*std::move(told)) : ErrorReply(told.error());
}

}  // namespace flyball::serve
