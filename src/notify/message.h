// Messages: what is sent to a receiver, of one notice or of several at once.
//
// Pure: the sender (app/notifier.h) adds the secrets and the network. The forms are those that the
// receivers document: Standard Webhooks 1.0 (webhook-id, -timestamp, -signature); Slack's incoming
// webhooks with Block Kit; Adaptive Cards 1.4 for Teams' workflows; PagerDuty's Events API v2;
// Alertmanager's API v2; e-mail (RFC 5322 and 2047).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/notice.h"
#include "net/web.h"

namespace flyball::notify {

struct Secrets {
  std::string url;  // of Slack, Teams, or a webhook whose address is a secret
  std::string key;  // signs webhooks; PagerDuty's routing key
};

struct Outgoing {
  std::string id;  // of this delivery; the same when it is tried again
  std::span<const notice::Notice> notices;
  Instant at;            // when it is sent
  std::string page_url;  // may be empty
  bool escalated = false;
};

// One request a receiver, but for PagerDuty and Alertmanager, where each notice stands for itself:
// PagerDuty gets a request each. Of a webhook with a key the signature is HMAC-SHA256 over
// "id.timestamp.body"; a key "whsec_..." is Base64, any other is taken as it is.
std::vector<net::WebRequest> HttpMessages(const notice::Receiver& receiver, const Secrets& secrets,
                                          const Outgoing& outgoing);

struct Mail {
  std::string subject;
  std::string text;  // the whole message with its head, lines ended by CR LF
};
Mail MailMessage(const notice::Receiver& receiver, const Outgoing& outgoing);

// The notice as the API shows it and webhooks carry it: a JSON object.
std::string NoticeJson(const notice::Notice& notice);
// INVALID_ARGUMENT for what NoticeJson has not written.
Result<notice::Notice> ParseNotice(std::string_view json);

}  // namespace flyball::notify
