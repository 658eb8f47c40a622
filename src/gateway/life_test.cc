// Whole lives of the gateway by seeds (life_world.h). FLYBALL_LIFE_SEEDS says how many,
// FLYBALL_LIFE_SEED replays one and tells each step.
#include "gateway/life_world.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include "base/log.h"
#include "ingest/gateway_charges.h"

namespace flyball::gateway {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// The sum of the bills that `flyball publish` makes of the log and of evidence.
Result<Money> ChargesOfFolder(os::Files& files, const std::string& folder, Instant until) {
  Money sum;
  for (const std::string& month : FB_TRY(ingest::GatewayMonths(files, folder))) {
    const ingest::GatewayBill bill = FB_TRY(ingest::MakeGatewayBill(files, folder, month, until));
    std::istringstream rows(bill.csv);
    std::string row;
    std::getline(rows, row);  // the header, which begins with BilledCost
    while (std::getline(rows, row)) {
      sum = FB_TRY(sum.Plus(FB_TRY(Money::Parse(row.substr(0, row.find(','))))));
    }
  }
  return sum;
}

class LifeTest : public testing::Test {
 protected:
  void SetUp() override {
    // Of this process: long runs stand beside each other.
    keys_ = testing::TempDir() + "life_" + std::to_string(::getpid()) +
            testing::UnitTest::GetInstance()->current_test_info()->name();
    ASSERT_TRUE(WriteLifeKeys(keys_));
    log::Options silent;
    silent.level = log::Level::kOff;
    log::Configure(silent);
  }
  void TearDown() override {
    log::Configure({});
    std::filesystem::remove_all(keys_);
  }
  std::string keys_;
};

TEST_F(LifeTest, InvoicesStayUnderWhatIsCountedAndTheLedgerIsTheInvoice) {
  const uint64_t one = FromEnvironment("FLYBALL_LIFE_SEED", 0);
  if (one != 0) {
    EXPECT_EQ(Life(one, {}, keys_, ChargesOfFolder, true).Live(), "");
    return;
  }
  const uint64_t seeds = FromEnvironment("FLYBALL_LIFE_SEEDS", 250);
  LifeTally all;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Life life(seed, {}, keys_, ChargesOfFolder, false);
    const std::string wrong = life.Live();
    ASSERT_EQ(wrong, "") << "replay with FLYBALL_LIFE_SEED=" << seed;
    all += life.tally();
  }
  // Lives in which nothing happens prove nothing.
  if (seeds < 250) return;  // too few to tell
  EXPECT_GT(all.answered, 5 * seeds);
  EXPECT_GT(all.refused, 3 * seeds);
  EXPECT_GT(all.billed, 5 * seeds);
  EXPECT_GT(all.exact, 5 * seeds);
  EXPECT_GT(all.at_bound, 2 * seeds);
  for (const uint64_t some : {all.deaths, all.power_cuts, all.edits, all.aborts, all.retries}) {
    EXPECT_GT(some, seeds / 5);
  }
  EXPECT_GT(all.external, seeds / 5);
  EXPECT_GT(all.faults, seeds / 20);
  EXPECT_GT(all.streams_cut, seeds / 50);
}

// A simulation that can't fail proves nothing: each fault that is put in must be seen.
TEST_F(LifeTest, CanariesAreSeen) {
  const auto seen = [&](const LifeFaults& faults) {
    for (uint64_t seed = 1; seed <= 100; ++seed) {
      const std::string wrong = Life(seed, faults, keys_, ChargesOfFolder, false).Live();
      if (!wrong.empty()) return wrong;
    }
    return std::string();
  };
  using guard::Mutation;
  EXPECT_NE(seen({.guard = Mutation::kSkipHold}), "");
  EXPECT_NE(seen({.guard = Mutation::kSkipHold, .audit = false}), "");
  EXPECT_NE(seen({.guard = Mutation::kDoubleSettle}), "");
  EXPECT_NE(seen({.guard = Mutation::kDoubleSettle, .audit = false}), "");
  EXPECT_NE(seen({.guard = Mutation::kForgetDispatched}), "");
  EXPECT_NE(seen({.guard = Mutation::kIgnoreLostTail}), "");
  EXPECT_NE(seen({.gateway = LifeMutation::kUnloggedDispatch}), "");
  EXPECT_NE(seen({.gateway = LifeMutation::kUnrecordedLeaves}), "");
  EXPECT_NE(seen({.gateway = LifeMutation::kFailuresAreFree}), "");
  EXPECT_NE(seen({.gateway = LifeMutation::kForgottenEnd}), "");
  EXPECT_NE(seen({.lie_about = "control-"}), "") << "a lost sync of the leases";
}

}  // namespace
}  // namespace flyball::gateway
