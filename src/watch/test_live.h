// Simulated spend for tests of the live watch: calls by seed, second by second.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/clock.h"
#include "watch/watcher.h"

namespace flyball::watch {

struct Who {
  std::string key = "key-a", team = "search", model = "gpt-5";
};

inline const Who kSearch{"key-search", "search", "gpt-5"};
inline const Who kChat{"key-chat", "support", "gpt-5-mini"};

class LiveTest : public testing::Test {
 protected:
  static constexpr Instant kStart{1'795'608'000'000'000};  // 2026-11-25T12:00:00Z

  // One call, dispatched and ended now, that costs so many millionths.
  void Call(const Who& who, int64_t micros) {
    metered::Record begin;
    metered::Dispatch& dispatch = begin.dispatch;
    dispatch.id = ++calls_;
    dispatch.at = now_;
    dispatch.upstream = dispatch.provider = "openai";
    dispatch.key = who.key;
    dispatch.team = who.team;
    dispatch.model = who.model;
    dispatch.currency = "USD";
    dispatch.bound = Money::FromUnits(int128{micros} * 10'000'000);
    Give(begin);
    metered::Record end;
    end.is_end = true;
    end.end.id = dispatch.id;
    end.end.at = now_;
    end.end.cost = Money::FromUnits(int128{micros} * 1'000'000);
    end.end.lines = lines_;
    Give(end);
  }
  void Give(const metered::Record& record) {
    if (learn_) return watcher_.Learn(record, now_);
    if (replay_) return watcher_.Replay(record, now_);
    watcher_.Take(record, now_);
  }
  // About `per_minute` calls a minute, of 0.5 to 1.5 times the cost.
  void Some(const Who& who, uint64_t per_minute, int64_t micros) {
    for (uint64_t left = per_minute; left > 0;) {
      const uint64_t chance = std::min<uint64_t>(left, 60);
      if (random_.Chance(chance, 60)) Call(who, random_.Between(micros / 2, micros * 3 / 2));
      left -= chance;
    }
  }
  // Two applications at their ordinary pace: about 2.40 and 0.60 an hour.
  auto Ordinary() {
    return [this] {
      Some(kSearch, 40, 1000);
      Some(kChat, 100, 100);
    };
  }
  template <typename Each>
  void Run(int64_t seconds, const Each& each) {
    for (int64_t i = 0; i < seconds; ++i) {
      each();
      Tick();
      now_.us += kMicrosPerSecond;
    }
  }
  void Tick() {
    if (!learn_ && !replay_) watcher_.Tick(now_);
    for (Effect& effect : watcher_.TakeEffects()) effects_.push_back(std::move(effect));
  }
  // Of a new anomaly that `wanted` says, within so many seconds; how many it took, or -1.
  template <typename Wanted, typename Each>
  int64_t Until(int64_t seconds, const Wanted& wanted, const Each& each) {
    const size_t before = watcher_.book().anomalies().size();
    for (int64_t i = 1; i <= seconds; ++i) {
      Run(1, each);
      size_t at = 0;
      for (const auto& [number, anomaly] : watcher_.book().anomalies()) {
        if (at++ >= before && wanted(anomaly)) {
          found_ = anomaly;
          return i;
        }
      }
    }
    return -1;
  }
  std::string Listed() const {
    std::string text;
    for (const auto& [number, anomaly] : watcher_.book().anomalies())
      text += ToJson(anomaly) + "\n";
    return text;
  }
  size_t anomalies() const { return watcher_.book().anomalies().size(); }

  Watcher watcher_;
  Instant now_ = kStart;
  // Calls of before a start: to be learned, and to be told of.
  bool learn_ = false, replay_ = false;
  Random random_{1};
  uint64_t calls_ = 0;
  std::vector<metered::Line> lines_;
  std::vector<Effect> effects_;
  Anomaly found_;
};

}  // namespace flyball::watch
