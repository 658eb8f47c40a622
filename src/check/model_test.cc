// The reader of Requirements Models: every check function, conditions as written, and errors with
// their place.
#include "check/model.h"

#include <set>

#include "check/batch.h"
#include "check/test_bill.h"

namespace flyball::check {
namespace {

using focus::DataSet;
using focus::Version;

// A model of the given rules; each is {"id", "rest of the rule's criteria"}.
std::string ModelText(const std::vector<std::pair<std::string, std::string>>& rules,
                      const std::string& roots = "") {
  std::string text =
      R"({"Details":{"ModelVersion":"1","FOCUSVersion":"1.2"},"ApplicabilityCriteria":{"ZONES":
      {"Description":"has zones"}},"CheckFunctions":{},"ModelDatasets":{"CostAndUsage":{"ModelRules":[)";
  text += roots.empty() ? "\"" + rules.front().first + "\"" : roots;
  text += "]}},\"ModelRules\":{";
  bool first = true;
  for (const auto& [id, criteria] : rules) {
    if (!first) text += ",";
    first = false;
    const bool zones = id == "Zones";
    text += "\"" + id +
            R"(":{"Function":"Validation","Reference":"X","EntityType":"Column","Type":"Static",
      "Status":"Active","ApplicabilityCriteria":[)" +
            (zones ? "\"ZONES\"" : "") +
            R"(],"ValidationCriteria":{"MustSatisfy":"X","Keyword":"MUST",
      "Dependencies":[],)" +
            criteria + "}}";
  }
  return text + "}}";
}

std::string WriteModel(const std::string& text) {
  const std::string path = testing::TempDir() + "/check_model.json";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

Report RunModel(const std::vector<std::pair<std::string, std::string>>& rules,
                const std::vector<Row>& rows, const std::vector<std::string>& supports = {}) {
  std::string roots;
  for (const auto& [id, criteria] : rules) roots += (roots.empty() ? "\"" : ",\"") + id + "\"";
  CheckOptions options;
  options.files = {WriteBill("of_model", Version::k1_2, rows)};
  options.model = WriteModel(ModelText(rules, roots));
  options.supports = supports;
  return Checked(options);
}

// One rule on three rows: usage, a credit (which has no prices), and the row that breaks it.
struct Function {
  const char* name;
  const char* requirement;
  Row breaks;
};
std::ostream& operator<<(std::ostream& out, const Function& f) { return out << f.name; }

class CheckFunctions : public testing::TestWithParam<Function> {};
TEST_P(CheckFunctions, FindTheOneRow) {
  const Function& f = GetParam();
  const Report report =
      RunModel({{"R", std::string(R"("Condition":{},"Requirement":)") + f.requirement}},
               {Usage(), With(Usage(), {{"SubAccountId", "b"}}), With(Usage(), f.breaks)});
  const RuleResult& result = Of(report, "R");
  EXPECT_EQ(result.verdict, Verdict::kFailed) << result.reason;
  EXPECT_EQ(result.rows_failed, 1);
  ASSERT_EQ(result.first.size(), 1u);
  EXPECT_EQ(result.first[0].line, 4);
}
std::string NameOfFunction(const testing::TestParamInfo<Function>& param) {
  return param.param.name;
}
INSTANTIATE_TEST_SUITE_P(
    All, CheckFunctions,
    testing::Values(
        Function{"CheckValue",
                 R"({"CheckFunction":"CheckValue","ColumnName":"ChargeCategory","Value":"Usage"})",
                 {{"ChargeCategory", "usage"}}},
        Function{"CheckValueNumber",
                 R"({"CheckFunction":"CheckValue","ColumnName":"ListCost","Value":1})",
                 {{"ListCost", "1.000000000001"}}},
        Function{"CheckValueNull",
                 R"({"CheckFunction":"CheckValue","ColumnName":"ChargeClass","Value":null})",
                 {{"ChargeClass", "Correction"}}},
        Function{"CheckNotValue",
                 R"({"CheckFunction":"CheckNotValue","ColumnName":"ListCost","Value":null})",
                 {{"ListCost", ""}}},
        Function{
            "CheckNotValueText",
            R"({"CheckFunction":"CheckNotValue","ColumnName":"ChargeFrequency","Value":"One-Time"})",
            {{"ChargeFrequency", "One-Time"}}},
        Function{
            "CheckSameValue",
            R"({"CheckFunction":"CheckSameValue","ColumnAName":"BilledCost","ColumnBName":"EffectiveCost"})",
            {{"EffectiveCost", "0.81"}}},
        Function{
            "CheckNotSameValue",
            R"({"CheckFunction":"CheckNotSameValue","ColumnAName":"ResourceName","ColumnBName":"ResourceId"})",
            {{"ResourceName", "vm-1"}}},
        Function{"CheckDecimalValue",
                 R"({"CheckFunction":"CheckDecimalValue","ColumnName":"ListCost"})",
                 {{"ListCost", "much"}}},
        Function{"TypeDecimal",
                 R"({"CheckFunction":"TypeDecimal","ColumnName":"ListCost"})",
                 {{"ListCost", "much"}}},
        Function{
            "CheckGreaterOrEqualThanValue",
            R"({"CheckFunction":"CheckGreaterOrEqualThanValue","ColumnName":"ListUnitPrice","Value":0.5})",
            {{"ListUnitPrice", "0.499999999999999"}}},
        Function{"TypeString",
                 R"({"CheckFunction":"TypeString","ColumnName":"ServiceName"})",
                 {{"ServiceName", "\xff"}}},
        Function{"TypeDateTime",
                 R"({"CheckFunction":"TypeDateTime","ColumnName":"ChargePeriodStart"})",
                 {{"ChargePeriodStart", "soon"}}},
        Function{"FormatDateTime",
                 R"({"CheckFunction":"FormatDateTime","ColumnName":"ChargePeriodStart"})",
                 {{"ChargePeriodStart", "2025-01-01 00:00:00"}}},
        Function{"FormatNumeric",
                 R"({"CheckFunction":"FormatNumeric","ColumnName":"ListCost"})",
                 {{"ListCost", "+1"}}},
        Function{"FormatString",
                 R"({"CheckFunction":"FormatString","ColumnName":"ServiceName"})",
                 {{"ServiceName", "  "}}},
        Function{"FormatUnit",
                 R"({"CheckFunction":"FormatUnit","ColumnName":"PricingUnit"})",
                 {{"PricingUnit", "Hour"}}},
        Function{"FormatCurrency",
                 R"({"CheckFunction":"FormatCurrency","ColumnName":"BillingCurrency"})",
                 {{"BillingCurrency", "usd"}}},
        Function{"CheckNationalCurrency",
                 R"({"CheckFunction":"CheckNationalCurrency","ColumnName":"BillingCurrency"})",
                 {{"BillingCurrency", "TOKENS"}}},
        Function{"FormatKeyValue",
                 R"({"CheckFunction":"FormatKeyValue","ColumnName":"Tags"})",
                 {{"Tags", "[1]"}}},
        Function{
            "ColumnByColumn",
            R"({"CheckFunction":"ColumnByColumnEqualsColumnValue","ColumnAName":"ListUnitPrice",
                 "ColumnBName":"PricingQuantity","ResultColumnName":"ListCost"})",
            {{"ListCost", "1.1"}}},
        Function{"CheckDistinctCount",
                 R"({"CheckFunction":"CheckDistinctCount","ColumnAName":"ServiceName","ColumnBName":
                 "ServiceCategory","ExpectedCount":1})",
                 {{"ServiceCategory", "Storage"}}},
        Function{"Or",
                 R"({"CheckFunction":"OR","Items":[{"CheckFunction":"CheckValue","ColumnName":
                 "ChargeCategory","Value":"Usage"},{"CheckFunction":"CheckValue","ColumnName":
                 "ChargeCategory","Value":"Tax"}]})",
                 {{"ChargeCategory", "Credit"}}}),
    NameOfFunction);

