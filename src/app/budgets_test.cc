#include <nlohmann/json.hpp>

#include "app/test_home.h"

namespace flyball::app {
namespace {

using Json = nlohmann::json;

class BudgetsCommand : public HomeTest {
 protected:
  Json Run(const BudgetsArgs& args, int exit_code = kExitDone) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(RunBudgets(environment_, args), exit_code);
    return Json::parse(testing::internal::GetCapturedStdout(), nullptr, false);
  }
};

// It was made hard again, and monthly.
TEST_F(BudgetsCommand, AnEditChangesOnlyWhatItStates) {
  BudgetsArgs whole;
  whole.action = "set";
  whole.name = "b";
  whole.scope = "team=search";
  whole.amount = "100";
  whole.window = "rolling 7 days";
  whole.hardness = "soft";
  whole.warn = "50,80";
  Json before = Run(whole);
  EXPECT_EQ(before["hard"], false);
  BudgetsArgs edit;
  edit.action = "set";
  edit.name = "b";
  edit.amount = "200";
  before["limit"] = before["remaining"] = "200";
  EXPECT_EQ(Run(edit), before);
  edit.hardness = "hard";
  edit.amount = "";
  EXPECT_EQ(Run(edit)["hard"], true);
  BudgetsArgs nothing;
  nothing.action = "set";
  nothing.amount = "1";
  Run(nothing, ExitCode(Code::kInvalidArgument));
}

TEST_F(BudgetsCommand, ANewBudgetIsHardAndMonthly) {
  BudgetsArgs made;
  made.action = "set";
  made.scope = "team=search";
  made.amount = "100";
  const Json row = Run(made);
  EXPECT_EQ(row["hard"], true);
  EXPECT_EQ(row["window"], "month");
  EXPECT_EQ(row["refused"], 0);
}

}  // namespace
}  // namespace flyball::app
