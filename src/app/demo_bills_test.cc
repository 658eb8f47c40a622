// The demonstration's bills are what we would want of a provider: they keep every rule of FOCUS.
#include <gtest/gtest.h>

#include "check/check.h"
#include "demo/demo.h"
#include "os/files.h"

namespace flyball::app {
namespace {

TEST(DemoBills, KeepEveryRule) {
  demo::Options options;
  options.dir = testing::TempDir() + "/demo_bills";
  options.rows = 20'000;
  Result<demo::Made> made = demo::Make(options, *os::MakeRealFiles());
  ASSERT_TRUE(made.has_value()) << made.error().ToString();
  for (const auto& bill : made->bills) {
    check::CheckOptions check;
    check.files = {bill.path};
    check.temp_dir = testing::TempDir();
    const Result<check::Report> report = check::RunCheck(check);
    ASSERT_TRUE(report.has_value()) << report.error().ToString();
    EXPECT_EQ(report->rows, bill.rows);
    for (const check::RuleResult& result : report->results) {
      EXPECT_NE(result.verdict, check::Verdict::kFailed) << bill.path << ": " << result.rule.id;
    }
  }
}

}  // namespace
}  // namespace flyball::app
