#include "app/gateway_config.h"

#include <chrono>
#include <tuple>

#include "app/estate_now.h"
#include "app/price_sources.h"
#include "base/log.h"
#include "estate/snapshot.h"
#include "os/files.h"
#include "rates/price_store.h"

namespace flyball::app {
namespace {

// The folder of imported prices changes when a file is added: the files themselves never do.
std::string PricesFolder(const Environment& environment) {
  return rates::PriceStore(environment.files, environment.home).folder();
}

auto Facts(const estate::Upstream& u) {
  return std::tie(u.name, u.api, u.base_url, u.key_env, u.models, u.weight, u.priority, u.provider,
                  u.region, u.ca_file, u.api_version);
}

}  // namespace

Result<GatewayConfig> ReadGatewayConfig(const Environment& environment) {
  GatewayConfig config;
  config.files = {EstatePath(environment), PricesFolder(environment)};
  // Before they are read: what changes meanwhile is read again.
  config.stamps = os::StampsOf(config.files);
  const std::string snapshot =
      FB_TRY(estate::LoadEstate(environment.files, EstatePath(environment)));
  for (const estate::SnapshotPart& part : FB_TRY(estate::ReadSnapshot(snapshot))) {
    if (part.pack || part.name == "estate.yaml") continue;
    config.files.push_back(os::JoinPath(environment.home, part.name));
    config.stamps.push_back(os::StampOf(config.files.back()));
  }
  config.estate = FB_TRY(estate::RuleSet::Compile(snapshot))->estate();
  config.book = std::make_shared<const rates::PriceBook>(FB_TRY(OpenPrices(environment, "")));
  return config;
}

bool SameGateway(const estate::Gateway& a, const estate::Gateway& b) {
  return a.listen == b.listen && a.access_log == b.access_log && a.output_limit == b.output_limit &&
         a.missing_price == b.missing_price &&
         std::equal(a.upstreams.begin(), a.upstreams.end(), b.upstreams.begin(), b.upstreams.end(),
                    [](const auto& x, const auto& y) { return Facts(x) == Facts(y); });
}

ConfigWatch::ConfigWatch(const Environment& environment, const GatewayConfig& first,
                         Changed changed, int look_every_ms)
    : environment_(environment),
      changed_(std::move(changed)),
      look_every_ms_(look_every_ms),
      files_(first.files),
      stamps_(first.stamps),
      last_(first),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

ConfigWatch::~ConfigWatch() {
  thread_.request_stop();
  thread_.join();
}

void ConfigWatch::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, stop, std::chrono::milliseconds(look_every_ms_),
                         [&] { return stop.stop_requested(); })) {
    if (stop.stop_requested()) return;
    Look();
  }
}

void ConfigWatch::Look() {
  // A file that could not be found may have come, which no stamp tells: what is wrong is tried on.
  const bool again = again_.exchange(false);
  if (!fault_.lasts() && os::StampsOf(files_) == stamps_) {
    if (again) changed_(last_);
    return;
  }
  Result<GatewayConfig> config = ReadGatewayConfig(environment_);
  if (fault_.IsNews(config)) {
    log::Error("what has changed can't be read; what was in force stays", {{"why", fault_.why()}});
  }
  if (!config) {
    if (again) changed_(last_);
    return;
  }
  const bool same = config->files == files_ && config->stamps == stamps_;
  files_ = config->files;
  stamps_ = config->stamps;
  if (same && !again) return;
  last_ = *std::move(config);
  changed_(last_);
}

}  // namespace flyball::app
