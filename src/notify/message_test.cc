#include "notify/message.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/crypto.h"

namespace flyball::notify {
namespace {

using Json = nlohmann::json;
using notice::Notice;
using notice::Receiver;
using notice::ReceiverKind;
using notice::Severity;
using notice::State;

constexpr Instant kAt{1'764'000'000'000'000};

Notice Made() {
  Notice notice;
  notice.id = "inc-1";
  notice.kind = "incident";
  notice.severity = Severity::kCritical;
  notice.title = "agent-7 spends 40 times <its> pace & more";
  notice.text = "It began at noon.";
  notice.labels = {{"team", "search"}, {"tag:env", "prod"}};
  notice.amount = Money::Parse("12.345678901234").value();
  notice.currency = "USD";
  notice.since = {kAt.us - kMicrosPerHour};
  notice.page = "#/incidents/inc-1";
  notice.detail = R"({"cause":[{"key":"agent-7"}]})";
  return notice;
}

std::string HeaderOf(const net::WebRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return {};
}

net::WebRequest One(ReceiverKind kind, const Notice& notice, const Secrets& secrets = {}) {
  Receiver receiver;
  receiver.kind = kind;
  receiver.url = "https://receiver.example";
  std::vector<net::WebRequest> requests =
      HttpMessages(receiver, secrets, {"d-7", {&notice, 1}, kAt, "https://flyball.example"});
  EXPECT_EQ(requests.size(), 1u);
  return requests.at(0);
}

TEST(Message, ANoticeIsReadBackAsItWas) {
  const Notice notice = Made();
  EXPECT_EQ(ParseNotice(NoticeJson(notice)).value(), notice);
  for (const char* text : {"", "{}", "[]", R"({"id":1})"}) EXPECT_FALSE(ParseNotice(text)) << text;
}

// The example of the specification of Standard Webhooks 1.0.
TEST(Message, WebhooksAreSignedAsTheStandardSays) {
  const std::string key = FromBase64("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  EXPECT_EQ(Base64(HmacSha256(key,
                              "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": "
                              "2432232314}")),
            "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  const net::WebRequest request =
      One(ReceiverKind::kWebhook, Made(), {"", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
  EXPECT_EQ(request.url, "https://receiver.example");
  EXPECT_EQ(HeaderOf(request, "webhook-id"), "d-7");
  EXPECT_EQ(HeaderOf(request, "webhook-timestamp"), "1764000000");
  EXPECT_EQ(HeaderOf(request, "webhook-signature"),
            "v1," + Base64(HmacSha256(key, "d-7.1764000000." + request.body)));
  const Json body = Json::parse(request.body);
  const Json& notice = body.at("notices").at(0);
  EXPECT_EQ(notice.at("amount"), "12.345678901234");
  EXPECT_EQ(notice.at("url"), "https://flyball.example/#/incidents/inc-1");
  EXPECT_EQ(notice.at("detail").at("cause").at(0).at("key"), "agent-7");
  EXPECT_EQ(HeaderOf(One(ReceiverKind::kWebhook, Made()), "webhook-signature"), "");
}

TEST(Message, SlackGetsEscapedTextWithinItsLimits) {
  Notice notice = Made();
  notice.text = std::string(5000, 'x') + "é";
  const net::WebRequest request =
      One(ReceiverKind::kSlack, notice, {"https://hooks.slack.example/T/B/x", ""});
  EXPECT_EQ(request.url, "https://hooks.slack.example/T/B/x");
  const Json body = Json::parse(request.body);
  EXPECT_EQ(body.at("text"), "Critical: agent-7 spends 40 times &lt;its&gt; pace &amp; more");
  const Json& block = body.at("blocks").at(0);
  EXPECT_LE(block.at("text").at("text").get<std::string>().size(), 3000u);
  EXPECT_LE(block.at("fields").size(), 10u);
}

TEST(Message, TeamsGetsAnAdaptiveCard) {
  const Json body =
      Json::parse(One(ReceiverKind::kTeams, Made(), {"https://teams.example/x", ""}).body);
  const Json& card = body.at("attachments").at(0).at("content");
  EXPECT_EQ(body.at("type"), "message");
  EXPECT_EQ(card.at("type"), "AdaptiveCard");
  EXPECT_EQ(card.at("body").at(0).at("color"), "Attention");
  EXPECT_EQ(card.at("actions").at(0).at("url"), "https://flyball.example/#/incidents/inc-1");
}

TEST(Message, PagerDutyGetsAnEventForEachState) {
  Notice notice = Made();
  const net::WebRequest request = One(ReceiverKind::kPagerDuty, notice, {"", "routing"});
  EXPECT_EQ(request.url, "https://receiver.example/v2/enqueue");
  Json event = Json::parse(request.body);
  EXPECT_EQ(event.at("event_action"), "trigger");
  EXPECT_EQ(event.at("routing_key"), "routing");
  EXPECT_EQ(event.at("dedup_key"), "inc-1");
  EXPECT_EQ(event.at("payload").at("severity"), "critical");
  EXPECT_EQ(event.at("payload").at("custom_details").at("amount"), "12.345678901234 USD");
  notice.state = State::kResolved;
  event = Json::parse(One(ReceiverKind::kPagerDuty, notice, {"", "routing"}).body);
  EXPECT_EQ(event.at("event_action"), "resolve");
  EXPECT_FALSE(event.contains("payload"));
}

TEST(Message, AlertmanagersLabelsStayWhileTheAlertLasts) {
  Notice notice = Made();
  Json alert = Json::parse(One(ReceiverKind::kAlertmanager, notice).body).at(0);
  EXPECT_EQ(alert.at("labels").at("tag_env"), "prod");
  EXPECT_GT(alert.at("endsAt").get<std::string>(), FormatInstant(kAt));
  notice.state = State::kResolved;
  notice.severity = Severity::kWarning;
  notice.amount = Money::Parse("99").value();
  const Json resolved = Json::parse(One(ReceiverKind::kAlertmanager, notice).body).at(0);
  EXPECT_EQ(resolved.at("labels"), alert.at("labels"));
  EXPECT_EQ(resolved.at("startsAt"), alert.at("startsAt"));
  EXPECT_EQ(resolved.at("endsAt"), FormatInstant(kAt));
}

TEST(Message, MailHasALegalHeadWhateverTheTitle) {
  Receiver receiver;
  receiver.kind = ReceiverKind::kEmail;
  receiver.from = "flyball@acme.example";
  receiver.to = {"a@acme.example", "b@acme.example"};
  Notice notice = Made();
  notice.title = "预算将在三天内用完：" + std::string(200, 'x');
  const Mail mail =
      MailMessage(receiver, {"incident-1@2026-11-27T15:00:00.5Z-17", {&notice, 1}, kAt, ""});
  const size_t id = mail.text.find("Message-ID: <");
  const std::string id_text = mail.text.substr(id + 13, mail.text.find('>', id) - id - 13);
  EXPECT_EQ(id_text.substr(id_text.find('@')), "@acme.example");
  EXPECT_EQ(id_text.find(':'), std::string::npos);
  const size_t blank = mail.text.find("\r\n\r\n");
  ASSERT_NE(blank, std::string::npos);
  size_t line_start = 0;
  for (size_t end = mail.text.find("\r\n"); end != std::string::npos;
       line_start = end + 2, end = mail.text.find("\r\n", line_start)) {
    const std::string line = mail.text.substr(line_start, end - line_start);
    EXPECT_LE(line.size(), 78u) << line;
    for (const char c : line) EXPECT_TRUE(c >= ' ' && c < 127) << line;
  }
  EXPECT_TRUE(mail.text.starts_with("Date: Mon, 24 Nov 2025 16:00:00 +0000\r\n")) << mail.text;
  std::string body = mail.text.substr(blank + 4);
  std::erase_if(body, [](char c) { return c == '\r' || c == '\n'; });
  EXPECT_NE(FromBase64(body).find("预算将在三天内用完"), std::string::npos);
}

}  // namespace
}  // namespace flyball::notify
