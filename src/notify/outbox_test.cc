#include "notify/outbox.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/clock.h"
#include "notify/message.h"

namespace flyball::notify {
namespace {

using notice::Notice;
using notice::Severity;
using notice::State;

constexpr Instant kNow{1'764'000'000'000'000};
constexpr int64_t kSecond = kMicrosPerSecond;

Instant After(int64_t seconds) { return {kNow.us + seconds * kSecond}; }

Notice Made(const std::string& id, State state = State::kOpen,
            Severity severity = Severity::kWarning) {
  Notice notice;
  notice.id = id;
  notice.kind = "incident";
  notice.state = state;
  notice.severity = severity;
  notice.title = "What " + id + " is about";
  notice.labels = {{"team", id.substr(0, 1)}};
  return notice;
}

notice::Receiver Named(const std::string& name) {
  notice::Receiver receiver;
  receiver.name = name;
  return receiver;
}

notice::Rules TwoReceivers() {
  notice::Rules rules;
  rules.receivers = {Named("chat"), Named("oncall")};
  return rules;
}

class OutboxTest : public testing::Test {
 protected:
  void Play(const Result<std::string>& record) {
    ASSERT_TRUE(record) << record.error().ToString();
    if (record->empty()) return;
    log_.push_back(*record);
    ASSERT_TRUE(box_.Replay(*record));
  }
  void Take(const Notice& notice, Instant at = kNow) { Play(box_.Take(notice, at)); }
  void Tick(Instant at) {
    for (const std::string& record : box_.Tick(at)) Play(record);
  }
  // Sends all that is due; "receiver:subject,subject" each.
  std::vector<std::string> SendAll(Instant at) {
    std::vector<std::string> sent;
    for (std::vector<Delivery> due = box_.Due(at); !due.empty(); due = box_.Due(at)) {
      for (const Delivery& delivery : due) {
        std::string line = delivery.receiver + ":";
        for (const Notice& notice : delivery.notices) {
          line += (line.ends_with(':') ? "" : ",") + notice.id;
          if (notice.state != State::kOpen) line += " " + std::string(StateName(notice.state));
        }
        sent.push_back(delivery.escalated ? line + "!" : line);
        Play(Outbox::Sent(delivery.id, at));
      }
    }
    return sent;
  }
  Outbox Replayed() const {
    Outbox other;
    other.SetRules(box_.rules());
    for (const std::string& record : log_) EXPECT_TRUE(other.Replay(record));
    return other;
  }

  Outbox box_;
  std::vector<std::string> log_;
};

using Lines = std::vector<std::string>;

TEST_F(OutboxTest, WithoutRoutesEverybodyIsTold) {
  box_.SetRules(TwoReceivers());
  Take(Made("a"));
  EXPECT_EQ(SendAll(kNow), (Lines{"chat:a", "oncall:a"}));
  EXPECT_EQ(SendAll(After(3600)), Lines{});
}

TEST_F(OutboxTest, WithoutReceiversNothingIsKept) {
  EXPECT_EQ(box_.Take(Made("a"), kNow).value(), "");
}

TEST_F(OutboxTest, TheFirstRouteThatMatchesCounts) {
  notice::Rules rules = TwoReceivers();
  notice::Route critical;
  critical.match.least = Severity::kCritical;
  critical.to = {"oncall"};
  notice::Route team;
  team.match.labels = {{"team", {"b"}}};
  team.to = {"chat"};
  rules.routes = {critical, team};
  box_.SetRules(rules);
  Take(Made("a", State::kOpen, Severity::kCritical));
  Take(Made("b"));
  Take(Made("c"));  // no route
  EXPECT_EQ(SendAll(kNow), (Lines{"oncall:a", "chat:b"}));
}

TEST_F(OutboxTest, NewsOfAnIncidentIsToldAndRepetitionIsNot) {
  notice::Rules rules = TwoReceivers();
  notice::Route route;
  route.match.least = Severity::kCritical;
  route.to = {"oncall"};
  notice::Route rest;
  rest.to = {"chat"};
  rules.routes = {route, rest};
  box_.SetRules(rules);
  Take(Made("a"));
  Take(Made("a"));
  EXPECT_EQ(SendAll(kNow), Lines{"chat:a"});
  Take(Made("a", State::kOpen, Severity::kCritical));  // graver: it goes by its route
  EXPECT_EQ(SendAll(kNow), Lines{"oncall:a"});
  Take(Made("a", State::kAcknowledged));
  EXPECT_EQ(SendAll(kNow), (Lines{"chat:a acknowledged", "oncall:a acknowledged"}));
  Take(Made("a", State::kResolved));
  Take(Made("a", State::kResolved));
  EXPECT_EQ(SendAll(kNow), (Lines{"chat:a resolved", "oncall:a resolved"}));
  Take(Made("a"));  // again
  EXPECT_EQ(SendAll(kNow), Lines{"chat:a"});
  EXPECT_EQ(box_.Take(Made("z", State::kAcknowledged), kNow).value(), "");  // nobody knows of it
  EXPECT_EQ(box_.Take(Made("y", State::kResolved), kNow).value(), "");
  EXPECT_EQ(box_.Take(Made("a"), kNow).value(), "");
}

TEST_F(OutboxTest, OneIncidentIsToldInItsOrder) {
  box_.SetRules(TwoReceivers());
  Take(Made("a"));
  Take(Made("a", State::kResolved));
  std::vector<Delivery> due = box_.Due(kNow);
  ASSERT_EQ(due.size(), 2u);
  Play(box_.Failed(due[0].id, kNow, {"503", false, 0}));
  due = box_.Due(kNow);  // the end does not overtake the beginning
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].receiver, "oncall");
  EXPECT_EQ(SendAll(After(2)),
            (Lines{"chat:a", "oncall:a", "chat:a resolved", "oncall:a resolved"}));
}

TEST_F(OutboxTest, ADigestCollectsForItsTime) {
  notice::Rules rules = TwoReceivers();
  notice::Route route;
  route.to = {"chat"};
  route.digest_us = 600 * kSecond;
  rules.routes = {route};
  box_.SetRules(rules);
  Take(Made("a"));
  Take(Made("b"), After(60));
  Take(Made("a", State::kOpen, Severity::kCritical), After(61));
  EXPECT_EQ(SendAll(After(599)), Lines{});
  EXPECT_EQ(SendAll(After(600)), Lines{"chat:b,a"});
  Take(Made("c"), After(601));
  EXPECT_EQ(SendAll(After(1200)), Lines{});
  EXPECT_EQ(SendAll(After(1201)), Lines{"chat:c"});
}

TEST_F(OutboxTest, WhatNobodyAnswersIsEscalated) {
  notice::Rules rules = TwoReceivers();
  notice::Route route;
  route.to = {"chat"};
  route.escalate = {{900 * kSecond, {"oncall"}}, {3600 * kSecond, {"chat", "oncall"}}};
  rules.routes = {route};
  box_.SetRules(rules);
  Take(Made("a"));
  Take(Made("b"));
  EXPECT_EQ(SendAll(kNow), (Lines{"chat:a", "chat:b"}));
  Tick(After(899));
  EXPECT_EQ(SendAll(After(899)), Lines{});
  Take(Made("b", State::kAcknowledged), After(899));
  Tick(After(900));
  Tick(After(900));
  EXPECT_EQ(SendAll(After(900)), (Lines{"chat:b acknowledged", "oncall:a!"}));
  Tick(After(3600));
  EXPECT_EQ(SendAll(After(3600)), (Lines{"chat:a!", "oncall:a!"}));
  Take(Made("a", State::kResolved), After(3601));
  EXPECT_EQ(SendAll(After(3601)), (Lines{"chat:a resolved", "oncall:a resolved"}));
}

TEST_F(OutboxTest, ASilenceHoldsBackWhatEndsInIt) {
  notice::Rules rules = TwoReceivers();
  rules.routes.resize(1);
  rules.routes[0].to = {"chat"};
  rules.silences.resize(1);
  rules.silences[0].match.labels = {{"team", {"a"}}};
  rules.silences[0].until = After(100);
  box_.SetRules(rules);
  Take(Made("a"));
  Take(Made("ab"));
  Take(Made("b"));
  EXPECT_EQ(SendAll(kNow), Lines{"chat:b"});
  Take(Made("a", State::kResolved), After(50));
  Tick(After(99));
  EXPECT_EQ(SendAll(After(99)), Lines{});
  Tick(After(100));
  EXPECT_EQ(SendAll(After(100)), Lines{"chat:ab"});  // still lasts
}

TEST_F(OutboxTest, FailuresAreTriedAgainLaterAndLaterUntilADayIsOver) {
  notice::Rules rules = TwoReceivers();
  rules.receivers.pop_back();
  box_.SetRules(rules);
  Take(Made("a"));
  Instant at = kNow;
  int64_t before = 0;
  int attempts = 0;
  while (box_.waiting() > 0) {
    std::vector<Delivery> due = box_.Due(at);
    ASSERT_EQ(due.size(), 1u);
    ++attempts;
    Play(box_.Failed(due[0].id, at, {"503", false, 0}));
    const Delivery now = box_.Deliveries(1).front();
    if (now.state != DeliveryState::kWaiting) break;
    const int64_t wait = now.due.us - at.us;
    EXPECT_GE(wait, std::min<int64_t>(before, kRetryMostUs));
    EXPECT_LE(wait, kRetryMostUs);
    EXPECT_TRUE(box_.Due({now.due.us - 1}).empty());
    before = wait;
    at = now.due;
  }
  EXPECT_GT(attempts, 90);
  EXPECT_LE(at.us - kNow.us, kGiveUpUs);
  EXPECT_EQ(box_.Deliveries(1).front().state, DeliveryState::kGivenUp);
  EXPECT_EQ(box_.Deliveries(1).front().fault, "503");
}

TEST_F(OutboxTest, AReceiverSaysWhenAndAFinalFailureIsNotRepeated) {
  box_.SetRules(TwoReceivers());
  Take(Made("a"));
  std::vector<Delivery> due = box_.Due(kNow);
  Play(box_.Failed(due[0].id, kNow, {"429", false, 60 * kSecond}));
  Play(box_.Failed(due[1].id, kNow, {"400", true, 0}));
  EXPECT_TRUE(box_.Due(After(59)).empty());
  EXPECT_EQ(SendAll(After(60)), Lines{"chat:a"});
  EXPECT_EQ(box_.waiting(), 0u);
}

// Estates are edited, and may be broken or away for a moment.
TEST_F(OutboxTest, WhatWaitsForAReceiverThatIsGoneWaitsForADay) {
  box_.SetRules(TwoReceivers());
  Take(Made("a"));
  notice::Rules rules = TwoReceivers();
  rules.receivers.pop_back();
  box_.SetRules(rules);
  Tick(After(3600));
  EXPECT_EQ(SendAll(After(3600)), Lines{"chat:a"});
  EXPECT_EQ(box_.waiting(), 1u);
  box_.SetRules(TwoReceivers());
  EXPECT_EQ(SendAll(After(3600)), Lines{"oncall:a"});
  Take(Made("b"), After(3600));
  box_.SetRules({});
  Tick(After(3600 + 86'400));
  EXPECT_EQ(box_.waiting(), 0u);
}

TEST_F(OutboxTest, BrokenRecordsAreRefusedAndForgottenDeliveriesAreNot) {
  for (const char* text : {"", "[]", "{}", "{\"sent\":\"a\"}", "{\"take\":{}}", "{\"step\":\"a\"}",
                           "{\"failed\":\"x\"}", "{\"subject\":1}"}) {
    EXPECT_FALSE(box_.Replay(text)) << text;
  }
  EXPECT_TRUE(box_.Replay(Outbox::Sent(7, kNow)));
  EXPECT_TRUE(box_.Replay(box_.Failed(7, kNow, {"503", false, 0})));
}

TEST_F(OutboxTest, ADeadReceiverDoesNotKeepOthersFromTheirNews) {
  notice::Rules rules = TwoReceivers();
  rules.routes.resize(2);
  rules.routes[0].match.labels = {{"team", {"n"}}};
  rules.routes[0].to = {"oncall"};
  rules.routes[1].to = {"chat", "oncall"};
  box_.SetRules(rules);
  for (size_t i = 0; i < kWaitingMax; ++i) Take(Made("n" + std::to_string(i)));
  EXPECT_EQ(box_.dropped(), 0u);
  Take(Made("a"));
  EXPECT_EQ(box_.dropped(), 1u);
  EXPECT_EQ(box_.waiting(), kWaitingMax + 1);
}

TEST_F(OutboxTest, ARouteByAmountIsFoundWhenTheAmountHasGrown) {
  notice::Rules rules = TwoReceivers();
  rules.routes.resize(2);
  rules.routes[0].match.least_amount = Money::Parse("500").value();
  rules.routes[0].to = {"oncall"};
  rules.routes[1].to = {"chat"};
  box_.SetRules(rules);
  Notice notice = Made("a");
  notice.amount = Money::Parse("3").value();
  Take(notice);
  EXPECT_EQ(SendAll(kNow), Lines{"chat:a"});
  notice.amount = Money::Parse("600").value();
  Take(notice);
  EXPECT_EQ(SendAll(kNow), Lines{"oncall:a"});
  notice.amount = Money::Parse("700").value();
  EXPECT_EQ(box_.Take(notice, kNow).value(), "");  // nothing to write down
}

TEST_F(OutboxTest, SeverityThatFlapsIsToldOnce) {
  box_.SetRules(TwoReceivers());
  Take(Made("a"));
  Take(Made("a", State::kOpen, Severity::kCritical));
  EXPECT_EQ(SendAll(kNow).size(), 4u);
  for (int i = 0; i < 3; ++i) {
    Take(Made("a"));
    Take(Made("a", State::kOpen, Severity::kCritical));
  }
  EXPECT_EQ(SendAll(kNow), Lines{});
  Take(Made("b", State::kOpen));
  Take(Made("b", State::kAcknowledged));
  Take(Made("b", State::kAcknowledged, Severity::kCritical));  // grows on in somebody's hands
  EXPECT_EQ(SendAll(kNow).size(), 6u);
}

TEST_F(OutboxTest, WhatIsCriticalDoesNotWaitForADigest) {
  notice::Rules rules = TwoReceivers();
  rules.routes.resize(2);
  rules.routes[0].match.least = Severity::kCritical;
  rules.routes[0].to = {"chat"};
  rules.routes[1].to = {"chat"};
  rules.routes[1].digest_us = 3600 * kSecond;
  box_.SetRules(rules);
  Take(Made("a"));
  Take(Made("b"));
  Take(Made("a", State::kOpen, Severity::kCritical), After(180));
  EXPECT_EQ(SendAll(After(180)), Lines{"chat:a"});
  Take(Made("b", State::kResolved), After(200));
  EXPECT_EQ(SendAll(After(200)), Lines{});
  EXPECT_EQ(SendAll(After(3600)), Lines{"chat:a,b resolved"});
}

TEST_F(OutboxTest, ADigestSaysWhatIsSoByThen) {
  notice::Rules rules = TwoReceivers();
  rules.routes.resize(1);
  rules.routes[0].to = {"chat"};
  rules.routes[0].digest_us = 600 * kSecond;
  box_.SetRules(rules);
  Notice notice = Made("a");
  notice.detail = R"({"n":1})";
  Take(notice);
  notice.amount = Money::Parse("40").value();
  notice.detail = R"({"n":2})";
  notice.labels = {{"model", "gpt-5"}};  // what an incident is known by stays
  box_.Refresh(notice);
  const std::vector<Delivery> due = box_.Due(After(600));
  ASSERT_EQ(due.size(), 1u);
  const Notice& told = due[0].notices.front();
  EXPECT_EQ(told.amount, notice.amount);
  EXPECT_EQ(told.detail, notice.detail);
  EXPECT_EQ(told.labels, Made("a").labels);
}

TEST_F(OutboxTest, EscalationCountsFromWhenPeopleWereTold) {
  notice::Rules rules = TwoReceivers();
  rules.routes.resize(2);
  rules.routes[0].match.least = Severity::kCritical;
  rules.routes[0].to = {"chat"};
  rules.routes[0].escalate = {{900 * kSecond, {"oncall"}}};
  rules.routes[1].to = {"chat"};
  rules.routes[1].escalate = {{300 * kSecond, {"chat"}}};
  rules.silences.resize(1);
  rules.silences[0].until = After(10'000);
  box_.SetRules(rules);
  Take(Made("a"));
  Tick(After(9'999));
  EXPECT_EQ(SendAll(After(9'999)), Lines{});
  Tick(After(10'000));
  Tick(After(10'001));
  EXPECT_EQ(SendAll(After(10'001)), Lines{"chat:a"});
  Tick(After(10'300));
  EXPECT_EQ(SendAll(After(10'300)), Lines{"chat:a!"});
  Take(Made("a", State::kOpen, Severity::kCritical), After(10'600));  // another route, other steps
  Tick(After(10'899));
  EXPECT_EQ(SendAll(After(10'899)), Lines{"chat:a"});
  Tick(After(10'900));
  EXPECT_EQ(SendAll(After(10'900)), Lines{"oncall:a!"});
}

TEST_F(OutboxTest, WhatGrowsGraverInASilenceIsToldAfterIt) {
  notice::Rules rules = TwoReceivers();
  rules.receivers.pop_back();
  rules.silences.resize(1);
  rules.silences[0].from = After(10);
  rules.silences[0].until = After(100);
  box_.SetRules(rules);
  Take(Made("a"));
  EXPECT_EQ(SendAll(kNow), Lines{"chat:a"});
  Take(Made("a", State::kOpen, Severity::kCritical), After(50));
  Tick(After(60));
  EXPECT_EQ(SendAll(After(60)), Lines{});
  Tick(After(100));
  EXPECT_EQ(SendAll(After(100)), Lines{"chat:a"});
}

// The records, and a snapshot, give the same outbox at every moment; each delivery is sent, given
// up or waits, and in the end none waits.
TEST_F(OutboxTest, RandomLivesAreReplayed) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    box_ = Outbox();
    log_.clear();
    notice::Rules rules = TwoReceivers();
    rules.routes.resize(2);
    rules.routes[0].match.labels = {{"team", {"a", "b"}}};
    rules.routes[0].to = {"chat"};
    rules.routes[0].digest_us = 30 * kSecond;
    rules.routes[0].escalate = {{100 * kSecond, {"oncall"}}};
    rules.routes[1].to = {"chat", "oncall"};
    rules.silences.resize(1);
    rules.silences[0].match.labels = {{"team", {"b", "c"}}};
    rules.silences[0].from = After(50);
    rules.silences[0].until = After(200);
    box_.SetRules(rules);
    int64_t second = 0;
    for (int step = 0; step < 300; ++step) {
      second += static_cast<int64_t>(random.Below(5));
      const Instant now = After(second);
      const std::string id(1, static_cast<char>('a' + random.Below(4)));
      if (random.Chance(1, 2)) {
        Take(Made(id, static_cast<State>(random.Below(3)), static_cast<Severity>(random.Below(3))),
             now);
      }
      Tick(now);
      for (const Delivery& delivery : box_.Due(now)) {
        if (random.Chance(1, 3))
          Play(box_.Failed(delivery.id, now, {"no", false, 0}));
        else
          Play(Outbox::Sent(delivery.id, now));
      }
    }
    const Outbox replayed = Replayed();
    EXPECT_EQ(replayed.Snapshot(), box_.Snapshot()) << "seed " << seed;
    Outbox kept;
    kept.SetRules(rules);
    for (const std::string& record : box_.Snapshot()) ASSERT_TRUE(kept.Replay(record));
    EXPECT_EQ(kept.Snapshot(), box_.Snapshot()) << "seed " << seed;
    SendAll(After(second + 10'000));
    EXPECT_EQ(box_.waiting(), 0u) << "seed " << seed;
  }
}

}  // namespace
}  // namespace flyball::notify
