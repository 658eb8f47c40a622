#include "estate/decode_notify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace flyball::estate {
namespace {

using notice::Receiver;
using notice::ReceiverKind;
using enum notice::ReceiverKind;

// In the order of their enumerations.
constexpr std::array<std::string_view, 6> kKinds = {"webhook",   "slack",        "teams",
                                                    "pagerduty", "alertmanager", "email"};
constexpr std::array<std::string_view, 3> kSeverities = {"info", "warning", "critical"};
// What notices are labelled with (docs/NOTIFY.md), beside "tag:NAME".
constexpr std::array<std::string_view, 14> kLabels = {
    "kind",  "anomaly",  "total",        "key",         "team",   "project", "use_case",
    "model", "provider", "end_customer", "environment", "budget", "source",  "currency"};
constexpr std::string_view kPagerDutyUrl = "https://events.pagerduty.com";
constexpr size_t kListMax = 1000;  // of receivers, routes, silences
constexpr size_t kAddressesMax = 50;
constexpr size_t kStepsMax = 8;  // of an escalation

At Of(At map, std::string_view key) { return At{*map.node.Find(key), map.file}; }

std::vector<std::string_view> KeysOf(ReceiverKind kind) {
  std::vector<std::string_view> keys = {"name", "kind", "ca_file"};
  const auto more = [&](std::initializer_list<std::string_view> names) {
    keys.insert(keys.end(), names);
  };
  if (kind == kWebhook) more({"url", "url_env", "secret_env"});
  if (kind == kSlack || kind == kTeams) more({"url_env"});
  if (kind == kPagerDuty) more({"url", "key_env"});
  if (kind == kAlertmanager) more({"url"});
  if (kind == kEmail) more({"server", "user", "password_env", "from", "to"});
  return keys;
}

// A plain address of e-mail; what would end a line or a command of SMTP is none.
Status CheckMailAddress(At at, std::string_view text) {
  const size_t sign = text.find('@');
  const bool plain = std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '<' || c == '>' || c == ',' || c == '"' ||
           static_cast<unsigned char>(c) >= 127;
  });
  if (plain && sign != std::string_view::npos && sign > 0 && sign + 1 < text.size() &&
      text.find('@', sign + 1) == std::string_view::npos && text.size() <= 254) {
    return {};
  }
  return Unexpected(at, "an address of e-mail", "such as finops@acme.example");
}

// "smtps://mail.acme.example:465", or "smtp://" with STARTTLS.
Status CheckServer(At at, const std::string& url) {
  std::string_view rest = url;
  const bool tls = rest.starts_with("smtps://");
  if (!tls && !rest.starts_with("smtp://")) {
    return Unexpected(at, "a server of e-mail", "such as smtps://mail.acme.example:465");
  }
  rest.remove_prefix(tls ? 8 : 7);
  if (rest.empty() || rest.find_first_of("/ ?#\\%@") != std::string_view::npos) {
    return Unexpected(at, "a server of e-mail", "a host and a port; `user` stands for itself");
  }
  return {};
}

Status ReadMail(At map, Receiver* receiver) {
  for (const std::string_view key : {"server", "from", "to"}) {
    if (map.node.Find(key) == nullptr) {
      return Unexpected(map, fmt::format("a receiver of kind email with `{}`", key));
    }
  }
  receiver->url = FB_TRY(ReadText(Of(map, "server"), "a server of e-mail"));
  FB_CHECK(CheckServer(Of(map, "server"), receiver->url));
  receiver->from = FB_TRY(ReadText(Of(map, "from"), "an address of e-mail"));
  FB_CHECK(CheckMailAddress(Of(map, "from"), receiver->from));
  receiver->to = FB_TRY(ReadTexts(Of(map, "to"), "an address of e-mail"));
  for (const std::string& to : receiver->to) FB_CHECK(CheckMailAddress(Of(map, "to"), to));
  if (receiver->to.size() > kAddressesMax) return Unexpected(Of(map, "to"), "up to 50 addresses");
  receiver->user = FB_TRY(ReadTextAt(map, "user", "a user of the server"));
  if (receiver->user.empty() != (map.node.Find("password_env") == nullptr)) {
    return Unexpected(map, "both `user` and `password_env`, or none");
  }
  return {};
}