TEST(Model, ColumnPresent) {
  const char* present =
      R"("Condition":{},"Requirement":{"CheckFunction":"ColumnPresent","ColumnName":"%"})";
  const auto asks = [&](const std::string& name) {
    std::string text = present;
    return text.replace(text.find('%'), 1, name);
  };
  const Report report = RunModel({{"A", asks("Tags")}, {"B", asks("NoSuchColumn")}}, {Usage()});
  EXPECT_EQ(Of(report, "A").verdict, Verdict::kPassed);
  EXPECT_EQ(Of(report, "B").verdict, Verdict::kFailed);
  EXPECT_EQ(Of(report, "B").columns, std::vector<std::string>{"NoSuchColumn"});
}

TEST(Model, ApplicabilityCriteria) {
  const char* rule =
      R"("Condition":{},"Requirement":{"CheckFunction":"ColumnPresent","ColumnName":"NoSuchZone"})";
  const Report open = RunModel({{"Zones", rule}}, {Usage()});
  EXPECT_EQ(Of(open, "Zones").verdict, Verdict::kNotApplicable);
  EXPECT_EQ(Of(open, "Zones").reason,
            "no column shows that the provider supports ZONES; --supports ZONES says so");
  EXPECT_EQ(Of(RunModel({{"Zones", rule}}, {Usage()}, {"ZONES"}), "Zones").verdict,
            Verdict::kFailed);
  EXPECT_EQ(Of(RunModel({{"Zones", rule}}, {Usage()}, {"all"}), "Zones").verdict, Verdict::kFailed);
  CheckOptions options;
  options.files = {WriteBill("of_model", Version::k1_2, {Usage()})};
  options.model = WriteModel(ModelText({{"Zones", rule}}));
  options.supports = {"ZONE"};
  const Result<Report> wrong = RunCheck(options);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().hint, "did you mean 'ZONES'?");
}

