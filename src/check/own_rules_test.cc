// Our own rules: a whole bill keeps all of them, and each thing that is broken is found, alone.
#include "check/own_rules.h"

#include <set>

#include "base/text.h"
#include "check/test_bill.h"

namespace flyball::check {
namespace {

using focus::DataSet;
using focus::Version;

TEST(OwnRules, EveryTableLineIsWellFormedAndNamesKnownColumns) {
  for (DataSet set : {DataSet::kCostAndUsage, DataSet::kContractCommitment, DataSet::kInvoiceDetail,
                      DataSet::kBillingPeriod}) {
    for (int v = 0; v < focus::kVersionCount; ++v) {
      std::set<std::string> ids;
      for (const Rule& rule : OwnRules(set, static_cast<Version>(v))) {
        EXPECT_TRUE(ids.insert(rule.id).second) << rule.id << " stands twice";
        EXPECT_FALSE(rule.text.empty()) << rule.id;
        EXPECT_FALSE(rule.remedy.empty() && !rule.optional) << rule.id;
        std::vector<std::string> names = ColumnsOf(rule.requirement);
        const std::vector<std::string> more = ColumnsOf(rule.condition);
        names.insert(names.end(), more.begin(), more.end());
        names.insert(names.end(), rule.group.key.begin(), rule.group.key.end());
        names.insert(names.end(), rule.group.value.begin(), rule.group.value.end());
        for (const std::string& name : names) {
          const focus::Column* column = focus::FindColumn(set, name);
          ASSERT_NE(column, nullptr) << rule.id << " names " << name;
          EXPECT_EQ(column->name, name);
        }
      }
    }
  }
}

TEST(OwnRules, AWholeBillKeepsThemInEveryVersion) {
  for (Version version :
       {Version::k1_0, Version::k1_1, Version::k1_2, Version::k1_3, Version::k1_4}) {
    const std::string path = WriteBill("whole", version, WholeBill());
    const Report report = CheckBill(path, version);
    EXPECT_EQ(Failures(report), "") << focus::VersionName(version);
    EXPECT_EQ(report.rows, 7);
    EXPECT_EQ(report.version, version);
    EXPECT_EQ(report.providers.at(0).score_ppm, 1'000'000);
  }
}

// One change, and the rule that must find it, with the count of rows.
struct Broken {
  const char* name;
  Row change;  // of the first row, which is usage
  const char* rule;
  int64_t rows = 1;
};
std::ostream& operator<<(std::ostream& out, const Broken& broken) { return out << broken.name; }

class OneDefect : public testing::TestWithParam<Broken> {};
TEST_P(OneDefect, IsFound) {
  const Broken& broken = GetParam();
  std::vector<Row> rows = WholeBill();
  rows[0] = With(rows[0], broken.change);
  const Report report = CheckBill(
      WriteBill(std::string("defect_") + broken.name, Version::k1_2, rows), Version::k1_2);
  const RuleResult& result = Of(report, broken.rule);
  EXPECT_EQ(result.verdict, Verdict::kFailed) << Failures(report);
  EXPECT_EQ(result.rows_failed, broken.rows);
  ASSERT_FALSE(result.first.empty());
  EXPECT_EQ(result.first[0].line, 2);
}
std::string NameOfBroken(const testing::TestParamInfo<Broken>& param) { return param.param.name; }
INSTANTIATE_TEST_SUITE_P(
    All, OneDefect,
    testing::Values(
        Broken{"NoValue", {{"BillingAccountId", ""}}, "BillingAccountId.null"},
        Broken{"NotListed", {{"ChargeCategory", "usage"}}, "ChargeCategory.values"},
        Broken{"Comma", {{"ListCost", "1,000"}}, "ListCost.format"},
        Broken{"NoNumber", {{"ListCost", "one"}}, "ListCost.type"},
        Broken{"ExponentPlus", {{"ListCost", "1E+0"}}, "ListCost.format"},
        Broken{"Date", {{"ChargePeriodStart", "2025-01-01"}}, "ChargePeriodStart.format"},
        Broken{"NoDate", {{"ChargePeriodStart", "soon"}}, "ChargePeriodStart.type"},
        Broken{"Inclusive",
               {{"ChargePeriodEnd", "2025-01-01T23:59:59Z"}},
               "ChargePeriodEnd.exclusive"},
        Broken{"Backwards",
               {{"ChargePeriodEnd", "2024-12-31T00:00:00Z"}},
               "ChargePeriodEnd.after-start"},
        Broken{"Currency", {{"BillingCurrency", "US$"}}, "BillingCurrency.format"},
        Broken{"Json", {{"Tags", "env=prod"}}, "Tags.type"},
        Broken{"NestedTag", {{"Tags", R"({"env":["a"]})"}}, "Tags.format"},
        Broken{"SameTag", {{"Tags", R"({"env":"a","env":"b"})"}}, "Tags.keys"},
        Broken{"KeyPrefix",
               {{"SkuPriceDetails", R"({"Colour":"red"})"}},
               "SkuPriceDetails.key-prefix"},
        Broken{"KeySpelling",
               {{"SkuPriceDetails", R"({"corecount":2})"}},
               "SkuPriceDetails.key-spelling"},
        Broken{"ValueType",
               {{"SkuPriceDetails", R"({"CoreCount":"2"})"}},
               "SkuPriceDetails.value-type"},
        Broken{"Unit", {{"PricingUnit", "Hour"}}, "PricingUnit.format"},
        Broken{"UnitCase", {{"PricingUnit", "hours"}}, "PricingUnit.case"},
        Broken{"Product", {{"ListCost", "1.000002"}}, "ListCost.product"},
        Broken{"NullText", {{"ResourceName", "NULL"}}, "NullHandling.text"},
        Broken{"Placeholder", {{"ResourceName", "Not Applicable"}}, "NullHandling.placeholder"},
        Broken{"Negative", {{"ListUnitPrice", "-0.5"}, {"ListCost", "-1"}}, "ListUnitPrice.sign"},
        Broken{"NameWithoutId", {{"SubAccountId", ""}}, "SubAccountName.null-when"},
        Broken{"Committed", {{"PricingCategory", "Committed"}}, "CommitmentDiscountId.committed"},
        Broken{"Subcategory", {{"ServiceSubcategory", "Caching"}}, "ServiceSubcategory.category"},
        Broken{"AboveList", {{"EffectiveCost", "2"}}, "Sense.effective-above-list"}),
    NameOfBroken);

// A product that misses by exactly the tolerance is right; one unit of 1e-12 more is wrong.
TEST(OwnRules, ToleranceOfProductsIsExact) {
  std::vector<Row> rows = {With(Usage(), {{"ListCost", "1.000001"}}),
                           With(Usage(), {{"ListCost", "1.000001000001"}})};
  const Report report = CheckBill(WriteBill("tolerance", Version::k1_2, rows));
  EXPECT_EQ(Of(report, "ListCost.product").rows_failed, 1);
  EXPECT_EQ(Of(report, "ListCost.product").first.at(0).line, 3);
}

TEST(OwnRules, ColumnsThatAreNotThere) {
  const std::string path = testing::TempDir() + "/check_few.csv";
  std::ofstream(path) << "BilledCost,billingcurrency,Extra,ServiceName\n1,USD,a,S\n";
  const Report report = CheckBill(path, Version::k1_2);
  EXPECT_EQ(Of(report, "ChargeCategory.presence").verdict, Verdict::kFailed);
  EXPECT_EQ(Of(report, "ChargeCategory.null").verdict, Verdict::kNotApplicable);
  EXPECT_EQ(Of(report, "ChargeCategory.null").reason, "the data has no column ChargeCategory");
  EXPECT_EQ(Of(report, "Tags.presence").verdict, Verdict::kNotApplicable);
  EXPECT_EQ(Of(report, "ColumnHandling.names").columns,
            std::vector<std::string>{"billingcurrency"});
  EXPECT_EQ(Of(report, "ColumnHandling.custom-prefix").columns, std::vector<std::string>{"Extra"});
  EXPECT_EQ(Of(report, "ColumnHandling.order").columns, std::vector<std::string>{"Extra"});
  EXPECT_EQ(report.cost.at("USD").ToString(), "1");
}

TEST(OwnRules, RaggedRecordsAreCountedAndTheRestIsChecked) {
  const std::string path = testing::TempDir() + "/check_ragged.csv";
  std::ofstream(path) << "BilledCost,BillingCurrency\n1,USD\n1\n2,USD,,x\n3,USD\n";
  const Report report = CheckBill(path, Version::k1_0);
  EXPECT_EQ(Of(report, "Records.shape").rows_failed, 2);
  EXPECT_EQ(Of(report, "Records.shape").first.at(0).line, 3);
  EXPECT_EQ(report.rows, 2);
  EXPECT_EQ(report.cost.at("USD").ToString(), "4");
}

// A number that is nothing but blanks is null, badly written.
TEST(OwnRules, BlanksAreNoWayToWriteNull) {
  const Report report = CheckBill(
      WriteBill("blanks", Version::k1_2, {Usage(), With(Credit(), {{"ListUnitPrice", " "}})}),
      Version::k1_2);
  EXPECT_EQ(Of(report, "NullHandling.empty").rows_failed, 1);
}

// Names of columns are whatever a bill says; a report of them is XML and JSON all the same.
TEST(OwnRules, ReportsHoldWhateverAHeaderSays) {
  const std::string path = testing::TempDir() + "/check_names.csv";
  std::ofstream(path) << "BilledCost,BillingCurrency,\"a<&\"\"\xEF\xBF\xBF\x01\xFF\"\n1,USD,2\n";
  const Report report = CheckBill(path, Version::k1_0);
  const std::string xml = ReportJUnit(report);
  EXPECT_NE(xml.find("column a&lt;&amp;&quot;"), std::string::npos);
  EXPECT_EQ(xml.find("\xEF\xBF\xBF"), std::string::npos);
  EXPECT_EQ(xml.find('\x01'), std::string::npos);
  EXPECT_EQ(ValidUtf8Prefix(xml), xml.size());
  EXPECT_EQ(ValidUtf8Prefix(ReportJson(report)), ReportJson(report).size());
}

// What a row without a category must hold, its category decides: that it has none fails alone.
TEST(OwnRules, ARowWithoutCategoryBreaksNoRuleOfOthers) {
  const Report report =
      CheckBill(WriteBill("no_category", Version::k1_2, {With(Usage(), {{"ChargeCategory", ""}})}),
                Version::k1_2);
  EXPECT_EQ(Of(report, "ChargeCategory.null").verdict, Verdict::kFailed);
  EXPECT_EQ(report.Count(Verdict::kFailed), 1) << Failures(report);
}

// The parts of two providers are told apart, and currencies are never added up.
TEST(OwnRules, ScoreOfEachProviderAndShareOfEachCurrency) {
  std::vector<Row> rows = {
      Usage(), With(Usage(), {{"ProviderName", "Other"}, {"ChargeCategory", "x"}}),
      With(Usage(), {{"BillingCurrency", "EUR"}, {"InvoiceId", "I-2"}, {"ChargeCategory", "x"}})};
  const Report report = CheckBill(WriteBill("shares", Version::k1_2, rows), Version::k1_2);
  const RuleResult& result = Of(report, "ChargeCategory.values");
  ASSERT_EQ(result.cost.size(), 2u);
  EXPECT_EQ(result.cost[0].currency, "USD");
  EXPECT_EQ(result.cost[0].affected.ToString(), "0.8");
  EXPECT_EQ(result.cost[0].whole.ToString(), "1.6");
  EXPECT_EQ(result.cost[0].share_ppm, 500'000);
  EXPECT_EQ(result.cost[1].share_ppm, 1'000'000);
  ASSERT_EQ(report.providers.size(), 2u);
  EXPECT_EQ(report.providers[0].provider, "Cloud");
  EXPECT_GT(report.providers[0].score_ppm, report.providers[1].score_ppm);
}

}  // namespace
}  // namespace flyball::check
