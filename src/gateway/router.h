// Router: which upstreams may serve a call, and in which order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "estate/estate.h"
#include "gateway/dialect.h"

namespace flyball::gateway {

// Whether an upstream's API has this dialect.
bool Speaks(const estate::Upstream& upstream, Dialect dialect);

// Indexes of upstreams that speak the dialect and serve the model: by priority, and among equals
// drawn by weight. Empty: none does.
std::vector<size_t> CandidatesFor(const std::vector<estate::Upstream>& upstreams, Dialect dialect,
                                  std::string_view model, Random& random);

// Path and query at the upstream for a client's target.
std::string TargetAt(const estate::Upstream& upstream, Dialect dialect, std::string_view target,
                     std::string_view model);

}  // namespace flyball::gateway
