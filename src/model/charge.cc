#include "model/charge.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/assert.h"
#include "model/focus.h"

namespace flyball::charge {
namespace {

constexpr MeasureColumn kMeasures[] = {
    {"billed_cost", "BilledCost", ColumnType::kMoney},
    {"effective_cost", "EffectiveCost", ColumnType::kMoney},
    {"list_cost", "ListCost", ColumnType::kMoney},
    {"contracted_cost", "ContractedCost", ColumnType::kMoney},
    {"usage", "ConsumedQuantity", ColumnType::kQuantity},
};

ColumnType OwnColumnType(std::string_view name) {
  FB_ASSERT(name.starts_with("x_"));
  if (name == "x_EnergyWh" || name == "x_GpuSeconds" || name == "x_Msu") {
    return ColumnType::kQuantity;
  }
  if (name == "x_SourceLine") return ColumnType::kInt64;
  if (name == "x_Signature") return ColumnType::kUint64;
  return ColumnType::kText;
}

std::vector<ColumnSpec> MakeColumns() {
  std::vector<ColumnSpec> columns;
  for (const focus::Column& column : focus::Columns(focus::DataSet::kCostAndUsage)) {
    if (!column.In(focus::Version::k1_4) && !column.In(focus::Version::k1_5Draft)) continue;
    columns.push_back({std::string(column.name), column.type});
  }
  for (size_t i = columns.size(); i < kColumnNames.size(); ++i) {
    columns.push_back({std::string(kColumnNames[i]), OwnColumnType(kColumnNames[i])});
  }
  FB_ASSERT(std::ranges::equal(columns, kColumnNames, {}, &ColumnSpec::name));
  return columns;
}

std::unordered_map<std::string_view, int> MakeIndex() {
  std::unordered_map<std::string_view, int> index;
  for (int i = 0; i < kColumnCount; ++i) index.emplace(kColumnNames[static_cast<size_t>(i)], i);
  return index;
}

}  // namespace

std::span<const ColumnSpec> Columns() {
  static const std::vector<ColumnSpec> columns = MakeColumns();
  return columns;
}

int IndexOf(std::string_view name) {
  static const std::unordered_map<std::string_view, int> index = MakeIndex();
  auto found = index.find(name);
  return found == index.end() ? -1 : found->second;
}

std::span<const MeasureColumn> Measures() { return kMeasures; }

}  // namespace flyball::charge
