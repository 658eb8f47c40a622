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
// has a price under the upstreams' patterns; each once. A walk over the book for each upstream with
// a pattern.
std::vector<std::string> ServedModels(const std::vector<estate::Upstream>& upstreams,
                                      const rates::PriceBook& book, Instant now);

// The first kListedModelsMax of them that the key may use.
std::vector<std::string> ListModels(const std::vector<std::string>& served, const VirtualKey& key);

}  // namespace flyball::gateway
