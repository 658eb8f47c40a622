// The guard's simulation by seeds (test_world.h). A seed is a whole life; FLYBALL_GUARD_SEEDS says
// how many (500), FLYBALL_GUARD_SEED replays one and tells each step.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "guard/test_world.h"

namespace flyball::guard {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

TEST(GuardSim, InvoicesStayUnderWhatIsCountedAndThatUnderTheBudget) {
  uint64_t one = FromEnvironment("FLYBALL_GUARD_SEED", 0);
  if (one != 0) {
    EXPECT_EQ(World(one, {}, true).Live(), "");
    return;
  }
  uint64_t seeds = FromEnvironment("FLYBALL_GUARD_SEEDS", 500);
  Tally all;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    World world(seed, {}, false);
    std::string wrong = world.Live();
    ASSERT_EQ(wrong, "") << "replay with FLYBALL_GUARD_SEED=" << seed;
    const Tally& one_life = world.tally();
    all.admitted += one_life.admitted;
    all.refused += one_life.refused;
    all.settled += one_life.settled;
    all.faults += one_life.faults;
    all.deaths += one_life.deaths;
    all.cuts += one_life.cuts;
    all.edits += one_life.edits;
    all.external += one_life.external;
    all.gaps += one_life.gaps;
  }
  // Lives in which nothing happens prove nothing.
  if (seeds < 500) return;  // too few to tell
  EXPECT_GT(all.admitted, 10 * seeds);
  EXPECT_GT(all.refused, 5 * seeds);
  EXPECT_GT(all.settled, 10 * seeds);
  for (uint64_t some : {all.faults, all.deaths, all.cuts, all.edits, all.external, all.gaps}) {
    EXPECT_GT(some, seeds / 5);
  }
}

// A simulation that can't fail proves nothing: each fault that is put in must be seen.
TEST(GuardSim, CanariesAreSeen) {
  auto seen = [](Faults faults) {
    for (uint64_t seed = 1; seed <= 200; ++seed) {
      std::string wrong = World(seed, faults, false).Live();
      if (!wrong.empty()) return wrong;
    }
    return std::string();
  };
  EXPECT_NE(seen({Mutation::kSkipHold, "", true}), "");
  EXPECT_NE(seen({Mutation::kDoubleSettle, "", true}), "");
  EXPECT_NE(seen({Mutation::kSkipHold, "", false}), "");
  EXPECT_NE(seen({Mutation::kDoubleSettle, "", false}), "");
  EXPECT_NE(seen({Mutation::kForgetDispatched, "", true}), "");
  EXPECT_NE(seen({Mutation::kIgnoreLostTail, "", true}), "");
  EXPECT_NE(seen({Mutation::kNone, "control-", true}), "") << "a lost sync of the leases";
  EXPECT_NE(seen({Mutation::kNone, "guard.snapshot", true}), "") << "a lost sync of the snapshot";
}

}  // namespace
}  // namespace flyball::guard
