// Whole lives of the gateway by seeds (life_world.h). FLYBALL_LIFE_SEEDS says how many,
// FLYBALL_LIFE_SEED replays one and tells each step.
#include "gateway/life_world.h"

#include <gtest/gtest.h>

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
    const ingest::GatewayBill bill =
        FB_TRY(ingest::MakeGatewayBill(files, folder, month, until));
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
    keys_ = testing::TempDir() + "life_" +
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
  const uint64_t seeds = FromEnvironment("FLYBALL_LIFE_SEEDS", 300);
  LifeTally all;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Life life(seed, {}, keys_, ChargesOfFolder, false);
    const std::string wrong = life.Live();
    EXPECT_EQ(wrong, "") << "replay with FLYBALL_LIFE_SEED=" << seed;
    all += life.tally();
  }
  std::printf("asked %lu answered %lu refused %lu attempts %lu billed %lu exact %lu bound %lu deaths %lu cuts %lu edits %lu faults %lu aborts %lu retries %lu\n", all.asked, all.answered, all.refused, all.attempts, all.billed, all.exact, all.at_bound, all.deaths, all.cuts, all.edits, all.faults, all.aborts, all.retries);
}

}  // namespace
}  // namespace flyball::gateway
