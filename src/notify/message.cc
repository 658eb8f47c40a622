#include "notify/message.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "base/hash.h"
#include "base/text.h"

namespace flyball::notify {
namespace {

using Json = nlohmann::ordered_json;
using net::WebRequest;
using notice::Notice;
using notice::Receiver;
using notice::ReceiverKind;
using notice::Severity;
using notice::State;

// What receivers take; longer texts are cut with an ellipsis.
constexpr size_t kSlackTextBytes = 2900;
constexpr size_t kSlackFieldsMax = 10;
constexpr size_t kPagerDutySummaryBytes = 1024;
constexpr size_t kShownMax = 20;  // notices of a digest that chats show in full

std::string Cut(std::string_view text, size_t most) {
  if (text.size() <= most) return std::string(text);
  constexpr std::string_view kEllipsis = "…";
  text = text.substr(0, most - kEllipsis.size());
  return std::string(text.substr(0, ValidUtf8Prefix(text))) + std::string(kEllipsis);
}

std::string AmountOf(const Notice& notice) {
  if (!notice.amount) return {};
  return notice.amount->ToString() + (notice.currency.empty() ? "" : " " + notice.currency);
}

// "Critical", "Acknowledged: ...", "Resolved: ..."
std::string Headline(const Notice& notice, bool escalated) {
  std::string word = notice.severity == Severity::kCritical  ? "Critical"
                     : notice.severity == Severity::kWarning ? "Warning"
                                                             : "Note";
  if (notice.state == State::kAcknowledged) word = "Acknowledged";
  if (notice.state == State::kResolved) word = "Resolved";
  if (escalated && notice.state == State::kOpen) word += ", nobody has answered";
  return word + ": " + notice.title;
}

std::string PageOf(const Notice& notice, const std::string& page_url) {
  if (page_url.empty()) return {};
  return notice.page.empty() ? page_url : page_url + "/" + notice.page;
}

// What a person wants to see beside the text: name and value.
std::vector<std::pair<std::string, std::string>> FactsOf(const Notice& notice) {
  std::vector<std::pair<std::string, std::string>> facts;
  if (notice.amount) facts.emplace_back("amount", AmountOf(notice));
  if (notice.since.us != 0) facts.emplace_back("since", FormatInstant(notice.since));
  facts.insert(facts.end(), notice.labels.begin(), notice.labels.end());
  return facts;
}

WebRequest Post(std::string url, std::string body) {
  WebRequest request;
  request.method = "POST";
  request.url = std::move(url);
  request.headers = {{"Content-Type", "application/json"}, {"User-Agent", "flyball"}};
  request.body = std::move(body);
  return request;
}

// --- Webhook ---

std::string KeyBytes(const std::string& key) {
  constexpr std::string_view kBase64Key = "whsec_";
  return key.starts_with(kBase64Key) ? FromBase64(key.substr(kBase64Key.size())) : key;
}

WebRequest Webhook(const Receiver& receiver, const Secrets& secrets, const Outgoing& outgoing) {
  Json body{{"type", "flyball.notices"},
            {"timestamp", FormatInstant(outgoing.at)},
            {"escalated", outgoing.escalated},
            {"notices", Json::array()}};
  for (const Notice& notice : outgoing.notices) {
    Json json = Json::parse(NoticeJson(notice));
    if (const std::string page = PageOf(notice, outgoing.page_url); !page.empty()) {
      json["url"] = page;
    }
    body["notices"].push_back(std::move(json));
  }
  WebRequest request = Post(secrets.url.empty() ? receiver.url : secrets.url, body.dump());
  const std::string seconds = std::to_string(outgoing.at.us / kMicrosPerSecond);
  request.headers.emplace_back("webhook-id", outgoing.id);
  request.headers.emplace_back("webhook-timestamp", seconds);
  if (!secrets.key.empty()) {
    const std::string signed_text = outgoing.id + "." + seconds + "." + request.body;
    request.headers.emplace_back("webhook-signature",
                                 "v1," + Base64(HmacSha256(KeyBytes(secrets.key), signed_text)));
  }
  return request;
}

// --- Slack ---

std::string SlackText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

Json SlackSection(std::string text) {
  return {{"type", "section"},
          {"text", {{"type", "mrkdwn"}, {"text", Cut(text, kSlackTextBytes)}}}};
}

WebRequest Slack(const Secrets& secrets, const Outgoing& outgoing) {
  Json blocks = Json::array();
  std::string summary;
  size_t shown = 0;
  for (const Notice& notice : outgoing.notices) {
    const std::string headline = SlackText(Headline(notice, outgoing.escalated));
    if (summary.empty()) summary = headline;
    if (++shown > kShownMax) continue;
    std::string text = "*" + headline + "*";
    if (!notice.text.empty()) text += "\n" + SlackText(notice.text);
    if (const std::string page = PageOf(notice, outgoing.page_url); !page.empty()) {
      text += "\n<" + page + "|Open in Flyball>";
    }
    Json block = SlackSection(std::move(text));
    for (const auto& [name, value] : FactsOf(notice)) {
      if (block["fields"].size() == kSlackFieldsMax) break;
      block["fields"].push_back(
          {{"type", "mrkdwn"},
           {"text", Cut("*" + SlackText(name) + "*\n" + SlackText(value), kSlackTextBytes / 2)}});
    }
    blocks.push_back(std::move(block));
  }
  if (shown > kShownMax)
    blocks.push_back(SlackSection(fmt::format("and {} more", shown - kShownMax)));
  if (shown > 1) summary += fmt::format(" (and {} more)", shown - 1);
  return Post(secrets.url,
              Json{{"text", Cut(summary, kSlackTextBytes)}, {"blocks", std::move(blocks)}}.dump());
}

// --- Teams ---

WebRequest Teams(const Secrets& secrets, const Outgoing& outgoing) {
  Json body = Json::array();
  Json actions = Json::array();
  size_t shown = 0;
  for (const Notice& notice : outgoing.notices) {
    if (++shown > kShownMax) continue;
    const bool grave = notice.severity == Severity::kCritical && notice.state == State::kOpen;
    body.push_back({{"type", "TextBlock"},
                    {"text", Headline(notice, outgoing.escalated)},
                    {"weight", "Bolder"},
                    {"wrap", true},
                    {"color", grave ? "Attention" : "Default"}});
    if (!notice.text.empty()) {
      body.push_back({{"type", "TextBlock"}, {"text", Cut(notice.text, 2000)}, {"wrap", true}});
    }
    Json facts = Json::array();
    for (const auto& [name, value] : FactsOf(notice)) {
      facts.push_back({{"title", name}, {"value", value}});
    }
    if (!facts.empty()) body.push_back({{"type", "FactSet"}, {"facts", std::move(facts)}});
    const std::string page = PageOf(notice, outgoing.page_url);
    if (!page.empty() && actions.empty()) {
      actions.push_back({{"type", "Action.OpenUrl"}, {"title", "Open in Flyball"}, {"url", page}});
    }
  }
  if (shown > kShownMax) {
    body.push_back(
        {{"type", "TextBlock"}, {"text", fmt::format("and {} more", shown - kShownMax)}});
  }
  Json card{{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
            {"type", "AdaptiveCard"},
            {"version", "1.4"},
            {"body", std::move(body)}};
  if (!actions.empty()) card["actions"] = std::move(actions);
  const Json message{
      {"type", "message"},
      {"attachments",
       {{{"contentType", "application/vnd.microsoft.card.adaptive"}, {"content", card}}}}};
  return Post(secrets.url, message.dump());
}

// --- PagerDuty ---

WebRequest PagerDuty(const Receiver& receiver, const Secrets& secrets, const Notice& notice,
                     const std::string& page_url) {
  const char* const action = notice.state == State::kOpen           ? "trigger"
                             : notice.state == State::kAcknowledged ? "acknowledge"
                                                                    : "resolve";
  Json event{{"routing_key", secrets.key}, {"event_action", action}, {"dedup_key", notice.id}};
  if (notice.state == State::kOpen) {
    Json details = Json::object();
    for (const auto& [name, value] : FactsOf(notice)) details[name] = value;
    if (!notice.text.empty()) details["text"] = notice.text;
    event["payload"] = {{"summary", Cut(notice.title, kPagerDutySummaryBytes)},
                        {"source", "flyball"},
                        {"severity", notice::SeverityName(notice.severity)},
                        {"class", notice.kind},
                        {"custom_details", std::move(details)}};
    if (notice.since.us != 0) event["payload"]["timestamp"] = FormatInstant(notice.since);
    event["client"] = "Flyball";
    if (const std::string page = PageOf(notice, page_url); !page.empty()) {
      event["client_url"] = page;
    }
  }
  return Post(receiver.url + "/v2/enqueue", event.dump());
}

// --- Alertmanager ---

// Label names are [a-zA-Z_][a-zA-Z0-9_]*.
std::string LabelName(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                       (c >= '0' && c <= '9' && !out.empty());
    out += plain ? c : '_';
  }
  return out;
}

WebRequest Alertmanager(const Receiver& receiver, const Outgoing& outgoing) {
  // What is open ends by itself only after days: otherwise Alertmanager takes what is not repeated
  // within minutes for resolved.
  constexpr int64_t kOpenForUs = 30 * kMicrosPerDay;
  Json alerts = Json::array();
  for (const Notice& notice : outgoing.notices) {
    // An alert is known by its labels: none of them may change while it lasts.
    Json labels{{"alertname", "Flyball"}, {"notice", notice.id}, {"kind", notice.kind}};
    for (const auto& [name, value] : notice.labels) {
      if (const std::string plain = LabelName(name); !labels.contains(plain)) labels[plain] = value;
    }
    Json annotations{{"summary", notice.title},
                     {"description", notice.text},
                     {"severity", notice::SeverityName(notice.severity)}};
    if (notice.amount) annotations["amount"] = AmountOf(notice);
    const bool over = notice.state == State::kResolved;
    Json alert{
        {"labels", std::move(labels)},
        {"annotations", std::move(annotations)},
        {"startsAt", FormatInstant(notice.since.us != 0 ? notice.since : outgoing.at)},
        {"endsAt", FormatInstant(over ? outgoing.at : Instant{outgoing.at.us + kOpenForUs})}};
    if (const std::string page = PageOf(notice, outgoing.page_url); !page.empty()) {
      alert["generatorURL"] = page;
    }
    alerts.push_back(std::move(alert));
  }
  return Post(receiver.url + "/api/v2/alerts", alerts.dump());
}

// --- E-mail ---

// A word of a head that may hold any text (RFC 2047), in pieces of at most 75 bytes.
std::string HeadText(std::string_view text) {
  std::string out;
  constexpr size_t kPiece = 39;  // of bytes: 52 of Base64, and the frame
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, ValidUtf8Prefix(text.substr(0, kPiece)));
    if (piece.empty()) break;
    out += (out.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + Base64(piece) + "?=";
    text.remove_prefix(piece.size());
  }
  return out;
}

std::string MailDate(Instant at) {
  constexpr const char* kDays[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const CivilDate date = ToCivilDate(at);
  const int64_t day = FloorDay(at).us / kMicrosPerDay;
  const int64_t second = (at.us - FloorDay(at).us) / kMicrosPerSecond;
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000", kDays[((day % 7) + 7) % 7],
                     date.day, kMonths[date.month - 1], date.year, second / 3600, second / 60 % 60,
                     second % 60);
}

std::string MailText(const Outgoing& outgoing) {
  std::string text;
  for (const Notice& notice : outgoing.notices) {
    if (!text.empty()) text += "\n----\n\n";
    text += Headline(notice, outgoing.escalated) + "\n\n";
    if (!notice.text.empty()) text += notice.text + "\n\n";
    for (const auto& [name, value] : FactsOf(notice)) text += name + ": " + value + "\n";
    if (const std::string page = PageOf(notice, outgoing.page_url); !page.empty()) {
      text += "\n" + page + "\n";
    }
  }
  return text;
}

}  // namespace

