#include "guard/sketch.h"

#include <algorithm>
#include <bit>

#include "base/hash.h"

namespace flyball::guard {

// 0..7 stand for themselves; above, the three bits after the leading one choose the bucket.
size_t Sketch::BucketOf(int64_t tokens) {
  auto value = static_cast<uint64_t>(std::max<int64_t>(tokens, 0));
  if (value < 8) return static_cast<size_t>(value);
  int leading = static_cast<int>(std::bit_width(value)) - 1;  // 3 or more
  size_t bucket = static_cast<size_t>(leading - 2) * 8 + ((value >> (leading - 3)) & 7);
  return std::min(bucket, kBuckets - 1);
}

int64_t Sketch::UpperEnd(size_t bucket) {
  if (bucket < 8) return static_cast<int64_t>(bucket);
  size_t leading = bucket / 8 + 2;
  uint64_t step = uint64_t{1} << (leading - 3);
  return static_cast<int64_t>((uint64_t{1} << leading) + (bucket % 8 + 1) * step - 1);
}

void Sketch::Add(int64_t tokens) {
  ++counts_[BucketOf(tokens)];
  if (++count_ < kFadeAt) return;
  count_ = 0;
  for (uint16_t& count : counts_) {
    count = static_cast<uint16_t>(count / 2);
    count_ += count;
  }
}

int64_t Sketch::Quantile(uint32_t percent, uint32_t samples_min) const {
  if (count_ < samples_min || count_ == 0) return -1;
  uint64_t wanted = (uint64_t{count_} * percent + 99) / 100;
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= wanted) return UpperEnd(i);
  }
  return -1;
}

uint64_t Sketches::KeyOf(std::string_view key, std::string_view model, int64_t tokens_output) {
  uint64_t hash = Hash64(key) * 0x9e3779b97f4a7c15ULL ^ Hash64(model);
  hash = hash * 0x9e3779b97f4a7c15ULL ^ static_cast<uint64_t>(std::bit_width(static_cast<uint64_t>(
                                            std::max<int64_t>(tokens_output, 0))));
  return hash == 0 ? 1 : hash;
}

void Sketches::Add(uint64_t sketch_key, int64_t tokens) {
  auto found = sketches_.find(sketch_key);
  if (found == sketches_.end()) {
    if (sketches_.size() >= kSketchesMax) return;
    found = sketches_.emplace(sketch_key, Sketch{}).first;
  }
  found->second.Add(tokens);
}

int64_t Sketches::Quantile(uint64_t sketch_key, uint32_t percent, uint32_t samples_min) const {
  auto found = sketches_.find(sketch_key);
  return found == sketches_.end() ? -1 : found->second.Quantile(percent, samples_min);
}

}  // namespace flyball::guard
