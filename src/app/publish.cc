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

// Opened once there is something to import.
class Publisher {
 public:
  explicit Publisher(const Environment& environment) : environment_(environment) {}
  Status PublishGateway(Json* months);
  Status PublishSpans(Json* months);

 private:
  Status Import(const std::string& folder, const std::string& source, const std::string& csv,
                Json* month);

  const Environment& environment_;
  std::optional<Importer> importer_;
};

// A month's bill is written whole and imported; what has not changed changes nothing.
Status Publisher::Import(const std::string& folder, const std::string& source,
                         const std::string& csv, Json* month) {
  if (!importer_) importer_ = FB_TRY(Importer::Open(environment_));
  FB_CHECK(environment_.files.MakeDirs(folder));
  const std::string name = source + "-" + month->value("month", "") + ".csv";
  const std::string path = os::JoinPath(folder, name);
  FB_CHECK(os::AtomicWrite(environment_.files, path, csv));
  ImportArgs args;
  args.files = {path};
  args.source = source;
  const Json report = Json::parse(FB_TRY(importer_->Import(args)), nullptr, false);
  (*month)["commit"] = report.value("commit", "");
  (*month)["unchanged"] = report.value("unchanged", false);
  if (report.contains("billed_cost")) {
    (*month)["billed_cost"] = report["billed_cost"].value("kept", "");
  }
  return {};
}

Status Publisher::PublishGateway(Json* months) {
  const std::string folder = gateway::GatewayFolder(environment_.home);
  const std::string calls = os::JoinPath(folder, "calls");
  for (const std::string& month : FB_TRY(ingest::GatewayMonths(environment_.files, calls))) {
    const ingest::GatewayBill bill =
        FB_TRY(ingest::MakeGatewayBill(environment_.files, calls, month, environment_.clock.Now()));
    Json done{{"source", ingest::kGatewaySource},
              {"month", month},
              {"calls", bill.calls},
              {"rows", bill.rows},
              {"open", bill.open}};
    if (bill.rows > 0) {
      FB_CHECK(Import(os::JoinPath(folder, "charges"), ingest::kGatewaySource, bill.csv, &done));
    }
    months->push_back(std::move(done));
  }
  return {};
}

Status Publisher::PublishSpans(Json* months) {
  for (const otlp::Bill& bill : FB_TRY(MakeSpanBills(environment_))) {
    Json done{{"source", otlp::kSource},   {"month", bill.month},
              {"calls", bill.calls},       {"rows", bill.rows},
              {"gateway", bill.gateway},   {"doubles", bill.doubles},
              {"unpriced", bill.unpriced}, {"unpriced_models", Json::array()}};
    for (const auto& [model, count] : bill.unpriced_models) {
      done["unpriced_models"].push_back({{"model", model}, {"calls", count}});
      Say(fmt::format("flyball: {} calls of {} are not charged yet: {}", count, bill.month, model));
    }
    if (bill.rows > 0) {
      FB_CHECK(Import(os::JoinPath(OtlpFolder(environment_), "charges"), otlp::kSource, bill.csv,
                      &done));
    }
    months->push_back(std::move(done));
  }
  return {};
}

Result<Json> Publish(const Environment& environment) {
  Json months = Json::array();
  Publisher publisher(environment);
  FB_CHECK(publisher.PublishGateway(&months));
  FB_CHECK(publisher.PublishSpans(&months));
  return months;
}

}  // namespace

int RunPublish(const Environment& environment) {
  const Result<Json> months = Publish(environment);
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
