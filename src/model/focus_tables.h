// The rows of the FOCUS table, one function a data set. Private to model: use focus.h.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "model/focus.h"

namespace flyball::focus::tables {

inline constexpr bool kNullable = true;
inline constexpr bool kNotNull = false;

std::span<const Column> CostAndUsage();
std::span<const Column> ContractCommitment();
std::span<const Column> InvoiceDetail();
std::span<const Column> BillingPeriod();

// For static_assert: names in strict ascending order (so none stands twice), no column gone before
// it came, a condition for every conditional column and for no other.
template <size_t kSize>
constexpr bool WellFormed(const std::array<Column, kSize>& columns) {
  for (size_t i = 0; i < kSize; ++i) {
    const Column& column = columns[i];
    if (i > 0 && columns[i - 1].name >= column.name) return false;
    if (column.until.has_value() && *column.until < column.since) return false;
    if ((column.level == Level::kConditional) == column.condition.empty()) return false;
  }
  return true;
}

// How many columns a version has.
template <size_t kSize>
constexpr int CountIn(const std::array<Column, kSize>& columns, Version version) {
  int count = 0;
  for (const Column& column : columns) count += column.In(version) ? 1 : 0;
  return count;
}

}  // namespace flyball::focus::tables
