#include "app/spans.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/importer.h"
#include "app/price_sources.h"
#include "app/remote.h"
#include "base/text.h"
#include "estate/estate.h"
#include "gateway/desk.h"
#include "ingest/otlp/bill.h"
#include "ingest/otlp/span_log.h"
#include "net/http.h"

namespace flyball::app {
namespace {

using Json = nlohmann::ordered_json;

// Under which an application on this machine may know our gateway. Without upstreams there is none.
// An estate that can't be read has said so elsewhere; answer ids still tell the gateway's calls.
std::vector<std::string> GatewayAddresses(const Environment& environment) {
  const Result<std::string> snapshot =
      estate::LoadEstate(environment.files, os::JoinPath(environment.home, "estate.yaml"));
  if (!snapshot) return {};
  const auto rules = estate::RuleSet::Compile(*snapshot);
  if (!rules || (*rules)->estate().gateway.upstreams.empty()) return {};
  const std::string& listen = (*rules)->estate().gateway.listen;
  const Result<HostPort> where = ParseHostPort(listen.empty() ? kGatewayListenDefault : listen);
  if (!where) return {};
  std::vector<std::string> addresses{ToLower(UrlOf(where->host, where->port))};
  const bool everywhere = ReachableHost(where->host) != where->host;
  if (everywhere || net::IsLoopback(where->host)) {
    for (const char* host : {"localhost", "127.0.0.1", "::1"}) {
      addresses.push_back(UrlOf(host, where->port));
    }
  }
  return addresses;
}

// A month's bill is written whole and imported; what has not changed changes nothing.
Result<Json> PublishBill(const Environment& environment, Importer& importer,
                         const otlp::Bill& bill) {
  Json done{{"source", otlp::kSource},   {"month", bill.month},
            {"calls", bill.calls},       {"rows", bill.rows},
            {"gateway", bill.gateway},   {"doubles", bill.doubles},
            {"unpriced", bill.unpriced}, {"unpriced_models", Json::array()}};
  for (const auto& [model, count] : bill.unpriced_models) {
    done["unpriced_models"].push_back({{"model", model}, {"calls", count}});
    Say(fmt::format("flyball: {} calls of {} are not charged yet: {}", count, bill.month, model));
  }
  const std::string folder = os::JoinPath(OtlpFolder(environment), "charges");
  const std::string path =
      os::JoinPath(folder, std::string(otlp::kSource) + "-" + bill.month + ".csv");
  if (bill.rows == 0 && !environment.files.Exists(path)) return done;
  FB_CHECK(environment.files.MakeDirs(folder));
  FB_CHECK(os::AtomicWrite(environment.files, path, bill.csv));
  ImportArgs args;
  args.files = {path};
  args.source = otlp::kSource;
  const Json report = Json::parse(FB_TRY(importer.Import(args)), nullptr, false);
  done["commit"] = report.value("commit", "");
  done["unchanged"] = report.value("unchanged", false);
  if (report.contains("billed_cost")) done["billed_cost"] = report["billed_cost"].value("kept", "");
  return done;
}

Result<Json> PublishMonth(const Environment& environment, Importer& importer,
                          const otlp::BillOptions& options, const rates::PriceBook& book,
                          const std::string& month) {
  const otlp::Bill bill = FB_TRY(otlp::MakeBill(environment.files, options, book, month));
  return PublishBill(environment, importer, bill);
}

}  // namespace

std::string OtlpFolder(const Environment& environment) {
  return os::JoinPath(environment.home, "otlp");
}

std::string SpansFolder(const Environment& environment) {
  return os::JoinPath(OtlpFolder(environment), "spans");
}

void Published::Fail(const std::string& source, const std::string& month, Error error) {
  error.message = fmt::format("{} of {}: {}", source, month, error.message);
  failures.push_back(std::move(error));
}

Result<Published> PublishSpans(const Environment& environment) {
  otlp::BillOptions options;
  options.spans_folder = SpansFolder(environment);
  Published published;
  const std::vector<std::string> months =
      FB_TRY(otlp::SpanLogMonths(environment.files, options.spans_folder));
  if (months.empty()) return published;
  options.gateway_calls_folder = os::JoinPath(gateway::GatewayFolder(environment.home), "calls");
  options.gateway_addresses = GatewayAddresses(environment);
  options.until = environment.clock.Now();
  const rates::PriceBook book = FB_TRY(OpenPrices(environment, ""));
  Importer importer = FB_TRY(Importer::Open(environment));
  for (const std::string& month : months) {
    Result<Json> done = PublishMonth(environment, importer, options, book, month);
    if (done) {
      published.months.push_back(done->dump());
    } else {
      published.Fail(otlp::kSource, month, std::move(done).error());
    }
  }
  return published;
}

}  // namespace flyball::app