std::vector<WebRequest> HttpMessages(const Receiver& receiver, const Secrets& secrets,
                                     const Outgoing& outgoing) {
  std::vector<WebRequest> requests;
  switch (receiver.kind) {
    case ReceiverKind::kWebhook:
      requests.push_back(Webhook(receiver, secrets, outgoing));
      break;
    case ReceiverKind::kSlack:
      requests.push_back(Slack(secrets, outgoing));
      break;
    case ReceiverKind::kTeams:
      requests.push_back(Teams(secrets, outgoing));
      break;
    case ReceiverKind::kPagerDuty:
      for (const Notice& notice : outgoing.notices) {
        requests.push_back(PagerDuty(receiver, secrets, notice, outgoing.page_url));
      }
      break;
    case ReceiverKind::kAlertmanager:
      requests.push_back(Alertmanager(receiver, outgoing));
      break;
    case ReceiverKind::kEmail:
      break;
  }
  return requests;
}

Mail MailMessage(const Receiver& receiver, const Outgoing& outgoing) {
  Mail mail;
  mail.subject = outgoing.notices.size() == 1 ? Headline(outgoing.notices[0], outgoing.escalated)
                                              : fmt::format("{} notices", outgoing.notices.size());
  std::string to;
  for (const std::string& address : receiver.to) to += (to.empty() ? "" : ",\r\n ") + address;
  constexpr size_t kMessageIdDigits = 32;  // ids have signs that mail servers refuse
  const std::string host = receiver.from.substr(receiver.from.find('@') + 1);
  mail.text = "Date: " + MailDate(outgoing.at) + "\r\nFrom: Flyball <" + receiver.from +
              ">\r\nTo: " + to + "\r\nSubject: " + HeadText("Flyball: " + mail.subject) +
              "\r\nMessage-ID: <" + Sha256Hex(outgoing.id).substr(0, kMessageIdDigits) + "@" +
              host +
              ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: "
              "text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  const std::string body = Base64(MailText(outgoing));
  constexpr size_t kLine = 76;
  for (size_t at = 0; at < body.size(); at += kLine) mail.text += body.substr(at, kLine) + "\r\n";
  return mail;
}

