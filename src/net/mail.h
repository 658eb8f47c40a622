// Mail: one message to a mail server (SMTP, libcurl). Blocking.
//
// smtps:// is TLS from the first byte; smtp:// turns to TLS before anything is said (STARTTLS), and
// is refused where the server can't, but on this machine. Certificates are verified.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "net/web.h"

namespace flyball::net {

struct MailRequest {
  std::string server;  // "smtps://mail.acme.example:465"
  std::string user, password;
  std::string from;  // plain addresses
  std::vector<std::string> to;
  std::string text;  // head and body, lines ended by CR LF
};
// Errors as WebClient::Fetch; PERMISSION_DENIED: the server refuses the sender or an address for
// good (5xx), so that trying again is of no use; FAILED_PRECONDITION also when it refuses the user.
// Nobody gets the message when one address is refused.
Status SendMail(const MailRequest& request, const WebOptions& options);

}  // namespace flyball::net