constexpr const char* kNotNull =
    R"("Requirement":{"CheckFunction":"CheckNotValue","ColumnName":"ChargeClass","Value":null})";
constexpr const char* kNull =
    R"("Requirement":{"CheckFunction":"CheckValue","ColumnName":"ChargeClass","Value":null})";
std::string Parts(const char* function, const char* condition, const char* a, const char* b) {
  return std::string(R"("Condition":)") + condition + R"(,"Requirement":{"CheckFunction":")" +
         function + R"(","Items":[{"CheckFunction":"CheckModelRule","ModelRuleId":")" + a +
         R"("},{"CheckFunction":"CheckModelRule","ModelRuleId":")" + b + R"("}]})";
}

// An OR of rules is decided row by row; its alternatives alone are no verdict.
TEST(Model, CompositesOfBothKinds) {
  const std::string anywhere = R"("Condition":{},)";
  const std::vector<Row> mixed = {Usage(), With(Usage(), {{"ChargeClass", "Correction"}})};
  const Report all = RunModel(
      {{"A", Parts("AND", "{}", "B", "C")}, {"B", anywhere + kNull}, {"C", anywhere + kNotNull}},
      mixed);
  EXPECT_EQ(Of(all, "A").verdict, Verdict::kFailed);
  EXPECT_EQ(Of(all, "A").reason, "failed: B, C");
  const Report any = RunModel(
      {{"A", Parts("OR", "{}", "B", "C")}, {"B", anywhere + kNull}, {"C", anywhere + kNotNull}},
      mixed);
  EXPECT_EQ(Of(any, "A").verdict, Verdict::kPassed);
  EXPECT_EQ(Of(any, "B").verdict, Verdict::kNotApplicable);
}

// A part speaks of the rows of its composite only, and a part of an open part leaves it open.
TEST(Model, PartsInheritTheConditionAndOpenPartsStayOpen) {
  const char* purchase =
      R"({"CheckFunction":"CheckValue","ColumnName":"ChargeCategory","Value":"Purchase"})";
  const std::string unknown =
      R"("Condition":{},"Requirement":{"CheckFunction":"CheckTheWeather","ColumnName":"X"})";
  const Report report = RunModel(
      {{"A", Parts("AND", purchase, "B", "C")},
       {"B", std::string(R"("Condition":{},)") + kNotNull},
       {"C", unknown}},
      {Usage(), With(Usage(), {{"ChargeCategory", "Purchase"}, {"ChargeClass", "Correction"}})});
  EXPECT_EQ(Of(report, "B").verdict, Verdict::kPassed);
  EXPECT_EQ(Of(report, "B").rows_applied, 1);
  EXPECT_EQ(Of(report, "C").verdict, Verdict::kNotDecidable);
  EXPECT_EQ(Of(report, "C").reason, "the check function 'CheckTheWeather' is not known");
  EXPECT_EQ(Of(report, "A").verdict, Verdict::kNotDecidable);
}

