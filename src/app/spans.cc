#include "app/spans.h"

#include "app/price_sources.h"
#include "app/remote.h"
#include "base/text.h"
#include "estate/estate.h"
#include "gateway/desk.h"
#include "ingest/otlp/span_log.h"
#include "net/http.h"

namespace flyball::app {
namespace {

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

}  // namespace

std::string OtlpFolder(const Environment& environment) {
  return os::JoinPath(environment.home, "otlp");
}

std::string SpansFolder(const Environment& environment) {
  return os::JoinPath(OtlpFolder(environment), "spans");
}

Result<std::vector<otlp::Bill>> MakeSpanBills(const Environment& environment) {
  otlp::BillOptions options;
  options.spans_folder = SpansFolder(environment);
  std::vector<otlp::Bill> bills;
  const std::vector<std::string> months =
      FB_TRY(otlp::SpanLogMonths(environment.files, options.spans_folder));
  if (months.empty()) return bills;
  options.gateway_calls_folder = os::JoinPath(gateway::GatewayFolder(environment.home), "calls");
  options.gateway_addresses = GatewayAddresses(environment);
  options.until = environment.clock.Now();
  const rates::PriceBook book = FB_TRY(OpenPrices(environment, ""));
  for (const std::string& month : months) {
    bills.push_back(FB_TRY(otlp::MakeBill(environment.files, options, book, month)));
  }
  return bills;
}

}  // namespace flyball::app
