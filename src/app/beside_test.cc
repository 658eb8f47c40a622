#include "app/beside.h"

#include <gtest/gtest.h>

#include <future>

#include "base/clock.h"

namespace flyball::app {
namespace {

// The gateway ended while a sync was under way, and one that waited was thrown away: what they were
// to bring to the disk was not on it, and nobody said so.
TEST(Beside, NothingThatWaitsIsLeftUndoneAtTheEnd) {
  SimClock clock{Instant{1'795'608'000'000'000}};
  net::Loop loop(clock);
  Beside beside(loop);
  std::promise<void> begun;
  std::promise<void> may_end;
  int done = 0;  // of the other thread until Finish
  beside.Run(
      [&] {
        begun.set_value();
        may_end.get_future().wait();
        ++done;
        return Status();
      },
      [](const Status&) {});
  begun.get_future().wait();
  beside.Run(
      [&]() -> Status {
        ++done;
        return Fail(Code::kUnavailable, "the disk fails");
      },
      [](const Status&) {});
  beside.Run(
      [&] {
        ++done;
        return Status();
      },
      [](const Status&) {});
  may_end.set_value();
  const Status finished = beside.Finish();
  EXPECT_EQ(done, 3);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().message, "the disk fails");
}

}  // namespace
}  // namespace flyball::app
