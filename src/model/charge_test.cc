#include "model/charge.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "model/focus.h"

namespace flyball::charge {
namespace {

ColumnType TypeOf(std::string_view name) {
  int index = IndexOf(name);
  EXPECT_GE(index, 0) << name;
  return Columns()[static_cast<size_t>(index)].type;
}

TEST(Charge, ColumnsAreThoseOfFocusThenOurOwn) {
  ASSERT_EQ(Columns().size(), 86u);
  std::set<std::string> names;
  for (const ColumnSpec& column : Columns()) {
    EXPECT_TRUE(names.insert(column.name).second) << column.name;
    const focus::Column* known = focus::FindColumn(focus::DataSet::kCostAndUsage, column.name);
    EXPECT_EQ(known == nullptr, column.name.starts_with("x_")) << column.name;
    if (known != nullptr) {
      EXPECT_EQ(known->type, column.type) << column.name;
    }
  }
  EXPECT_FALSE(names.contains("ProviderName"));
  EXPECT_FALSE(names.contains("PublisherName"));
  EXPECT_TRUE(names.contains("CredentialDetails"));
}

TEST(Charge, NamedIndexesAgreeWithTheColumns) {
  for (int i = 0; i < kColumnCount; ++i) {
    EXPECT_EQ(IndexOf(kColumnNames[static_cast<size_t>(i)]), i);
    EXPECT_EQ(Columns()[static_cast<size_t>(i)].name, kColumnNames[static_cast<size_t>(i)]);
  }
  EXPECT_EQ(IndexOf("BilledCost"), kBilledCost);
  EXPECT_EQ(IndexOf("x_Signature"), kSignature);
  EXPECT_EQ(IndexOf("billedcost"), -1);
  EXPECT_EQ(IndexOf("ProviderName"), -1);
  EXPECT_EQ(IndexOf(""), -1);
}

TEST(Charge, Types) {
  EXPECT_EQ(TypeOf("PricingCurrencyEffectiveCost"), ColumnType::kMoney);
  EXPECT_EQ(TypeOf("ListUnitPrice"), ColumnType::kQuantity);
  EXPECT_EQ(TypeOf("ChargePeriodStart"), ColumnType::kInstant);
  EXPECT_EQ(TypeOf("Tags"), ColumnType::kJson);
  EXPECT_EQ(TypeOf("x_Team"), ColumnType::kText);
  EXPECT_EQ(TypeOf("x_EnergyWh"), ColumnType::kQuantity);
  EXPECT_EQ(TypeOf("x_GpuSeconds"), ColumnType::kQuantity);
  EXPECT_EQ(TypeOf("x_Msu"), ColumnType::kQuantity);
  EXPECT_EQ(TypeOf("x_SourceLine"), ColumnType::kInt64);
  EXPECT_EQ(TypeOf("x_Signature"), ColumnType::kUint64);
}

TEST(Charge, MeasuresNameColumnsOfTheirType) {
  ASSERT_EQ(Measures().size(), 5u);
  for (const MeasureColumn& measure : Measures()) {
    EXPECT_EQ(TypeOf(measure.column), measure.type) << measure.measure;
  }
  EXPECT_EQ(Measures()[0].measure, "billed_cost");
  EXPECT_EQ(Measures()[4].measure, "usage");
}

}  // namespace
}  // namespace flyball::charge
