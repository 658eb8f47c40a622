// What the live watch does in the course of its life: silence that is none, downtimes, restarts,
// clocks that jump, and incidents that go on.
#include <algorithm>

#include "watch/test_live.h"

namespace flyball::watch {
namespace {

class Life : public LiveTest {
 protected:
  // Some teams of ten keys each.
  auto Busy(int teams) {
    return [this, teams] {
      for (int team = 0; team < teams; ++team) {
        for (int key = 0; key < 10; ++key) {
          const std::string name = std::to_string(team);
          Some({"key-" + name + std::to_string(key), "team-" + name, "gpt-5"}, 30, 1500);
        }
      }
    };
  }
};

TEST_F(Life, AGapOfTheWatchItselfIsNoSilence) {
  Run(90 * 60, Busy(2));
  ASSERT_EQ(anomalies(), 0u) << Listed();
  now_.us += 5 * kMicrosPerMinute;  // stopped, suspended, or the clock jumped
  Tick();
  Run(180, Busy(2));
  EXPECT_EQ(anomalies(), 0u) << Listed();
}

TEST_F(Life, WhoFallsSilentTogetherIsOneAnomalyOfTheWidest) {
  Run(90 * 60, Busy(2));
  ASSERT_EQ(anomalies(), 0u) << Listed();
  Run(20 * 60, Busy(1));
  ASSERT_EQ(anomalies(), 1u) << Listed();
  const Anomaly& found = watcher_.book().anomalies().begin()->second;
  EXPECT_EQ(found.kind, Kind::kMissing);
  EXPECT_EQ(found.series.value, "team-1");
  const std::vector<Element> path = {
      {"team", "team-1"}, {"model", "gpt-5"}, {"provider", "openai"}};
  EXPECT_EQ(found.path, path);
  // And when all are silent that is one thing as well.
  Run(20 * 60, [] {});
  EXPECT_EQ(anomalies(), 2u) << Listed();
  EXPECT_EQ(watcher_.book().anomalies().rbegin()->second.series.level, Level::kTotal);
}

TEST_F(Life, ASilenceEndsWhenItsIncidentIsResolvedAndIsNotToldAgain) {
  Run(2 * 3600, Ordinary());
  Run(20 * 60, [this] { Some(kChat, 100, 100); });
  ASSERT_EQ(anomalies(), 1u) << Listed();
  Book& book = watcher_.book();
  ASSERT_TRUE(book.SayOfIncident("incident-1", {"resolved", "", "revoked", false}, "ana", now_));
  Run(3600, [this] { Some(kChat, 100, 100); });
  EXPECT_TRUE(book.anomalies().begin()->second.ended);
  EXPECT_EQ(anomalies(), 1u) << Listed();
}

TEST_F(Life, ASilenceThatNobodySaysAnythingOfEndsAfterADay) {
  Run(2 * 3600, Ordinary());
  Run(20 * 60, [this] { Some(kChat, 100, 100); });
  ASSERT_EQ(anomalies(), 1u) << Listed();
  effects_.clear();
  Run(3600, [this] { Some(kChat, 100, 100); });
  // It costs nothing: an event a minute, a record of the journal an hour.
  const auto kept = std::ranges::count_if(effects_, &Effect::keep);
  EXPECT_LE(effects_.size(), 2u * 61);
  EXPECT_LE(kept, 4);
  Run(24 * 3600, [this] { Some(kChat, 100, 100); });
  EXPECT_TRUE(watcher_.book().anomalies().begin()->second.ended);
  EXPECT_EQ(anomalies(), 1u) << Listed();
}

TEST_F(Life, WhomAnAnomalyIsToldByStaysWhatItWasAtItsOpening) {
  Run(3600, Ordinary());
  const Who dear{"key-search", "search", "gpt-5-pro"};
  Until(
      30, [](const Anomaly& anomaly) { return anomaly.series.level == Level::kTotal; },
      [&] {
        Ordinary()();
        Call(kSearch, 300'000);
      });
  ASSERT_EQ(found_.suspect, (Element{"key", kSearch.key})) << Listed();
  // Others join in, and hold nearly all of it.
  Run(10 * 60, [&] {
    Ordinary()();
    Call(dear, 300'000);
    for (int i = 0; i < 4; ++i) Call(kChat, 2'000'000);
  });
  const Anomaly* after = watcher_.book().Find(found_.id);
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->suspect, found_.suspect);
  EXPECT_EQ(after->path, found_.path);
}

TEST_F(Life, AClockThatWasAheadDoesNotBlindTheWatch) {
  Run(2 * 3600, Ordinary());
  now_.us += 6 * kMicrosPerHour;
  Tick();
  now_.us -= 6 * kMicrosPerHour;
  Run(60, Ordinary());
  EXPECT_EQ(anomalies(), 0u) << Listed();
  EXPECT_EQ(watcher_.counts().clock_set_back, 1u);
  const int64_t took = Until(
      30, [](const Anomaly&) { return true; },
      [&] {
        Ordinary()();
        for (int i = 0; i < 30; ++i) Call(kChat, 1000);
      });
  EXPECT_GE(took, 1);
  EXPECT_LE(took, 5) << Listed();
}

TEST_F(Life, WhatASeriesLosesAgainAndAgainAddsUp) {
  Run(3600, Ordinary());
  for (int burst = 0; burst < 4; ++burst) {
    Run(30, [&] {
      Ordinary()();
      Call(kChat, 1'000'000);
    });
    Run(12 * 60 - 30, Ordinary());
  }
  const auto& incidents = watcher_.book().incidents();
  ASSERT_EQ(incidents.size(), 1u) << Listed();
  EXPECT_NEAR(ToUnits(incidents.begin()->second.amount.units()), 120, 3);
}

TEST_F(Life, WhatIsMuchLouderThanWhatHasJustEndedIsToldAtOnce) {
  Run(3600, Ordinary());
  const auto burst = [&](int64_t micros) {
    return [this, micros] {
      Ordinary()();
      Call(kChat, micros);
    };
  };
  Run(30, burst(1'000'000));
  Run(3 * 60, Ordinary());
  ASSERT_GE(anomalies(), 1u);
  ASSERT_TRUE(watcher_.book().anomalies().begin()->second.ended);
  const int64_t took = Until(20, [](const Anomaly&) { return true; }, burst(20'000'000));
  EXPECT_GE(took, 1);
  EXPECT_LE(took, 3);
}

TEST_F(Life, WhatWasResolvedByHandAndStillBurnsIsOpenedAgain) {
  Run(3600, Ordinary());
  const auto runs_away = [&] {
    Ordinary()();
    Call(kChat, 100'000);
  };
  Run(60, runs_away);
  ASSERT_GE(anomalies(), 1u);
  Book& book = watcher_.book();
  ASSERT_TRUE(book.SayOfIncident("incident-1", {"resolved", "", "done", false}, "ana", now_));
  Run(4 * 60, runs_away);
  EXPECT_EQ(book.FindIncident("incident-1")->state, State::kResolved);
  effects_.clear();
  Run(2 * 60, runs_away);
  EXPECT_EQ(book.FindIncident("incident-1")->state, State::kOpen);
  EXPECT_FALSE(book.FindIncident("incident-1")->resolved);
  EXPECT_EQ(std::ranges::count(effects_, std::string("open"), &Effect::change), 1);
}

TEST_F(Life, ARestartLearnsNothingOfAnyEarlierAnomaly) {
  Run(3600, Ordinary());
  const auto burst = [&] {
    Ordinary()();
    Call(kChat, 1'000'000);
  };
  Run(60, burst);
  Run(30 * 60, Ordinary());
  Run(60, burst);
  Run(20 * 60, Ordinary());
  ASSERT_GE(anomalies(), 2u);
  const std::vector<std::string> records = watcher_.book().Records();
  watcher_ = Watcher();
  for (const std::string& record : records) ASSERT_TRUE(watcher_.Restore(record));
  // The same calls are learned anew.
  learn_ = true;
  now_.us -= (112 * 60) * kMicrosPerSecond;
  Run(3600, Ordinary());
  Run(60, burst);
  Run(30 * 60, Ordinary());
  Run(60, burst);
  Run(20 * 60, Ordinary());
  learn_ = false;
  const size_t before = anomalies();
  const int64_t took = Until(20, [](const Anomaly&) { return true; }, burst);
  EXPECT_GE(took, 1) << before;
  EXPECT_LE(took, 5);
  // Not against a usual that had the bursts in it: 0.0002 a second, where they were 0.3.
  EXPECT_LT(found_.expected_per_s, 0.002);
}

TEST_F(Life, WhatRanAwayWhileNobodyWatchedIsToldAtTheStart) {
  learn_ = true;
  Run(2 * 3600, Ordinary());
  ASSERT_EQ(anomalies(), 0u);
  learn_ = false;
  replay_ = true;
  const Instant began = now_;
  Run(60, [&] {
    Ordinary()();
    Call(kChat, 100'000);
  });
  Run(600, Ordinary());
  const Instant ended = now_;
  replay_ = false;
  now_.us += kMicrosPerHour;
  Run(10, Ordinary());
  ASSERT_EQ(watcher_.book().incidents().size(), 1u) << Listed();
  const Anomaly& found = watcher_.book().anomalies().begin()->second;
  EXPECT_LE(std::abs(found.began.us - began.us), 5 * kMicrosPerSecond);
  EXPECT_EQ(found.suspect, (Element{"key", kChat.key}));
  ASSERT_TRUE(found.ended);
  EXPECT_LT(found.ended->us, ended.us);
  EXPECT_NEAR(ToUnits(found.amount.units()), 6, 0.3);
}

TEST_F(Life, WhatLastsEndsWhenTheWatchIsSwitchedOff) {
  Run(3600, Ordinary());
  const auto runs_away = [&] {
    Ordinary()();
    Call(kChat, 100'000);
  };
  Run(30, runs_away);
  ASSERT_GE(anomalies(), 1u);
  WatchSettings settings;
  settings.enabled = false;
  watcher_.Configure(settings);
  Run(2, runs_away);
  for (const auto& [number, anomaly] : watcher_.book().anomalies()) EXPECT_TRUE(anomaly.ended);
}

TEST_F(Life, EachBudgetOfASeriesCounts) {
  WatchSettings settings;
  const SeriesName agent{Level::kKey, "key-agent", "USD"};
  settings.budgets = {{agent, 36.0 / (30 * 86400), "tight"}, {agent, 1000, "wide"}};
  watcher_.Configure(settings);
  const int64_t took = Until(
      30, [](const Anomaly&) { return true; },
      [this] {
        for (int i = 0; i < 10; ++i) Call({"key-agent", "labs", "gpt-5"}, 5000);
      });
  EXPECT_GE(took, 1);
  EXPECT_EQ(found_.against, "budget tight");
}

TEST(BookLife, AnOpenIncidentThatMakesRoomIsToldAsResolved) {
  Book book;
  for (size_t i = 0; i <= kIncidentsKept; ++i) {
    Anomaly anomaly;
    anomaly.series = {Level::kKey, "key-" + std::to_string(i), "USD"};
    anomaly.suspect = ElementOf(anomaly.series);
    book.Open(std::move(anomaly), Instant{1});
  }
  EXPECT_EQ(book.incidents().size(), kIncidentsKept);
  const std::vector<Effect> effects = book.TakeEffects();
  const auto gone = std::ranges::find_if(
      effects, [](const Effect& effect) { return effect.change == "resolved"; });
  ASSERT_NE(gone, effects.end());
  EXPECT_EQ(gone->id, "incident-1");
}

}  // namespace
}  // namespace flyball::watch
