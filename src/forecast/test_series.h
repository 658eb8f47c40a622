// Series for tests, of which it is known what they are made of.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace flyball::forecast {

// The same numbers everywhere: splitmix64 (Steele, Lea and Flood, 2014).
class Noise {
 public:
  explicit Noise(uint64_t seed) : state_(seed) {}
  double Uniform() {  // in (0, 1)
    uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return (static_cast<double>((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
  }
  double Normal() {
    return std::sqrt(-2 * std::log(Uniform())) * std::cos(2 * std::numbers::pi * Uniform());
  }

 private:
  uint64_t state_;
};

inline std::vector<double> Line(size_t length, double level, double slope) {
  std::vector<double> values(length);
  for (size_t i = 0; i < length; ++i) values[i] = level + slope * static_cast<double>(i);
  return values;
}

// Hours with a day and a week in them: `level` with a slope, more at noon, less at weekends.
inline std::vector<double> Hours(size_t length, double level, double noise, uint64_t seed) {
  Noise source(seed);
  std::vector<double> values(length);
  for (size_t i = 0; i < length; ++i) {
    const double day = std::sin(2 * std::numbers::pi * static_cast<double>(i % 24) / 24);
    const double week = i / 24 % 7 >= 5 ? 0.7 : 1.0;
    values[i] = level * (1 + 0.4 * day) * week * (1 + noise * source.Normal());
  }
  return values;
}

}  // namespace flyball::forecast
