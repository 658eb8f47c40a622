// flyball publish: bring the closed hours of metered calls into the ledger: those of the gateway,
// and those that applications' own spans told of.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/error_json.h"
#include "app/importer.h"
#include "app/spans.h"
#include "base/text.h"
#include "gateway/desk.h"
#include "ingest/gateway_charges.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

void TellCommit(const std::string& report_text, Json* month) {
  const Json report = Json::parse(report_text, nullptr, false);
  (*month)["commit"] = report.value("commit", "");
  (*month)["unchanged"] = report.value("unchanged", false);
  if (report.contains("billed_cost")) {
    (*month)["billed_cost"] = report["billed_cost"].value("kept", "");
  }
}

// A month's bill is made whole and imported; what has not changed changes nothing.
Result<Json> PublishMonth(const Environment& environment, Importer& importer,
                          const std::string& calls, const std::string& month) {
  const std::string folder = os::JoinPath(gateway::GatewayFolder(environment.home), "charges");
  const ingest::GatewayBill bill = FB_TRY(
      ingest::WriteGatewayBill(environment.files, calls, folder, month, environment.clock.Now()));
  Json done{{"source", ingest::kGatewaySource},
            {"month", month},
            {"calls", bill.calls},
            {"rows", bill.rows},
            {"open", bill.open}};
  for (const auto& [from, to] : bill.damaged) {
    Say(fmt::format("flyball: the log of calls of {} is damaged from byte {} to {}", month, from,
                    to));
    done["damaged"].push_back({{"from", from}, {"to", to}});
  }
  if (bill.unplaced > 0) {
    Say(
        fmt::format("flyball: {} calls of {} are in no charge, because the log does not say any "
                    "more who made them",
                    bill.unplaced, month));
    done["unplaced"] = bill.unplaced;
  }
  if (bill.rows == 0) return done;
  ImportArgs args;
  args.files = {os::JoinPath(folder, ingest::GatewayBillName(month))};
  args.source = ingest::kGatewaySource;
  TellCommit(FB_TRY(importer.Import(args)), &done);
  return done;
}

// Two at once would write the same files.
Result<os::HomeLock> LockPublishing(const Environment& environment) {
  FB_CHECK(environment.files.MakeDirs(gateway::GatewayFolder(environment.home)));
  Result<os::HomeLock> lock =
      os::HomeLock::Acquire(os::JoinPath(gateway::GatewayFolder(environment.home), "publish.lock"));
  if (!lock && lock.error().code == Code::kAlreadyExists) {
    lock.error().hint = "another `flyball publish` is at work: wait for it";
  }
  return lock;
}

// The caller holds the lock.
Result<Published> PublishMonths(const Environment& environment) {
  const std::string calls = os::JoinPath(gateway::GatewayFolder(environment.home), "calls");
  Published published;
  const std::vector<std::string> months = FB_TRY(ingest::GatewayMonths(environment.files, calls));
  if (months.empty()) return published;
  Importer importer = FB_TRY(Importer::Open(environment));
  for (const std::string& month : months) {
    Result<Json> done = PublishMonth(environment, importer, calls, month);
    if (done) {
      published.months.push_back(done->dump());
    } else {
      published.Fail(ingest::kGatewaySource, month, std::move(done).error());
    }
  }
  return published;
}

// Those of the gateway, then those of spans, whatever became of the gateway's.
Result<Published> PublishAll(const Environment& environment) {
  const os::HomeLock lock = FB_TRY(LockPublishing(environment));
  Published all;
  for (const auto publish : {PublishMonths, PublishSpans}) {
    Result<Published> some = publish(environment);
    if (!some) {
      all.failures.push_back(std::move(some).error());
      continue;
    }
    std::ranges::move(some->months, std::back_inserter(all.months));
    std::ranges::move(some->failures, std::back_inserter(all.failures));
  }
  return all;
}

}  // namespace

Status PublishCalls(const Environment& environment) {
  const os::HomeLock lock = FB_TRY(LockPublishing(environment));
  Published published = FB_TRY(PublishMonths(environment));
  if (published.failures.empty()) return {};
  return Fail(std::move(published.failures.front()));
}

int RunPublish(const Environment& environment) {
  const Result<Published> published = PublishAll(environment);
  EndProgress(environment);
  if (!published) return Report(environment, published.error());
  Json months = Json::array();
  for (const std::string& month : published->months) months.push_back(Json::parse(month));
  Json failures = Json::array();
  for (const Error& failure : published->failures) {
    (void)Report("table", failure);  // in words, for the document below has room for all of them
    failures.push_back(Json::parse(ErrorJson(failure))["error"]);
  }
  const int exit_code = failures.empty() ? kExitDone : ExitCode(Code::kUnavailable);
  if (environment.json()) {
    Json document{{"months", months}};
    if (!failures.empty()) document["failures"] = failures;
    Print(document.dump());
    return exit_code;
  }
  if (months.empty() && failures.empty()) Say("flyball: no calls have been metered yet");
  for (const Json& month : months) {
    const std::string commit = month.value("commit", "");
    Print(fmt::format("{}  {}: {} calls in {} charges{}", month.value("month", ""),
                      month.value("source", ""), month.value("calls", int64_t{0}),
                      month.value("rows", int64_t{0}),
                      commit.empty()                    ? ": no hour is closed yet"
                      : month.value("unchanged", false) ? ", unchanged since commit " + commit
                                                        : ", commit " + commit));
  }
  return exit_code;
}

}  // namespace flyball::app
