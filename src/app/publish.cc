// flyball publish: bring the closed hours of the gateway's calls into the ledger.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/importer.h"
#include "base/hash.h"
#include "base/text.h"
#include "gateway/desk.h"
#include "ingest/gateway_charges.h"
#include "ingest/gateway_stand.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

// A month's bill is written whole and imported; what has not changed changes nothing.
Result<Json> PublishMonth(const Environment& environment, Importer& importer,
                          const std::string& calls, const std::string& month) {
  const ingest::GatewayBill bill =
      FB_TRY(ingest::MakeGatewayBill(environment.files, calls, month, environment.clock.Now()));
  Json done{{"month", month}, {"calls", bill.calls}, {"rows", bill.rows}, {"open", bill.open}};
  if (bill.rows == 0) return done;
  const std::string folder = os::JoinPath(gateway::GatewayFolder(environment.home), "charges");
  FB_CHECK(environment.files.MakeDirs(folder));
  const std::string path = os::JoinPath(folder, "gateway-" + month + ".csv");
  FB_CHECK(os::AtomicWrite(environment.files, path, bill.csv));
  FB_CHECK(ingest::NoteStand(environment.files, folder, Sha256Hex(bill.csv),
                             {bill.closed, bill.log_bytes}));
  ImportArgs args;
  args.files = {path};
  args.source = ingest::kGatewaySource;
  const Json report = Json::parse(FB_TRY(importer.Import(args)), nullptr, false);
  done["commit"] = report.value("commit", "");
  done["unchanged"] = report.value("unchanged", false);
  if (report.contains("billed_cost")) done["billed_cost"] = report["billed_cost"].value("kept", "");
  return done;
}

}  // namespace

Result<std::string> PublishCalls(const Environment& environment) {
  const std::string calls = os::JoinPath(gateway::GatewayFolder(environment.home), "calls");
  const std::vector<std::string> months = FB_TRY(ingest::GatewayMonths(environment.files, calls));
  Json all = Json::array();
  if (months.empty()) return all.dump();
  Importer importer = FB_TRY(Importer::Open(environment));
  for (const std::string& month : months) {
    all.push_back(FB_TRY(PublishMonth(environment, importer, calls, month)));
  }
  return all.dump();
}

int RunPublish(const Environment& environment) {
  const Result<std::string> published = PublishCalls(environment);
  EndProgress(environment);
  if (!published) return Report(environment, published.error());
  const Json months = Json::parse(*published, nullptr, false);
  if (environment.json()) {
    Print(Json{{"months", months}}.dump());
    return kExitDone;
  }
  if (months.empty()) Say("flyball: the gateway has made no calls yet");
  for (const Json& month : months) {
    const std::string commit = month.value("commit", "");
    Print(fmt::format("{}  {} calls in {} charges{}", month.value("month", ""),
                      month.value("calls", int64_t{0}), month.value("rows", int64_t{0}),
                      commit.empty()                    ? ": no hour is closed yet"
                      : month.value("unchanged", false) ? ", unchanged since commit " + commit
                                                        : ", commit " + commit));
  }
  return kExitDone;
}

}  // namespace flyball::app
