#include "check/fix.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "check/test_bill.h"

namespace flyball::check {
namespace {

using focus::DataSet;
using focus::Version;

const focus::Column* Column(const char* name) {
  return focus::FindColumn(DataSet::kCostAndUsage, name);
}

TEST(Fix, CellsOfEveryType) {
  const struct {
    const char* column;
    const char* text;
    const char* fixed;
    const char* change;
  } cases[] = {
      {"ListCost", "1.50", "1.50", nullptr},
      {"ListCost", "$1,200.50", "1200.50", "number"},
      {"ListCost", "1E+3", "1E3", "number"},
      {"ListCost", "+7", "7", "number"},
      {"ListCost", "(5)", "-5", "number"},
      {"ListCost", "much", "much", nullptr},
      {"ListCost", "0.12345678901234567890", "0.12345678901234567890", nullptr},
      {"ChargePeriodStart", "2024-09-18 22:00:00", "2024-09-18T22:00:00Z", "date"},
      {"ChargePeriodStart", "9/18/24", "2024-09-18T00:00:00Z", "date"},
      {"ChargePeriodStart", "2024-09-18T22:00:00Z", "2024-09-18T22:00:00Z", nullptr},
      {"ChargePeriodStart", "soon", "soon", nullptr},
      {"ChargeFrequency", "Usage-based", "Usage-Based", "allowed-value"},
      {"ChargeFrequency", "Sometimes", "Sometimes", nullptr},
      {"BillingCurrency", "usd", "USD", "currency"},
      {"ServiceName", " S3 ", "S3", "blanks"},
      {"ServiceName", "\xff", "\xEF\xBF\xBD", "utf8"},
      {"Tags", R"({"a": "b"})", R"({"a": "b"})", nullptr},
  };
  for (const auto& one : cases) {
    const FixedCell cell = FixCell(Column(one.column), {one.text, false, false});
    EXPECT_EQ(cell.text, one.fixed) << one.text;
    EXPECT_STREQ(cell.change, one.change) << one.text;
    EXPECT_FALSE(cell.null);
  }
  EXPECT_TRUE(FixCell(Column("Tags"), {"NULL", false, false}).null);
  EXPECT_STREQ(FixCell(Column("Tags"), {"NULL", false, false}).change, "null-text");
  EXPECT_STREQ(FixCell(Column("Tags"), {"", true, false}).change, "empty-text");
  EXPECT_EQ(FixCell(Column("Tags"), {"", false, false}).change, nullptr);
  EXPECT_TRUE(FixCell(Column("ServiceName"), {"  ", false, false}).null);
  // What "None" means in a custom column its owner knows.
  EXPECT_EQ(FixCell(nullptr, {"None", false, false}).text, "None");
}

std::string Content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TEST(Fix, WritesTheFileAndItsLogOnce) {
  const std::string in = testing::TempDir() + "/fix_in.csv";
  const std::string out = testing::TempDir() + "/fix_out.csv";
  const std::string log = out + std::string(kFixLogEnd);
  std::filesystem::remove(out);
  std::filesystem::remove(log);
  std::ofstream(in) << "BilledCost,billingcurrency,Note,Tags\n"
                    << "\"1,000.5\",usd,\"a \"\"b\"\",c\",NULL\n1,USD\n2,USD,d,\n";
  CheckOptions options;
  options.files = {in};
  const std::unique_ptr<os::Files> files = os::MakeRealFiles();
  Result<FixReport> report = FixFile(options, out, *files);
  ASSERT_TRUE(report.has_value()) << report.error().ToString();
  EXPECT_EQ(Content(out),
            "BilledCost,BillingCurrency,x_Note,Tags\n1000.5,USD,\"a \"\"b\"\",c\",\n2,USD,d,\n");
  EXPECT_EQ(report->rows, 2);
  EXPECT_EQ(report->rows_left_out, 1);
  EXPECT_NE(
      Content(log).find(
          R"({"column":"BilledCost","change":"number","cells":1,"lines":[2],"before":"1,000.5","after":"1000.5"})"),
      std::string::npos)
      << Content(log);
  EXPECT_NE(Content(log).find(R"("change":"left-out","cells":1,"lines":[3],"before":"1,USD")"),
            std::string::npos);
  const Result<FixReport> again = FixFile(options, out, *files);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Code::kAlreadyExists);
  // What fails leaves nothing.
  std::ofstream(in) << "a,b\n1,2\n";
  const std::string none = testing::TempDir() + "/fix_none.csv";
  EXPECT_FALSE(FixFile(options, none, *files).has_value());
  EXPECT_FALSE(std::filesystem::exists(none));
}

// The official sample: all that is form is repaired, to the same cost; what is value stays.
TEST(Fix, OfficialSample) {
  const char* root = std::getenv("FLYBALL_SHARED_DATA");
  const std::string in =
      std::string(root == nullptr ? "" : root) + "/focus/focus_sample_1.0_1000.csv";
  if (!std::filesystem::exists(in)) {
    GTEST_SKIP()
        << "set FLYBALL_SHARED_DATA to the folder that has focus/focus_sample_1.0_1000.csv";
  }
  const std::string out = testing::TempDir() + "/fix_sample.csv";
  std::filesystem::remove(out);
  std::filesystem::remove(out + std::string(kFixLogEnd));
  CheckOptions options;
  options.files = {in};
  const std::unique_ptr<os::Files> files = os::MakeRealFiles();
  ASSERT_TRUE(FixFile(options, out, *files).has_value());
  const Report before = CheckBill(in);
  const Report after = CheckBill(out);
  EXPECT_EQ(before.cost, after.cost);
  EXPECT_EQ(after.rows, 1000);
  for (const char* id : {"DateTimeFormat.iso", "NullHandling.text", "NullHandling.empty",
                         "ChargeFrequency.values", "ColumnHandling.custom-prefix"}) {
    EXPECT_EQ(Of(before, id).verdict, Verdict::kFailed) << id;
    EXPECT_EQ(Of(after, id).verdict, Verdict::kPassed) << id;
  }
  EXPECT_EQ(Of(after, "ListCost.product").rows_failed, 25);
  EXPECT_EQ(Of(after, "ContractedCost.null").rows_failed, 7);
}

}  // namespace
}  // namespace flyball::check
