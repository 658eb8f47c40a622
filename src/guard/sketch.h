// Sketch: how long answers are, by key, model and size of the longest answer allowed.
//
// Sizes are counted in buckets, eight to each doubling; a quantile answers the upper end of its
// bucket, so that it errs to the high side by an eighth at most. Old answers fade: at kFadeAt all
// counts are halved. A table of sketches has a named limit; when it is full, new kinds of calls are
// held at their bound.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>

namespace flyball::guard {

class Sketch {
 public:
  static constexpr uint32_t kFadeAt = 4096;
  static constexpr uint32_t kSamplesMin = 64;  // fewer say nothing

  void Add(int64_t tokens);
  // What `percent` of 100 answers stay at or under; -1 while there are fewer than `samples_min`.
  int64_t Quantile(uint32_t percent, uint32_t samples_min) const;
  uint32_t count() const { return count_; }

 private:
  static constexpr size_t kBuckets = 8 * 41;  // up to 2^41 tokens
  static size_t BucketOf(int64_t tokens);
  static int64_t UpperEnd(size_t bucket);

  std::array<uint16_t, kBuckets> counts_{};
  uint32_t count_ = 0;
};

class Sketches {
 public:
  static constexpr size_t kSketchesMax = 4096;
  // Names the sketch of a kind of call; never 0.
  static uint64_t KeyOf(std::string_view key, std::string_view model, int64_t tokens_output);
  void Add(uint64_t sketch_key, int64_t tokens);
  int64_t Quantile(uint64_t sketch_key, uint32_t percent, uint32_t samples_min) const;

 private:
  std::unordered_map<uint64_t, Sketch> sketches_;
};

}  // namespace flyball::guard
