// What the gateway reads of its home's files (estate.yaml and what it includes, imported prices),
// and a thread that reads it again when they change.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/command.h"
#include "base/log.h"
#include "base/result.h"
#include "estate/estate.h"
#include "os/secret.h"
#include "rates/price_book.h"

namespace flyball::app {

struct GatewayConfig {
  estate::Estate estate;
  std::shared_ptr<const rates::PriceBook> book;
  // What was read: as long as none of it changes, reading gives the same.
  std::vector<std::string> files;
  std::vector<os::FileStamp> stamps;
};
Result<GatewayConfig> ReadGatewayConfig(const Environment& environment);
// But for the places where it is written.
bool SameGateway(const estate::Gateway& a, const estate::Gateway& b);

// Calls `changed`, from its own thread, with each configuration that is another than the one before
// and can be read; one that can't is told in the log once. One that could not be put in force is
// told again.
class ConfigWatch {
 public:
  using Changed = std::function<void(GatewayConfig)>;
  static constexpr int kLookEveryMs = 1000;
  ConfigWatch(const Environment& environment, const GatewayConfig& first, Changed changed,
              int look_every_ms = kLookEveryMs);
  // Waits for a reading that is under way.
  ~ConfigWatch();
  // The last configuration is not in force as a whole: `changed` gets it, or a newer one, at the
  // next look. From any thread.
  void TellAgain() { again_ = true; }

 private:
  void Run(const std::stop_token& stop);
  void Look();

  const Environment& environment_;
  const Changed changed_;
  const int look_every_ms_;
  std::vector<std::string> files_;
  std::vector<os::FileStamp> stamps_;
  GatewayConfig last_;
  log::LastingFault fault_;  // of reading it
  std::atomic<bool> again_ = false;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace flyball::app
