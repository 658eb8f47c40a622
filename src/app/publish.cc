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
  ImportArgs args;
  args.files = {path};
  args.source = ingest::kGatewaySource;
  const Json report = Json::parse(FB_TRY(importer.Import(args)), nullptr, false);
  done["commit"] = report.value("commit", "");
  done["unchanged"] = report.value("unchanged", false);
  if (report.contains("billed_cost")) done["billed_cost"] = report["billed_cost"].value("kept", "");
  return done;
}

Result<Json> Publish(const Environment& environment) {
  const std::string calls = os::JoinPath(gateway::GatewayFolder(environment.home), "calls");
  const std::vector<std::string> months = FB_TRY(ingest::GatewayMonths(environment.files, calls));
  Json all = Json::array();
  if (months.empty()) return all;
  Importer importer = FB_TRY(Importer::Open(environment));
  for (const std::string& month : months) {
    all.push_back(FB_TRY(PublishMonth(environment, importer, calls, month)));
  }
  return all;
}

// Those of the gateway, then those of spans.
Result<Json> PublishAll(const Environment& environment) {
  Json all = FB_TRY(Publish(environment));
  for (Json& month : all) month["source"] = ingest::kGatewaySource;
  for (Json& month : Json::parse(FB_TRY(PublishSpans(environment)))) all.push_back(month);
  return all;
}

}  // namespace

int RunPublish(const Environment& environment) {
  const Result<Json> months = PublishAll(environment);
  EndProgress(environment);
  if (!months) return Report(environment, months.error());
  if (environment.json()) {
    Print(Json{{"months", *months}}.dump());
    return kExitDone;
  }
  if (months->empty()) Say("flyball: no calls have been metered yet");
  for (const Json& month : *months) {
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
