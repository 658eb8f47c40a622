// What the live watch does in the course of its life: silence that is none, downtimes, restarts,
// clocks that jump, and incidents that go on.
#include <algorithm>

#include "watch/test_live.h"

namespace flyball::watch {
namespace {

const Who kSearch{"key-search", "search", "gpt-5"};
const Who kChat{"key-chat", "support", "gpt-5-mini"};

class Life : public LiveTest {
 protected:
  auto Ordinary() {
    return [this] {
      Some(kSearch, 40, 1000);
      Some(kChat, 100, 100);
    };
  }
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
