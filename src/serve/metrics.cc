#include "serve/metrics.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace flyball::serve {
namespace {

size_t ClassOf(int status) { return static_cast<size_t>(std::clamp(status / 100, 0, 5)); }

void Head(std::string_view name, std::string_view help, std::string_view type, std::string* out) {
  *out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

// Seconds from microseconds, in plain decimals.
std::string Seconds(int64_t us) { return fmt::format("{}.{:06}", us / 1'000'000, us % 1'000'000); }

}  // namespace

void Metrics::CountRequest(std::string_view route, int status, int64_t latency_us) {
  std::lock_guard lock(mutex_);
  Route& counts = routes_.try_emplace(std::string(route.empty() ? "other" : route)).first->second;
  ++counts.by_class[ClassOf(status)];
  const auto bound = std::ranges::lower_bound(kLatencyBoundsUs, latency_us);
  ++counts.by_latency[static_cast<size_t>(bound - kLatencyBoundsUs.begin())];
  counts.latency_sum_us += latency_us;
}

void Metrics::CountImport(bool ok) {
  std::lock_guard lock(mutex_);
  ++(ok ? imports_ok_ : imports_failed_);
}

void Metrics::CountRefusal(int status) {
  std::lock_guard lock(mutex_);
  ++refused_[ClassOf(status)];
}

std::string Metrics::Text(const std::vector<Gauge>& gauges) const {
  std::string out;
  std::lock_guard lock(mutex_);
  Head("flyball_http_requests_total", "Requests answered, by route and class of status.", "counter",
       &out);
  for (const auto& [route, counts] : routes_) {
    for (size_t i = 1; i < counts.by_class.size(); ++i) {
      if (counts.by_class[i] > 0) {
        out += fmt::format("flyball_http_requests_total{{route=\"{}\",status=\"{}xx\"}} {}\n",
                           route, i, counts.by_class[i]);
      }
    }
  }
  Head("flyball_http_request_seconds", "Time from a whole request to its answer.", "histogram",
       &out);
  for (const auto& [route, counts] : routes_) {
    uint64_t below = 0;
    for (size_t i = 0; i < kLatencyBoundsUs.size(); ++i) {
      below += counts.by_latency[i];
      out += fmt::format("flyball_http_request_seconds_bucket{{route=\"{}\",le=\"{}\"}} {}\n",
                         route, Seconds(kLatencyBoundsUs[i]), below);
    }
    below += counts.by_latency.back();
    out += fmt::format(
        "flyball_http_request_seconds_bucket{{route=\"{0}\",le=\"+Inf\"}} {1}\n"
        "flyball_http_request_seconds_sum{{route=\"{0}\"}} {2}\n"
        "flyball_http_request_seconds_count{{route=\"{0}\"}} {1}\n",
        route, below, Seconds(counts.latency_sum_us));
  }
  Head("flyball_http_refused_total", "Requests refused before a route saw them.", "counter", &out);
  for (size_t i : {size_t{4}, size_t{5}}) {
    out += fmt::format("flyball_http_refused_total{{status=\"{}xx\"}} {}\n", i, refused_[i]);
  }
  Head("flyball_imports_total", "Imports through the server.", "counter", &out);
  out += fmt::format(
      "flyball_imports_total{{result=\"ok\"}} {}\nflyball_imports_total{{result=\"failed\"}} {}\n",
      imports_ok_, imports_failed_);
  for (const Gauge& gauge : gauges) {
    Head(gauge.name, gauge.help, gauge.type, &out);
    out += fmt::format("{} {}\n", gauge.name, gauge.value);
  }
  return out;
}

uint64_t ResidentBytes() {
  std::ifstream in("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  in >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace flyball::serve
