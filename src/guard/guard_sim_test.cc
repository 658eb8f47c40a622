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
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    std::string wrong = World(seed, {}, false).Live();
    ASSERT_EQ(wrong, "") << "replay with FLYBALL_GUARD_SEED=" << seed;
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
  EXPECT_NE(seen({Mutation::kSkipHold, ""}), "");
  EXPECT_NE(seen({Mutation::kDoubleSettle, ""}), "");
  EXPECT_NE(seen({Mutation::kForgetDispatched, ""}), "");
  EXPECT_NE(seen({Mutation::kIgnoreLostTail, ""}), "");
  EXPECT_NE(seen({Mutation::kNone, "control-"}), "") << "a lost sync of the leases";
  EXPECT_NE(seen({Mutation::kNone, "guard.snapshot"}), "") << "a lost sync of the snapshot";
}

}  // namespace
}  // namespace flyball::guard
