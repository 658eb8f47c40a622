// Fetching: the lists and objects of a store over the network, with retries; an object goes into a
// file that is whole, of the version that was listed, and verified.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/web.h"
#include "os/files.h"
#include "sources/store.h"

namespace flyball::sources {

// Spreads bytes over time: over all that goes through it never more than the rate, from the first
// byte on. (libcurl's own limit lets the first 1.6 MB of every answer pass.)
class Pacer {
 public:
  // 0: no limit.
  explicit Pacer(uint64_t bytes_s) : bytes_s_(bytes_s) {}
  // How long to wait now that so many bytes came.
  int64_t WaitUs(uint64_t bytes, int64_t now_us);

 private:
  uint64_t bytes_s_;
  int64_t due_us_ = 0;  // when all bytes so far may have come
};

// One after another, for a source; all are in the caller's hands.
struct Fetcher {
  net::WebClient& web;
  os::Files& files;
  Clock& clock;
  Random& random;
  Pacer& pacer;
  // Waits before another try; false: the user wants to stop.
  std::function<bool(int64_t us)> wait;
  // Bytes of the object that are here; false: the user wants to stop.
  std::function<bool(uint64_t done)> progress;
};

// So many tries in a row that bring no byte.
inline constexpr int kTriesMax = 6;
inline constexpr int64_t kWaitFirstUs = 400'000;
inline constexpr int64_t kWaitMaxUs = 20'000'000;
inline constexpr int64_t kRetryAfterMaxS = 60;

// Before the n-th try again, n from 1: doubled each time, and by chance between half and whole, so
// that many do not come back at once. `retry_after_s`: what the server asked for, or 0.
int64_t BackoffUs(int n, int64_t retry_after_s, Random& random);

// A small answer of 200, asked for until it comes. `what`: it, for people.
Result<std::string> Ask(const Fetcher& fetcher,
                        const std::function<Result<net::WebRequest>()>& make,
                        const std::string& what);
// RESOURCE_EXHAUSTED when there are more than kObjectsMax.
Result<std::vector<Object>> ListObjects(const Fetcher& fetcher, const Store& store);
// A small one, whole, such as a manifest.
Result<std::string> FetchText(const Fetcher& fetcher, const Store& store, const Object& object,
                              uint64_t bytes_max);
// Brings it to `path`, going on where `path`.part ends. ABORTED: it is not any more what was
// listed; what was there of it is removed. DATA_LOSS: what came is not what the store says it
// holds.
Status FetchFile(const Fetcher& fetcher, const Store& store, const Object& object,
                 const std::string& path);

}  // namespace flyball::sources
