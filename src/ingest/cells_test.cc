#include "ingest/cells.h"

#include <gtest/gtest.h>

#include "ingest/plan.h"
#include "ingest/product.h"
#include "ingest/tags_cell.h"
#include "model/charge.h"

namespace flyball::ingest {
namespace {

std::string Repairs(const RowDefects& defects) {
  std::string names;
  for (size_t i = 0; i < kRepairCount; ++i) {
    if ((defects.repairs >> i & 1) == 0) continue;
    names += (names.empty() ? "" : " ") + std::string(Info(static_cast<Repair>(i)).name);
  }
  return names;
}

std::string Number(std::string_view text) {
  RowDefects defects;
  NumberCell cell;
  Fault fault =
      ReadNumber({text, false, false}, Money::scale(), Repair::kCostRounded, &defects, &cell);
  if (fault != Fault::kNone) return std::string(Info(fault).name);
  std::string value = cell.null ? "null" : FormatDecimal(cell.units, Money::scale());
  std::string repairs = Repairs(defects);
  return value + (repairs.empty() ? "" : " (" + repairs + ")");
}

TEST(Cells, ReadNumbersAndSayWhatTheyRepaired) {
  EXPECT_EQ(Number("12.50"), "12.5");
  EXPECT_EQ(Number("1.2E-7"), "0.00000012");
  EXPECT_EQ(Number(""), "null");
  EXPECT_EQ(Number("NULL"), "null (null_text)");
  EXPECT_EQ(Number("N/A"), "null (null_text)");
  EXPECT_EQ(Number(" 7 "), "7 (blank_space)");
  EXPECT_EQ(Number("+7"), "7 (plus_sign)");
  EXPECT_EQ(Number("1,234,567.8"), "1234567.8 (thousands_separator)");
  EXPECT_EQ(Number("$10,000.00 "), "10000 (blank_space thousands_separator currency_symbol)");
  EXPECT_EQ(Number("-\xE2\x82\xAC"
                   "5"),
            "-5 (currency_symbol)");
  EXPECT_EQ(Number("(12.5)"), "-12.5 (accounting_negative)");
  EXPECT_EQ(Number("0.1234567890123"), "0.123456789012 (cost_rounded)");
  EXPECT_EQ(Number("1.234,56"), "bad_number");
  EXPECT_EQ(Number("12,34"), "bad_number");
  EXPECT_EQ(Number("abc"), "bad_number");
  EXPECT_EQ(Number("NaN"), "bad_number");
  EXPECT_EQ(Number("--5"), "bad_number");
  EXPECT_EQ(Number("1e40"), "out_of_range");
  EXPECT_EQ(Number(std::string(5000, '1')), "bad_number");
}

TEST(Cells, ReadDates) {
  DateReader reader;
  auto read = [&](std::string_view text) {
    RowDefects defects;
    Instant instant;
    bool null = false;
    Fault fault = reader.Read({text, false, false}, &defects, &instant, &null);
    if (fault != Fault::kNone) return std::string(Info(fault).name);
    std::string repairs = Repairs(defects);
    return (null ? "null" : FormatInstant(instant)) + (repairs.empty() ? "" : " (" + repairs + ")");
  };
  for (int twice = 0; twice < 2; ++twice) {
    EXPECT_EQ(read("2024-09-18T22:00:00Z"), "2024-09-18T22:00:00Z");
    EXPECT_EQ(read("2024-09-18 22:00:00"), "2024-09-18T22:00:00Z (date_format)");
    EXPECT_EQ(read("5/1/25"), "2025-05-01T00:00:00Z (us_date)");
    EXPECT_EQ(read("null"), "null (null_text)");
    EXPECT_EQ(read("31/12/2024"), "bad_date");
  }
}

TEST(Cells, RepairUtf8) {
  EXPECT_EQ(RepairUtf8("a\xFF"
                       "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(RepairUtf8("\xC3\xA9"), "\xC3\xA9");
  EXPECT_TRUE(IsAscii("plain ascii text"));
  EXPECT_FALSE(IsAscii("plain but for \xC3\xA9"));
}

TEST(Tags, BecomeOneFlatSortedObject) {
  auto canonical = [](std::string_view text) {
    RowDefects defects;
    std::string tags = CanonicalTags(text, &defects);
    std::string repairs = Repairs(defects);
    return tags + (repairs.empty() ? "" : " " + repairs);
  };
  EXPECT_EQ(canonical(R"({"b": "2", "a": "1"})"), R"({"a":"1","b":"2"})");
  EXPECT_EQ(canonical("{}"), "{}");
  EXPECT_EQ(canonical(R"({"n":1,"t":true,"o":{"x":1}})"),
            R"({"n":"1","o":"{\"x\":1}","t":"true"} tags_normalised)");
  EXPECT_EQ(canonical(R"([{"Key":"a","Value":"1"},{"key":"b","value":"2"}])"),
            R"({"a":"1","b":"2"} tags_normalised)");
  EXPECT_EQ(canonical(R"("a": "1","b": "2")"), R"({"a":"1","b":"2"} tags_normalised)");
  EXPECT_EQ(canonical("a=1;b=2"), R"({"a":"1","b":"2"} tags_normalised)");
  EXPECT_EQ(canonical("{a=1, b=2}"), R"({"a":"1","b":"2"} tags_normalised)");
  EXPECT_EQ(canonical("just words"), R"({"x_unparsed":"just words"} tags_unparsed)");
}

TEST(Product, ToleratesTheRoundingOfUnitPrices) {
  auto units = [](std::string_view text, int scale) { return ParseDecimal(text, scale)->units; };
  auto differs = [&](std::string_view price, std::string_view quantity, std::string_view cost) {
    return ProductDiffers(units(price, 15), units(quantity, 15), units(cost, 12));
  };
  EXPECT_FALSE(differs("0.085", "0.0000000447", "0.0000000038"));
  EXPECT_FALSE(differs("0.004", "0.00000001", "0.0000004"));
  EXPECT_TRUE(differs("0.015", "0.00000001", "0.0000015001"));
  EXPECT_TRUE(differs("1", "0.774167", "1"));
  EXPECT_TRUE(differs("-3", "0", "-3"));
  EXPECT_FALSE(differs("-3", "2", "-6"));
  // Beyond 64 bits on every side.
  EXPECT_FALSE(differs("123456789", "1000000000", "123456789000000000"));
  EXPECT_TRUE(differs("123456789", "1000000000", "123456789000000000.00001"));
  EXPECT_TRUE(differs("99999999999999999999999", "99999999999999999999999", "1"));
  int128 product = 0;
  ASSERT_TRUE(ProductOf(units("0.03", 15), units("8", 15), &product));
  EXPECT_EQ(FormatDecimal(product, 12), "0.24");
  ASSERT_TRUE(ProductOf(units("-0.000000000000001", 15), units("1500", 15), &product));
  EXPECT_EQ(FormatDecimal(product, 12), "-0.000000000002");  // half to even
  EXPECT_FALSE(ProductOf(units("99999999999999999999999", 15), units("99999999999999999999999", 15),
                         &product));
}

TEST(Plan, NamesColumnsAsTheLedgerDoes) {
  Schema schema;
  auto plan = MakePlan(
      {"billedcost", "BillingCurrency", "ProviderName", "Id", "x_Region", "Team", "x_Lineage", ""},
      "bill.csv", &schema);
  ASSERT_TRUE(plan.has_value()) << plan.error().ToString();
  auto name = [&](size_t field) {
    return schema.columns()[static_cast<size_t>(plan->column_of[field])].name;
  };
  EXPECT_EQ(name(0), "BilledCost");
  EXPECT_EQ(name(2), "x_ProviderName");
  EXPECT_EQ(name(3), "x_Id");
  EXPECT_EQ(name(4), "x_Region");
  EXPECT_EQ(name(5), "x_Team");
  EXPECT_EQ(plan->column_of[5], charge::IndexOf("x_Team"));
  EXPECT_EQ(name(6), "x_InputLineage");
  EXPECT_EQ(name(7), "x_Column8");
  auto count = [&](Repair repair) { return plan->repairs[static_cast<size_t>(repair)]; };
  EXPECT_EQ(count(Repair::kColumnNameCase), 1);
  EXPECT_EQ(count(Repair::kColumnWithoutXPrefix), 3);
  EXPECT_EQ(count(Repair::kReservedColumn), 1);
  EXPECT_EQ(plan->provider_field, 2);
}

TEST(Plan, RefusesHeadersThatCannotWork) {
  auto refused = [](std::vector<std::string> header) {
    Schema schema;
    auto plan = MakePlan(header, "bill.csv", &schema);
    return !plan.has_value() && plan.error().code == Code::kInvalidArgument;
  };
  EXPECT_TRUE(refused({"BilledCost", "billedcost"}));
  EXPECT_TRUE(refused({"BillingCurrency"}));
  EXPECT_TRUE(refused({"a", "b"}));
  EXPECT_TRUE(refused({"ContractCommitmentId", "ContractId", "ContractPeriodStart"}));
  std::vector<std::string> many = {"BilledCost"};
  for (int i = 0; i < 1001; ++i) many.push_back("x_" + std::to_string(i));
  EXPECT_TRUE(refused(many));
}

}  // namespace
}  // namespace flyball::ingest
