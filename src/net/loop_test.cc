#include "net/loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <thread>

namespace flyball::net {
namespace {

struct Recorder : Watcher {
  std::function<void(uint32_t)> act;
  uint32_t seen = 0;
  int calls = 0;
  void OnReady(uint32_t what) override {
    seen |= what;
    ++calls;
    if (act) act(what);
  }
};

struct Ends {
  Fd a, b;
  Ends() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    a = Fd(fds[0]);
    b = Fd(fds[1]);
  }
};

TEST(Loop, DropsEventsOfWhatWasRemovedInTheSameBatch) {
  auto clock = MakeSystemClock();
  Loop loop(*clock);
  Ends one, two;
  Recorder first, second;
  uint64_t first_token = loop.Add(one.a.get(), &first);
  uint64_t second_token = loop.Add(two.a.get(), &second);
  loop.RunOnce(0);  // both are writable
  ASSERT_EQ(write(one.b.get(), "x", 1), 1);
  ASSERT_EQ(write(two.b.get(), "x", 1), 1);
  // Whoever is called first removes the other, and a third takes over the other's slot.
  Recorder third;
  Ends three;
  uint64_t third_token = 0;
  first.act = [&](uint32_t) {
    loop.Remove(std::exchange(second_token, 0), two.a.get());
    third_token = loop.Add(three.a.get(), &third);
  };
  second.act = [&](uint32_t) {
    loop.Remove(std::exchange(first_token, 0), one.a.get());
    third_token = loop.Add(three.a.get(), &third);
  };
  first.calls = second.calls = 0;
  loop.RunOnce(0);
  EXPECT_EQ(first.calls + second.calls, 1);
  EXPECT_EQ(third.calls, 0);
  loop.RunOnce(0);
  EXPECT_EQ(third.calls, 1);
  EXPECT_EQ(third.seen & kReadable, 0u);
  loop.Remove(first_token, one.a.get());
  loop.Remove(second_token, two.a.get());
  loop.Remove(third_token, three.a.get());
}

TEST(Loop, TellsOfTheOtherSidesEnd) {
  auto clock = MakeSystemClock();
  Loop loop(*clock);
  Ends ends;
  Recorder recorder;
  const uint64_t token = loop.Add(ends.a.get(), &recorder);
  loop.RunOnce(0);
  EXPECT_EQ(recorder.seen, kWritable);
  shutdown(ends.b.get(), SHUT_WR);
  loop.RunOnce(0);
  EXPECT_NE(recorder.seen & kHungUp, 0u);
  EXPECT_NE(recorder.seen & kReadable, 0u);
  loop.Remove(token, ends.a.get());
}

TEST(Loop, RunsWhatOtherThreadsPost) {
  auto clock = MakeSystemClock();
  Loop loop(*clock);
  int sum = 0;
  std::thread other([&] {
    for (int i = 1; i <= 100; ++i) loop.Post([&sum, i] { sum += i; });
    loop.Post([&loop] { loop.Stop(); });
  });
  loop.Run();
  other.join();
  EXPECT_EQ(sum, 5050);
}

TEST(Loop, RunsTimersOfASimulatedClock) {
  SimClock clock(Instant{0});
  Loop loop(clock);
  int fired = 0;
  Timer timer(loop.timers(), [&] { ++fired; });
  timer.SetAfter(5'000'000);
  loop.RunOnce(0);
  EXPECT_EQ(fired, 0);
  clock.Advance(5'000'000);
  loop.RunOnce(-1);
  EXPECT_EQ(fired, 1);
}

TEST(Acceptor, RestsWhileThereAreNoDescriptors) {
  SimClock clock(Instant{0});
  Loop loop(clock);
  Result<Fd> listener = ListenOn("127.0.0.1", 0);
  ASSERT_TRUE(listener);
  std::vector<Fd> accepted;
  std::string from;
  Acceptor acceptor(loop, *std::move(listener), [&](Fd fd, std::string peer) {
    accepted.push_back(std::move(fd));
    from = std::move(peer);
  });
  // A first one as it should be: the sanitizers look at types once, with descriptors of their own.
  Result<Fd> first = ConnectTo("127.0.0.1", acceptor.port(), 5000);
  loop.RunOnce(1000);
  ASSERT_EQ(accepted.size(), 1u);
  Result<Fd> client = ConnectTo("127.0.0.1", acceptor.port(), 5000);
  ASSERT_TRUE(client);
  // No descriptor is left for the other end.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int lowest_free = dup(0);
  close(lowest_free);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(lowest_free);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  loop.RunOnce(1000);
  loop.RunOnce(0);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(acceptor.pauses(), 1u);
  EXPECT_EQ(accepted.size(), 1u);
  clock.Advance(int64_t{kAcceptPauseMs} * 1000 + 1000);
  loop.RunOnce(0);
  loop.RunOnce(1000);
  EXPECT_EQ(accepted.size(), 2u);
  EXPECT_EQ(from, "127.0.0.1");
}

}  // namespace
}  // namespace flyball::net
