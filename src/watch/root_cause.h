// Root cause over dimensions: which combinations of dimension values explain that a measure is not
// what it was expected to be.
//
// A measure that adds up deviates at every level above the leaf that caused it, and where a whole
// combination is the cause, all its leaves deviate in the same proportion: the ripple effect, as
// HotSpot (Sun et al. 2018) and Squeeze (Li et al. 2019) use it. Our method is a test of
// likelihoods. Leaves that moved against the total tell the noise of the others, which stay near
// their expectation; the leaves of a cause share one proportion instead. For each combination of
// each cuboid the evidence is the sum over its leaves of log P(leaf | cause) - log P(leaf | noise),
// less what the choice among so many combinations costs. The best is taken, its leaves are set
// aside, and the search goes on until no combination has evidence left. RiskLoc (Kalander 2022) is
// the baseline (docs/WATCH.md).
//
// Time and memory: leaves x cuboids x kProportions additions for each round of the search, and
// 64 bytes a leaf.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "watch/leaf_table.h"

namespace flyball::watch {

struct RootCauseSettings {
  double strays = 0.1;       // share of a cause's leaves that may be as they were expected
  double base_penalty = 6;   // nats of evidence that a cause must have, whatever it is,
  double depth_penalty = 1;  // and for each dimension that it names
  double least_share = 0;    // of the total difference, that a cause after the first explains
};

struct RootCause {
  std::vector<std::pair<std::string, std::string>> elements;  // dimension and value
  double score = 0;  // evidence in decades; not above zero for a first cause that is but a guess
  double share = 0;  // of the total difference; others may offset it, so that it is above 1
  Quantity actual, predicted;  // exact sums over all its leaves
};

// Best first. Empty only when actual and predicted are the same in every leaf. A first cause is
// given whatever its evidence, as someone asked because there is a difference. Causes may overlap.
// OUT_OF_RANGE when a sum leaves 38 digits.
inline constexpr size_t kCausesMax = 20;
Result<std::vector<RootCause>> FindRootCauses(const LeafTable& table,
                                              const RootCauseSettings& settings = {});

}  // namespace flyball::watch
