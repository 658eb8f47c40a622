// The published 1.2 Requirements Model on whole bills, and the known faults of the official
// validator, each shown right.
#include <cstdlib>
#include <filesystem>
#include <set>

#include "check/model.h"
#include "check/test_bill.h"

namespace flyball::check {
namespace {

using focus::DataSet;
using focus::Version;

class Published : public testing::Test {
 protected:
  void SetUp() override {
    const char* root = std::getenv("FLYBALL_SHARED_DATA");
    path_ = std::string(root == nullptr ? "" : root) + "/focus/requirements_model-1.2.json";
    if (!std::filesystem::exists(path_)) {
      GTEST_SKIP() << "set FLYBALL_SHARED_DATA to the folder that has "
                      "focus/requirements_model-1.2.json";
    }
  }
  Report Run(const std::vector<Row>& rows) {
    CheckOptions options;
    options.files = {WriteBill("published", Version::k1_2, rows)};
    options.model = path_;
    return Checked(options);
  }
  std::string path_;
};

TEST_F(Published, DecidesNearlyAllRulesOfAWholeBill) {
  const Report report = Run(WholeBill());
  ASSERT_EQ(report.results.size(), 621u);
  EXPECT_GE(report.decided(), 560);
  EXPECT_EQ(report.decided() + report.Count(Verdict::kNotDecidable), 621);
  std::set<std::string> failed;
  for (const RuleResult& result : report.results) {
    const bool ran = result.verdict == Verdict::kPassed || result.verdict == Verdict::kFailed;
    if (!ran) {
      EXPECT_FALSE(result.reason.empty()) << result.rule.id;
    }
    const bool whole = result.rule.means == Rule::Means::kParts;
    if (result.verdict == Verdict::kFailed && !whole) failed.insert(result.rule.id);
  }
  // What fails are mistakes of the model itself, and each says so.
  EXPECT_EQ(failed, (std::set<std::string>{"CommitmentDiscountStatus-C-003-C",
                                           "CommitmentDiscountStatus-C-004-C",
                                           "CommitmentDiscountStatus-C-005-M"}));
  for (const std::string& id : failed) EXPECT_FALSE(Of(report, id).rule.note.empty()) << id;
}

// Every rule of the model that is marked dynamic and is no permission is known to us, and none that
// we know is missing there.
TEST_F(Published, EveryDynamicRuleIsKnown) {
  Result<Model> model = ReadModelFile(path_);
  ASSERT_TRUE(model.has_value());
  int dynamic = 0;
  for (const ModelRule& rule : model->rules) {
    if (!rule.dynamic) continue;
    ++dynamic;
    EXPECT_EQ(FindDynamic(rule.id) != nullptr, rule.keyword != Keyword::kMay) << rule.id;
  }
  EXPECT_EQ(dynamic, 201);
}

// focus_validator 142: a condition {"AND": [...]} without a check function is dropped, and its rule
// enforced on every row.
TEST_F(Published, BareAndConditionsHold) {
  Row no_reservation = Usage();
  Row reserved_without_status = With(Usage(), {{"CapacityReservationId", "cr-1"}});
  Row reserved_credit = With(Credit(), {{"CapacityReservationId", "cr-1"}});
  Report report = Run({no_reservation, Reserved(), reserved_credit});
  EXPECT_EQ(Of(report, "CapacityReservationStatus-C-004-C").verdict, Verdict::kPassed);
  EXPECT_EQ(Of(report, "CapacityReservationStatus-C-004-C").rows_applied, 1);
  report = Run({no_reservation, reserved_without_status});
  EXPECT_EQ(Of(report, "CapacityReservationStatus-C-004-C").rows_failed, 1);
  EXPECT_EQ(Of(report, "CapacityReservationStatus-C-004-C").first.at(0).line, 3);
  // Also with one check instead of a list: {"AND": {...}}.
  report = Run({With(Usage(), {{"CapacityReservationStatus", "Used"}}), Reserved()});
  EXPECT_EQ(Of(report, "CapacityReservationStatus-C-003-C").rows_failed, 1);
}

// FOCUS_Spec 2673: a subscription that is billed by the period has its cost in the period; the
// model's condition takes every purchase. Run as it is written, with a note; our own rule is right.
TEST_F(Published, PeriodSubscriptionsAreNoCommitments) {
  Row subscription = With(Usage(), {{"ChargeCategory", "Purchase"},
                                    {"ChargeFrequency", "Recurring"},
                                    {"ConsumedQuantity", ""},
                                    {"ConsumedUnit", ""}});
  const Report by_model = Run({subscription});
  EXPECT_EQ(Of(by_model, "EffectiveCost-C-005-C").rows_failed, 1);
  EXPECT_NE(Of(by_model, "EffectiveCost-C-005-C").rule.note.find("2673"), std::string::npos);
  const Report own = CheckBill(WriteBill("subscription", Version::k1_2, {subscription}));
  EXPECT_EQ(Failures(own), "");
  std::vector<Row> rows = CommitmentRows();
  rows[0]["EffectiveCost"] = "4";
  EXPECT_EQ(Of(CheckBill(WriteBill("amortised", Version::k1_2, rows)),
               "EffectiveCost.commitment-purchase")
                .rows_failed,
            1);
}

// FOCUS_Spec 2674: properties of ContractApplied that the schema makes optional are not asked for.
TEST(KnownFaults, OptionalPropertiesMayBeAbsent) {
  const Row applied = With(
      Usage(),
      {{"ContractApplied",
        R"({"Elements":[{"ContractId":"c","ContractCommitmentId":"k","ContractCommitmentAppliedCost":1}]})"}});
  EXPECT_EQ(Failures(CheckBill(WriteBill("applied", Version::k1_3, {applied}), Version::k1_3)), "");
}

// focus_validator 143: the 1.3 model asks for PricingCurrencyContractedUnitPrice where SkuPriceId
// is null, against its own sentence. Run as written it contradicts its sibling, and says so; our
// own rule follows the sentence.
TEST(KnownFaults, InvertedPricingCurrencyCondition) {
  const Row no_sku = With(Credit(), {{"PricingCurrencyContractedUnitPrice", ""}});
  const Row sku_without_price = With(Usage(), {{"PricingCurrencyContractedUnitPrice", ""}});
  const char* id = "PricingCurrencyContractedUnitPrice.set-with-sku";
  EXPECT_EQ(
      Of(CheckBill(WriteBill("inverted", Version::k1_3, {Usage(), no_sku}), Version::k1_3), id)
          .verdict,
      Verdict::kPassed);
  EXPECT_EQ(
      Of(CheckBill(WriteBill("inverted", Version::k1_3, {sku_without_price}), Version::k1_3), id)
          .rows_failed,
      1);
  EXPECT_NE(KnownMistake("CAU-PricingCurrencyContractedUnitPrice-C-012-C", "1.3").find("143"),
            std::string_view::npos);
}

// focus_validator 160: conditions on the row (O-039-C) and on elements inside JSON (O-065-C) are
// not applied. The rules here have the shape of the 1.3 model's.
TEST(KnownFaults, ConditionsOnRowsAndElementsOfJson) {
  const std::string model = R"({"Details":{"ModelVersion":"1","FOCUSVersion":"1.3"},
    "ApplicabilityCriteria":{},"ModelDatasets":{"CostAndUsage":{"ModelRules":["O-039-C","O-065-C"]}},
    "ModelRules":{"O-039-C":{"Function":"Validation","Reference":"ContractAppliedObject","EntityType":"Object",
    "Type":"Static","ApplicabilityCriteria":[],"ValidationCriteria":{"MustSatisfy":"X","Keyword":"MUST",
    "Requirement":{"CheckFunction":"JSONCheckPathSameValue","ColumnAName":"ContractApplied","PathA":
    "$.Elements[*].ContractCommitmentId","ColumnBName":"ResourceId","PathB":null},"Condition":{"CheckFunction":
    "CheckValue","ColumnName":"ChargeCategory","Value":"Purchase"},"Dependencies":[]}},
    "O-065-C":{"Function":"Nullability","Reference":"ContractAppliedObject","EntityType":"Object","Type":"Static",
    "ApplicabilityCriteria":[],"ValidationCriteria":{"MustSatisfy":"X","Keyword":"MUST","Requirement":
    {"CheckFunction":"JSONCheckPathValue","ColumnName":"ContractApplied","Path":
    "$.Elements[*].ContractCommitmentAppliedUnit","Value":null},"Condition":{"CheckFunction":"JSONCheckPathValue",
    "ColumnName":"ContractApplied","Path":"$.Elements[*].ContractCommitmentAppliedQuantity","Value":null},
    "Dependencies":[]}}}})";
  const std::string path = testing::TempDir() + "/check_json_model.json";
  std::ofstream(path) << model;
  const auto run = [&](const std::vector<Row>& rows) {
    CheckOptions options;
    options.files = {WriteBill("json", Version::k1_3, rows)};
    options.model = path;
    return Checked(options);
  };
  const auto applied = [](const char* category, const char* elements) {
    return With(Usage(), {{"ChargeCategory", category},
                          {"ContractApplied", std::string("{\"Elements\":[") + elements + "]}"}});
  };
  // Usage of another resource, with a quantity and its unit: neither rule speaks of it.
  const char* with_unit =
      R"({"ContractCommitmentId":"k","ContractCommitmentAppliedQuantity":2,"ContractCommitmentAppliedUnit":"Hours"})";
  Report report = run({applied("Usage", with_unit), Usage()});
  EXPECT_EQ(Of(report, "O-039-C").verdict, Verdict::kNotApplicable);
  EXPECT_EQ(Of(report, "O-065-C").verdict, Verdict::kPassed);
  // A purchase of another id; a unit without a quantity in the second element.
  report = run(
      {applied("Purchase", with_unit),
       applied("Usage",
               (std::string(with_unit) + R"(,{"ContractCommitmentAppliedUnit":"Hours"})").c_str()),
       applied("Purchase", R"({"ContractCommitmentId":"vm-1"})")});
  EXPECT_EQ(Of(report, "O-039-C").rows_failed, 1);
  EXPECT_EQ(Of(report, "O-039-C").first.at(0).line, 2);
  EXPECT_EQ(Of(report, "O-065-C").rows_failed, 1);
  EXPECT_EQ(Of(report, "O-065-C").first.at(0).line, 3);
}

// Conditional rules whose parent has the condition are no failures of every other row.
TEST_F(Published, PartsSpeakOfTheirCompositesRows) {
  const Report report = Run({Usage()});
  EXPECT_EQ(Of(report, "CommitmentDiscountQuantity-C-005-C").verdict, Verdict::kNotApplicable);
  EXPECT_EQ(Of(report, "InvoiceId-C-003-C").verdict, Verdict::kPassed);
}

}  // namespace
}  // namespace flyball::check
