// Metrics: what /metrics shows, in the text format of Prometheus. Labels are bounded: routes come
// from the route table, statuses are classes. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace flyball::serve {

// Upper bounds of the latency histogram, in microseconds.
inline constexpr std::array<int64_t, 11> kLatencyBoundsUs = {
    1'000,   2'500,   5'000,     10'000,    25'000,    50'000,
    100'000, 250'000, 1'000'000, 5'000'000, 60'000'000};

class Metrics {
 public:
  // `route` is a pattern of the route table ("/api/v1/query"), or "" for what matched none.
  void CountRequest(std::string_view route, int status, int64_t latency_us);
  void CountImport(bool ok);
  void CountRefusal(int status);

  struct Gauge {
    std::string_view name, help, type;
    uint64_t value = 0;
  };
  std::string Text(const std::vector<Gauge>& gauges) const;

 private:
  struct Route {
    std::array<uint64_t, 6> by_class{};  // [2] is 2xx
    std::array<uint64_t, kLatencyBoundsUs.size() + 1> by_latency{};
    int64_t latency_sum_us = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Route, std::less<>> routes_;
  uint64_t imports_ok_ = 0;
  uint64_t imports_failed_ = 0;
  std::array<uint64_t, 6> refused_{};
};

// Resident memory of this process; 0 where it can't be told.
uint64_t ResidentBytes();

}  // namespace flyball::serve
