// The 1.2 columns of the table against the machine-readable requirements that FOCUS publishes
// for 1.2.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "model/focus.h"

namespace flyball::focus {
namespace {

using nlohmann::json;

class Requirements : public testing::Test {
 protected:
  void SetUp() override {
    const char* root = std::getenv("FLYBALL_SHARED_DATA");
    std::ifstream file(std::string(root == nullptr ? "" : root) +
                       "/focus/requirements_model-1.2.json");
    if (!file)
      GTEST_SKIP()
          << "set FLYBALL_SHARED_DATA to the folder that has focus/requirements_model-1.2.json";
    rules_ = json::parse(file).at("ModelRules");
  }

  // Calls visit(column, rule, criteria) for each rule on a column.
  template <typename Visit>
  void EachRule(std::string_view function, Visit visit) {
    for (const auto& [id, rule] : rules_.items()) {
      if (rule.at("Function") != function) continue;
      const std::string name = rule.at("Reference");
      const Column* column = FindColumn(DataSet::kCostAndUsage, name);
      if (column == nullptr) continue;
      SCOPED_TRACE(id);
      visit(*column, rule, rule.at("ValidationCriteria"));
    }
  }

  json rules_;
};

TEST_F(Requirements, NamesAndLevels) {
  std::set<std::string_view> seen;
  std::set<std::string_view> can_be_recommended;
  EachRule("Presence", [&](const Column& column, const json& rule, const json& criteria) {
    if (criteria.at("Requirement").value("ColumnName", "") != column.name) return;
    seen.insert(column.name);
    EXPECT_TRUE(column.In(Version::k1_2)) << column.name;
    bool always = criteria.at("Keyword") == "MUST" && rule.at("ApplicabilityCriteria").empty();
    EXPECT_EQ(column.LevelIn(Version::k1_2) == Level::kMandatory, always) << column.name;
    // Three conditional columns are recommended in some cases by a rule of their own.
    bool recommended = criteria.at("Keyword") == "RECOMMENDED";
    if (recommended && rule.at("ApplicabilityCriteria").empty()) {
      EXPECT_EQ(column.LevelIn(Version::k1_2), Level::kRecommended) << column.name;
    }
    if (recommended) can_be_recommended.insert(column.name);
  });
  for (const Column& column : Columns(DataSet::kCostAndUsage)) {
    if (!column.In(Version::k1_2)) continue;
    EXPECT_TRUE(seen.contains(column.name)) << column.name;
    if (column.LevelIn(Version::k1_2) == Level::kRecommended) {
      EXPECT_TRUE(can_be_recommended.contains(column.name)) << column.name;
    }
  }
  EXPECT_EQ(seen.size(), 57u);
}

TEST_F(Requirements, Types) {
  int checked = 0;
  EachRule("Type", [&](const Column& column, const json&, const json& criteria) {
    const std::string check = criteria.at("Requirement").value("CheckFunction", "");
    if (!check.starts_with("Type")) return;
    bool number = column.type == ColumnType::kMoney || column.type == ColumnType::kQuantity;
    EXPECT_EQ(check == "TypeDecimal", number) << column.name;
    EXPECT_EQ(check == "TypeDateTime", column.type == ColumnType::kInstant) << column.name;
    EXPECT_EQ(check == "TypeString", column.type == ColumnType::kText) << column.name;
    ++checked;
  });
  EXPECT_EQ(checked, 55);  // all but the two JSON columns
}

// A column is not null when a rule says so of every row. BillingAccountType has only conditional
// rules, but its condition (there is a billing account) always holds.
TEST_F(Requirements, Nullability) {
  std::set<std::string_view> never_null = {"BillingAccountType"};
  EachRule("Nullability", [&](const Column& column, const json&, const json& criteria) {
    const std::string sentence = criteria.at("MustSatisfy");
    bool of_every_row = criteria.at("Condition").empty() && sentence.ends_with("MUST NOT be null.");
    if (of_every_row) never_null.insert(column.name);
  });
  for (const Column& column : Columns(DataSet::kCostAndUsage)) {
    if (!column.In(Version::k1_2)) continue;
    EXPECT_EQ(column.NullableIn(Version::k1_2), !never_null.contains(column.name)) << column.name;
  }
}

void CollectValues(const json& node, std::string_view column, std::set<std::string>* values) {
  if (node.is_object() && node.value("CheckFunction", "") == "CheckValue" &&
      node.at("ColumnName") == column) {
    values->insert(node.at("Value").get<std::string>());
  }
  if (!node.is_structured()) return;
  for (const json& child : node) CollectValues(child, column, values);
}

// The model file says Active, Expired and Pending for CommitmentDiscountStatus, which is a mistake
// in it: the text of the specification says Used and Unused in every version.
TEST_F(Requirements, AllowedValues) {
  int checked = 0;
  EachRule("Validation", [&](const Column& column, const json&, const json& criteria) {
    const std::string sentence = criteria.at("MustSatisfy");
    if (!sentence.ends_with("MUST be one of the allowed values.")) return;
    if (column.name == "CommitmentDiscountStatus") return;
    std::set<std::string> theirs;
    CollectValues(criteria.at("Requirement"), column.name, &theirs);
    EXPECT_EQ(theirs, std::set<std::string>(column.allowed.begin(), column.allowed.end()))
        << column.name;
    ++checked;
  });
  EXPECT_EQ(checked, 7);
}

void CollectPairs(const json& node, std::map<std::string, std::string>* parents) {
  if (!node.is_structured()) return;
  if (node.is_object() && node.value("CheckFunction", "") == "AND") {
    std::map<std::string, std::string> values;
    for (const json& item : node.at("Items")) {
      if (item.value("CheckFunction", "") == "CheckValue")
        values[item.at("ColumnName")] = item.at("Value");
    }
    if (values.size() == 2) (*parents)[values["ServiceSubcategory"]] = values["ServiceCategory"];
  }
  for (const json& child : node) CollectPairs(child, parents);
}

TEST_F(Requirements, ParentsOfServiceSubcategories) {
  std::map<std::string, std::string> theirs;
  CollectPairs(rules_.at("ServiceSubcategory-C-004-M").at("ValidationCriteria").at("Requirement"),
               &theirs);
  std::map<std::string, std::string> ours;
  for (const ServiceSubcategory& entry : ServiceSubcategories()) {
    ours.emplace(entry.name, entry.category);
  }
  EXPECT_EQ(ours, theirs);
}

}  // namespace
}  // namespace flyball::focus
