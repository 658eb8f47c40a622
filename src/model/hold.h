// Hold: what is set aside of every budget that a call falls under, before the call leaves.
//
// A hold lives from its admission until the call is settled, released or past its deadline. These
// are the nouns that the guard, the gateway and the ledger share; the guard keeps the holds
// themselves (guard/guard.h).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/ids.h"
#include "base/money.h"
#include "model/budget.h"

namespace flyball::hold {

// One attempt of a call to a vendor: never used twice, not even after a restart. A retry or a
// failover is another call.
struct CallTag;
using CallId = StrongId<CallTag>;

// What a call is said to belong to. A kind may come several times (tags).
struct Attribute {
  budget::ScopeKind kind = budget::ScopeKind::kTeam;
  std::string_view value;
};
inline constexpr size_t kAttributesMax = 64;

// The most that a call can cost, in two parts: what is known before it is sent, and what its
// answer can add. All are at least 0.
struct Bound {
  Money fixed;   // prompt, tools, per-request prices, at the worst reachable price
  Money output;  // of the longest answer
  int64_t tokens_fixed = 0;
  int64_t tokens_output = 0;
};

// What a call did cost.
struct Cost {
  Money money;
  int64_t tokens = 0;
};

// Beyond these a call is absurd and refused at the boundary.
inline constexpr budget::Amount kCallMoneyMax =
    static_cast<budget::Amount>(1'000'000'000) * 1'000'000'000'000;
inline constexpr int64_t kCallTokensMax = 1'000'000'000'000;

}  // namespace flyball::hold
