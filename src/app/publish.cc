// flyball publish: bring the closed hours of metered calls into the ledger: those of the gateway,
// and those that applications' own spans told of.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/command.h"
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

}  // namespace

Result<std::string> PublishCalls(const Environment& environment) {
  const std::string calls = os::JoinPath(gateway::GatewayFolder(environment.home), "calls");
  const std::vector<std::string> months = FB_TRY(ingest::GatewayMonths(environment.files, calls));
  Json all = Json::array();
  if (months.empty()) return all.dump();
  const os::HomeLock lock = FB_TRY(LockPublishing(environment));
  Importer importer = FB_TRY(Importer::Open(environment));
  for (const std::string& month : months) {
    all.push_back(FB_TRY(PublishMonth(environment, importer, calls, month)));
  }
  return all.dump();
}

namespace {

// Those of the gateway, then those of spans.
Result<Json> PublishAll(const Environment& environment) {
  Json all = Json::parse(FB_TRY(PublishCalls(environment)));
  const os::HomeLock lock = FB_TRY(LockPublishing(environment));
  for (Json& month : Json::parse(FB_TRY(PublishSpans(environment)))) all.push_back(month);
  return all;
}

}  // namespace

int RunPublish(const Environment& environment) {
  const Result<Json> published = PublishAll(environment);
  EndProgress(environment);
  if (!published) return Report(environment, published.error());
  const Json& months = *published;
  if (environment.json()) {
    Print(Json{{"months", months}}.dump());
    return kExitDone;
  }
  if (months.empty()) Say("flyball: no calls have been metered yet");
  for (const Json& month : months) {
    const std::string commit = month.value("commit", "");
    Print(fmt::format("{}  {}: {} calls in {} charges{}", month.value("month", ""),
                      month.value("source", ""), month.value("calls", int64_t{0}),
                      month.value("rows", int64_t{0}),
                      commit.empty()                    ? ": no hour is closed yet"
                      : month.value("unchanged", false) ? ", unchanged since commit " + commit
                                                        : ", commit " + commit));
  }
  return kExitDone;
}

}  // namespace flyball::app
