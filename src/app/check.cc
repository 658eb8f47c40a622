// flyball check: does a bill conform to FOCUS? Needs no home.
#include "check/check.h"

#include <fmt/format.h>

#include <unistd.h>

#include <filesystem>

#include "app/check_import.h"
#include "app/command.h"
#include "app/table.h"
#include "check/fix.h"

namespace flyball::app {
namespace {

// A folder of its own for what Parquet is unpacked into, gone at the end.
class TempFolder {
 public:
  TempFolder() {
    std::error_code failed;
    std::string pattern =
        (std::filesystem::temp_directory_path(failed) / "flyball-check-XXXXXX").string();
    if (!failed && mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string CostText(const check::RuleResult& result) {
  std::string text;
  for (const check::CostShare& share : result.cost) {
    text += fmt::format("{}{} {} ({} %)", text.empty() ? "" : ", ", share.affected.ToString(),
                        share.currency, FormatDecimal(share.share_ppm, 4));
  }
  return text;
}

std::string FirstText(const check::RuleResult& result) {
  std::string text;
  for (const std::string& column : result.columns) text += (text.empty() ? "" : ", ") + column;
  if (!text.empty()) return text;
  for (const check::RowPlace& place : result.first) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", place.line);
  }
  return text;
}

Table ResultTable(const check::Report& report, bool all) {
  Table table{{"rule", "keyword", "verdict", "rows", "cost", "lines", "what"}, {}};
  for (const check::RuleResult& result : report.results) {
    const bool failed = result.verdict == check::Verdict::kFailed;
    if (!failed && !all) continue;
    std::string what = result.rule.text;
    if (failed && !result.rule.remedy.empty()) what += " Remedy: " + result.rule.remedy + ".";
    if (!result.reason.empty()) what += " (" + result.reason + ")";
    table.rows.push_back({result.rule.id, std::string(KeywordName(result.rule.keyword)),
                          std::string(VerdictName(result.verdict)),
                          failed ? std::to_string(result.rows_failed) : "", CostText(result),
                          FirstText(result), what});
  }
  return table;
}

std::string Summary(const check::Report& report) {
  std::string text = fmt::format(
      "{}: {} rows; {} of {} rules decided: {} passed, {} failed, {} not applicable; {} not "
      "decidable\n",
      report.rules_from, report.rows, report.decided(), report.results.size(),
      report.Count(check::Verdict::kPassed), report.Count(check::Verdict::kFailed),
      report.Count(check::Verdict::kNotApplicable), report.Count(check::Verdict::kNotDecidable));
  for (const check::ProviderScore& one : report.providers) {
    text +=
        fmt::format("{}: score {} %, {} rules kept, {} broken, {} rows\n", Printable(one.provider),
                    FormatDecimal(one.score_ppm, 4), one.rules_passed, one.rules_failed, one.rows);
  }
  return text;
}

// A check of these files by our own rules.
check::CheckOptions OptionsFor(const Environment& environment,
                               const std::vector<std::string>& files, const TempFolder& temp) {
  check::CheckOptions options;
  options.files = files;
  options.temp_dir = temp.path();
  options.progress = [&environment](uint64_t done, uint64_t total) {
    return ShowProgress(environment, "checking", done, total);
  };
  return options;
}

}  // namespace

Result<std::string> CheckFiles(const Environment& environment,
                               const std::vector<std::string>& files) {
  const TempFolder temp;
  return check::ReportJson(FB_TRY(check::RunCheck(OptionsFor(environment, files, temp))));
}

int RunCheck(const Environment& environment, const CheckArgs& args) {
  const TempFolder temp;
  check::CheckOptions options = OptionsFor(environment, args.files, temp);
  options.version = focus::ParseVersion(args.version);
  options.data_set = focus::ParseDataSet(args.data_set);
  options.model = args.model;
  options.supports = args.supports;
  options.threads = args.threads;
  if (!args.fix.empty()) {
    const Result<check::FixReport> fixed = check::FixFile(options, args.fix, environment.files);
    EndProgress(environment);
    if (!fixed) return Report(environment, fixed.error());
    Say(fmt::format("flyball: {} cells repaired in {} rows, {} records left out; {}{} says which",
                    fixed->cells(), fixed->rows, fixed->rows_left_out, args.fix,
                    check::kFixLogEnd));
    options.files = {args.fix};
  }
  const Result<check::Report> report = check::RunCheck(options);
  EndProgress(environment);
  if (!report) return Report(environment, report.error());
  if (environment.format == "junit") {
    Print(check::ReportJUnit(*report));
  } else if (environment.json()) {
    Print(check::ReportJson(*report));
  } else if (environment.format == "csv") {
    Print(CsvText(ResultTable(*report, args.all)));
  } else {
    const Table table = ResultTable(*report, args.all);
    Print(Summary(*report) + (table.rows.empty() ? "" : "\n" + TableText(table)));
  }
  return report->Count(check::Verdict::kFailed) > 0 ? kExitFound : kExitDone;
}

}  // namespace flyball::app
