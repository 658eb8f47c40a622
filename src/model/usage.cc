#include "model/usage.h"

#include <fmt/format.h>

namespace flyball {
namespace {

// clang-format off
// bucket, name, unit, side, is a token, counts that one price buys, what one price buys
constexpr BucketInfo kTable[] = {
    {Bucket::kInput, "input", "token", UsageSide::kInput, true, 1, "token"},
    {Bucket::kCacheRead, "cache_read", "token", UsageSide::kInput, true, 1, "token"},
    {Bucket::kCacheWrite5m, "cache_write_5m", "token", UsageSide::kInput, true, 1, "token"},
    {Bucket::kCacheWrite1h, "cache_write_1h", "token", UsageSide::kInput, true, 1, "token"},
    {Bucket::kOutput, "output", "token", UsageSide::kOutput, true, 1, "token"},
    {Bucket::kReasoning, "reasoning", "token", UsageSide::kOutput, true, 1, "token"},
    {Bucket::kInputAudio, "input_audio", "token", UsageSide::kInput, true, 1, "token"},
    {Bucket::kOutputAudio, "output_audio", "token", UsageSide::kOutput, true, 1, "token"},
    {Bucket::kInputImage, "input_image", "token", UsageSide::kInput, true, 1, "token"},
    {Bucket::kCacheReadAudio, "cache_read_audio", "token", UsageSide::kInput, true, 1, "token"},
    {Bucket::kCacheReadImage, "cache_read_image", "token", UsageSide::kInput, true, 1, "token"},
    {Bucket::kCacheReadVideo, "cache_read_video", "token", UsageSide::kInput, true, 1, "token"},
    {Bucket::kCacheWriteAudio, "cache_write_audio", "token", UsageSide::kInput, true, 1, "token"},
    {Bucket::kInputVideo, "input_video", "token", UsageSide::kInput, true, 1, "token"},
    {Bucket::kOutputImage, "output_image", "token", UsageSide::kOutput, true, 1, "token"},
    {Bucket::kOutputVideo, "output_video", "token", UsageSide::kOutput, true, 1, "token"},
    {Bucket::kCitation, "citation", "token", UsageSide::kOutput, true, 1, "token"},
    {Bucket::kRequests, "requests", "request", UsageSide::kOther, false, 1, "request"},
    {Bucket::kSearches, "searches", "search", UsageSide::kOther, false, 1, "search"},
    {Bucket::kSearchesLow, "searches_low", "search", UsageSide::kOther, false, 1, "search"},
    {Bucket::kSearchesHigh, "searches_high", "search", UsageSide::kOther, false, 1, "search"},
    {Bucket::kSessions, "sessions", "session", UsageSide::kOther, false, 1, "session"},
    {Bucket::kPages, "pages", "page", UsageSide::kInput, false, 1, "page"},
    {Bucket::kAnnotatedPages, "annotated_pages", "page", UsageSide::kInput, false, 1, "page"},
    {Bucket::kInputCharacters, "input_characters", "character", UsageSide::kInput, false, 1, "character"},
    {Bucket::kOutputCharacters, "output_characters", "character", UsageSide::kOutput, false, 1, "character"},
    {Bucket::kInputSeconds, "input_seconds", "second", UsageSide::kInput, false, 1, "second"},
    {Bucket::kOutputSeconds, "output_seconds", "second", UsageSide::kOutput, false, 1, "second"},
    {Bucket::kInputAudioSeconds, "input_audio_seconds", "second", UsageSide::kInput, false, 1, "second"},
    {Bucket::kInputVideoSeconds, "input_video_seconds", "second", UsageSide::kInput, false, 1, "second"},
    {Bucket::kOutputVideoSeconds, "output_video_seconds", "second", UsageSide::kOutput, false, 1, "second"},
    {Bucket::kInputImageCount, "input_image_count", "image", UsageSide::kInput, false, 1, "image"},
    {Bucket::kOutputImageCount, "output_image_count", "image", UsageSide::kOutput, false, 1, "image"},
    {Bucket::kInputPixels, "input_pixels", "pixel", UsageSide::kInput, false, 1, "pixel"},
    {Bucket::kOutputPixels, "output_pixels", "pixel", UsageSide::kOutput, false, 1, "pixel"},
    {Bucket::kGpuSeconds, "gpu_seconds", "GPU second", UsageSide::kOther, false, 3600, "GPU hour"},
    {Bucket::kWattHours, "watt_hours", "Wh", UsageSide::kOther, false, 1000, "kWh"},
    {Bucket::kMsuHours, "msu_hours", "MSU hour", UsageSide::kOther, false, 1, "MSU hour"},
};
// clang-format on

static_assert(std::size(kTable) == kBucketCount);
constexpr bool InOrder() {
  for (size_t i = 0; i < kBucketCount; ++i) {
    if (static_cast<size_t>(kTable[i].bucket) != i) return false;
  }
  return true;
}
static_assert(InOrder(), "the table stands in the order of the enumeration");

constexpr BucketSet TokensOf(UsageSide side) {
  BucketSet set = 0;
  for (const BucketInfo& info : kTable) {
    if (info.token && info.side == side) set |= SetOf(info.bucket);
  }
  return set;
}
constexpr BucketSet kInputTokens = TokensOf(UsageSide::kInput);
constexpr BucketSet kOutputTokens = TokensOf(UsageSide::kOutput);

}  // namespace

std::span<const BucketInfo> Buckets() { return kTable; }
const BucketInfo& Info(Bucket bucket) { return kTable[static_cast<size_t>(bucket)]; }

std::optional<Bucket> BucketByName(std::string_view name) {
  for (const BucketInfo& info : kTable) {
    if (info.name == name) return info.bucket;
  }
  return std::nullopt;
}

BucketSet InputTokenBuckets() { return kInputTokens; }
BucketSet OutputTokenBuckets() { return kOutputTokens; }

Status Usage::Add(Bucket bucket, int64_t count) {
  if (count < 0) {
    return Fail(Code::kInvalidArgument,
                fmt::format("'{}' is {}, and usage is never negative", Info(bucket).name, count));
  }
  int64_t& held = counts_[static_cast<size_t>(bucket)];
  if (count > kUsageCountMax - held) {
    return Fail(Code::kOutOfRange,
                fmt::format("'{}' is more than {} can be", Info(bucket).name, kUsageCountMax));
  }
  held += count;
  return {};
}

Status Usage::Add(const Usage& other) {
  for (const BucketInfo& info : kTable) FB_CHECK(Add(info.bucket, other[info.bucket]));
  return {};
}

int64_t Usage::InputTokens() const {
  int64_t sum = 0;
  for (const BucketInfo& info : kTable) {
    if ((SetOf(info.bucket) & kInputTokens) != 0) sum += (*this)[info.bucket];
  }
  return sum;
}

int64_t Usage::OutputTokens() const {
  int64_t sum = 0;
  for (const BucketInfo& info : kTable) {
    if ((SetOf(info.bucket) & kOutputTokens) != 0) sum += (*this)[info.bucket];
  }
  return sum;
}

}  // namespace flyball
