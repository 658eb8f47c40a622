#include "app/gateway_config.h"

#include <condition_variable>
#include <deque>

#include "app/test_home.h"
#include "base/log.h"

namespace flyball::app {
namespace {

constexpr char kEstate[] = R"(include: budgets.yaml
gateway:
  upstreams: [{ name: openai, dialect: openai, base_url: "https://api.openai.com" }]
)";

class ConfigWatchTest : public HomeTest {
 protected:
  ConfigWatchTest() {
    Write("estate.yaml", kEstate);
    WriteBudget("1");
  }
  void WriteBudget(const std::string& amount) {
    Write("budgets.yaml", "budgets: [{ scope: team=search, amount: " + amount + " }]\n");
  }
  void Watch() {
    first_ = ReadGatewayConfig(environment_).value();
    watch_.emplace(
        environment_, first_,
        [this](GatewayConfig config) {
          std::lock_guard lock(mutex_);
          seen_.push_back(std::move(config));
          news_.notify_all();
        },
        1);
  }
  GatewayConfig Next() {
    std::unique_lock lock(mutex_);
    news_.wait(lock, [this] { return !seen_.empty(); });
    GatewayConfig config = std::move(seen_.front());
    seen_.pop_front();
    return config;
  }
  static std::string Limit(const GatewayConfig& config) {
    return Money::FromUnits(config.estate.budgets.at(0).limit).ToString();
  }

  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<GatewayConfig> seen_;
  GatewayConfig first_;
  std::optional<ConfigWatch> watch_;
};

TEST_F(ConfigWatchTest, AChangeOfAnyFileIsReadAndABrokenOneIsToldOnce) {
  std::vector<std::string> lines;  // of the watching thread alone
  log::Options options;
  options.sink = [&](std::string_view line) {
    std::lock_guard lock(mutex_);
    lines.emplace_back(line);
    news_.notify_all();
  };
  log::Configure(options);
  Watch();
  EXPECT_EQ(Limit(first_), "1");
  WriteBudget("2");
  EXPECT_EQ(Limit(Next()), "2");
  WriteBudget("much");
  {
    std::unique_lock lock(mutex_);
    news_.wait(lock, [&] { return !lines.empty(); });
  }
  WriteBudget("3");
  EXPECT_EQ(Limit(Next()), "3");
  Write("estate.yaml", "include: other.yaml\n");
  {
    std::unique_lock lock(mutex_);
    news_.wait(lock, [&] { return lines.size() >= 2; });
  }
  // The file that was missing comes later.
  Write("other.yaml", "budgets: [{ scope: team=search, amount: 4 }]\n");
  EXPECT_EQ(Limit(Next()), "4");
  watch_.reset();
  log::Configure({});
  ASSERT_EQ(lines.size(), 2u) << "each fault once, however often it is looked at";
  EXPECT_NE(lines[0].find("budgets.yaml:1"), std::string::npos) << lines[0];
}

// A full disk left half of a change in force, for as long as nobody changed the files again.
TEST_F(ConfigWatchTest, WhatIsNotInForceIsToldAgainUntilItIs) {
  Watch();
  watch_->TellAgain();
  EXPECT_EQ(Limit(Next()), "1");
  WriteBudget("2");
  EXPECT_EQ(Limit(Next()), "2");
  watch_->TellAgain();
  EXPECT_EQ(Limit(Next()), "2");
  Write("estate.yaml", "include: other.yaml\n");  // which is not there
  watch_->TellAgain();
  EXPECT_EQ(Limit(Next()), "2");
  Write("other.yaml", "budgets: [{ scope: team=search, amount: 4 }]\n");
  EXPECT_EQ(Limit(Next()), "4");
}

TEST_F(ConfigWatchTest, NewPricesAreAnotherBook) {
  Watch();
  std::filesystem::create_directories(home_ + "/prices");
  EXPECT_NE(Next().book, first_.book);
}

TEST_F(ConfigWatchTest, WhereALineStandsMakesNoOtherGateway) {
  const GatewayConfig one = ReadGatewayConfig(environment_).value();
  Write("estate.yaml", "# moved\n" + std::string(kEstate));
  const GatewayConfig moved = ReadGatewayConfig(environment_).value();
  EXPECT_TRUE(SameGateway(one.estate.gateway, moved.estate.gateway));
  Write("estate.yaml", std::string(kEstate) + "  output_limit: 7\n");
  EXPECT_FALSE(SameGateway(one.estate.gateway, ReadGatewayConfig(environment_)->estate.gateway));
}

}  // namespace
}  // namespace flyball::app
