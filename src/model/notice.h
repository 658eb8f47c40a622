// Notice: something that people should know of, and to whom it goes.
//
// Whoever finds something (the watch, budgets, a sync) makes a notice of it; the estate says who
// gets which ones. Plain values; notify/ keeps and delivers them (docs/NOTIFY.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"

namespace flyball::notice {

enum class Severity : uint8_t { kInfo, kWarning, kCritical };
std::string_view SeverityName(Severity severity);
std::optional<Severity> ParseSeverity(std::string_view name);

// What has become of what it tells of.
enum class State : uint8_t { kOpen, kAcknowledged, kResolved };
std::string_view StateName(State state);
std::optional<State> ParseState(std::string_view name);

using Labels = std::vector<std::pair<std::string, std::string>>;

struct Notice {
  std::string id;    // of what it tells of: all notices of one incident have the same
  std::string kind;  // "incident", "budget", "sync", "test", ...
  State state = State::kOpen;
  Severity severity = Severity::kWarning;
  std::string title;  // a line
  std::string text;   // some sentences
  Labels labels;      // team, key, model, provider, ...: what routes look at
  std::optional<Money> amount;
  std::string currency;
  Instant since;       // when it began
  std::string page;    // where the page shows it, such as "#/incidents/a1"; may be empty
  std::string detail;  // a JSON object with all that is known; may be empty
  bool operator==(const Notice&) const = default;
};
inline constexpr size_t kIdMaxBytes = 128;
inline constexpr size_t kTitleMaxBytes = 512;
inline constexpr size_t kTextMaxBytes = 8 << 10;
inline constexpr size_t kLabelsMax = 32;
inline constexpr size_t kDetailMaxBytes = 64 << 10;
// INVALID_ARGUMENT with the field that is wrong.
Status Validate(const Notice& notice);

enum class ReceiverKind : uint8_t { kWebhook, kSlack, kTeams, kPagerDuty, kAlertmanager, kEmail };
std::string_view ReceiverKindName(ReceiverKind kind);

// Secrets are in variables of the environment; addresses of Slack and Teams are secrets, too.
struct Receiver {
  std::string name;
  ReceiverKind kind = ReceiverKind::kWebhook;
  std::string url, url_env;
  std::string key_env;             // signs webhooks; the routing key of PagerDuty
  std::string user, password_env;  // of the mail server
  std::string from;                // of e-mail
  std::vector<std::string> to;
  std::string ca_file;  // certificates that vouch for it, instead of the system's
};

// Which notices: all conditions hold.
struct Match {
  std::optional<Severity> least;                                         // and above
  std::vector<std::pair<std::string, std::vector<std::string>>> labels;  // globs, one of which fits
  std::optional<Money> least_amount;  // in whatever currency the notice has
};
// `kind` can be asked for like a label.
bool Matches(const Match& match, const Notice& notice);

struct Escalation {
  int64_t after_us = 0;  // without anybody who acknowledged it
  std::vector<std::string> to;
};
// The first route that matches counts.
struct Route {
  Match match;
  std::vector<std::string> to;       // receivers
  int64_t digest_us = 0;             // > 0: collected, and sent together so often
  std::vector<Escalation> escalate;  // ascending
};
struct Silence {
  Match match;
  Instant from, until;
  std::string reason;
};

struct Rules {
  std::vector<Receiver> receivers;
  std::vector<Route> routes;  // none: everything goes to all receivers
  std::vector<Silence> silences;
  std::string page_url;  // where people reach the page, without a slash at its end; may be empty
};

}  // namespace flyball::notice
