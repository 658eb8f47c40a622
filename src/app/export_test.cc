// flyball export: where the file goes, what it keeps of the rules, and that it makes an equal
// ledger.
#include <cstdlib>
#include <filesystem>
#include <set>

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

// The answers to the same question by every dimension but `source`, as many at once as may be asked
// for.
std::vector<std::string> ByEveryDimension(const Environment& environment) {
  std::vector<std::vector<std::string>> by(1);
  for (const dimension::Info& info : dimension::Dimensions()) {
    if (info.kind == dimension::Kind::kPeriod || info.kind == dimension::Kind::kTag) continue;
    if (info.name == "confidence") continue;  // only an x_ column says it
    if (info.name == "source") continue;      // whoever imports names it
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

check::CheckOptions OptionsFor(const std::string& version, const std::string& file) {
  check::CheckOptions check;
  check.files = {file};
  check.version = focus::ParseVersion(version);
  check.temp_dir = testing::TempDir();
  return check;
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
  const Result<check::Report> report = check::RunCheck(OptionsFor(form.version, In("out")));
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
                                         Form{"1.4", "csv"}, Form{"1.4", "parquet"}),
                         [](const testing::TestParamInfo<Form>& param) {
                           return "V1" + std::string(param.param.version + 2) + param.param.format;
                         });

// Rules that a file breaks, without those that only say that others are broken.
std::set<std::string> Broken(const check::CheckOptions& check) {
  std::set<std::string> broken;
  const Result<check::Report> report = check::RunCheck(check);
  EXPECT_TRUE(report.has_value()) << report.error().ToString();
  if (!report) return broken;
  EXPECT_GT(report->rows, 0);
  for (const check::RuleResult& result : report->results) {
    const bool whole = result.rule.means == check::Rule::Means::kParts;
    if (result.verdict == check::Verdict::kFailed && !whole) broken.insert(result.rule.id);
  }
  return broken;
}

class ExportOfManyVersions : public HomeTest {
 protected:
  void SetUp() override {
    demo::Options options;
    options.dir = In("bills");
    options.rows = 2'000;
    Result<demo::Made> made = demo::Make(options, *files_);
    ASSERT_TRUE(made.has_value());
    const std::set<std::string> one_of_each = {"aws", "gcp", "openai", "gpu-cluster", "mainframe"};
    for (const demo::Bill& bill : made->bills) {
      if (!one_of_each.contains(bill.source) || bill.path.ends_with("-draft.csv")) continue;
      Import(bill.path, bill.source, environment_);
    }
  }
  std::string In(const std::string& name) const { return os::JoinPath(home_, name); }
  static void Import(const std::string& bill, const std::string& source,
                     const Environment& environment) {
    ImportArgs args;
    args.files = {bill};
    args.source = source;
    ASSERT_EQ(RunImport(environment, args), kExitDone);
  }
  check::CheckOptions Exported(const std::string& version, const std::string& format) {
    ExportArgs args;
    args.out = In("out-" + version + "." + format);
    args.version = version;
    args.file_format = format;
    EXPECT_EQ(RunExport(environment_, args), kExitDone);
    return OptionsFor(version, args.out);
  }
};

// Bills of all versions in one ledger. What a file of them breaks is what a bill of 1.0 cannot say,
// and what docs/CHECK.md lists of the published model.
TEST_F(ExportOfManyVersions, BreaksOnlyWhatIsDocumented) {
  const std::set<std::string> known = {"CommitmentDiscountQuantity.set-when", "SkuMeter.set-when"};
  for (const char* version : {"1.2", "1.3", "1.4"}) {
    for (const char* format : {"csv", "parquet"}) {
      EXPECT_EQ(Broken(Exported(version, format)), known) << version << " " << format;
    }
  }
  const std::string other = In("again");
  std::filesystem::create_directories(other);
  const Environment again{other, "json", "flyball", *files_, clock_};
  Import(In("out-1.2.csv"), "again", again);
  EXPECT_EQ(ByEveryDimension(environment_), ByEveryDimension(again));

  check::CheckOptions check = OptionsFor("1.2", In("out-1.2.csv"));
  const char* root = std::getenv("FLYBALL_SHARED_DATA");
  check.model = std::string(root == nullptr ? "" : root) + "/focus/requirements_model-1.2.json";
  if (!std::filesystem::exists(check.model)) {
    GTEST_SKIP() << "of the published model: set FLYBALL_SHARED_DATA to the folder that has "
                    "focus/requirements_model-1.2.json";
  }
  EXPECT_EQ(
      Broken(check),
      (std::set<std::string>{"BilledCost-C-005-C", "CommitmentDiscountQuantity-C-005-C",
                             "CommitmentDiscountStatus-C-003-C", "CommitmentDiscountStatus-C-004-C",
                             "CommitmentDiscountStatus-C-005-M", "SkuMeter-C-005-C"}));
}

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
