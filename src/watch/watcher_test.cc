// The live watch on simulated spend: what is ordinary is left alone, and what is not is found, soon
// and with the right name.
#include "watch/watcher.h"

#include <nlohmann/json.hpp>

#include "watch/test_live.h"

namespace flyball::watch {
namespace {

using Json = nlohmann::json;

const Who kAgent{"key-agent", "labs", "gpt-5"};

class Live : public LiveTest {};

TEST_F(Live, OrdinarySpendIsNoAnomaly) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    watcher_ = Watcher();
    random_ = Random(seed);
    now_ = kStart;
    Run(6 * 3600, Ordinary());
    EXPECT_EQ(anomalies(), 0u) << "seed " << seed << ": " << Listed();
  }
}

// Nights are quiet, mornings busy: ten times as much within two hours.
TEST_F(Live, DaysAndNightsAreNoAnomalyOnceADayWasSeen) {
  const auto day = [this] {
    const int64_t hour = now_.us / kMicrosPerHour % 24;
    const uint64_t busy = hour < 6 || hour >= 22 ? 6 : hour < 8 ? 20 : 60;
    Some(kSearch, busy, 2000);
  };
  Run(24 * 3600, day);
  const size_t first_day = anomalies();
  Run(48 * 3600, day);
  EXPECT_EQ(anomalies(), first_day) << Listed();
}

TEST_F(Live, ARunawayKeyIsNamedWithinTwoSecondsOfANewInstallation) {
  Run(8, [this] { Call(kSearch, 300); });
  EXPECT_EQ(anomalies(), 0u) << Listed();
  const auto of_key = [](const Anomaly& anomaly) { return anomaly.series.level == Level::kKey; };
  const int64_t took = Until(10, of_key, [this] {
    Call(kSearch, 300);
    for (int i = 0; i < 40; ++i) Call(kAgent, 300);
  });
  EXPECT_GE(took, 1);
  EXPECT_LE(took, 2) << Listed();
  EXPECT_EQ(found_.series.value, kAgent.key);
  EXPECT_EQ(found_.suspect, (Element{"key", kAgent.key}));
  EXPECT_EQ(found_.kind, Kind::kBurn);
  EXPECT_GT(found_.amount, Money());
  EXPECT_GT(found_.loss_per_hour, 10);
  const Json json = Json::parse(ToJson(found_));
  EXPECT_EQ(json["action"], Json({{"kind", "freeze_budget"}, {"scope", "key=key-agent"}}));
  EXPECT_EQ(json["path"]["team"], "labs");
  // Its team, its model and the whole are of the same incident, and nothing else is.
  Run(20, [this] { Call(kSearch, 300); });
  ASSERT_EQ(watcher_.book().incidents().size(), 1u);
  const Incident& incident = watcher_.book().incidents().begin()->second;
  EXPECT_GE(incident.anomalies.size(), 2u);
  EXPECT_EQ(incident.suspect, (Element{"key", kAgent.key}));
  EXPECT_LE(incident.opened.us - incident.began.us, 2 * kMicrosPerSecond);
}

TEST_F(Live, AKnownKeyThatRunsAwayIsNamedInSecondsAndEndsWhenItIsCalm) {
  Run(2 * 3600, Ordinary());
  ASSERT_EQ(anomalies(), 0u) << Listed();
  const Instant began = now_;
  const int64_t took = Until(
      30, [](const Anomaly&) { return true; },
      [&] {
        Ordinary()();
        for (int i = 0; i < 30; ++i) Call(kChat, 1000);
      });
  EXPECT_GE(took, 1);
  EXPECT_LE(took, 3);
  EXPECT_EQ(found_.suspect, (Element{"key", kChat.key}));
  EXPECT_LE(std::abs(found_.began.us - began.us), 2 * kMicrosPerSecond);
  ASSERT_FALSE(found_.causes.empty());
  EXPECT_GT(found_.causes.front().share, 0.8);
  // 58 more seconds of 30 calls for 0.001, then calm.
  Run(60 - took, [&] {
    Ordinary()();
    for (int i = 0; i < 30; ++i) Call(kChat, 1000);
  });
  Run(5 * 60, Ordinary());
  const Anomaly& ended = *watcher_.book().Find(found_.id);
  ASSERT_TRUE(ended.ended);
  // 1.80 was spent beyond what is usual, and the usual of the minutes until it was calm came on
  // top.
  EXPECT_NEAR(ToUnits(ended.amount.units()), 1.8, 0.1);
  Run(2 * 3600, Ordinary());
  const Incident& incident = watcher_.book().incidents().begin()->second;
  EXPECT_EQ(watcher_.book().incidents().size(), 1u) << Listed();
  EXPECT_EQ(incident.state, State::kResolved);
  EXPECT_NEAR(ToUnits(incident.amount.units()), 1.8, 0.1);
}

