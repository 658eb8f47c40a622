#include "base/clock.h"

#include <sys/random.h>

#include <cerrno>
#include <chrono>

#include "base/assert.h"

namespace flyball {
namespace {

// The only reads of the machine's clocks in Flyball.
class SystemClock : public Clock {
 public:
  Instant Now() override {
    auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return Instant{std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count()};
  }
  int64_t MonotonicUs() override {
    auto since_start = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since_start).count();
  }
};

uint64_t RotateLeft(uint64_t x, int bits) { return (x << bits) | (x >> (64 - bits)); }

}  // namespace

std::unique_ptr<Clock> MakeSystemClock() { return std::make_unique<SystemClock>(); }

// https://prng.di.unimi.it/splitmix64.c, as its authors advise for seeding.
Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15ULL;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    word = z ^ (z >> 31);
  }
}

// https://prng.di.unimi.it/xoshiro256starstar.c
uint64_t Random::Next() {
  uint64_t result = RotateLeft(state_[1] * 5, 7) * 9;
  uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = RotateLeft(state_[3], 45);
  return result;
}

// Lemire, "Fast random integer generation in an interval" (2019): exact, one multiplication nearly
// always.
uint64_t Random::Below(uint64_t bound) {
  FB_ASSERT(bound > 0);
  auto product = static_cast<unsigned __int128>(Next()) * bound;
  if (static_cast<uint64_t>(product) < bound) {
    uint64_t threshold = (0 - bound) % bound;
    while (static_cast<uint64_t>(product) < threshold) {
      product = static_cast<unsigned __int128>(Next()) * bound;
    }
  }
  return static_cast<uint64_t>(product >> 64);
}

int64_t Random::Between(int64_t low, int64_t high) {
  FB_ASSERT(low <= high);
  uint64_t width = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  uint64_t step = width == ~uint64_t{0} ? Next() : Below(width + 1);
  return static_cast<int64_t>(static_cast<uint64_t>(low) + step);
}

bool Random::Chance(uint64_t numerator, uint64_t denominator) {
  return Below(denominator) < numerator;
}

void SecureRandomBytes(uint8_t* out, size_t size) {
  while (size > 0) {
    ssize_t got = getrandom(out, size, 0);
    if (got < 0 && errno == EINTR) continue;
    FB_ASSERT(got > 0);
    out += got;
    size -= static_cast<size_t>(got);
  }
}

}  // namespace flyball
