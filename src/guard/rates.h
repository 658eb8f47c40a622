// Exchange of amounts between the currencies of a call and of a budget, always rounded up.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/budget.h"

namespace flyball::guard {

// Rates count 1e-9: units of the budget's currency for 1e9 units of the call's. 0 stands for "the
// same", so that nothing is multiplied where nothing is to be changed.
inline constexpr int64_t kRateOne = 1'000'000'000;
inline constexpr int64_t kRateMax = 1'000'000 * kRateOne;

// Three letters as a number; 0 when it is no currency.
constexpr uint32_t CurrencyCode(std::string_view text) {
  if (text.size() != 3) return 0;
  uint32_t code = 0;
  for (char c : text) {
    if (c < 'A' || c > 'Z') return 0;
    code = code << 8 | static_cast<uint32_t>(c);
  }
  return code;
}

// `amount` is at most hold::kCallMoneyMax (70 bits), a rate at most kRateMax (50 bits): no
// overflow.
constexpr budget::Amount Convert(budget::Amount amount, int64_t rate) {
  if (rate == 0) return amount;
  return (amount * rate + (kRateOne - 1)) / kRateOne;
}

// The same of a sum, which is at most budget::kLimitMax (90 bits).
constexpr budget::Amount ConvertSum(budget::Amount amount, int64_t rate) {
  if (rate == 0) return amount;
  return amount / kRateOne * rate + Convert(amount % kRateOne, rate);
}

}  // namespace flyball::guard
