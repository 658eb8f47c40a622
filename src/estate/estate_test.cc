#include "estate/estate.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "estate/test_rows.h"

namespace flyball::estate {
namespace {

TEST(LoadEstate, AbsentFileIsAnEmptyEstateWithThePack) {
  TempEstate home;
  Result<std::string> snapshot = LoadEstate(home.files(), home.path("estate.yaml"));
  ASSERT_TRUE(snapshot) << snapshot.error().ToString();
  EXPECT_EQ(*snapshot, ShippedPack());
  auto rules = RuleSet::Compile(*snapshot);
  ASSERT_TRUE(rules) << rules.error().ToString();
  EXPECT_EQ((*rules)->estate().currency, "USD");
  EXPECT_EQ((*rules)->hash().size(), 64u);
}

TEST(LoadEstate, ReadsTheWholeRegister) {
  TempEstate home;
  home.Write("estate.yaml", R"(
name: Acme AI
currency: EUR
fiscal_year_start: April
environments: [prod, staging]
teams:
  - { id: search, name: Search, owner: ana@acme.example, aliases: [Search-Team] }
projects:
  - { id: answers, team: search }
use_cases:
  - id: help
    team: search
    project: answers
    objective: fewer calls
    stage: serve
    status: paused
    reason: quality
    target_cost: 12000
    target_unit_cost: 0.035
    unit: 1000 answers
    expected_value: 1500000
models: [gpt-4o]
sources: [{name: aws, title: AWS bill}]
)");
  auto rules = home.Compile();
  ASSERT_TRUE(rules) << rules.error().ToString();
  const Estate& estate = (*rules)->estate();
  EXPECT_EQ(estate.name, "Acme AI");
  EXPECT_EQ(estate.fiscal_year_start_month, 4);
  EXPECT_EQ(estate.teams.at(0).aliases.at(0), "Search-Team");
  EXPECT_EQ(estate.projects.at(0).team, "search");
  const UseCase& use_case = estate.use_cases.at(0);
  EXPECT_EQ(use_case.status_reason, "quality");
  EXPECT_EQ(use_case.target_unit_cost->ToString(), "0.035");
  EXPECT_EQ(use_case.name, "help");
}

TEST(Assign, PrecedenceIsEstateThenStatedThenPackThenNothing) {
  TempEstate home;
  home.Write("estate.yaml", R"(
teams: [{id: search, aliases: [srch]}]
rules:
  - match: { provider: AWS, tag:owner: ana }
    set: { team: search, driver: integration }
)");
  auto rules = home.Compile();
  ASSERT_TRUE(rules) << rules.error().ToString();
  RowOf row{{"ServiceProviderName", "Amazon Web Services, Inc."},
            {"ServiceCategory", "Compute"},
            {"x_Team", "SRCH"},
            {"x_Project", "p1"}};
  dimension::Assigned assigned = (*rules)->Assign(row.values());
  EXPECT_EQ(assigned[dimension::kTeam], "search");  // stated, through its alias
  EXPECT_EQ(assigned[dimension::kDriver], "cloud service");
  EXPECT_EQ(assigned[dimension::kProject], "p1");
  EXPECT_EQ(assigned[dimension::kUseCase], std::nullopt);
  row.Set("Tags", R"({"owner":"Ana"})");
  assigned = (*rules)->Assign(row.values());
  EXPECT_EQ(assigned[dimension::kDriver], "integration");
  auto why = (*rules)->Explain(row.values());
  EXPECT_EQ(why[dimension::kDriver], "estate.yaml:4");
  EXPECT_EQ(why[dimension::kStage], "pack:focus.compute");
  EXPECT_EQ(why[dimension::kProject], "x_Project");
  EXPECT_EQ(why[dimension::kUseCase], "");
}

}  // namespace
}  // namespace flyball::estate