std::string NoticeJson(const Notice& notice) {
  Json json{{"id", notice.id},
            {"kind", notice.kind},
            {"state", notice::StateName(notice.state)},
            {"severity", notice::SeverityName(notice.severity)},
            {"title", notice.title},
            {"text", notice.text},
            {"labels", Json::object()}};
  for (const auto& [name, value] : notice.labels) json["labels"][name] = value;
  if (notice.amount) json["amount"] = notice.amount->ToString();
  if (!notice.currency.empty()) json["currency"] = notice.currency;
  if (notice.since.us != 0) json["since"] = FormatInstant(notice.since);
  if (!notice.page.empty()) json["page"] = notice.page;
  if (!notice.detail.empty()) {
    Json detail = Json::parse(notice.detail, nullptr, false);
    if (detail.is_object()) json["detail"] = std::move(detail);
  }
  return json.dump();
}

Result<Notice> ParseNotice(std::string_view text) {
  const auto wrong = [] { return Fail(Code::kInvalidArgument, "this is no notice"); };
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return wrong();
  try {
    Notice notice;
    notice.id = json.at("id").get<std::string>();
    notice.kind = json.at("kind").get<std::string>();
    const auto state = notice::ParseState(json.at("state").get<std::string>());
    const auto severity = notice::ParseSeverity(json.at("severity").get<std::string>());
    if (!state || !severity) return wrong();
    notice.state = *state;
    notice.severity = *severity;
    notice.title = json.at("title").get<std::string>();
    notice.text = json.value("text", "");
    for (const auto& [name, value] : json.at("labels").items()) {
      notice.labels.emplace_back(name, value.get<std::string>());
    }
    if (json.contains("amount")) {
      notice.amount = FB_TRY(Money::Parse(json["amount"].get<std::string>()));
    }
    notice.currency = json.value("currency", "");
    if (json.contains("since")) {
      notice.since = FB_TRY(ParseUserInstant(json["since"].get<std::string>()));
    }
    notice.page = json.value("page", "");
    if (json.contains("detail")) notice.detail = json["detail"].dump();
    return notice;
  } catch (const Json::exception&) {
    return wrong();
  }
}

}  // namespace flyball::notify
