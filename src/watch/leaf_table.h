// LeafTable: a measure at its finest grain, what it was and what it was expected to be.
//
// A leaf is one combination of a value for every dimension; it may come in several rows, which are
// added up. Sums are exact: quantities are decimals of fifteen digits behind the point.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"

namespace flyball::watch {

inline constexpr size_t kDimensionsMax = 10;  // 1,023 ways to combine them
inline constexpr size_t kLeavesMax = 4'000'000;

class LeafTable {
 public:
  // INVALID_ARGUMENT: none, more than kDimensionsMax, or one twice.
  static Result<LeafTable> Make(std::vector<std::string> dimensions);
  LeafTable(LeafTable&&) noexcept;
  LeafTable& operator=(LeafTable&&) noexcept;
  ~LeafTable();

  // One value a dimension. RESOURCE_EXHAUSTED beyond kLeavesMax, OUT_OF_RANGE when a sum leaves 38
  // digits.
  Status Add(std::span<const std::string_view> values, Quantity actual, Quantity predicted);

  size_t leaves() const { return actual_.size(); }
  const std::vector<std::string>& dimensions() const { return dimensions_; }
  // Which value of a dimension each leaf has, counted from 0 in the order of appearance.
  const std::vector<uint32_t>& codes(size_t dimension) const { return codes_[dimension]; }
  const std::vector<std::string>& values(size_t dimension) const { return values_[dimension]; }
  const std::vector<Quantity>& actual() const { return actual_; }
  const std::vector<Quantity>& predicted() const { return predicted_; }

 private:
  struct Index;
  explicit LeafTable(std::vector<std::string> dimensions);

  std::vector<std::string> dimensions_;
  std::vector<std::vector<std::string>> values_;
  std::vector<std::vector<uint32_t>> codes_;
  std::vector<Quantity> actual_, predicted_;
  std::unique_ptr<Index> index_;
};

}  // namespace flyball::watch
