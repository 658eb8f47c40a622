// What a vendor says that a call used, taken apart into disjoint buckets.
//
// Each dialect counts in its own way (docs/PRICES.md has the table): what includes the cache and
// what does not, whether reasoning is a part of the output or stands beside it. A detail that is
// larger than its total would make a bucket negative: that is an error which names both fields,
// never a clamp, because it means that the reader misunderstands the vendor. Where a vendor's
// counts lie side by side, an unknown count of tokens that is not zero is an error too: it would be
// charged nothing. (Where they lie inside a total, it stays in the total.)
//
// Cost: a few hundred nanoseconds and no allocation but the answer's for a usual object. Safe on
// any input; may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/usage.h"
#include "rates/price_book.h"

namespace flyball::rates {

enum class Dialect : uint8_t {
  kBuckets,  // our own: {"input":3,"cache_write_5m":12304,"output":550}
  kOpenAiChat,
  kOpenAiResponses,
  kAnthropic,
  kGemini,
  kBedrock,
};
Result<Dialect> ParseDialect(std::string_view name);  // "openai-chat" and so on
std::string_view DialectName(Dialect dialect);

inline constexpr size_t kUsageJsonBytesMax = size_t{64} << 10;
inline constexpr size_t kUsageFieldsMax = 128;     // of one object
inline constexpr size_t kUsageIterationsMax = 64;  // attempts of one call, details of one list
inline constexpr size_t kUsageDepthMax = 16;

struct ModelUsage {
  std::string model;
  Usage usage;
};

struct MeteredUsage {
  Usage usage;  // of the model that was called
  // Of others that the vendor tried or fell back to in the same call (Anthropic's iterations).
  std::vector<ModelUsage> others;
  std::optional<ServiceTier> tier;  // that it was served at, where the object says so
  std::string region;               // likewise; empty when it doesn't
};

// Reads the vendor's usage object; a whole response is taken for the usage object in it.
// `model` is the one that the response names: iterations of it count as its own. INVALID_ARGUMENT
// names the key that is wrong, unknown (of kBuckets), repeated, or larger than what it is a part
// of.
Result<MeteredUsage> ReadUsage(Dialect dialect, std::string_view json, std::string_view model = {});

}  // namespace flyball::rates