TEST(Model, ARuleThatIsAPartOfItself) {
  const Report report = RunModel(
      {{"A", Parts("AND", "{}", "B", "B")}, {"B", Parts("AND", "{}", "A", "A")}}, {Usage()});
  EXPECT_EQ(Of(report, "A").verdict, Verdict::kNotDecidable);
}

// A composite that only recommends is as its recommendations are.
TEST(Model, RecommendationsDecideACompositeWithoutDuties) {
  std::string text = ModelText(
      {{"A", Parts("AND", "{}", "B", "B")}, {"B", std::string(R"("Condition":{},)") + kNotNull}});
  for (size_t at = text.find("\"MUST\""); at != std::string::npos; at = text.find("\"MUST\"", at)) {
    text.replace(at, 6, "\"SHOULD\"");
  }
  CheckOptions options;
  options.files = {WriteBill("of_model", Version::k1_2, {Usage()})};
  options.model = WriteModel(text);
  const Report report = Checked(options);
  EXPECT_EQ(Of(report, "B").verdict, Verdict::kFailed);
  EXPECT_EQ(Of(report, "A").verdict, Verdict::kFailed);
}

// A null excuses the check of its own column, and no other.
TEST(Model, ANullExcusesItsOwnColumnOnly) {
  const Report report =
      RunModel({{"R", R"("Condition":{},"Requirement":{"CheckFunction":"AND","Items":[
        {"CheckFunction":"CheckValue","ColumnName":"ChargeFrequency","Value":"Usage-Based"},
        {"CheckFunction":"CheckValue","ColumnName":"ChargeCategory","Value":"Usage"}]})"}},
               {With(Usage(), {{"ChargeFrequency", ""}}),
                With(Usage(), {{"ChargeFrequency", ""}, {"ChargeCategory", "Tax"}})});
  EXPECT_EQ(Of(report, "R").rows_failed, 1);
}

// Presence and counts of values are no test of one row: beside others, or as a condition, they
// would be decided as something else than what is written.
TEST(Model, WhatIsNoTestOfARowStandsAlone) {
  const std::string present = R"({"CheckFunction":"ColumnPresent","ColumnName":"Tags"})";
  const std::string count =
      R"({"CheckFunction":"CheckDistinctCount","ColumnAName":"SkuId","ColumnBName":"SkuMeter",
          "ExpectedCount":1})";
  const std::string value =
      R"({"CheckFunction":"CheckValue","ColumnName":"ChargeCategory","Value":"Tax"})";
  const auto both = [&](const std::string& a) {
    return R"("Condition":{},"Requirement":{"CheckFunction":"AND","Items":[)" + a + "," + value +
           "]}";
  };
  const auto when = [&](const std::string& a) {
    return R"("Condition":)" + a + R"(,"Requirement":)" + value;
  };
  const Report report = RunModel({{"PresentBeside", both(present)},
                                  {"CountBeside", both(count)},
                                  {"PresentWhen", when(present)},
                                  {"CountWhen", when(count)}},
                                 {Usage()});
  for (const RuleResult& result : report.results) {
    EXPECT_EQ(result.verdict, Verdict::kNotDecidable) << result.rule.id;
  }
}

// Composites that name each other in layers: as many ways to a rule as there are leaves of a tree.
TEST(Model, ManyWaysToARule) {
  const char* tax = R"({"CheckFunction":"CheckValue","ColumnName":"ChargeCategory","Value":"Tax"})";
  std::vector<std::pair<std::string, std::string>> rules;
  for (int level = 0; level < 40; ++level) {
    const std::string next = std::to_string(level + 1);
    for (const char* side : {"a", "b"}) {
      rules.emplace_back(side + std::to_string(level),
                         Parts("AND", tax, ("a" + next).c_str(), ("b" + next).c_str()));
    }
  }
  rules.emplace_back("a40", std::string(R"("Condition":{},)") + kNull);
  rules.emplace_back("b40", std::string(R"("Condition":{},)") + kNull);
  const Report report = RunModel(rules, {Usage()});
  EXPECT_EQ(Of(report, "a2").verdict, Verdict::kNotDecidable);
  EXPECT_EQ(Of(report, "a40").verdict, Verdict::kNotDecidable);
}

