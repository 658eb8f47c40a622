// The statement that checks files for conformance.
#include <fmt/format.h>

#include "check/check.h"
#include "world.h"

namespace flyball::cases {

Result<Outcome> RunCheck(World& world, const Statement& statement) {
  check::CheckOptions options;
  options.temp_dir = world.OutsidePath("check");
  FB_CHECK(world.files().MakeDirs(options.temp_dir));
  for (const std::string& arg : statement.args) {
    if (!arg.starts_with("focus=")) {
      options.files.push_back(world.InputPath(arg));
      continue;
    }
    options.version = focus::ParseVersion(arg.substr(6));
    if (!options.version) return Fail(Code::kInvalidArgument, "check: no version " + arg);
  }
  const check::Report report = FB_TRY(check::RunCheck(options));
  Outcome outcome;
  outcome.facts.push_back({fmt::format("focus {}", focus::VersionName(report.version))});
  outcome.facts.push_back({fmt::format("rows {}", report.rows)});
  for (const check::RuleResult& result : report.results) {
    std::string key = fmt::format("{} {}", VerdictName(result.verdict), result.rule.id);
    if (result.verdict == check::Verdict::kFailed) key += fmt::format(" {}", result.rows_failed);
    outcome.facts.push_back({std::move(key), result.reason});
  }
  return outcome;
}

}  // namespace flyball::cases
