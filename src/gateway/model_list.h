// What GET /v1/models tells a key.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/time.h"
#include "estate/estate.h"
#include "gateway/keys.h"
#include "rates/price_book.h"

namespace flyball::gateway {

inline constexpr size_t kListedModelsMax = 1000;

// The exact names that upstreams list, in their order, then by alphabet those of which the book
// has a price under the upstreams' patterns; each once, none that the key may not use, and
// kListedModelsMax at most. One walk over the book.
std::vector<std::string> ListModels(const std::vector<estate::Upstream>& upstreams,
                                    const rates::PriceBook& book, const VirtualKey& key,
                                    Instant now);

}  // namespace flyball::gateway
