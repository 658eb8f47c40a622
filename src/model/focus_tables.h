// The rows of the FOCUS table, one function a data set. Private to model: use focus.h.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "model/focus.h"

namespace flyball::focus::tables {

inline constexpr bool kNullable = true;
inline constexpr bool kNotNull = false;

using Allowed = std::span<const std::string_view>;

// Writes the rows of one data set in one line each.
struct Rows {
  DataSet data_set;

  constexpr Column Mandatory(std::string_view name, ColumnType type, bool nullable, Version since,
                             Allowed allowed = {}) const {
    return {data_set, name, type, nullable, Level::kMandatory, since, {}, allowed};
  }
  constexpr Column Recommended(std::string_view name, ColumnType type, bool nullable, Version since,
                               Allowed allowed = {}) const {
    return {data_set, name, type, nullable, Level::kRecommended, since, {}, allowed};
  }
  constexpr Column Conditional(std::string_view name, ColumnType type, bool nullable, Version since,
                               std::string_view condition, Allowed allowed = {}) const {
    return {data_set, name, type, nullable, Level::kConditional, since, {}, allowed, condition};
  }
};
constexpr Column Until(Version last, Column column) {
  column.until = last;
  return column;
}
constexpr Column Earlier(EarlierRule rule, Column column) {
  column.earlier = rule;
  return column;
}

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
