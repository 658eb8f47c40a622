// flyball export: where the file goes, and that it makes an equal ledger.
#include <filesystem>

#include "app/open_ledger.h"
#include "app/test_home.h"
#include "check/check.h"
#include "demo/demo.h"
#include "model/dimension.h"

namespace flyball::app {
namespace {

class ExportTest : public HomeTest {
 protected:
  void SetUp() override {
    demo::Options options;
    options.dir = In("bills");
    options.rows = 2'000;
    options.one_file = true;
    Result<demo::Made> made = demo::Make(options, *files_);
    ASSERT_TRUE(made.has_value());
    bill_ = made->bills.front();
    Import(bill_.path, &environment_);
  }
  std::string In(const std::string& name) const { return os::JoinPath(home_, name); }

  static void Import(const std::string& file, const Environment* environment) {
    ImportArgs args;
    args.files = {file};
    args.source = "estate";
    ASSERT_EQ(RunImport(*environment, args), kExitDone);
  }
  int Export(const std::string& name, const std::string& version = "1.4",
             const std::string& format = "csv") {
    ExportArgs args;
    args.out = In(name);
    args.version = version;
    args.file_format = format;
    args.force = force_;
    return RunExport(environment_, args);
  }
  std::vector<std::string> Staged() { return *files_->List(In("tmp")); }

  demo::Bill bill_;
  bool force_ = false;
};

// The answers to the same question by every dimension, as many at once as may be asked for.
std::vector<std::string> ByEveryDimension(const Environment& environment) {
  std::vector<std::vector<std::string>> by(1);
  for (const dimension::Info& info : dimension::Dimensions()) {
    if (info.kind == dimension::Kind::kPeriod || info.kind == dimension::Kind::kTag) continue;
    if (info.name == "confidence") continue;  // only an x_ column says it
    if (by.back().size() == ledger::kQueryMaxDimensions) by.emplace_back();
    by.back().emplace_back(info.name);
  }
  std::vector<std::string> answers;
  const auto ledger = OpenLedger(environment);
  EXPECT_TRUE(ledger.has_value());
  for (const std::vector<std::string>& names : by) {
    ledger::CostQuery query;
    query.measures = {"billed_cost", "effective_cost", "list_cost", "contracted_cost", "charges"};
    query.by = names;
    query.grain = ledger::Grain::kMonth;
    Result<ledger::QueryAnswer> answer = (*ledger)->Query(query);
    EXPECT_TRUE(answer.has_value());
    answer->commit.clear();
    answers.push_back(ledger::AnswerJson(*answer));
  }
  return answers;
}

struct Form {
  const char* version;
  const char* format;
};
class ExportForms : public ExportTest, public testing::WithParamInterface<Form> {};

TEST_P(ExportForms, KeepEveryRuleAndMakeAnEqualLedger) {
  const Form form = GetParam();
  ASSERT_EQ(Export("out", form.version, form.format), kExitDone);
  EXPECT_TRUE(Staged().empty());
  check::CheckOptions check;
  check.files = {In("out")};
  check.version = focus::ParseVersion(form.version);
  check.temp_dir = testing::TempDir();
  const Result<check::Report> report = check::RunCheck(check);
  ASSERT_TRUE(report.has_value()) << report.error().ToString();
  EXPECT_EQ(report->rows, bill_.rows);
  for (const check::RuleResult& result : report->results) {
    EXPECT_NE(result.verdict, check::Verdict::kFailed) << result.rule.id;
  }
  const std::string other = In("again");
  std::filesystem::create_directories(other);
  const Environment again{other, "json", "flyball", *files_, clock_};
  Import(In("out"), &again);
  EXPECT_EQ(ByEveryDimension(environment_), ByEveryDimension(again));
}
INSTANTIATE_TEST_SUITE_P(All, ExportForms,
                         testing::Values(Form{"1.2", "csv"}, Form{"1.3", "parquet"},
                                         Form{"1.4", "csv"}),
                         [](const testing::TestParamInfo<Form>& param) {
                           return "V1" + std::string(param.param.version + 2) + param.param.format;
                         });

TEST_F(ExportTest, ReplacesNothingUnlessToldAndLeavesNothingHalf) {
  ASSERT_TRUE(os::AtomicWrite(*files_, In("mine.csv"), "mine"));
  EXPECT_EQ(Export("mine.csv"), 2);
  EXPECT_EQ(*files_->ReadAll(In("mine.csv")), "mine");
  force_ = true;
  EXPECT_EQ(Export("mine.csv"), kExitDone);
  EXPECT_TRUE(files_->ReadAll(In("mine.csv"))->starts_with("AllocatedMethodDetails,"));
  // Where it cannot write it leaves nothing.
  EXPECT_EQ(Export("no/such/folder/out.csv"), 2);
  EXPECT_TRUE(Staged().empty());
  EXPECT_FALSE(files_->Exists(In("no")));
}

}  // namespace
}  // namespace flyball::app