TEST(Model, TooManyValuesOfOneColumn) {
  std::string items;
  for (size_t i = 0; i <= kLiteralsMax; ++i) {
    items += (i == 0 ? "" : ",") +
             std::string(R"({"CheckFunction":"CheckValue","ColumnName":"SkuId","Value":"v)") +
             std::to_string(i) + "\"}";
  }
  const Report report = RunModel(
      {{"R", R"("Condition":{},"Requirement":{"CheckFunction":"OR","Items":[)" + items + "]}"}},
      {Usage()});
  EXPECT_EQ(Of(report, "R").verdict, Verdict::kNotDecidable);
}

TEST(Model, NumbersAreAskedOfNumbersOnly) {
  const char* rule =
      R"("Condition":{},"Requirement":{"CheckFunction":"CheckGreaterOrEqualThanValue","ColumnName":
      "SkuId","Value":0})";
  EXPECT_EQ(Of(RunModel({{"R", rule}}, {Usage()}), "R").verdict, Verdict::kNotDecidable);
}

// A condition on an element beside a column of the row.
TEST(Model, ConditionsInsideJsonSeeTheRow) {
  const std::string element = R"("ColumnName":"Tags","Path":"$.)";
  const Report report =
      RunModel({{"R", R"("Condition":{"CheckFunction":"JSONCheckPathSameValue","ColumnAName":"Tags",
        "PathA":"$.env","ColumnBName":"SkuId","PathB":null},"Requirement":{
        "CheckFunction":"JSONCheckPathValue",)" +
                          element + R"(ratio","Value":0.5})"}},
               {With(Usage(), {{"Tags", R"({"env":"S","ratio":0.50})"}}),
                With(Usage(), {{"Tags", R"({"env":"other","ratio":0.7})"}}),
                With(Usage(), {{"Tags", R"({"env":"S","ratio":0.7})"}})});
  EXPECT_EQ(Of(report, "R").rows_failed, 1) << Of(report, "R").reason;
  ASSERT_FALSE(Of(report, "R").first.empty());
  EXPECT_EQ(Of(report, "R").first[0].line, 4);
}

struct Wrong {
  const char* text;
  const char* says;
};
TEST(Model, ErrorsSayWhereAndWhatToDo) {
  const std::string good = ModelText({{"R", std::string(R"("Condition":{},)") + kNull}});
  const auto with = [&](const char* from, const char* to) {
    std::string text = good;
    return text.replace(text.find(from), std::string(from).size(), to);
  };
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "not JSON"},
      {"[]", "an object is expected"},
      {"{}", "'Details' is missing"},
      {with("\"Keyword\":\"MUST\"", "\"Keyword\":\"WILL\""),
       "/ModelRules/R/ValidationCriteria/Keyword: 'WILL' is no keyword"},
      {with("\"ColumnName\":\"ChargeClass\",", ""),
       "/ModelRules/R/ValidationCriteria/Requirement: 'CheckCondition' is missing"},
      {with("\"Condition\":{}", "\"Condition\":{\"XOR\":[]}"), "'CheckFunction' is missing"},
      {with("\"Condition\":{}", "\"Condition\":7"), "/Condition: expected object"},
      {with("\"Dependencies\":[]", "\"Dependencies\":[\"Z\"]"), "names the rule 'Z'"},
      {with("\"ModelRules\":{\"R\"", "\"ModelRules\":[\"R\""), "not JSON"},
      {std::string(100'000, '['), "nested too deeply"},
  };
  for (const auto& [text, says] : wrong) {
    const Result<Model> model = ReadModel(text);
    ASSERT_FALSE(model.has_value()) << says;
    EXPECT_EQ(model.error().code, Code::kInvalidArgument);
    EXPECT_NE(model.error().message.find(says), std::string::npos)
        << model.error().message << " does not say " << says;
    EXPECT_FALSE(model.error().hint.empty());
  }
  EXPECT_TRUE(ReadModel(good).has_value());
}

TEST(Model, HasNoRulesForTheDataSet) {
  CheckOptions options;
  options.files = {WriteBill("contracts", Version::k1_4, {{{"ContractId", "c"}}}, {},
                             DataSet::kContractCommitment)};
  options.model = WriteModel(ModelText({{"R", std::string(R"("Condition":{},)") + kNull}}));
  const Result<Report> report = RunCheck(options);
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().message, "the requirements model has no rules for ContractCommitment");
}

}  // namespace
}  // namespace flyball::check
