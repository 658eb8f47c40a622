// The answers that routes give: JSON with the headers that all of them carry, and errors in one
// shape,
//   {"error":{"code":"INVALID_ARGUMENT","message":"...","hint":"...","place":{"file":"...","line":1,"column":2,"byte":3}}}
// `hint` and `place` stand when there is one.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace flyball::serve {

net::Response Reply(int status, std::string_view content_type, std::string body);
net::Response JsonReply(std::string body, int status = 200);
std::string ErrorJson(const Error& error);
net::Response ErrorReply(const Error& error);
net::Response ErrorReply(int status, const Error& error);

// The media type of the request's body, in lower case, without parameters.
std::string MediaType(const net::Request& request);
// Whether a proxy passed the request on: Forwarded (RFC 7239), X-Forwarded-For or Via.
bool IsForwarded(const net::Request& request);
// Whether the client is a process of this machine: it came over loopback, or both ends of the
// connection have the same address.
bool IsFromThisMachine(const net::Request& request);

}  // namespace flyball::serve
