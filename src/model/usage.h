// Usage: what one call consumed, as disjoint counts.
//
// Vendors count in conflicting ways: OpenAI's prompt tokens include the cached ones, Anthropic's do
// not; reasoning is a part of the output here and beside it there. Adding such numbers up is the
// commonest money bug of LLM gateways. Here every unit of work is in exactly one *bucket*, so a
// cost is the sum over buckets and nothing is paid twice or left out. Who reads a vendor's object
// (rates/usage_dialect.h) takes it apart into buckets first.
//
// The table of buckets in usage.cc names each once, with its unit and side.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"

namespace flyball {

// Tokens first, then all else. `kInput` is uncached text, and whatever a vendor does not tell apart
// from it; `kOutput` is what was neither reasoning nor of another modality.
enum class Bucket : uint8_t {
  kInput,
  kCacheRead,
  kCacheWrite5m,
  kCacheWrite1h,
  kOutput,
  kReasoning,
  kInputAudio,
  kOutputAudio,
  kInputImage,
  kCacheReadAudio,
  kCacheReadImage,
  kCacheReadVideo,
  kCacheWriteAudio,
  kInputVideo,
  kOutputImage,
  kOutputVideo,
  kCitation,
  kRequests,
  kSearches,
  kSearchesLow,
  kSearchesHigh,
  kSessions,
  kPages,
  kAnnotatedPages,
  kInputCharacters,
  kOutputCharacters,
  kInputSeconds,
  kOutputSeconds,
  kInputAudioSeconds,
  kInputVideoSeconds,
  kOutputVideoSeconds,
  kInputImageCount,
  kOutputImageCount,
  kInputPixels,
  kOutputPixels,
  kGpuSeconds,
  kWattHours,
  kMsuHours,
};
inline constexpr size_t kBucketCount = static_cast<size_t>(Bucket::kMsuHours) + 1;

enum class UsageSide : uint8_t { kInput, kOutput, kOther };

struct BucketInfo {
  Bucket bucket;
  std::string_view name;  // as in JSON, on the command line and in the ledger
  std::string_view unit;  // of a count: "token"
  UsageSide side;
  bool token;  // counts for context size when on the input side; priced by service tier
  // A price is for this many counts: 1 for tokens, 3600 for seconds that are sold by the hour.
  int64_t per;
  std::string_view price_unit;  // what one price buys: "token", "GPU hour"
};

std::span<const BucketInfo> Buckets();
const BucketInfo& Info(Bucket bucket);
std::optional<Bucket> BucketByName(std::string_view name);

// A set of buckets.
using BucketSet = uint64_t;
static_assert(kBucketCount <= 64);
constexpr BucketSet SetOf(Bucket bucket) { return BucketSet{1} << static_cast<unsigned>(bucket); }
BucketSet InputTokenBuckets();
BucketSet OutputTokenBuckets();

// The largest count of a bucket. Sums of all buckets, and their cost at the dearest price that a
// book may hold (rates/price_book.h), stay within their integers.
inline constexpr int64_t kUsageCountMax = 1'000'000'000'000'000;

// Counts are never negative and never beyond kUsageCountMax: only Add changes them.
class Usage {
 public:
  int64_t operator[](Bucket bucket) const { return counts_[static_cast<size_t>(bucket)]; }
  // INVALID_ARGUMENT for a negative count, OUT_OF_RANGE beyond kUsageCountMax; names the bucket.
  Status Add(Bucket bucket, int64_t count);
  Status Add(const Usage& other);
  // All tokens of one side, cached or not: what context-size tiers look at.
  int64_t InputTokens() const;
  int64_t OutputTokens() const;
  bool empty() const { return *this == Usage{}; }
  bool operator==(const Usage&) const = default;

 private:
  std::array<int64_t, kBucketCount> counts_{};
};

}  // namespace flyball
