// The heads that the proxy writes: what of the one side's head reaches the other.
//
// Headers of one hop go no further, nor do those that Connection names. A client's credentials are
// for us and never reach an upstream; what the Call gives replaces what the client sent.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/call.h"
#include "net/wire.h"

namespace flyball::gateway {

using OwnHeader = std::pair<std::string, std::string>;

// How the end of an answer's body is told to the client.
enum class BodyForm : uint8_t {
  kNone,  // the status or the method says that there is none; a stated length is passed on
  kLength,
  kChunked,
  kUntilClose,  // to HTTP/1.0
};

void AppendUpstreamHead(const RequestView& request, bool names_hop_headers, const Attempt& attempt,
                        std::string_view host, std::string* out);
struct AnswerForm {
  BodyForm body = BodyForm::kNone;
  int minor = 1;  // the client's version
  bool keep_alive = true;
};
void AppendAnswerHead(const net::Head& head, std::span<const OwnHeader> extra,
                      const AnswerForm& form, std::string* out);
// A whole answer of our own; without its body for HEAD.
void AppendReply(const Reply& reply, bool to_head, const AnswerForm& form, std::string* out);

}  // namespace flyball::gateway