TEST_F(Live, ALeakThatCreepsUpIsFound) {
  Run(25 * 3600, Ordinary());
  ASSERT_EQ(anomalies(), 0u) << Listed();
  int64_t micros = 1000;
  const int64_t took = Until(
      3 * 3600, [](const Anomaly&) { return true; },
      [&] {
        Ordinary()();
        Some(kSearch, 40, micros / 4);
        ++micros;  // as much again as before after 50 minutes
      });
  EXPECT_GT(took, 0);
  EXPECT_EQ(found_.suspect, (Element{"key", kSearch.key}));
  EXPECT_TRUE(found_.kind == Kind::kRamp || found_.kind == Kind::kBurn);
}

TEST_F(Live, AMinuteUnlikeTheOthersIsASpike) {
  WatchSettings settings;
  settings.off[static_cast<size_t>(Kind::kBurn)] = true;
  settings.off[static_cast<size_t>(Kind::kRamp)] = true;
  watcher_.Configure(settings);
  Run(3 * 3600, Ordinary());
  Run(60 - SecondOf(now_) % 60, Ordinary());
  // A few dear calls over a minute: no pace, but 1.50.
  int64_t second = 0;
  const int64_t took = Until(
      70, [](const Anomaly&) { return true; },
      [&] {
        Ordinary()();
        if (second++ % 20 == 7) Call(kChat, 500'000);
      });
  EXPECT_GT(took, 0);
  EXPECT_EQ(found_.suspect, (Element{"key", kChat.key}));
  EXPECT_GT(found_.observed, Money::FromUnits(1'000'000'000'000));
}

TEST_F(Live, ASeriesThatFallsSilentIsMissed) {
  Run(2 * 3600, Ordinary());
  const int64_t took = Until(
      15 * 60,
      [](const Anomaly& anomaly) {
        return anomaly.kind == Kind::kMissing && anomaly.series.level == Level::kKey;
      },
      [this] { Some(kChat, 100, 100); });
  EXPECT_GT(took, 60);
  EXPECT_LE(took, 5 * 60);
  EXPECT_EQ(found_.series.value, kSearch.key);
  EXPECT_EQ(found_.amount, Money());
  EXPECT_EQ(Json::parse(ToJson(found_))["action"]["kind"], "check_meter");
  Run(120, Ordinary());
  EXPECT_TRUE(watcher_.book().Find(found_.id)->ended);
}

TEST_F(Live, AMeterThatSaysTheSameEachMinuteIsStuck) {
  Run(2 * 3600, Ordinary());
  const int64_t took = Until(
      40 * 60,
      [](const Anomaly& anomaly) {
        return anomaly.kind == Kind::kStuck && anomaly.series.level == Level::kKey;
      },
      [this] {
        if (SecondOf(now_) % 2 == 0) Call(kSearch, 2000);
        Some(kChat, 100, 100);
      });
  EXPECT_GT(took, 15 * 60);
  EXPECT_LE(took, 18 * 60);
  EXPECT_EQ(found_.series.value, kSearch.key);
}

TEST_F(Live, APriceThatNobodySawBeforeIsTold) {
  const auto at_price = [this](std::string_view price) {
    lines_ = {{Bucket::kInput, 1000, Money::Parse(price).value(), {}}};
  };
  at_price("0.000001");
  Run(600, [this] { Call(kSearch, 1000); });
  at_price("0.0000005");
  Run(60, [this] { Call(kSearch, 500); });
  EXPECT_EQ(anomalies(), 0u) << Listed();
  at_price("0.0000012");
  const int64_t took =
      Until(10, [](const Anomaly&) { return true; }, [this] { Call(kSearch, 1200); });
  EXPECT_EQ(took, 3);
  EXPECT_EQ(found_.kind, Kind::kPrice);
  EXPECT_EQ(found_.suspect, (Element{"model", kSearch.model}));
  EXPECT_EQ(found_.amount.ToString(), "0.0006");  // 3 calls x 1000 tokens x 0.0000002
  EXPECT_NEAR(found_.ratio, 1.2, 1e-9);
}

TEST_F(Live, TheEvenPaceOfABudgetCountsWhileNothingElseIsKnown) {
  WatchSettings settings;
  // 36 a month, a little over 0.00001 a second.
  settings.budgets = {{{Level::kKey, kAgent.key, "USD"}, 36.0 / (30 * 86400), "agents per month"}};
  watcher_.Configure(settings);
  const int64_t took = Until(
      30, [](const Anomaly&) { return true; },
      [this] {
        for (int i = 0; i < 10; ++i) Call(kAgent, 5000);
      });
  EXPECT_GT(took, 0);
  EXPECT_LE(took, 15);
  EXPECT_EQ(found_.against, "budget agents per month");
}

TEST_F(Live, WhatIsExpectedIsNotToldAgainUntilItIsNotExpectedAnyMore) {
  Run(3600, Ordinary());
  const auto runs_away = [&] {
    Ordinary()();
    for (int i = 0; i < 30; ++i) Call(kAgent, 10'000);
  };
  Run(60, runs_away);
  Run(1800, Ordinary());
  ASSERT_GE(anomalies(), 1u);
  const size_t before = anomalies();
  Book& book = watcher_.book();
  const std::string id = book.anomalies().begin()->second.id;
  ASSERT_TRUE(watcher_.SayOfAnomaly(id, Feedback::kExpected, "ana", now_));
  EXPECT_EQ(book.incidents().begin()->second.state, State::kExpected);
  Run(60, runs_away);
  Run(1800, Ordinary());
  EXPECT_EQ(anomalies(), before) << Listed();
  EXPECT_GT(watcher_.counts().silenced, 0u);
  ASSERT_TRUE(watcher_.SayOfAnomaly(id, Feedback::kNotExpected, "ana", now_));
  now_.us += 20 * 60 * kMicrosPerSecond;
  Run(60, runs_away);
  EXPECT_GT(anomalies(), before);
}

TEST_F(Live, OnExpectedDaysMoreIsOrdinary) {
  WatchSettings settings;
  settings.expected = {{{kStart, Instant{kStart.us + kMicrosPerDay}}, "release 4.0", 50}};
  watcher_.Configure(settings);
  Run(3600, Ordinary());
  Run(60, [&] {
    Ordinary()();
    for (int i = 0; i < 10; ++i) Call(kChat, 100);
  });
  EXPECT_EQ(anomalies(), 0u) << Listed();
  Run(20, [&] {
    for (int i = 0; i < 400; ++i) Call(kChat, 20'000);
  });
  ASSERT_GE(anomalies(), 1u);
  EXPECT_EQ(watcher_.book().anomalies().begin()->second.note, "release 4.0");
}

TEST_F(Live, WhatWasFoundOutlivesARestart) {
  Run(3600, Ordinary());
  Until(
      30, [](const Anomaly&) { return true; },
      [&] {
        Ordinary()();
        for (int i = 0; i < 30; ++i) Call(kAgent, 1000);
      });
  const std::string incident = watcher_.book().incidents().begin()->second.id;
  ASSERT_TRUE(
      watcher_.book().SayOfIncident(incident, {"acknowledged", "ana", "on it", true}, "ana", now_));
  Tick();
  Watcher after;
  for (const Effect& effect : effects_) {
    if (effect.keep) ASSERT_TRUE(after.Restore(Book::RecordOf(effect)));
  }
  EXPECT_EQ(after.book().Records(), watcher_.book().Records());
  const Incident* restored = after.book().FindIncident(incident);
  ASSERT_NE(restored, nullptr);
  EXPECT_EQ(restored->state, State::kAcknowledged);
  EXPECT_EQ(restored->owner, "ana");
  // Nothing comes any more: it ends.
  watcher_ = std::move(after);
  Run(60, [] {});
  EXPECT_TRUE(watcher_.book().anomalies().begin()->second.ended);
}

TEST_F(Live, SeriesAreBounded) {
  for (int i = 0; i < 5000; ++i) {
    Call({"key-" + std::to_string(i), "team-" + std::to_string(i), "gpt-5"}, 10);
  }
  const WatchCounts counts = watcher_.counts();
  EXPECT_LE(counts.series, kSeriesMax);
  EXPECT_LE(counts.leaves, kLiveLeavesMax);
  EXPECT_GT(counts.series_dropped, 0u);
  Tick();
  EXPECT_EQ(counts.open_calls, 0u);
}

}  // namespace
}  // namespace flyball::watch
