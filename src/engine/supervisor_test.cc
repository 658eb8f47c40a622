#include "engine/supervisor.h"

#include <gtest/gtest.h>

#include <thread>

namespace flyball::engine {
namespace {

// Would run for years.
constexpr char kEndless[] =
    "SELECT sum(a.range * b.range) FROM range(10000000000) a, range(10000000000) b";

Connection Connect(Database& database) { return std::move(*database.Connect()); }

TEST(SupervisorTest, EndsWhatRunsOverItsTimeAndNothingElse) {
  auto clock = MakeSystemClock();
  auto database = Database::Open({});
  ASSERT_TRUE(database.has_value());
  Connection connection = Connect(*database);
  Supervisor supervisor(*clock, 1000);
  {
    auto watch = supervisor.Over(connection);
    ASSERT_TRUE(watch.has_value());
    auto answer = connection.Query(kEndless);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, Code::kCancelled);
    Status why = watch->LetGo();
    ASSERT_FALSE(why.has_value());
    EXPECT_EQ(why.error().code, Code::kDeadlineExceeded);
  }
  // Let go: the connection works on, in a transaction too.
  EXPECT_TRUE(connection.Execute("BEGIN TRANSACTION; CREATE TABLE t(a INT); COMMIT").has_value());
  EXPECT_TRUE(connection.Query("SELECT count(*) FROM t").has_value());
}

TEST(SupervisorTest, AQuestionWithinItsTimeIsLeftAlone) {
  SimClock clock(Instant{0});  // stands still
  auto database = Database::Open({});
  Connection connection = Connect(*database);
  Supervisor supervisor(clock, 1);
  auto watch = supervisor.Over(connection);
  ASSERT_TRUE(watch.has_value());
  EXPECT_TRUE(connection.Query("SELECT sum(range) FROM range(1000000)").has_value());
  EXPECT_TRUE(watch->LetGo().has_value());
  EXPECT_TRUE(watch->LetGo().has_value());  // twice is once
}

TEST(SupervisorTest, StopEndsAllThatRunsAndTakesNothingMore) {
  SimClock clock(Instant{0});
  auto database = Database::Open({});
  Connection one = Connect(*database), other = Connect(*database);
  Supervisor supervisor(clock, 0);
  auto ask = [&](Connection& connection, Supervisor::Watch watch) {
    EXPECT_FALSE(connection.Query(kEndless).has_value());
    Status why = watch.LetGo();
    ASSERT_FALSE(why.has_value());
    EXPECT_EQ(why.error().code, Code::kUnavailable);
  };
  std::thread a(ask, std::ref(one), *supervisor.Over(one));
  std::thread b(ask, std::ref(other), *supervisor.Over(other));
  supervisor.Stop();
  a.join();
  b.join();
  auto more = supervisor.Over(one);
  ASSERT_FALSE(more.has_value());
  EXPECT_EQ(more.error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace flyball::engine