// The address: of what has no secret in it, as text; of Slack and Teams, in a variable.
Status ReadUrl(At map, Receiver* receiver) {
  const std::vector<std::string_view> keys = KeysOf(receiver->kind);
  const auto may = [&](std::string_view key) { return std::ranges::find(keys, key) != keys.end(); };
  if (map.node.Find("url") != nullptr) {
    receiver->url = FB_TRY(ReadText(Of(map, "url"), "an address"));
    FB_CHECK(CheckAddress(Of(map, "url"), receiver->url));
    while (receiver->url.ends_with('/')) receiver->url.pop_back();
  }
  if (map.node.Find("url_env") != nullptr) {
    receiver->url_env = FB_TRY(ReadText(Of(map, "url_env"), "the name of a variable"));
  }
  if (receiver->kind == kPagerDuty && receiver->url.empty()) receiver->url = kPagerDutyUrl;
  if (receiver->url.empty() == receiver->url_env.empty()) {
    return Unexpected(
        map, fmt::format("a receiver of kind {} with `{}`{}",
                         notice::ReceiverKindName(receiver->kind), may("url") ? "url" : "url_env",
                         may("url") && may("url_env") ? ", or `url_env`" : ""));
  }
  return {};
}

Result<Receiver> DecodeReceiver(At map) {
  FB_CHECK(ExpectMap(map, "a receiver"));
  Receiver receiver;
  receiver.name = FB_TRY(ReadTextAt(map, "name", "the name of a receiver"));
  if (receiver.name.empty()) return Unexpected(map, "a receiver with `name`");
  if (map.node.Find("kind") == nullptr) {
    return Unexpected(map, "a receiver with `kind`",
                      fmt::format("one of {}", fmt::join(kKinds, ", ")));
  }
  const std::string kind = FB_TRY(ReadClosed(Of(map, "kind"), "kind of receiver", kKinds));
  receiver.kind = static_cast<ReceiverKind>(std::ranges::find(kKinds, kind) - kKinds.begin());
  FB_CHECK(CheckKeys(map, fmt::format("a receiver of kind {}", kind), KeysOf(receiver.kind)));
  if (receiver.kind == kEmail) {
    FB_CHECK(ReadMail(map, &receiver));
  } else {
    FB_CHECK(ReadUrl(map, &receiver));
  }
  const auto variable = [&](std::string_view key, std::string* out) -> Status {
    if (map.node.Find(key) == nullptr) return {};
    *out = FB_TRY(ReadText(Of(map, key), "the name of a variable"));
    return CheckVariable(Of(map, key), key, *out);
  };
  FB_CHECK(variable("url_env", &receiver.url_env));
  FB_CHECK(variable("secret_env", &receiver.key_env));
  FB_CHECK(variable("key_env", &receiver.key_env));
  FB_CHECK(variable("password_env", &receiver.password_env));
  if (receiver.kind == kPagerDuty && receiver.key_env.empty()) {
    return Unexpected(map, "a receiver of kind pagerduty with `key_env`",
                      "the variable that holds the integration key");
  }
  receiver.ca_file = FB_TRY(ReadTextAt(map, "ca_file", "a file of certificates"));
  return receiver;
}

Result<notice::Match> DecodeMatch(At map) {
  FB_CHECK(ExpectMap(map, "what a notice is like"));
  notice::Match match;
  for (size_t i = 0; i < map.node.keys.size(); ++i) {
    const std::string& key = map.node.keys[i].scalar;
    const At at{map.node.items[i], map.file};
    if (key == "severity") {
      const std::string least = FB_TRY(ReadClosed(at, "severity", kSeverities));
      match.least = notice::ParseSeverity(least);
    } else if (key == "amount") {
      match.least_amount = FB_TRY(ReadMoneyAt(map, "amount", "the least amount"));
    } else if (key.starts_with("tag:") || std::ranges::find(kLabels, key) != kLabels.end()) {
      match.labels.emplace_back(key, FB_TRY(ReadTexts(at, "a text or a glob")));
    } else {
      std::vector<std::string_view> known = {"severity", "amount"};
      known.insert(known.end(), kLabels.begin(), kLabels.end());
      return UnknownName(at, "condition of notices", key, known);
    }
  }
  return match;
}

class NotifyDecoder {
 public:
  Result<notice::Rules> Run(At map) {
    FB_CHECK(CheckKeys(map, "`notify`", {"page_url", "receivers", "routes", "silences"}));
    rules_.page_url = FB_TRY(ReadTextAt(map, "page_url", "where people reach the page"));
    if (!rules_.page_url.empty()) FB_CHECK(CheckPage(Of(map, "page_url")));
    FB_CHECK(Each(map, "receivers", [this](At at) { return AddReceiver(at); }));
    FB_CHECK(Each(map, "routes", [this](At at) { return AddRoute(at); }));
    FB_CHECK(Each(map, "silences", [this](At at) { return AddSilence(at); }));
    return std::move(rules_);
  }

