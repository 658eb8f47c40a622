#include "net/timers.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"

namespace flyball::net {
namespace {

TEST(Timers, FireInTimeAndNotBefore) {
  TimerWheel wheel(5'000'300);
  std::vector<int64_t> fired;
  Timer timer(wheel, [&] { fired.push_back(wheel.now_us()); });
  timer.SetAfter(2500);
  EXPECT_EQ(wheel.NextUs(), 5'003'000);
  wheel.Advance(5'002'799);
  EXPECT_TRUE(fired.empty());
  wheel.Advance(5'003'000);
  EXPECT_EQ(fired, std::vector<int64_t>{5'003'000});
  timer.SetAfter(1000);
  timer.Stop();
  wheel.Advance(6'000'000);
  EXPECT_EQ(fired.size(), 1u);
  EXPECT_EQ(wheel.NextUs(), kNeverUs);
}

TEST(Timers, MayDropAndSetEachOtherWhileFiring) {
  TimerWheel wheel(0);
  int fired = 0;
  std::unique_ptr<Timer> other;
  Timer again(wheel, [&] {
    other.reset();
    if (++fired < 3) again.SetAfter(0);
  });
  other = std::make_unique<Timer>(wheel, [&] { ADD_FAILURE() << "dropped"; });
  again.SetAt(1000);
  other->SetAt(1000);
  wheel.Advance(1000);
  EXPECT_EQ(fired, 1);  // set again for now means the next slot: Advance always ends
  wheel.Advance(10'000);
  EXPECT_EQ(fired, 3);
}

TEST(Timers, AtTurnEndComesAfterWhatIsDueAndOnceATurn) {
  TimerWheel wheel(0);
  std::string order;
  Timer end(wheel, [&] {
    order += 'e';
    if (order.size() < 4) end.SetAtTurnEnd();
  });
  Timer due(wheel, [&] {
    order += 'd';
    end.SetAtTurnEnd();
    end.SetAtTurnEnd();
  });
  due.SetAt(1000);
  wheel.Advance(1000);
  EXPECT_EQ(order, "de");
  EXPECT_EQ(wheel.NextUs(), 1000);  // the loop does not wait
  wheel.Advance(1000);
  EXPECT_EQ(order, "dee");
  wheel.Advance(1001);
  EXPECT_EQ(order, "deee");
  EXPECT_EQ(wheel.NextUs(), kNeverUs);
  end.SetAtTurnEnd();
  end.Stop();
  wheel.Advance(1002);
  end.SetAtTurnEnd();
  end.SetAt(5000);  // moved to later
  wheel.Advance(4000);
  EXPECT_EQ(order, "deee");
  wheel.Advance(5000);
  EXPECT_EQ(order, "deeee");
}

// Against a plain map: random moves of random timers, and steps of time of every size.
TEST(Timers, AgreeWithAMap) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    int64_t now_us = random.Between(0, 1'000'000'000);
    TimerWheel wheel(now_us);
    std::map<int, int64_t> due;
    std::vector<std::unique_ptr<Timer>> timers;
    for (int i = 0; i < 20; ++i) {
      timers.push_back(std::make_unique<Timer>(wheel, [&due, &wheel, i] {
        ASSERT_TRUE(due.contains(i));
        EXPECT_LE(due[i], wheel.now_us());
        due.erase(i);
      }));
    }
    for (int step = 0; step < 300; ++step) {
      const int which = static_cast<int>(random.Below(20));
      if (random.Chance(1, 5)) {
        timers[static_cast<size_t>(which)]->Stop();
        due.erase(which);
      } else {
        const int64_t at_us = now_us + random.Between(0, int64_t{1} << random.Between(1, 26));
        timers[static_cast<size_t>(which)]->SetAt(at_us);
        due[which] = at_us;
      }
      if (random.Chance(1, 2)) continue;
      now_us += random.Between(0, int64_t{1} << random.Between(1, 25));
      wheel.Advance(now_us);
      for (const auto& [id, at_us] : due) {
        EXPECT_GT(at_us, now_us - 1000) << "seed " << seed << " timer " << id;
        EXPECT_LE(wheel.NextUs(), at_us + 1000);
      }
    }
  }
}

}  // namespace
}  // namespace flyball::net
