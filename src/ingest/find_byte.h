// Finds the first of two bytes, sixteen at a time; may read up to 15 bytes beyond `end` (blocks are
// padded).
#pragma once

#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace flyball::ingest {

// The first of two bytes, or `end`.
inline const char* FindEither(const char* at, const char* end, char a, char b) {
#if defined(__SSE2__)
  const __m128i va = _mm_set1_epi8(a);
  const __m128i vb = _mm_set1_epi8(b);
  while (at < end) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    int mask =
        _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, va), _mm_cmpeq_epi8(bytes, vb)));
    if (mask != 0) {
      const char* found = at + __builtin_ctz(static_cast<unsigned>(mask));
      return found < end ? found : end;
    }
    at += 16;
  }
  return end;
#else
  while (at < end && *at != a && *at != b) ++at;
  return at;
#endif
}

// How many line feeds stand in a text; reads nothing beyond it.
inline int64_t CountLineFeeds(std::string_view text) {
  int64_t count = 0;
  size_t at = 0;
#if defined(__SSE2__)
  const __m128i feeds = _mm_set1_epi8('\n');
  while (at + 16 <= text.size()) {
    // 255 rounds fit the bytes that count per lane.
    __m128i lanes = _mm_setzero_si128();
    for (int i = 0; i < 255 && at + 16 <= text.size(); ++i, at += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
      lanes = _mm_sub_epi8(lanes, _mm_cmpeq_epi8(bytes, feeds));
    }
    const __m128i sums = _mm_sad_epu8(lanes, _mm_setzero_si128());
    count += _mm_cvtsi128_si64(sums) + _mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums));
  }
#endif
  for (; at < text.size(); ++at) count += text[at] == '\n' ? 1 : 0;
  return count;
}

// Walks over the quotes, delimiters and line feeds of a block: one bit for each of 64 bytes at a
// time. Behind `end` there must stand none of the three.
class MarkFinder {
 public:
  void Start(const char* begin, const char* end, char delimiter) {
    delimiter_ = delimiter;
    end_ = end;
    Look(begin);
  }
  // The first mark at or behind `at`, or `end`. `at` must not go back.
  const char* Next(const char* at) {
    for (;;) {
      if (at >= end_) return end_;
      const auto offset = static_cast<uint64_t>(at - window_);
      if (offset >= 64) {
        Look(at);
        continue;
      }
      const uint64_t left = marks_ >> offset;
      if (left != 0) return at + __builtin_ctzll(left);
      at = window_ + 64;
    }
  }

 private:
  void Look(const char* at) {
    window_ = at;
    marks_ = 0;
    if (at >= end_) return;
#if defined(__SSE2__)
    const __m128i delimiters = _mm_set1_epi8(delimiter_);
    const __m128i quotes = _mm_set1_epi8('"');
    const __m128i feeds = _mm_set1_epi8('\n');
    for (int i = 0; i < 4; ++i) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * i));
      const __m128i found = _mm_or_si128(
          _mm_or_si128(_mm_cmpeq_epi8(bytes, delimiters), _mm_cmpeq_epi8(bytes, feeds)),
          _mm_cmpeq_epi8(bytes, quotes));
      marks_ |= static_cast<uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(found))) << (16 * i);
    }
#else
    for (int i = 0; i < 64; ++i) {
      const bool mark = at[i] == delimiter_ || at[i] == '\n' || at[i] == '"';
      marks_ |= static_cast<uint64_t>(mark) << i;
    }
#endif
  }

  const char* window_ = nullptr;
  const char* end_ = nullptr;
  uint64_t marks_ = 0;
  char delimiter_ = ',';
};

}  // namespace flyball::ingest
