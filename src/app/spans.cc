#include "app/spans.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "app/importer.h"
#include "app/price_sources.h"
#include "app/remote.h"
#include "base/text.h"
#include "estate/estate.h"
#include "gateway/desk.h"
#include "ingest/otlp/bill.h"
#include "ingest/otlp/span_log.h"
#include "net/http.h"
#include "rates/price_store.h"

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

// Which price book it is: an imported file's name has its hash in it.
Result<std::string> PricesOf(const Environment& environment) {
  std::string text = FLYBALL_VERSION;
  const rates::PriceStore store(environment.files, environment.home);
  for (const rates::StoredPrices& prices : FB_TRY(store.List())) text += " " + prices.name;
  return text;
}

Json ReportOf(const otlp::Bill& bill) {
  Json report{{"source", otlp::kSource},   {"month", bill.month},
              {"calls", bill.calls},       {"rows", bill.rows},
              {"gateway", bill.gateway},   {"doubles", bill.doubles},
              {"unpriced", bill.unpriced}, {"unpriced_models", Json::array()}};
  for (const auto& [model, count] : bill.unpriced_models) {
    report["unpriced_models"].push_back({{"model", model}, {"calls", count}});
  }
  return report;
}

// Brings the months of spans into the ledger, one after the other.
class Publisher {
 public:
  Publisher(const Environment& environment, otlp::BillOptions options, Importer importer)
      : environment_(environment),
        options_(std::move(options)),
        folder_(os::JoinPath(OtlpFolder(environment), "charges")),
        importer_(std::move(importer)) {}

  // A month's bill is written whole and imported; what has not changed changes nothing.
  Result<Json> Publish(const std::string& month) {
    const std::string path =
        os::JoinPath(folder_, std::string(otlp::kSource) + "-" + month + ".csv");
    Json done = FB_TRY(Make(month, path));
    for (const Json& each : done["unpriced_models"]) {
      Say(fmt::format("flyball: {} calls of {} are not charged yet: {}",
                      each.value("calls", int64_t{0}), month, each.value("model", "")));
    }
    if (!environment_.files.Exists(path)) return done;
    ImportArgs args;
    args.files = {path};
    args.source = otlp::kSource;
    const Json report = Json::parse(FB_TRY(importer_.Import(args)), nullptr, false);
    done["commit"] = report.value("commit", "");
    done["unchanged"] = report.value("unchanged", false);
    if (report.contains("billed_cost")) {
      done["billed_cost"] = report["billed_cost"].value("kept", "");
    }
    return done;
  }

 private:
  // What is said of the month's bill, which lies at the path, unless it never had a charge. As long
  // as what it was made from is the same, that is read, and nothing else.
  Result<Json> Make(const std::string& month, const std::string& path) {
    os::Files& files = environment_.files;
    const std::string made_path = path + ".made";
    const std::string inputs =
        FB_TRY(otlp::BillInputs(files, options_, month)) + " " + FB_TRY(PricesOf(environment_));
    const Json made = Json::parse(files.ReadAll(made_path).value_or(""), nullptr, false);
    if (made.is_object() && made.value("inputs", "") == inputs && made.contains("report") &&
        (made["report"].value("rows", int64_t{0}) == 0 || files.Exists(path))) {
      return made["report"];
    }
    if (!book_) book_ = FB_TRY(OpenPrices(environment_, ""));
    const otlp::Bill bill = FB_TRY(otlp::MakeBill(files, options_, *book_, month));
    Json report = ReportOf(bill);
    FB_CHECK(files.MakeDirs(folder_));
    FB_CHECK(files.Remove(made_path));
    if (bill.rows > 0 || files.Exists(path)) FB_CHECK(os::AtomicWrite(files, path, bill.csv));
    FB_CHECK(os::AtomicWrite(files, made_path,
                             Json{{"inputs", inputs}, {"report", report}}.dump() + "\n"));
    return report;
  }

  const Environment& environment_;
  const otlp::BillOptions options_;
  const std::string folder_;
  Importer importer_;
  std::optional<rates::PriceBook> book_;  // opened for the first month that is made
};

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
  Publisher publisher(environment, std::move(options), FB_TRY(Importer::Open(environment)));
  for (const std::string& month : months) {
    Result<Json> done = publisher.Publish(month);
    if (done) {
      published.months.push_back(done->dump());
    } else {
      published.Fail(otlp::kSource, month, std::move(done).error());
    }
  }
  return published;
}

}  // namespace flyball::app
