#include <gtest/gtest.h>

#include "estate/test_section.h"

namespace flyball::estate {
namespace {

using notice::ReceiverKind;
using notice::Severity;

TEST(NotifySection, ReceiversRoutesAndSilences) {
  Result<Estate> estate = LoadText(R"(notify:
  page_url: https://flyball.acme.example/
  receivers:
    - { name: hook, kind: webhook, url: "https://hooks.acme.example/flyball/", secret_env: HOOK_KEY }
    - { name: chat, kind: slack, url_env: SLACK_URL }
    - { name: oncall, kind: pagerduty, key_env: PD_KEY }
    - { name: am, kind: alertmanager, url: "http://127.0.0.1:9093" }
    - { name: mail, kind: email, server: "smtps://mail.acme.example:465", user: flyball,
        password_env: MAIL_PASSWORD, from: flyball@acme.example, to: [a@acme.example, b@acme.example] }
  routes:
    - { match: { severity: critical, team: [search, ads-*], amount: 100 }, to: [oncall, chat],
        escalate: [ { after: 15m, to: mail }, { after: 1h, to: [hook] } ] }
    - { to: chat, digest: 1h }
  silences:
    - { match: { model: gpt-* }, until: 2026-12-24T18:00:00Z, reason: a load test }
)");
  ASSERT_TRUE(estate) << estate.error().ToString();
  const notice::Rules& rules = estate->notices;
  EXPECT_EQ(rules.page_url, "https://flyball.acme.example");
  ASSERT_EQ(rules.receivers.size(), 5u);
  EXPECT_EQ(rules.receivers[0].url, "https://hooks.acme.example/flyball");
  EXPECT_EQ(rules.receivers[0].key_env, "HOOK_KEY");
  EXPECT_EQ(rules.receivers[1].url_env, "SLACK_URL");
  EXPECT_EQ(rules.receivers[2].kind, ReceiverKind::kPagerDuty);
  EXPECT_EQ(rules.receivers[2].url, "https://events.pagerduty.com");
  EXPECT_EQ(rules.receivers[4].to.size(), 2u);
  ASSERT_EQ(rules.routes.size(), 2u);
  const notice::Route& first = rules.routes[0];
  EXPECT_EQ(first.match.least, Severity::kCritical);
  EXPECT_EQ(first.match.least_amount, Money::Parse("100").value());
  ASSERT_EQ(first.match.labels.size(), 1u);
  EXPECT_EQ(first.match.labels[0].second, (std::vector<std::string>{"search", "ads-*"}));
  ASSERT_EQ(first.escalate.size(), 2u);
  EXPECT_EQ(first.escalate[0].after_us, 15 * 60 * kMicrosPerSecond);
  EXPECT_EQ(rules.routes[1].digest_us, kMicrosPerHour);
  ASSERT_EQ(rules.silences.size(), 1u);
  EXPECT_EQ(FormatInstant(rules.silences[0].until), "2026-12-24T18:00:00Z");
}

TEST(NotifySection, MistakesHaveTheirPlaceAndTellNoSecret) {
  struct Wrong {
    std::string receiver, says;
  };
  const Wrong wrongs[] = {
      {"{ kind: webhook, url: \"https://a\" }", "with `name`"},
      {"{ name: a }", "with `kind`"},
      {"{ name: a, kind: pager }", "kind of receiver"},
      {"{ name: a, kind: slack, url: \"https://hooks.slack.com/x\" }", "url"},
      {"{ name: a, kind: slack, url_env: \"https://hooks.slack.com/T0/B0/topsecret\" }",
       "no name of a variable"},
      {"{ name: a, kind: webhook, url: \"http://acme.example\" }", "an https:// address"},
      {"{ name: a, kind: webhook, url: \"https://u:p@acme.example\" }", "without a password"},
      {"{ name: a, kind: webhook }", "`url`"},
      {"{ name: a, kind: pagerduty }", "key_env"},
      {"{ name: a, kind: email, server: \"smtps://m\", from: a@b.example }", "with `to`"},
      {"{ name: a, kind: email, server: \"https://m\", from: a@b, to: [c@d] }", "server of e-mail"},
      {"{ name: a, kind: email, server: \"smtps://m\", from: \"a@b\\r\\nRCPT\", to: [c@d] }",
       "an address of e-mail"},
      {"{ name: a, kind: email, server: \"smtps://m\", from: a@b, to: [c@d], user: u }",
       "password_env"},
  };
  for (const Wrong& wrong : wrongs) {
    const Result<Estate> estate = LoadText("notify:\n  receivers:\n    - " + wrong.receiver + "\n");
    ASSERT_FALSE(estate) << wrong.receiver;
    EXPECT_NE(estate.error().ToString().find(wrong.says), std::string::npos)
        << wrong.receiver << ": " << estate.error().ToString();
    EXPECT_EQ(estate.error().ToString().find("topsecret"), std::string::npos);
    EXPECT_EQ(estate.error().place.line, 3) << wrong.receiver;
  }
}

TEST(NotifySection, RoutesNameReceiversAndStepsAscend) {
  const std::string receivers =
      "notify:\n  receivers:\n    - { name: chat, kind: slack, url_env: U }\n";
  for (const std::string wrong :
       {"  routes: [ { to: chatt } ]\n",
        "  routes: [ { to: chat, match: { sevirity: critical } } ]\n",
        "  routes: [ { match: {} } ]\n", "  routes: [ { to: chat, digest: soon } ]\n",
        "  routes: [ { to: chat, digest: 0s } ]\n",
        "  routes: [ { to: chat, escalate: [ { after: 2h, to: chat }, { after: 1h, to: chat } ] } "
        "]\n",
        "  silences: [ { until: 2026-12-24 } ]\n",
        "  silences: [ { from: 2026-12-25, until: 2026-12-24, reason: x } ]\n"}) {
    const Result<Estate> estate = LoadText(receivers + wrong);
    ASSERT_FALSE(estate) << wrong;
    EXPECT_EQ(estate.error().place.line, 4) << wrong << estate.error().ToString();
  }
}

}  // namespace
}  // namespace flyball::estate
