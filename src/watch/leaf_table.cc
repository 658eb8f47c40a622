#include "watch/leaf_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/assert.h"

namespace flyball::watch {

struct LeafTable::Index {
  std::vector<std::unordered_map<std::string, uint32_t>> values;  // of each dimension
  std::unordered_map<std::string, uint32_t> leaves;               // by the bytes of their codes
};

LeafTable::LeafTable(std::vector<std::string> dimensions)
    : dimensions_(std::move(dimensions)),
      values_(dimensions_.size()),
      codes_(dimensions_.size()),
      index_(std::make_unique<Index>()) {
  index_->values.resize(dimensions_.size());
}

LeafTable::LeafTable(LeafTable&&) noexcept = default;
LeafTable& LeafTable::operator=(LeafTable&&) noexcept = default;
LeafTable::~LeafTable() = default;

Result<LeafTable> LeafTable::Make(std::vector<std::string> dimensions) {
  if (dimensions.empty() || dimensions.size() > kDimensionsMax) {
    return Fail(Code::kInvalidArgument, fmt::format("{} dimensions were named", dimensions.size()),
                fmt::format("name 1 to {}, separated by commas", kDimensionsMax));
  }
  for (size_t i = 0; i < dimensions.size(); ++i) {
    if (std::count(dimensions.begin(), dimensions.end(), dimensions[i]) > 1) {
      return Fail(Code::kInvalidArgument,
                  fmt::format("the dimension '{}' was named twice", dimensions[i]));
    }
  }
  return LeafTable(std::move(dimensions));
}

Status LeafTable::Add(std::span<const std::string_view> values, Quantity actual,
                      Quantity predicted) {
  FB_ASSERT(values.size() == dimensions_.size());
  std::string key(values.size() * sizeof(uint32_t), '\0');
  std::vector<uint32_t> codes(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const auto next = static_cast<uint32_t>(values_[i].size());
    const auto [at, is_new] = index_->values[i].try_emplace(std::string(values[i]), next);
    if (is_new) values_[i].emplace_back(values[i]);
    codes[i] = at->second;
    std::copy_n(reinterpret_cast<const char*>(&codes[i]), sizeof(uint32_t),
                key.data() + i * sizeof(uint32_t));
  }
  const auto [at, is_new] =
      index_->leaves.try_emplace(std::move(key), static_cast<uint32_t>(leaves()));
  if (!is_new) {
    actual_[at->second] = FB_TRY(actual_[at->second].Plus(actual));
    predicted_[at->second] = FB_TRY(predicted_[at->second].Plus(predicted));
    return {};
  }
  if (leaves() == kLeavesMax) {
    return Fail(Code::kResourceExhausted,
                fmt::format("there are more than {} combinations of values", kLeavesMax),
                "name fewer dimensions in --dims");
  }
  for (size_t i = 0; i < codes.size(); ++i) codes_[i].push_back(codes[i]);
  actual_.push_back(actual);
  predicted_.push_back(predicted);
  return {};
}

}  // namespace flyball::watch