 private:
  Status CheckPage(At at) {
    std::string& url = rules_.page_url;
    const bool http = url.starts_with("http://") || url.starts_with("https://");
    if (!http || url.find_first_of(" \"<>#?\\") != std::string::npos) {
      return Unexpected(at, "an http:// or https:// address",
                        "such as https://flyball.acme.example");
    }
    while (url.ends_with('/')) url.pop_back();
    return {};
  }

  template <typename Add>
  static Status Each(At map, std::string_view key, Add add) {
    const YamlNode* list = map.node.Find(key);
    if (list == nullptr) return {};
    FB_CHECK(ExpectList(At{*list, map.file}, fmt::format("a list of {}", key)));
    if (list->items.size() > kListMax) {
      return Unexpected(At{*list, map.file}, fmt::format("up to 1000 {}", key));
    }
    for (const YamlNode& node : list->items) FB_CHECK(add(At{node, map.file}));
    return {};
  }

  Status AddReceiver(At at) {
    Receiver receiver = FB_TRY(DecodeReceiver(at));
    if (Known(receiver.name)) {
      return Fail(Error{Code::kInvalidArgument,
                        fmt::format("'{}' names two receivers", receiver.name),
                        "give each a name of its own", at.place()});
    }
    rules_.receivers.push_back(std::move(receiver));
    return {};
  }

  Status AddRoute(At at) {
    FB_CHECK(CheckKeys(at, "a route", {"match", "to", "digest", "escalate"}));
    notice::Route route;
    if (at.node.Find("match") != nullptr) route.match = FB_TRY(DecodeMatch(Of(at, "match")));
    route.to = FB_TRY(Names(at));
    route.digest_us = FB_TRY(ReadDurationAt(at, "digest", "how often is told together"));
    FB_CHECK(Each(at, "escalate", [&](At step) { return AddStep(step, &route); }));
    rules_.routes.push_back(std::move(route));
    return {};
  }

  Status AddStep(At at, notice::Route* route) {
    FB_CHECK(CheckKeys(at, "a step of an escalation", {"after", "to"}));
    notice::Escalation step;
    step.after_us = FB_TRY(ReadDurationAt(at, "after", "how long nobody has answered"));
    step.to = FB_TRY(Names(at));
    const int64_t before = route->escalate.empty() ? 0 : route->escalate.back().after_us;
    if (step.after_us <= before || route->escalate.size() == kStepsMax) {
      return Unexpected(at, "up to 8 steps, each `after` the one before");
    }
    route->escalate.push_back(std::move(step));
    return {};
  }

  Status AddSilence(At at) {
    FB_CHECK(CheckKeys(at, "a silence", {"match", "from", "until", "reason"}));
    notice::Silence silence;
    if (at.node.Find("match") != nullptr) silence.match = FB_TRY(DecodeMatch(Of(at, "match")));
    silence.reason = FB_TRY(ReadTextAt(at, "reason", "a reason"));
    if (silence.reason.empty()) return Unexpected(at, "a silence with `reason`");
    if (at.node.Find("until") == nullptr) return Unexpected(at, "a silence with `until`");
    silence.until = FB_TRY(ReadInstant(Of(at, "until")));
    if (at.node.Find("from") != nullptr) silence.from = FB_TRY(ReadInstant(Of(at, "from")));
    if (silence.until <= silence.from) return Unexpected(Of(at, "until"), "an end behind `from`");
    rules_.silences.push_back(std::move(silence));
    return {};
  }

  static Result<Instant> ReadInstant(At at) {
    const Result<Instant> instant = ParseUserInstant(FB_TRY(ReadText(at, "an instant")));
    if (!instant) return Unexpected(at, "an instant", "such as 2026-12-24 or 2026-12-24T18:00:00Z");
    return *instant;
  }

  Result<std::vector<std::string>> Names(At map) const {
    if (map.node.Find("to") == nullptr) return Unexpected(map, "`to`, with names of receivers");
    const At at = Of(map, "to");
    std::vector<std::string> names = FB_TRY(ReadTexts(at, "the name of a receiver"));
    for (const std::string& name : names) {
      if (Known(name)) continue;
      std::vector<std::string_view> known;
      for (const Receiver& receiver : rules_.receivers) known.push_back(receiver.name);
      return UnknownName(at, "receiver", name, known);
    }
    return names;
  }

  bool Known(std::string_view name) const {
    return std::ranges::any_of(rules_.receivers,
                               [&](const Receiver& receiver) { return receiver.name == name; });
  }

  notice::Rules rules_;
};

}  // namespace

Result<notice::Rules> DecodeNotify(At map) { return NotifyDecoder().Run(map); }

}  // namespace flyball::estate
