// What a simulated life is made of (test_world.h lives it): its faults and climate, its calls as
// the world sees them, and a tally of what happened.
#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "base/clock.h"
#include "guard/books.h"
#include "guard/guard.h"
#include "guard/rates.h"
#include "guard/test_guard.h"
#include "model/hold.h"

namespace flyball::guard {

// What the tests put in on purpose.
struct Faults {
  Mutation mutation = Mutation::kNone;
  std::string lie_about;  // syncs of these files are lies
  bool audit = true;      // false: only what a stranger can see is looked at
};

// What lives have seen, so that a test can tell whether they were lives at all.
struct Tally {
  uint64_t admitted = 0, refused = 0, settled = 0, faults = 0, deaths = 0, cuts = 0, edits = 0,
           external = 0, gaps = 0;
};

// What a life may hold, by its seed.
struct Climate {
  bool edits, hostile, jumps, deaths, cuts, bad_disk;
  bool syncs_elsewhere;  // a sync takes some steps
};

inline const char* AnyWindow(Random& random) {
  static constexpr const char* kWindows[] = {
      "minute", "hour", "day", "month", "rolling minute", "rolling hour", "rolling 2 days"};
  return kWindows[random.Below(std::size(kWindows))];
}

// The budgets of a life, of each kind.
inline std::vector<budget::Budget> AnyBudgets(Random& random) {
  const auto limit = [&](int64_t most) { return Usd(std::to_string(random.Between(1, most))); };
  const auto window = [&] { return AnyWindow(random); };
  std::vector<budget::Budget> specs;
  specs.push_back(MakeBudget("all", "organisation", limit(80), window()));
  specs.push_back(MakeBudget("team", "team=t0", limit(30), window()));
  specs.push_back(MakeBudget("key", "key=k0", limit(20), "rolling hour"));
  specs.push_back(MakeBudget("each", "end_customer=*", limit(12), window()));
  specs.push_back(MakeBudget("tokens", "model=m0", random.Between(100, 20'000), window()));
  specs.back().measure = budget::Measure::kTokens;
  specs.push_back(MakeBudget("soft", "team=t1", limit(10), window()));
  specs.back().hard = false;
  specs.push_back(MakeBudget("quantile", "key=k1", limit(20), window()));
  specs.back().mode = budget::Mode::kQuantile;
  specs.push_back(MakeBudget("tag", "tag:env=prod", limit(20), window()));
  for (budget::Budget& spec : specs) {
    if (random.Chance(1, 3)) spec.window.zone = "Test/Changing";
  }
  return specs;
}

// One budget that a call fell under, as the world saw it.
struct SimWindow {
  uint32_t generation = 0;
  Period period;
  Instant counted_until;
};
struct SimLeg : SimWindow {
  size_t spec = 0;
  std::string value;  // of a "*" budget
  int64_t rate = 0;
  SimWindow unedited;  // as it was before the last edit of the window
  Amount bound = 0;    // in the budget's measure; each part of it is rounded up
};

// In the measure of the leg's budget.
inline Amount In(const SimLeg& leg, bool tokens, Amount money, Amount count) {
  return tokens ? count : Convert(money, leg.rate);
}

// Whether what `other` holds counts against the limit that `leg` was admitted under.
inline bool CountsNow(const budget::Budget& spec, const Account& account, const SimLeg& leg,
                      const SimLeg& other) {
  if (!leg.period.Contains(account.current.start)) return other.period == leg.period;
  return spec.window.rolling ? other.counted_until > leg.period.start : other.period == leg.period;
}

enum class Phase { kHeld, kLeft, kUnknown, kFinal, kNeverLeft };

struct SimCall {
  hold::CallId id;
  Phase phase = Phase::kHeld;
  bool hostile = false;
  int64_t deadline_us = 0;
  Amount granted = 0;  // bound, in the call's currency
  Amount granted_tokens = 0;
  Amount cost = 0;  // what the vendor will put on its invoice
  Amount cost_tokens = 0;
  Amount told = 0;  // of it, what the guard was told and has written
  Amount told_tokens = 0;
  bool telling = false;          // told, not yet written
  bool known = false;            // told and written
  bool dispatch_failed = false;  // it never left, but its record may be found
  std::vector<SimLeg> legs;
};

}  // namespace flyball::guard
