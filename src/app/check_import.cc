#include "app/check_import.h"

#include <fmt/format.h>

#include <csignal>
#include <functional>
#include <nlohmann/json.hpp>

#include "app/error_json.h"
#include "base/text.h"
#include "health/conformance.h"
#include "os/process.h"

namespace flyball::app {
namespace {

using Check = std::function<Result<std::string>()>;
using Names = std::vector<std::string>;

// Of the bill itself, which will be so the next time too; anything else may pass.
bool IsAboutTheBill(Code code) {
  return code == Code::kInvalidArgument || code == Code::kDataLoss || code == Code::kOutOfRange;
}

Status Keep(const Environment& environment, const std::string& content_hash,
            const Result<std::string>& checked) {
  const Instant now = environment.clock.Now();
  if (checked) {
    return health::KeepCheck(environment.files, environment.home, content_hash, *checked, now);
  }
  if (!IsAboutTheBill(checked.error().code)) return Fail(checked.error());
  return health::KeepUnchecked(environment.files, environment.home, content_hash,
                               checked.error().message, now);
}

Result<std::string> CheckIfThere(const Environment& environment, const Names& files,
                                 const Check& check) {
  for (const std::string& file : files) {
    if (!environment.files.Exists(file)) {
      return Fail(Code::kNotFound, "'" + file + "' is not there any more");
    }
  }
  return check();
}

void CheckOnce(const Environment& environment, const Names& files, const std::string& report_json,
               const Check& check) {
  const auto report = nlohmann::json::parse(report_json, nullptr, false);
  if (!report.is_object() || !report.contains("commit") || !report["commit"].is_string()) return;
  const std::string content_hash = report.value("content_hash", "");
  if (health::ReadCheck(environment.files, environment.home, content_hash)) return;
  const Status kept = Keep(environment, content_hash, CheckIfThere(environment, files, check));
  if (kept || kept.error().code == Code::kCancelled) return;
  Say("flyball: the bill is imported, and could not be checked: " + kept.error().message);
}

Result<std::string> CheckInChild(const Environment& environment,
                                 const std::vector<std::string>& files,
                                 const std::stop_token& stop) {
  os::ChildOptions options;
  options.argv = {environment.program, "check", "--format", "json", "--"};
  options.argv.insert(options.argv.end(), files.begin(), files.end());
  os::Child child = FB_TRY(os::Child::Spawn(options));
  const Result<os::ChildExit> waited = [&] {
    const std::stop_callback end(stop, [&] { child.Kill(SIGKILL); });
    return child.Wait();
  }();
  if (stop.stop_requested()) return Fail(Code::kCancelled, "the server is stopping");
  const os::ChildExit exit = FB_TRY(waited);
  if (exit.exit_code == kExitDone || exit.exit_code == kExitFound) return exit.output;
  return Fail(ErrorFromJson(exit.output, fmt::format("the check ended with code {}, signal {}",
                                                     exit.exit_code, exit.signal_number)));
}

}  // namespace

void CheckImported(const Environment& environment, const std::vector<std::string>& files,
                   const std::string& report) {
  CheckOnce(environment, files, report, [&] { return CheckFiles(environment, files); });
}

void CheckImportedInChild(const Environment& environment, const std::vector<std::string>& files,
                          const std::string& report, const std::stop_token& stop) {
  CheckOnce(environment, files, report, [&] { return CheckInChild(environment, files, stop); });
}

}  // namespace flyball::app
