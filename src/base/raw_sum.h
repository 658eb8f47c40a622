// RawDecimalSum: a second, independent exact sum over decimal texts, to check imports with.
//
// The ledger's own sums go through Money (base/money.h). This one reads the raw text of the input
// by itself and shares no code with Money, so that a mistake in either shows as a difference. It
// rounds nothing: numbers may have up to kRawSumMaxPower digits on either side of the point.
//
// A sum is held as limbs in base 10^18 around the decimal point, each a signed 128-bit column that
// has room for 10^20 additions before it could overflow; carries are settled only when the sum is
// read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flyball {

// Digits other than zero may stand from 10^-kRawSumMaxPower to 10^(kRawSumMaxPower - 1).
inline constexpr int64_t kRawSumMaxPower = 4096;

class RawDecimalSum {
 public:
  // Adds a decimal, plain or in E-notation ("-12.50", ".5", "5.", "1.2E-7"). False, and nothing is
  // added, when the text is not one or has digits beyond kRawSumMaxPower.
  bool Add(std::string_view text) { return AddSigned(text, 1); }
  bool Subtract(std::string_view text) { return AddSigned(text, -1); }
  // Whether Add would take the text.
  static bool Takes(std::string_view text);
  void Merge(const RawDecimalSum& other);
  RawDecimalSum Minus(const RawDecimalSum& other) const;
  bool IsZero() const;
  // Plain notation, no exponent, no trailing zeros after the point, "-0" never: "20.520227", "0",
  // "-0.0000000000001".
  std::string ToString() const;
  friend bool operator==(const RawDecimalSum& a, const RawDecimalSum& b) {
    return a.Minus(b).IsZero();
  }

 private:
  bool AddSigned(std::string_view text, int sign);
  // The column that counts 10^(18 * index), made when absent.
  __int128& Column(int64_t index);
  // Brings every column into (-10^18, 10^18) with one common sign; returns whether the sum is
  // negative.
  bool Settle();

  std::vector<__int128> columns_;  // columns_[i] counts 10^(18 * (first_ + i))
  int64_t first_ = 0;
};

}  // namespace flyball
